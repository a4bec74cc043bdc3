/* POSIX threads: locks, conditions, barriers, thread-local storage, signals
 * to one thread, cancellation, robust locks, raw futexes. */
#include "guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/wait.h>

#define N 6

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cv = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long sum, turn, hits[N];
static __thread long tls = -1;

static void *
work(void *arg)
{
	long id = (long)arg, s = 0;
	char *p;

	tls = id * 10;
	for (int i = 0; i < 8000; i++) {
		pthread_mutex_lock(&mu);
		sum += id;
		pthread_mutex_unlock(&mu);
		if (i % 500 == 0)
			sched_yield();
	}
	pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&mu);
	while (turn != id)
		pthread_cond_wait(&cv, &mu);
	printf("turn %ld tls %ld\n", id, tls);
	turn++;
	pthread_cond_broadcast(&cv);
	pthread_mutex_unlock(&mu);
	p = malloc(300000);
	memset(p, (int)id, 300000);
	for (int i = 0; i < 300000; i++)
		s += p[i];
	free(p);
	return ((void *)s);
}

static void
basics(void)
{
	pthread_t t[N];
	long total = 0;
	void *r;

	pthread_barrier_init(&barrier, NULL, N);
	for (long i = 0; i < N; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i) != 0)
			perror("pthread_create");
	for (int i = 0; i < N; i++) {
		pthread_join(t[i], &r);
		total += (long)r;
	}
	printf("sum %ld total %ld\n", sum, total);
}

/* ---- producers and consumers, and a timed wait ---- */

static sem_t items, room;
static int ring[8], head, tail;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *
producer(void *arg)
{
	for (int i = 1; i <= 2000; i++) {
		sem_wait(&room);
		pthread_mutex_lock(&mu);
		ring[head++ % 8] = i;
		pthread_mutex_unlock(&mu);
		sem_post(&items);
	}
	return (arg);
}

static void *
consumer(void *arg)
{
	long *out = arg;

	for (int i = 0; i < 1000; i++) {
		sem_wait(&items);
		pthread_mutex_lock(&mu);
		*out += ring[tail++ % 8];
		pthread_mutex_unlock(&mu);
		sem_post(&room);
	}
	return (NULL);
}

static void *
reader(void *arg)
{
	long *out = arg;

	for (int i = 0; i < 500; i++) {
		pthread_rwlock_rdlock(&rw);
		*out += hits[0] == hits[1];
		pthread_rwlock_unlock(&rw);
		pthread_rwlock_wrlock(&rw);
		hits[0]++;
		hits[1]++;
		pthread_rwlock_unlock(&rw);
	}
	return (NULL);
}

static void
flow(void)
{
	long out[2] = { 0, 0 }, good[3] = { 0, 0, 0 };
	struct timespec ts;
	pthread_t t[3];

	sem_init(&items, 0, 0);
	sem_init(&room, 0, 8);
	pthread_create(&t[0], NULL, producer, NULL);
	pthread_create(&t[1], NULL, consumer, &out[0]);
	pthread_create(&t[2], NULL, consumer, &out[1]);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("consumed %ld\n", out[0] + out[1]);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, reader, &good[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("readers %ld writers %ld\n", good[0] + good[1] + good[2],
	    hits[0]);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 5000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mu);
	printf("timed out %s\n",
	    strerrorname_np(pthread_cond_timedwait(&cv, &mu, &ts)));
	pthread_mutex_unlock(&mu);
	printf("sem %s\n", sem_timedwait(&items, &ts) != 0 ?
	    strerrorname_np(errno) : "taken");
}

/* ---- signals and ends ---- */

static volatile pid_t took;
static volatile int ready;

static void
on_usr1(int signo)
{
	(void)signo;
	took = gettid();
}

static void *
sleeper(void *arg)
{
	pid_t *tid = arg;

	*tid = gettid();
	__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return (NULL);
}

static void
cleanup(void *arg)
{
	printf("cleaned %s\n", (const char *)arg);
}

static void *
cancelled(void *arg)
{
	pthread_cleanup_push(cleanup, (void *)"up");
	__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		sleep(1000);
	pthread_cleanup_pop(0);
	return (arg);
}

static void
wait_ready(void)
{
	while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST))
		sched_yield();
	ready = 0;
}

static void
signals(void)
{
	pthread_t t;
	pid_t tid = 0;
	void *r;

	signal(SIGUSR1, on_usr1);
	pthread_create(&t, NULL, sleeper, &tid);
	wait_ready();
	pthread_kill(t, SIGUSR1);
	UNTIL(took != 0);
	printf("taken by the thread %d\n", took == tid);
	say("tgkill of nobody", tgkill(getpid(), 999999, 0));
	say("tgkill elsewhere", tgkill(getppid(), tid, 0));
	pthread_cancel(t);
	pthread_join(t, &r);
	printf("cancelled %d\n", r == PTHREAD_CANCELED);
	pthread_create(&t, NULL, cancelled, NULL);
	wait_ready();
	pthread_cancel(t);
	pthread_join(t, &r);
	printf("cancelled %d\n", r == PTHREAD_CANCELED);
}

