/* Processes and what they share: pipes, locks, memory, semaphores. */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void
reap(pid_t pid)
{
	int st;

	if (waitpid(pid, &st, 0) != pid)
		perror("waitpid");
	else if (st != 0)
		printf("status %#x\n", st);
}

static void
full_read(int fd, char *buf, size_t n)
{
	while (n > 0) {
		ssize_t k = read(fd, buf, n);

		if (k <= 0)
			return;
		buf += k;
		n -= (size_t)k;
	}
}

static void
pipes(void)
{
	static char buf[300000];
	struct pollfd pfd;
	int p[2], q[2];
	pid_t pid, other;
	long sum = 0;

	/* more than fits, in one write; end of file after the last writer */
	say("pipe", pipe(p));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(p[0]);
		memset(buf, 'b', sizeof(buf));
		_exit(write(p[1], buf, sizeof(buf)) != sizeof(buf));
	}
	close(p[1]);
	settle(pid);
	full_read(p[0], buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		sum += buf[i];
	printf("sum %ld, then %ld\n", sum, (long)read(p[0], buf, 1));
	close(p[0]);
	reap(pid);
	/* two writers of 4096 bytes: never mixed */
	say("pipe", pipe(p));
	fflush(stdout);
	for (int w = 0; w < 2; w++) {
		if (fork() != 0)
			continue;
		memset(buf, 'x' + w, PAGE);
		for (int i = 0; i < 40; i++)
			(void)!write(p[1], buf, PAGE);
		_exit(0);
	}
	close(p[1]);
	sum = 0;
	for (int i = 0; i < 80; i++) {
		full_read(p[0], buf, PAGE);
		for (size_t k = 1; k < PAGE; k++)
			sum += buf[k] != buf[0];
	}
	printf("mixed %ld\n", sum);
	close(p[0]);
	wait(NULL);
	wait(NULL);
	/* the reader goes: EPIPE and SIGPIPE while the writer sleeps */
	say("pipe", pipe(p));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(p[0]);
		(void)!write(p[1], buf, sizeof(buf));
		_exit(1);
	}
	settle(pid);
	close(p[0]);
	close(p[1]);
	int st;
	waitpid(pid, &st, 0);
	printf("writer died of %d\n", WTERMSIG(st));
	/* poll wakes for data and for the end */
	say("pipe", pipe(p));
	say("pipe", pipe(q));
	fflush(stdout);
	if ((other = fork()) == 0) {
		settle(getppid());
		(void)!write(p[1], "x", 1);
		(void)!read(q[0], buf, 1);
		_exit(0);
	}
	close(p[1]);
	pfd = (struct pollfd) { p[0], POLLIN, 0 };
	printf("poll %d", poll(&pfd, 1, -1));
	printf(" %x\n", pfd.revents);
	(void)!read(p[0], buf, 1);
	printf("poll %d\n", poll(&pfd, 1, 1));
	(void)!write(q[1], "x", 1);
	printf("poll %d", poll(&pfd, 1, -1));
	printf(" %x\n", pfd.revents);
	reap(other);
}

/* ---- locks ---- */

static int
lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET,
		.l_start = start, .l_len = len };

	return (fcntl(fd, cmd, &fl));
}

static void
show_holder(const char *what, int fd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET,
		.l_start = start, .l_len = len };

	if (fcntl(fd, F_GETLK, &fl) != 0)
		say(what, -1);
	else
		printf("%s: type %d start %ld len %ld parent %d\n", what,
		    fl.l_type, (long)fl.l_start, (long)fl.l_len,
		    fl.l_pid == getppid());
}

