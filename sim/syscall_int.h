/*
 * syscall_int.h: what the system calls share. A call is a function of a
 * struct sysctx: arguments in, result out (>= 0, or a negative errno). It
 * runs in the calling simulated thread and may sleep; references it takes
 * through the helpers below are given back when it returns.
 */
#ifndef VMSIM_SIM_SYSCALL_INT_H
#define VMSIM_SIM_SYSCALL_INT_H

#include <errno.h>
#include <stdio.h>

#include "sim/fd.h"
#include "sim/uproc.h"

/* A call that a signal ended: never seen by the guest. */
#define ERESTARTSYS 512 /* again, unless a handler without SA_RESTART ran */
#define ERESTARTNOINTR 513 /* again */
#define ERESTARTNOHAND 514 /* again, unless a handler ran */
/* On with what is left (restart_syscall), unless a handler ran. */
#define ERESTART_RESTARTBLOCK 516

#define SYSBUF_SIZE 65536u
#define PID_BUCKETS 1024u
#define FUTEX_BUCKETS 256u
#define SYS_IOV_MAX 1024u

struct sysbuf { /* kernel memory for one call's data */
	struct sysbuf *next_all, *next_free;
	uint64_t size;
	_Alignas(16) uint8_t data[];
};

/* A word: (address space, address), or (object, offset) of shared memory. */
struct futex_key {
	uint64_t space, offset;
	bool shared;
};

struct futex_waiter {
	TAILQ_ENTRY(futex_waiter) link;
	struct futex_key key;
	uint32_t bits;
	bool woken;
	/* FUTEX_LOCK_PI: who waits, for whom, where */
	struct uthread *thread; /* NULL: a plain wait */
	struct uthread *owner;
	vm_offset_t va;
};

/* clone(2), in the order of its flags' needs; 1 << 32: CLEAR_SIGHAND. */
struct clone_request {
	uint64_t flags; /* CLONE_*, without the signal */
	int32_t exit_signal;
	vm_offset_t stack; /* top of the child's; 0: the caller's */
	vm_offset_t parent_tid, child_tid;
	vm_offset_t pidfd; /* CLONE_PIDFD: where it is told */
	uint64_t tls;
};

/* Strings of an execve, copied from the caller. */
struct exec_args {
	LIST_ENTRY(exec_args) link; /* sysstate.execs */
	char *pool; /* all strings one after the other */
	size_t used, room;
	char **argv, **envp; /* NULL-terminated, into the pool */
	size_t *offset; /* of each string while the pool still moves */
	size_t count, slots, argc;
};

/*
 * What needs more of the machine than the calls otherwise see: making
 * processes and threads, another program, freeing a process. Results as those
 * of calls.
 */
struct task_ops {
	int64_t (*clone)(struct sysctx *c, const struct clone_request *r);
	int64_t (*exec)(struct sysctx *c, struct inode *dir, const char *path,
	    struct exec_args *xa);
	void (*reap)(struct uproc *p); /* may sleep */
};

struct lockf;
struct lockf_wait;
struct shm_segment;
struct socket;