static void *
takes(void *arg)
{
	pthread_mutex_lock(arg);
	return (NULL);
}

static void
robust(void)
{
	pthread_mutexattr_t ma;
	pthread_mutex_t m;
	pthread_t t;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m, &ma);
	pthread_create(&t, NULL, takes, &m);
	pthread_join(t, NULL);
	printf("owner died: %s\n", strerrorname_np(pthread_mutex_lock(&m)));
	pthread_mutex_consistent(&m);
	pthread_mutex_unlock(&m);
}

static long
futex(uint32_t *a, int op, uint32_t v, void *t, uint32_t *b, uint32_t w)
{
	return (syscall(SYS_futex, a, op, v, t, b, w));
}

static uint32_t fa, fb;
static volatile pid_t waiting[4];

static void *
waits(void *arg)
{
	waiting[(int)(intptr_t)arg] = gettid();
	return ((void *)futex(&fa, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
	    2));
}

static void
futexes(void)
{
	struct timespec ts = { 0, 2000000 };
	pthread_t t[4];

	say("changed", futex(&fa, FUTEX_WAIT, 1, NULL, NULL, 0));
	say("time out", futex(&fa, FUTEX_WAIT, 0, &ts, NULL, 0));
	say("no bits", futex(&fa, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	say("odd", futex((uint32_t *)((char *)&fa + 1), FUTEX_WAIT, 0, NULL,
	    NULL, 0));
	say("bad address", futex((uint32_t *)16, FUTEX_WAIT, 0, NULL, NULL,
	    0));
	say("unknown", futex(&fa, 99, 0, NULL, NULL, 0));
	printf("nobody %ld\n", futex(&fa, FUTEX_WAKE_PRIVATE, 9, NULL, NULL,
	    0));
	for (int i = 0; i < 4; i++) {
		pthread_create(&t[i], NULL, waits, (void *)(intptr_t)i);
		UNTIL(waiting[i] != 0);
		settle_thread(getpid(), waiting[i]);
	}
	printf("other bits %ld\n", futex(&fa, FUTEX_WAKE_BITSET_PRIVATE, 9,
	    NULL, NULL, 4));
	printf("one %ld\n", futex(&fa, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL,
	    NULL, 6));
	say("requeue, changed", futex(&fa, FUTEX_CMP_REQUEUE_PRIVATE, 1,
	    (void *)9, &fb, 7));
	printf("requeue %ld\n", futex(&fa, FUTEX_CMP_REQUEUE_PRIVATE, 1,
	    (void *)1, &fb, 0));
	printf("moved %ld\n", futex(&fb, FUTEX_WAKE_PRIVATE, 9, NULL, NULL,
	    0));
	fb = 5;
	printf("wake-op %ld", futex(&fa, FUTEX_WAKE_OP_PRIVATE, 9, (void *)9,
	    &fb, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4)));
	printf(" word %u\n", fb);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

/* exit_group and exec end threads that sleep in the kernel. */
static void
ends(void)
{
	pthread_t t;
	pid_t tid, pid;
	int st;

	for (int how = 0; how < 4; how++) {
		fflush(stdout);
		if ((pid = fork()) == 0) {
			for (int i = 0; i < 3; i++)
				pthread_create(&t, NULL, sleeper, &tid);
			wait_ready();
			if (how == 0)
				_exit(40);
			if (how == 1)
				execl("/bin/sh", "sh", "-c", "exit 41", NULL);
			if (how == 2)
				abort();
			pthread_exit(NULL); /* the others go on */
		}
		if (how == 3) {
			settle(pid); /* it is dead, but not its threads */
			printf("lives %d\n", waitpid(pid, &st, WNOHANG));
			kill(pid, SIGTERM);
		}
		waitpid(pid, &st, 0);
		printf("%d %d\n", WEXITSTATUS(st), WTERMSIG(st));
	}
}

static void *
execs(void *arg)
{
	(void)arg;
	execl("/bin/sh", "sh", "-c", "echo from a thread; exit 42", NULL);
	return (NULL);
}

static void
exec_in_thread(void)
{
	pthread_t t;
	pid_t pid;
	int st;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		pthread_create(&t, NULL, execs, NULL);
		for (;;)
			pause();
	}
	waitpid(pid, &st, 0);
	printf("%d\n", WEXITSTATUS(st));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	basics();
	flow();
	signals();
	robust();
	futexes();
	ends();
	exec_in_thread();
	return (0);
}