static void
range_locks(void)
{
	int fd = make_file("locks", 1000), p[2];
	pid_t pid;
	char c;

	say("write lock", lock(fd, F_SETLK, F_WRLCK, 100, 100));
	say("read lock", lock(fd, F_SETLK, F_RDLCK, 300, 0));
	say("middle", lock(fd, F_SETLK, F_UNLCK, 140, 10));
	say("bad type", lock(fd, F_SETLK, 99, 0, 1));
	say("before the start", lock(fd, F_SETLK, F_WRLCK, 5, -10));
	say("pipe", pipe(p));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		int own = open("locks", O_RDWR);

		show_holder("first part", own, F_RDLCK, 0, 0);
		show_holder("middle", own, F_WRLCK, 140, 10);
		show_holder("second part", own, F_WRLCK, 145, 20);
		show_holder("readers agree", own, F_RDLCK, 400, 10);
		show_holder("but no writer", own, F_WRLCK, 400, 10);
		say("busy", lock(own, F_SETLK, F_WRLCK, 120, 1));
		say("shared", lock(own, F_SETLK, F_RDLCK, 500, 10));
		say("middle", lock(own, F_SETLK, F_WRLCK, 140, 10));
		fflush(stdout);
		(void)!write(p[1], "x", 1);
		say("waited", lock(own, F_SETLKW, F_WRLCK, 100, 1));
		fflush(stdout);
		_exit(0);
	}
	(void)!read(p[0], &c, 1);
	say("parent is kept out", lock(fd, F_SETLK, F_RDLCK, 145, 1));
	settle(pid);
	/* closing any descriptor of the file gives all locks up */
	close(dup(fd));
	reap(pid);
	say("free again", lock(fd, F_SETLK, F_WRLCK, 0, 0));
	/* each waits for the other */
	say("lock", lock(fd, F_SETLK, F_UNLCK, 0, 0));
	lock(fd, F_SETLK, F_WRLCK, 0, 1);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		lock(fd, F_SETLK, F_WRLCK, 1, 1);
		(void)!write(p[1], "x", 1);
		lock(fd, F_SETLKW, F_WRLCK, 0, 1);
		_exit(0);
	}
	(void)!read(p[0], &c, 1);
	settle(pid);
	say("deadlock", lock(fd, F_SETLKW, F_WRLCK, 1, 1));
	lock(fd, F_SETLK, F_UNLCK, 0, 1);
	reap(pid);
	close(fd);
}

static void
other_locks(void)
{
	int a = open("locks", O_RDWR), b = open("locks", O_RDWR), p[2];
	pid_t pid;
	char c;

	say("flock", flock(a, LOCK_EX));
	say("other description", flock(b, LOCK_EX | LOCK_NB));
	say("shared", flock(b, LOCK_SH | LOCK_NB));
	say("ranges are something else", lock(b, F_SETLK, F_WRLCK, 0, 0));
	say("down", flock(a, LOCK_SH));
	say("both", flock(b, LOCK_SH | LOCK_NB));
	say("up", flock(a, LOCK_EX | LOCK_NB));
	say("unlock", flock(b, LOCK_UN));
	say("up", flock(a, LOCK_EX | LOCK_NB));
	say("bad", flock(a, 77));
	say("pipe", pipe(p));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(a); /* the parent's is the same description */
		(void)!write(p[1], "x", 1);
		_exit(flock(b, LOCK_EX) != 0);
	}
	(void)!read(p[0], &c, 1);
	settle(pid);
	say("still mine", flock(b, LOCK_SH | LOCK_NB));
	close(a);
	reap(pid);
	a = open("locks", O_RDWR);
	lock(a, F_SETLK, F_UNLCK, 0, 0);
	say("of a description", lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	say("another one", lock(b, F_OFD_SETLK, F_WRLCK, 5, 10));
	say("itself", lock(a, F_OFD_SETLK, F_RDLCK, 5, 10));
	say("against a process", lock(b, F_SETLK, F_WRLCK, 2, 1));
	close(a);
	say("closed", lock(b, F_OFD_SETLK, F_WRLCK, 5, 10));
	close(b);
}

/* ---- memory ---- */

static void
shared_maps(void)
{
	int fd = make_file("map", 3 * PAGE);
	char *anon_map, *a, *b, buf[8] = { 0 };
	pid_t pid;

	anon_map = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	a = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		strcpy(a + PAGE, "shared");
		strcpy(b + PAGE, "private");
		for (int i = 0; i < 64; i++)
			anon_map[i * PAGE] = (char)i;
		_exit(0);
	}
	reap(pid);
	(void)!pread(fd, buf, 6, PAGE);
	printf("%s %s %.6s %.3s\n", a + PAGE, buf, b + PAGE, b);
	int sum = 0;
	for (int i = 0; i < 64; i++)
		sum += anon_map[i * PAGE];
	printf("sum %d\n", sum);
	close(fd);
	unlink("map");
}