/* State of the system-call layer that belongs to no process. */
struct sysstate {
	struct machine *m;
	struct sim *sim;
	struct vm *vm;
	struct vfs *vfs;
	TAILQ_HEAD(, uproc) procs; /* by pid */
	LIST_HEAD(, uproc) by_pid[PID_BUCKETS];
	/* futex.c, by key: longest waiting first */
	TAILQ_HEAD(futex_list, futex_waiter) futexes[FUTEX_BUCKETS];
	LIST_HEAD(, file) files; /* every open one */
	struct sysbuf *bufs, *free_bufs;
	struct sim_rng random; /* getrandom, /dev/urandom */
	uint32_t pollers; /* threads asleep in poll or select */
	uint64_t next_anon; /* inode number of the next pipe or socket */
	LIST_HEAD(, socket) sockets; /* socket_name.c: those with names */
	uint32_t next_sockname;
	uint32_t timers_armed; /* timerfds that will fire */
	const struct task_ops *tasks; /* NULL: no processes can be made */
	LIST_HEAD(, exec_args) execs; /* being prepared */
	TAILQ_HEAD(lockf_list, lockf) locks; /* lockf.c: oldest first */
	TAILQ_HEAD(, lockf_wait) lock_waits;
	TAILQ_HEAD(, shm_segment) shm; /* sysv_shm.c: by id */
	TAILQ_HEAD(, sem_set) sem_sets; /* sysv_sem.c: by id */
	TAILQ_HEAD(, msg_queue) msg_queues; /* sysv_msg.c: by id */
	int32_t next_shmid, next_semid, next_msqid;
	LIST_HEAD(, mqueue) mqueues; /* mqueue.c: those with names */
	uint64_t mq_charge; /* of all, as RLIMIT_MSGQUEUE counts */
	uint64_t next_memfd;
};

struct sysctx {
	struct machine *m;
	struct sysstate *ss;
	struct uthread *t;
	struct uproc *p;
	struct vm *vm;
	struct vmspace *vs;
	struct vfs *vfs;
	struct sim *sim;
	int number;
	uint64_t a[6];
	struct cpu_regs regs; /* as at the call; written back at its end */
	bool regs_replaced; /* rt_sigreturn: leave all registers alone */
	struct sysbuf *buf[3]; /* data, iovecs, paths */
	struct file *held[2];
};

typedef int64_t syscall_fn(struct sysctx *c);
#define SYSCALL(number, name, nargs) syscall_fn sys_##name;
#define SYSCALL_NONE(number, name)
#include "sim/syscall_table.h"
#undef SYSCALL
#undef SYSCALL_NONE

/* ---- helpers (syscall.c) ---- */

uint8_t *sys_buf(struct sysctx *c, int i); /* SYSBUF_SIZE bytes; NULL */
/* At least n bytes, of a buffer that the call has not asked for yet. */
uint8_t *sys_large_buf(struct sysctx *c, int i, uint64_t n);
/* The open file behind a descriptor, held until the call ends; NULL: EBADF.
 * At most two a call. O_PATH files are none unless `path_too`. */
struct file *sys_file(struct sysctx *c, uint64_t fd, bool path_too);
/* 0 or a negative errno (-EFAULT). */
int sys_copyin(struct sysctx *c, vm_offset_t va, void *buf, uint64_t n);
int sys_copyout(struct sysctx *c, vm_offset_t va, const void *buf, uint64_t n);
/* A path of the caller's; which: 0 or 1. *out points into a buffer. */
int sys_path(struct sysctx *c, int which, vm_offset_t va, const char **out);
/* Where a relative path of an *at call starts (not referenced). */
int sys_dirfd(struct sysctx *c, uint64_t dirfd, const char *path,
    struct inode **dir);
#define TIMER_SLACK_US 50 /* as Linux has it for processes */
/*
 * Sleep until woken, a deliverable signal (-ERESTARTSYS), or `cycles`, but no
 * less than TIMER_SLACK_US, have passed (-ETIMEDOUT; 0: no limit).
 */
int sys_sleep(struct sysctx *c, const void *chan, int priority,
    const char *wmesg, uint64_t cycles);
/* The same, but only SIGKILL ends it early. */
int sys_sleep_killable(struct sysctx *c, const void *chan, int priority,
    const char *wmesg);
/* Is there a signal that would end a sleep? */
bool signal_pending(const struct uthread *t);
/* truncate, within RLIMIT_FSIZE. May sleep. */
int sys_set_size(struct sysctx *c, struct inode *ip, uint64_t size);
uint64_t sys_limit(const struct uproc *p, int resource); /* soft */
bool user_range_ok(vm_offset_t va, uint64_t n);
struct uproc *uproc_find(struct sysstate *ss, int32_t pid);
/* From now on, or no more, the calls see it. */
void uproc_list(struct sysstate *ss, struct uproc *p);
void uproc_unlist(struct uproc *p);
struct uthread *sys_curthread(struct sysstate *ss);
/* Is there a thread of that number (0: the caller)? */
bool sys_is_task(struct sysctx *c, uint64_t tid);
void sys_random_bytes(struct sysstate *ss, void *buf, size_t n);

