/* Futexes in every form: absolute times, requeueing and its order, wake-op,
 * restarts, locks handed over, words shared between processes; threads that
 * end while others wait. */
#include "guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

static uint32_t a, b, c;
static volatile int woken[8], nwoken;
static volatile pid_t begun[8];
static volatile int count;

static long
futex(uint32_t *word, int op, uint32_t value, const struct timespec *ts,
    uint32_t *second, uint32_t value3)
{
	return (syscall(SYS_futex, word, op, value, ts, second, value3));
}

static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void *
waiter(void *arg)
{
	int i = (int)(long)arg;

	begun[i] = gettid();
	woken[i] = futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
	    1u << i) == 0 ? 1 : 99;
	__atomic_fetch_add(&nwoken, 1, __ATOMIC_SEQ_CST);
	return (NULL);
}

static pthread_t t[6];

/* It ends when the first thread has. */
static void *
straggler(void *arg)
{
	(void)arg;
	UNTIL(strchr("ZX", task_state(getpid(), getpid())) != NULL);
	return (NULL);
}

/* Waiting in order of their numbers. */
static void
start(int n)
{
	nwoken = 0;
	for (long i = 0; i < n; i++) {
		begun[i] = 0;
		woken[i] = 0;
		pthread_create(&t[i], NULL, waiter, (void *)i);
		UNTIL(begun[i] != 0);
		settle_thread(getpid(), begun[i]);
	}
}

/* So many of n are woken; the others still wait, here or there. */
static void
finish(const char *what, int n, int most)
{
	int set = 0;

	UNTIL(nwoken >= most);
	for (int i = 0; i < n; i++)
		set |= (woken[i] != 0) << i;
	printf("%s: %d are %x;", what, nwoken, set);
	printf(" left %ld", futex(&a, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL,
	    NULL, 0));
	printf(" and %ld;", futex(&b, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL,
	    NULL, 0));
	for (int i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		if (woken[i] != 1)
			printf(" %d", i);
	}
	printf(" %d in all\n", nwoken);
}

static void
waking(void)
{
	uint32_t add = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0);

	start(3);
	printf("one: %ld\n", futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	finish("woken", 3, 1);
	start(3);
	printf("none is one: %ld\n", futex(&a, FUTEX_WAKE_PRIVATE, 0, NULL,
	    NULL, 0));
	finish("woken", 3, 1);
	start(4);
	printf("by bits: %ld\n", futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 10,
	    NULL, NULL, 0xa));
	finish("woken", 4, 2);
	/* two to wake, two to move, one stays */
	start(5);
	printf("requeued: %ld\n", syscall(SYS_futex, &a,
	    FUTEX_CMP_REQUEUE_PRIVATE, 2, 2, &b, 0));
	UNTIL(nwoken >= 2);
	printf("woken %d\n", nwoken);
	printf("there: %ld", futex(&b, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	printf(" here: %ld\n", futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL,
	    0));
	finish("all", 5, 5);
	say("changed", syscall(SYS_futex, &a, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1,
	    &b, 7));
	say("negative", syscall(SYS_futex, &a, FUTEX_REQUEUE_PRIVATE, -1, 1,
	    &b, 0));
	start(3);
	printf("plain requeue: %ld\n", syscall(SYS_futex, &a,
	    FUTEX_REQUEUE_PRIVATE, 0, 1, &b, 0));
	printf("there: %ld\n", futex(&b, FUTEX_WAKE_PRIVATE, 9, NULL, NULL,
	    0));
	finish("woken", 3, 1);
	/* another word changes, and its old value decides */
	start(2);
	c = 0;
	printf("wake-op: %ld", syscall(SYS_futex, &b, FUTEX_WAKE_OP_PRIVATE,
	    1, 1, &a, FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0)));
	printf("\n");
	finish("woken", 2, 1);
	printf("wake-op: %ld", syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE,
	    1, 1, &c, add));
	printf(" %u\n", c);
	syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &c,
	    FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LT, 9));
	printf("andn %u", c);
	syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &c,
	    FUTEX_OP(FUTEX_OP_XOR, 0xff, FUTEX_OP_CMP_GE, 9));
	printf(" xor %u", c);
	syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &c,
	    FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 10,
	    FUTEX_OP_CMP_NE, 9));
	printf(" or bit %u", c);
	syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &c,
	    FUTEX_OP(FUTEX_OP_SET, -5, FUTEX_OP_CMP_LE, 9));
	printf(" set %d\n", (int)c);
	say("bad compare", syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1,
	    &c, 9 << 24));
}