static void
sysv(void)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600), other;
	key_t key = 0x76730000 + getpid();
	char *p, *q;
	pid_t pid;

	say("shmget", id);
	p = shmat(id, NULL, 0);
	say_map("shmat", p);
	q = shmat(id, NULL, SHM_RDONLY);
	say_map("again, to read", q);
	strcpy(p, "written");
	printf("%s\n", q);
	catch_faults();
	say_fault("write", try_write(q, 1));
	shmctl(id, IPC_STAT, &ds);
	printf("attached %ld size %ld mode %o mine %d\n", (long)ds.shm_nattch,
	    (long)ds.shm_segsz, ds.shm_perm.mode, ds.shm_cpid == getpid());
	fflush(stdout);
	if ((pid = fork()) == 0) {
		shmctl(id, IPC_STAT, &ds);
		printf("in the child %ld\n", (long)ds.shm_nattch);
		strcpy(p + PAGE, "child");
		fflush(stdout);
		_exit(0);
	}
	reap(pid);
	printf("%s\n", q + PAGE);
	{
		struct shm_info info;
		int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
		int found = 0;

		for (int i = 0; i <= last; i++)
			found += shmctl(i, SHM_STAT, &ds) == id;
		printf("listed %d pages %d\n", found, info.shm_tot >= 2);
		say("beyond", shmctl(last + 1000, SHM_STAT, &ds));
	}
	say("remove", shmctl(id, IPC_RMID, NULL));
	shmctl(id, IPC_STAT, &ds);
	printf("attached %ld dest %d\n", (long)ds.shm_nattch,
	    (ds.shm_perm.mode & SHM_DEST) != 0);
	say("detach", shmdt(q));
	say("twice", shmdt(q));
	printf("%s\n", p);
	say("detach", shmdt(p));
	say("gone", shmctl(id, IPC_STAT, &ds));
	say_fault("unmapped", try_read(p));
	/* a run that was killed may have left one */
	while ((id = shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600)) < 0 &&
	    errno == EEXIST)
		key += 0x10000000;
	say("by key", id);
	say("exclusive", shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	other = shmget(key, 0, 0);
	printf("same %d\n", other == id);
	say("larger", shmget(key, 2 * PAGE, 0));
	say("unknown", shmget(key + 1, PAGE, 0));
	say("empty", shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
	say_map("odd address", shmat(id, (void *)0x10000001, 0));
	p = shmat(id, (void *)0x10000123, SHM_RND);
	printf("rounded %d\n", p == (char *)0x10000000);
	say_map("taken", shmat(id, (void *)0x10000000, 0));
	say("remove", shmctl(id, IPC_RMID, NULL));
	say("not by key any more", shmget(key, PAGE, 0));
	say_map("no such", shmat(987654321, NULL, 0));
}

struct box {
	pthread_mutex_t lock, robust;
	sem_t sem;
	long count;
	volatile int wanted;
};

static void
posix_shared(void)
{
	char box_name[40], sem_name[40];
	pthread_mutexattr_t ma;
	struct box *box;
	sem_t *named;
	pid_t pid[3];
	int fd;

	snprintf(box_name, sizeof(box_name), "/vmsim-box-%d", getpid());
	snprintf(sem_name, sizeof(sem_name), "/vmsim-sem-%d", getpid());
	fd = shm_open(box_name, O_CREAT | O_RDWR | O_TRUNC, 0600);
	say("shm_open", fd);
	if (fd < 0)
		return; /* a host without /dev/shm */
	say("size", ftruncate(fd, sizeof(*box)));
	box = mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	say_map("map", box);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&box->lock, &ma);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&box->robust, &ma);
	sem_init(&box->sem, 1, 0);
	named = sem_open(sem_name, O_CREAT, 0600, 0);
	say("sem_open", named == SEM_FAILED ? -1 : 0);
	if (named == SEM_FAILED)
		return;
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		if ((pid[i] = fork()) != 0)
			continue;
		sem_wait(&box->sem);
		for (int k = 0; k < 3000; k++) {
			pthread_mutex_lock(&box->lock);
			box->count++;
			pthread_mutex_unlock(&box->lock);
		}
		sem_post(named);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		sem_post(&box->sem);
	for (int i = 0; i < 3; i++)
		sem_wait(named);
	for (int i = 0; i < 3; i++)
		reap(pid[i]);
	printf("count %ld\n", box->count);
	/* a holder dies */
	fflush(stdout);
	if ((pid[0] = fork()) == 0) {
		pthread_mutex_lock(&box->robust);
		sem_post(named);
		UNTIL(box->wanted);
		settle(getppid());
		raise(SIGKILL);
	}
	sem_wait(named);
	box->wanted = 1;
	printf("robust: %s\n",
	    strerrorname_np(pthread_mutex_lock(&box->robust)));
	pthread_mutex_consistent(&box->robust);
	printf("unlock %d\n", pthread_mutex_unlock(&box->robust));
	printf("lock %d\n", pthread_mutex_lock(&box->robust));
	int st;
	waitpid(pid[0], &st, 0);
	printf("died of %d\n", WTERMSIG(st));
	say("unlink", shm_unlink(box_name));
	say("unlink", sem_unlink(sem_name));
	say("gone", shm_open(box_name, O_RDWR, 0));
}