/* /proc texts (procfs.c) */
extern const struct vfs_proc_ops sys_proc_ops; /* ctx: struct sysstate */
/* Those of the machine (procfs_machine.c). -EINVAL: it is none. */
int proc_machine_text(FILE *f, struct sysstate *ss, enum vfs_proc_file which);

/* ---- scatter and gather (syscall_file.c) ---- */

struct iovec64 {
	uint64_t base, length;
};
struct uio {
	struct iovec64 *iov;
	uint32_t count, index;
	uint64_t skip; /* done of iov[index] */
	uint64_t left;
};
/* One buffer (iv is the caller's), or an iovec array. -EFAULT, -EINVAL. */
int uio_single(struct sysctx *c, struct uio *u, struct iovec64 *iv,
    vm_offset_t va, uint64_t n);
int uio_vector(struct sysctx *c, struct uio *u, vm_offset_t va,
    uint64_t count);
/* Bytes moved, short only at a bad address (-EFAULT when none). */
ssize_t uio_copyin(struct sysctx *c, struct uio *u, void *buf, size_t n);
ssize_t uio_copyout(struct sysctx *c, struct uio *u, const void *buf, size_t n);

/* ---- time limits (syscall_poll.c) ---- */

/* Forever, or the simulated time at which it is over. */
struct deadline {
	bool forever;
	sim_time_t end;
};
/* ns from now; negative: forever. */
void deadline_set(struct sysctx *c, struct deadline *d, int64_t ns);
/* From a timespec (unit 1) or timeval (unit 1000) of the caller's; va 0:
 * forever. -EFAULT, -EINVAL. */
int deadline_read(struct sysctx *c, struct deadline *d, vm_offset_t va,
    int64_t unit);

/* From a timespec of the caller's on the wall clock; va 0: forever. -EFAULT,
 * -EINVAL. */
int sys_wall_deadline(struct sysctx *c, struct deadline *d, vm_offset_t va);

/* ---- futexes (futex.c, futex_pi.c) ---- */

void futex_init(struct sysstate *ss);
/* The list that waiters on a word are in. */
struct futex_list *futex_bucket(struct sysstate *ss,
    const struct futex_key *k);
bool futex_same(const struct futex_key *a, const struct futex_key *b);
/* The key of the word at va for the running call; -EFAULT. */
int futex_call_key(struct sysctx *c, vm_offset_t va, struct futex_key *k);
/* Argument 3 as a time limit; absolute ones by the wall clock or by the time
 * since boot. -EFAULT, -EINVAL. */
int futex_deadline(struct sysctx *c, bool absolute, bool wall,
    struct deadline *d);
/* Until woken: 0; -ETIMEDOUT, -ERESTARTSYS. */
int futex_sleep(struct sysctx *c, struct futex_waiter *w,
    const struct deadline *d);
int64_t futex_lock_pi(struct sysctx *c, const struct deadline *d);
int64_t futex_trylock_pi(struct sysctx *c);
int64_t futex_unlock_pi(struct sysctx *c);
/* t ends: locks that others wait for go to them. */
void futex_leave_pi(struct uthread *t);

/* The thread uses its memory no more. */
void thread_leave_user(struct uthread *t);

/* ---- children (wait.c) ---- */

/* p has ended: its parent is told. False: nobody will wait for it. */
bool wait_child_dead(struct uproc *p);
/* No process of the group could be continued by its parent in the session;
 * `but` does not count. */
bool group_is_orphaned(const struct sysstate *ss, int32_t pgid, int32_t sid,
    const struct uproc *but);
/* p's parent is leaving it (`father`), or p leaves its group (NULL): if that
 * orphans a group with stopped processes, they are told. */