static void
on_signal(int signo)
{
	(void)signo;
	count++;
}

static void
times(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	struct timespec ts = { 0, 20000000 }, end;
	long t0 = now_ms();

	a = 0;
	say("relative", futex(&a, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
	printf("waited %d\n", now_ms() - t0 >= 20);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	say("absolute", futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, &ts, NULL,
	    1));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("waited %d\n", end.tv_sec > ts.tv_sec ||
	    (end.tv_sec == ts.tv_sec && end.tv_nsec >= ts.tv_nsec));
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec--;
	say("past", futex(&a, FUTEX_WAIT_BITSET_PRIVATE |
	    FUTEX_CLOCK_REALTIME, 0, &ts, NULL, 1));
	say("changed first", futex(&a, FUTEX_WAIT_BITSET_PRIVATE |
	    FUTEX_CLOCK_REALTIME, 5, &ts, NULL, 1));
	say("no bits", futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
	    0));
	say("no bits", futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL,
	    0));
	ts.tv_nsec = 1000000000;
	say("bad time", futex(&a, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
	say("odd address", futex((uint32_t *)((char *)&a + 1),
	    FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	say("bad address", futex((uint32_t *)4096, FUTEX_WAIT_PRIVATE, 0,
	    NULL, NULL, 0));
	say("bad address", futex((uint32_t *)4096, FUTEX_WAKE, 1, NULL, NULL,
	    0));
	say("nobody there", futex((uint32_t *)4096, FUTEX_WAKE_PRIVATE, 1,
	    NULL, NULL, 0));
	say("clock", futex(&a, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 1,
	    NULL, NULL, 0));
	say("operation", futex(&a, 99, 1, NULL, NULL, 0));
	/* with a limit a handler ends it, without one it is restarted */
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(10);
	ts = (struct timespec) { 1000, 0 };
	say("a handler", futex(&a, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
	alarm_each(0);
	count = 0;
	start(1);
	pthread_kill(t[0], SIGALRM);
	UNTIL(count == 1);
	settle_thread(getpid(), begun[0]);
	finish("restarted", 1, 0);
	printf("handled %d\n", count);
	/* stopped and continued, it goes on to the same end */
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		ts = (struct timespec) { 0, 200000000 };
		_exit(futex(&a, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0) == -1 &&
		    errno == ETIMEDOUT ? 3 : 99);
	}
	settle(pid);
	int st;
	kill(pid, SIGSTOP);
	waitpid(pid, &st, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, &st, 0);
	printf("stopped in mid-wait: %d\n", WEXITSTATUS(st));
}

/* ---- locks handed over ---- */

static volatile int held, wanted;

/* Has the lock until the first thread waits for it. */
static void *
holder(void *arg)
{
	printf("holder %s\n", error_name(futex(&b, FUTEX_LOCK_PI_PRIVATE, 0,
	    NULL, NULL, 0)));
	held = 1;
	UNTIL(wanted);
	settle_thread(getpid(), getpid());
	if (arg == NULL)
		futex(&b, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	return (NULL);
}

static void
start_holder(void *arg)
{
	held = wanted = 0;
	pthread_create(&t[0], NULL, holder, arg);
	UNTIL(held);
}

static void
wait_for_holder(void)
{
	wanted = 1;
	say("wait", futex(&b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void
inheriting(void)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	struct timespec ts = { 0, 0 };
	pthread_mutexattr_t ma;
	pthread_mutex_t mu;

	b = 0;
	say("lock", futex(&b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	printf("mine %d\n", b == tid);
	say("again", futex(&b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	say("again", futex(&b, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	say("unlock", futex(&b, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	printf("free %u\n", b);
	say("not mine", futex(&b, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL,
	    0));
	start_holder(NULL);
	say("try", futex(&b, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	clock_gettime(CLOCK_REALTIME, &ts);
	say("time is over", futex(&b, FUTEX_LOCK_PI_PRIVATE, 0, &ts, NULL,
	    0));
	wait_for_holder();
	printf("mine %d\n", (b & FUTEX_TID_MASK) == tid);
	say("unlock", futex(&b, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	pthread_join(t[0], NULL);
	printf("free %u\n", b & FUTEX_TID_MASK);
	/* its owner ends */
	b = 0;
	start_holder(&b);
	wait_for_holder();
	printf("mine %d, owner died %d\n", (b & FUTEX_TID_MASK) == tid,
	    (b & FUTEX_OWNER_DIED) != 0);
	pthread_join(t[0], NULL);
	b = FUTEX_TID_MASK; /* above the largest possible */
	say("no such owner", futex(&b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL,
	    0));
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setprotocol(&ma, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mu, &ma);
	printf("mutex %d", pthread_mutex_lock(&mu));
	printf(" %d", pthread_mutex_trylock(&mu));
	printf(" %d\n", pthread_mutex_unlock(&mu));
}

/* ---- between processes ---- */

struct shared {
	uint32_t word, ready;
	pthread_mutex_t mu, pi;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	pthread_rwlock_t rw;
	int turn, sum;
};

static void
child(struct shared *s, int i)
{
	pthread_barrier_wait(&s->barrier);
	for (int k = 0; k < 200; k++) {
		pthread_rwlock_wrlock(&s->rw);
		s->sum += i;
		pthread_rwlock_unlock(&s->rw);
		pthread_mutex_lock(&s->pi);
		s->sum++;
		pthread_mutex_unlock(&s->pi);
	}
	pthread_mutex_lock(&s->mu);
	while (s->turn != i)
		pthread_cond_wait(&s->cond, &s->mu);
	s->turn++;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->mu);
	_exit(0);
}

static void
processes(void)
{
	int fd = make_file("words", 2 * PAGE), st;
	struct shared *s = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	pthread_rwlockattr_t ra;
	pthread_barrierattr_t ba;
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	memset(s, 0, sizeof(*s));
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->mu, &ma);
	pthread_mutexattr_setprotocol(&ma, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&s->pi, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &ca);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->barrier, &ba, 4);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->rw, &ra);
	fflush(stdout);
	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			child(s, i);
	for (int i = 0; i < 4; i++)
		wait(&st);
	printf("turn %d\n", s->turn);
	/* another address for the same word, with and without PRIVATE */
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct shared *o = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);

		s->ready = 1;
		_exit(futex(&o->word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 5 :
		    99);
	}
	UNTIL(*(volatile uint32_t *)&s->ready != 0);
	settle(pid);
	printf("private %ld", futex(&s->word, FUTEX_WAKE_PRIVATE, 1, NULL,
	    NULL, 0));
	printf(" shared %ld\n", futex(&s->word, FUTEX_WAKE, 1, NULL, NULL,
	    0));
	wait(&st);
	printf("child %d\n", WEXITSTATUS(st));
	/* a private copy of the file is another word */
	char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
	    0);
	own[100] = 1;
	printf("own copy %ld\n", futex((uint32_t *)own, FUTEX_WAKE, 1, NULL,
	    NULL, 0));
	close(fd);
}

/* ---- threads that end ---- */

static char stack[65536];
static volatile int state;

static int
raw_thread(void *arg)
{
	state = 1;
	while (*(volatile int *)arg == 0)
		continue;
	/* of this thread alone */
	syscall(SYS_exit, 0);
	return (0);
}

static void
ends(void)
{
	static volatile int go;
	static pid_t tid = 5, parent_tid;
	uint32_t seen;
	int st;

	clone(raw_thread, stack + sizeof(stack), CLONE_VM | CLONE_FS |
	    CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	    CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
	    (void *)(uintptr_t)&go, &parent_tid, NULL, &tid);
	UNTIL(state != 0);
	seen = (uint32_t)tid;
	printf("told both %d\n", seen == (uint32_t)parent_tid && seen > 5);
	go = 1;
	while (*(volatile pid_t *)&tid != 0)
		futex((uint32_t *)&tid, FUTEX_WAIT, seen, NULL, NULL, 0);
	printf("cleared and woken %d\n", tid);
	/* the group ends while threads wait */
	fflush(stdout);
	if (fork() == 0) {
		a = 0;
		start(3);
		_exit(6);
	}
	wait(&st);
	printf("group %d\n", WEXITSTATUS(st));
	/* the first thread ends first */
	fflush(stdout);
	if (fork() == 0) {
		pthread_create(&t[0], NULL, straggler, NULL);
		syscall(SYS_exit, 7);
	}
	wait(&st);
	printf("last %d\n", WEXITSTATUS(st));
	say("robust list", syscall(SYS_set_robust_list, NULL, 23));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	waking();
	times();
	inheriting();
	processes();
	ends();
	return (0);
}