/* ---- sockets and counters ---- */

static void
sockets(void)
{
	static char buf[100000];
	struct pollfd pfd;
	struct stat sb;
	int s[2], st;
	pid_t pid;

	say("no such family", socketpair(AF_INET, SOCK_STREAM, 0, s));
	say("pair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	fstat(s[0], &sb);
	printf("socket %d cloexec %d\n", S_ISSOCK(sb.st_mode),
	    fcntl(s[1], F_GETFD));
	pfd = (struct pollfd) { s[0], POLLIN | POLLOUT, 0 };
	printf("poll %d", poll(&pfd, 1, 0));
	printf(" %x\n", pfd.revents);
	say("nothing there", recv(s[0], buf, 1, MSG_DONTWAIT));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		ssize_t n;

		close(s[0]);
		while ((n = read(s[1], buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; ) {
				ssize_t k = write(s[1], buf + i,
				    (size_t)(n - i));

				if (k < 0)
					_exit(1);
				i += k;
			}
		_exit(n != 0);
	}
	close(s[1]);
	for (int i = 0; i < 5; i++) {
		memset(buf, 'a' + i, 30000);
		printf("sent %ld\n", (long)send(s[0], buf, 30000, 0));
		memset(buf, 0, 30000);
		printf("received %ld", (long)recv(s[0], buf, 30000,
		    MSG_WAITALL));
		printf(" %c%c\n", buf[0], buf[29999]);
	}
	say("shutdown", shutdown(s[0], SHUT_WR));
	say("write after it", send(s[0], "x", 1, MSG_NOSIGNAL));
	waitpid(pid, &st, 0);
	printf("child %d, end %ld\n", WEXITSTATUS(st),
	    (long)read(s[0], buf, 1));
	printf("poll %d", poll(&pfd, 1, 0));
	printf(" %x\n", pfd.revents & (POLLIN | POLLHUP));
	close(s[0]);
	say("not a socket", send(0, "x", 1, 0));
	say("closed", recv(s[0], buf, 1, 0));
}

static void
counters(void)
{
	int e = eventfd(3, EFD_NONBLOCK), m;
	uint64_t v = 0;
	pid_t pid;
	char *p;

	say("eventfd", e);
	say("short", read(e, &v, 4));
	printf("read %ld", (long)read(e, &v, 8));
	printf(" %lu\n", v);
	say("empty", read(e, &v, 8));
	v = UINT64_MAX;
	say("too large", write(e, &v, 8));
	close(e);
	e = eventfd(0, EFD_SEMAPHORE);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		settle(getppid());
		v = 2;
		_exit(write(e, &v, 8) != 8);
	}
	for (int i = 0; i < 2; i++)
		printf("waited %ld\n", (long)read(e, &v, 8));
	reap(pid);
	close(e);
	m = memfd_create("name", MFD_CLOEXEC);
	say("memfd", m);
	say("size", ftruncate(m, 2 * PAGE));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	say_map("map", p);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		strcpy(p + PAGE, "from the child");
		_exit(0);
	}
	reap(pid);
	printf("%s\n", p + PAGE);
	close(m);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	pipes();
	range_locks();
	other_locks();
	shared_maps();
	sysv();
	posix_shared();
	sockets();
	counters();
	return (0);
}