void group_left(struct uproc *p, const struct uproc *father);
/* p has stopped (by p->stop_signal) or goes on. */
void wait_child_stopped(struct uproc *p);
void wait_child_continued(struct uproc *p);

/* ---- processes as files (pidfd.c) ---- */

/* A new descriptor of the caller's for p. -ENOMEM, -EMFILE. */
int pidfd_give(struct sysctx *c, struct uproc *p, uint32_t flags);
/* Whose it is; *p NULL: of one that is no more. -EBADF. */
int pidfd_find(struct sysctx *c, uint64_t fd, struct uproc **p,
    bool *nonblock);
/* p has ended; nothing is left of p. */
void pidfd_dead(struct uproc *p);
void pidfd_gone(struct uproc *p);

/* ---- programs (syscall_proc.c) ---- */

void exec_args_free(struct exec_args *xa);
void uproc_args_drop(struct uproc_args *a); /* NULL: nothing */
struct uproc_args *uproc_args_new(char *const argv[]); /* NULL: ENOMEM */
void uproc_put_args(struct uproc *p);

/* ---- locks on files (lockf.c) ---- */

/* A process closes a descriptor of ip, or an open file goes. */
void lockf_release_process(struct sysstate *ss, const void *owner,
    const struct inode *ip);
void lockf_release_file(struct sysstate *ss, const struct file *f);
void lockf_free_all(struct sysstate *ss);
/* F_GETLK and its like; argument 2 is the struct flock. */
int64_t lockf_fcntl(struct sysctx *c, struct file *f, int cmd);

/* ---- files without an inode (epoll.c) ---- */

void anon_stat(struct file *f, struct vfs_stat *st);

/* ---- clocks (syscall_time.c) ---- */

struct itimer_ns { /* struct itimerspec */
	int64_t interval, value;
};
int sys_get_itimerspec(struct sysctx *c, vm_offset_t va, struct itimer_ns *it);
int sys_put_itimerspec(struct sysctx *c, vm_offset_t va,
    const struct itimer_ns *it);
int64_t sys_boot_ns(const struct sim *sim); /* since boot */
/* The first cycle at which the time since boot is at least ns. */
sim_time_t sys_boot_cycles(const struct sim *sim, int64_t ns);
/* When (ns since boot) a clock shows `ns`, or in `ns` from now. */
int64_t sys_clock_when(struct sysctx *c, int clock, int64_t ns, bool absolute);
/* Which clock counts CPU time of the caller's process or thread (*thread);
 * false: none. */
bool sys_cpu_clock(struct sysctx *c, int clock, bool *thread);
/* CPU time of all threads that were and are, in cycles. */
uint64_t uproc_cycles(const struct uproc *p);

/* ---- resource use (syscall_time.c) ---- */

