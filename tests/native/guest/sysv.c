/* System V semaphores and message queues: values, waiting, undoing, types,
 * sizes, removal, errors. */
#include "guest.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int
op(int id, int num, int n, int flags)
{
	struct sembuf sb = { (unsigned short)num, (short)n, (short)flags };

	return (semop(id, &sb, 1));
}

static int
value(int id, int num)
{
	return (semctl(id, num, GETVAL));
}

static void
reap(const char *what, pid_t pid)
{
	int st;

	waitpid(pid, &st, 0);
	if (WIFEXITED(st))
		printf("%s: exit %d\n", what, WEXITSTATUS(st));
	else
		printf("%s: signal %d\n", what, WTERMSIG(st));
}

static volatile int caught;

static void
on_signal(int signo)
{
	caught = signo;
}

static void
semaphores(void)
{
	key_t key = 0x76740000 + getpid();
	int id = semget(IPC_PRIVATE, 3, 0600), other;
	unsigned short all[3] = { 1, 2, 3 };
	struct timespec ts = { 0, 20000000 };
	struct sembuf two[2] = { { 0, -1, IPC_NOWAIT }, { 1, -5, IPC_NOWAIT } };
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	union semun arg = { .array = all };
	struct semid_ds ds;
	pid_t pid, pids[3];

	say("semget", id);
	say("none", semget(IPC_PRIVATE, 0, 0600));
	say("too many", semget(IPC_PRIVATE, 100000, 0600));
	say("unknown", semget(key, 1, 0));
	/* a run that was killed may have left one */
	while ((other = semget(key, 2, IPC_CREAT | IPC_EXCL | 0640)) < 0 &&
	    errno == EEXIST)
		key += 0x10000000;
	say("by key", other);
	say("exclusive", semget(key, 2, IPC_CREAT | IPC_EXCL | 0640));
	say("larger", semget(key, 3, 0));
	printf("same %d\n", semget(key, 0, 0) == other);
	say("set all", semctl(id, 0, SETALL, arg));
	printf("%d %d %d\n", value(id, 0), value(id, 1), value(id, 2));
	arg.buf = &ds;
	say("stat", semctl(id, 0, IPC_STAT, arg));
	printf("count %ld mode %o otime %ld ctime %d\n", (long)ds.sem_nsems,
	    ds.sem_perm.mode & 0777, (long)ds.sem_otime, ds.sem_ctime > 0);
	say("down", op(id, 0, -1, 0));
	say("down again", op(id, 0, -1, IPC_NOWAIT));
	say("both or none", semop(id, two, 2));
	op(id, 0, 1, 0);
	say("both or none", semop(id, two, 2));
	printf("%d %d\n", value(id, 0), value(id, 1));
	say("zero", op(id, 2, 0, IPC_NOWAIT));
	printf("pid %d\n", semctl(id, 1, GETPID) == getpid());
	say("too large", op(id, 0, 32767, 0));
	arg.val = 40000;
	say("too large", semctl(id, 0, SETVAL, arg));
	say("number", op(id, 3, 1, 0));
	say("number", semctl(id, 3, GETVAL));
	say("no operations", semop(id, two, 0));
	say("too many", semop(id, two, 501));
	say("no set", op(123456, 0, 1, 0));
	say("command", semctl(id, 0, 99));
	op(id, 0, -1, 0);
	say("time is over", (two[0] = (struct sembuf) { 0, -1, 0 },
	    semtimedop(id, two, 1, &ts)));
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(10);
	say("a signal", op(id, 0, -1, 0));
	alarm_each(0);
	printf("caught %d\n", caught == SIGALRM);
	/* three wait; the first of them first, if there is enough for it */
	for (int i = 0; i < 3; i++) {
		fflush(stdout);
		if ((pids[i] = fork()) == 0)
			_exit(op(id, 0, i == 0 ? -3 : -1, 0) == 0 ? i : 99);
		UNTIL(semctl(id, 0, GETNCNT) == i + 1);
	}
	op(id, 0, 2, 0);
	reap("second", pids[1]);
	reap("third", pids[2]);
	printf("waiting %d value %d\n", semctl(id, 0, GETNCNT), value(id, 0));
	op(id, 0, 3, 0);
	reap("first", pids[0]);
	printf("value %d\n", value(id, 0));
	/* zero is waited for */
	arg.val = 2;
	semctl(id, 2, SETVAL, arg);
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(op(id, 2, 0, 0) == 0 ? 4 : 99);
	UNTIL(semctl(id, 2, GETZCNT) == 1);
	op(id, 2, -1, 0);
	nap(3);
	printf("still %d\n", semctl(id, 2, GETZCNT));
	op(id, 2, -1, 0);
	reap("zero", pid);
	/* a process undoes what it did, however it ends */
	arg.val = 5;
	semctl(id, 0, SETVAL, arg);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		op(id, 0, -3, SEM_UNDO);
		op(id, 1, 2, SEM_UNDO);
		op(id, 0, -1, 0);
		raise(SIGKILL);
	}
	reap("killed", pid);
	printf("undone %d %d\n", value(id, 0), value(id, 1));
	if ((pid = fork()) == 0) {
		op(id, 0, -2, SEM_UNDO);
		arg.val = 9;
		semctl(id, 0, SETVAL, arg);
		_exit(0);
	}
	reap("set since", pid);
	printf("not undone %d\n", value(id, 0));
	if ((pid = fork()) == 0) {
		op(id, 0, 3, SEM_UNDO);
		op(id, 0, -11, 0);
		_exit(0);
	}
	reap("below zero", pid);
	printf("none left %d\n", value(id, 0));
	/* a lock that its holder's death gives back */
	arg.val = 1;
	semctl(id, 0, SETVAL, arg);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		op(id, 0, -1, SEM_UNDO);
		UNTIL(semctl(id, 0, GETNCNT) == 1);
		_exit(0);
	}
	UNTIL(value(id, 0) == 0);
	say("lock", op(id, 0, -1, SEM_UNDO));
	reap("holder", pid);
	/* removed while somebody waits */
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(op(id, 0, -1, 0) < 0 && errno == EIDRM ? 5 : 99);
	UNTIL(semctl(id, 0, GETNCNT) == 1);
	say("remove", semctl(id, 0, IPC_RMID));
	reap("waiter", pid);
	say("gone", op(id, 0, 1, 0));
	say("remove", semctl(other, 0, IPC_RMID));
	say("gone", semget(key, 0, 0));
}