struct rusage64 {
	int64_t utime[2], stime[2];
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock;
	int64_t oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
void rusage_fill(struct sysctx *c, struct rusage64 *ru, const struct usage *u);
/* What p itself has used so far. */
void uproc_usage(const struct uproc *p, struct usage *u);
void usage_add(struct usage *u, const struct usage *more);

/* ---- timers (timers.c, ptimer.c) ---- */

/* Who sleeps until its process has used so much CPU time. */
struct cpu_sleep {
	LIST_ENTRY(cpu_sleep) link; /* uproc.cpu_sleeps */
	uint64_t due; /* cycles */
};

void itimers_free(struct uproc *p);
bool itimers_pending(const struct uproc *p);
/* User cycles that t may spend before a timer that counts CPU time is due. */
uint64_t cpu_timers_limit(const struct uthread *t, uint64_t cycles);
/* t has spent some: what is due fires. */
void cpu_timers_check(struct uthread *t);
void ptimers_free(struct uproc *p);
bool ptimers_pending(const struct uproc *p);
/* The signal of a timer is about to be delivered (how many more expirations
 * it stands for), or has been thrown away. */
int32_t ptimer_signal_taken(struct ptimer *pt);
void ptimer_signal_gone(struct ptimer *pt);
/* Timers on CPU clocks, as above. */
uint64_t ptimers_limit(const struct uthread *t, uint64_t cycles);
void ptimers_check(struct uthread *t);

/* ---- System V shared memory (sysv_shm.c) ---- */

int shm_fork(struct uproc *child, const struct uproc *parent);
void shm_detach_all(struct uproc *p);
void shm_free_all(struct sysstate *ss);

/* ---- System V semaphores and messages (sysv_sem.c, sysv_msg.c) ---- */

/* CLONE_SYSVSEM: what one does, both undo at their end. -ENOMEM. */
int sem_share(struct uproc *child, struct uproc *parent);
/* The process undoes what it asked to be undone, or only forgets it. */
void sem_exit(struct uproc *p, bool apply);
void sem_free_all(struct sysstate *ss);
void msgq_free_all(struct sysstate *ss);

/* ---- POSIX message queues (mqueue.c) ---- */

void mq_free_all(struct sysstate *ss);

/* ---- signals (syscall_signal.c) ---- */

struct ksiginfo {
	int32_t signo, code;
	int32_t pid;
	uint32_t uid;
	uint64_t addr; /* of faults */
	uint64_t value; /* of queued ones and timers */
	int32_t status; /* of children, with their times in clock ticks */
	int64_t utime, stime;
	int32_t timer, overrun; /* of timers */
};
int sigstate_new(struct uproc *p);
/* from's actions, in common or copied; nothing pending. */
int sigstate_fork(struct uproc *p, const struct uproc *from, bool shared);
/* Actions that p shares with others become its own; -ENOMEM. */
int sigstate_own(struct uproc *p);
/* Are children of p's reaped as they end (SIG_IGN, SA_NOCLDWAIT)? Is p not
 * told of stopped ones (SA_NOCLDSTOP)? */
bool signal_no_zombies(const struct uproc *p);
bool signal_no_stops(const struct uproc *p);
/* Threads that sleep, but for good reason: they look at what has changed. */
void signal_wake_all(struct uproc *p, bool kill);
void sigstate_free(struct uproc *p);
/* exec: handlers go, what is ignored stays so. */
void sigstate_reset(struct uproc *p);
/* tid 0: to the process. -EAGAIN: too many are queued. */
int signal_send(struct uproc *p, int32_t tid, const struct ksiginfo *ksi);
/* A timer's; false: it is ignored, nothing is pending. */
bool signal_send_timer(struct uproc *p, int32_t tid,
    const struct ksiginfo *ksi, struct ptimer *timer);
void signal_timer_gone(struct uproc *p, const struct ptimer *timer);
/* Does a signal of the set wait for t? Take the first one. */
bool signal_any(const struct uthread *t, uint64_t set);
bool signal_take(struct uthread *t, uint64_t set, struct ksiginfo *out);
void signal_info(const struct ksiginfo *k, uint8_t out[128]);
struct signal_sets { /* bit signo - 1 */
	uint64_t pending, pending_all; /* for the thread, for the process */
	uint64_t blocked, ignored, caught;
};
/* t NULL: of a process without threads. */
void signal_sets(const struct uproc *p, const struct uthread *t,
    struct signal_sets *out);
void signal_set_mask(struct uthread *t, uint64_t mask);
/* t takes no signals any more. */
void signal_thread_gone(struct uthread *t);
/* t has another number: its signals come with it. */
void signal_thread_is(struct uthread *t, int32_t tid);
/* A signal that the thread caused itself by a call: SIGPIPE. */
void signal_self(struct uthread *t, int signo);
/* A mask for the time of one call (ppoll, pselect, sigsuspend): in force
 * until the call's end, or until the handler it lets in returns. */
int sys_set_temp_mask(struct sysctx *c, vm_offset_t va, uint64_t size);
void sys_end_temp_mask(struct sysctx *c, bool interrupted);

#endif