struct msg {
	long type;
	char text[9000];
};

static struct msg msg;

static int
put(int q, long type, const char *text, int flags)
{
	msg.type = type;
	strcpy(msg.text, text);
	return (msgsnd(q, &msg, strlen(text), flags));
}

static void
get(const char *what, int q, size_t room, long type, int flags)
{
	ssize_t n = msgrcv(q, &msg, room, type, flags);

	if (n < 0)
		say(what, -1);
	else
		printf("%s: type %ld '%.*s'\n", what, msg.type, (int)n,
		    msg.text);
}

static void
messages(void)
{
	key_t key = 0x76750000 + getpid();
	int q = msgget(IPC_PRIVATE, 0600), other;
	struct msqid_ds ds;
	pid_t pid, pids[2];
	int n = 0;

	say("msgget", q);
	say("unknown", msgget(key, 0));
	while ((other = msgget(key, IPC_CREAT | IPC_EXCL | 0600)) < 0 &&
	    errno == EEXIST)
		key += 0x10000000;
	say("by key", other);
	say("exclusive", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	printf("same %d\n", msgget(key, 0) == other);
	say("remove", msgctl(other, IPC_RMID, NULL));
	get("none", q, 100, 0, IPC_NOWAIT);
	put(q, 3, "three", 0);
	put(q, 1, "one", 0);
	put(q, 2, "two", 0);
	put(q, 1, "one again", 0);
	put(q, 5, "", 0);
	msgctl(q, IPC_STAT, &ds);
	printf("count %ld bytes %ld most %ld mine %d\n", (long)ds.msg_qnum,
	    (long)ds.__msg_cbytes, (long)ds.msg_qbytes,
	    ds.msg_lspid == getpid() && ds.msg_lrpid == 0);
	get("first", q, 100, 0, 0);
	get("of type 2", q, 100, 2, 0);
	get("up to 4", q, 100, -4, 0);
	get("too long", q, 3, 1, 0);
	get("all but 1", q, 100, 1, MSG_EXCEPT);
	get("cut", q, 3, 1, MSG_NOERROR);
	get("of type 7", q, 100, 7, IPC_NOWAIT);
	say("type 0", put(q, 0, "x", 0));
	say("too long", msgsnd(q, &msg, 9000, 0));
	say("no queue", put(123456, 1, "x", 0));
	say("bad address", msgsnd(q, (void *)8, 1, 0));
	while (put(q, 9, "0123456789012345678901234567890123456789",
	    IPC_NOWAIT) == 0)
		n++;
	printf("%d fit\n", n);
	say("full", -1);
	/* a sender waits for room, a receiver for its type */
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(put(q, 8, "late", 0) == 0 ? 2 : 99);
	settle(pid);
	get("room", q, 100, 9, 0);
	reap("sender", pid);
	ds.msg_qbytes = 100;
	for (int i = 0; i < 2; i++) {
		fflush(stdout);
		if ((pids[i] = fork()) == 0) {
			n = (int)msgrcv(q, &msg, 50, 20 + i, 0);
			_exit(n == 5 && memcmp(msg.text, "for ", 4) == 0 ?
			    msg.text[4] : 99);
		}
		settle(pids[i]);
	}
	for (n = 0; n < 3; n++)
		get("drain", q, 100, 9, 0);
	put(q, 21, "for B", 0);
	put(q, 20, "for A", 0);
	reap("A", pids[0]);
	reap("B", pids[1]);
	/* what a receiver waits for is too long for it */
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(msgrcv(q, &msg, 2, 30, 0) < 0 && errno == E2BIG ? 6 :
		    99);
	settle(pid);
	put(q, 30, "too long", 0);
	reap("too long", pid);
	get("still there", q, 100, 30, 0);
	/* a signal, and removal */
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(10);
	get("a signal", q, 100, 99, 0);
	alarm_each(0);
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(msgrcv(q, &msg, 100, 99, 0) < 0 && errno == EIDRM ? 7 :
		    99);
	settle(pid);
	say("remove", msgctl(q, IPC_RMID, NULL));
	reap("waiter", pid);
	get("gone", q, 100, 0, IPC_NOWAIT);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	semaphores();
	messages();
	return (0);
}
