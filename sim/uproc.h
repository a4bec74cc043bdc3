/*
 * uproc.h: the machine's own record of a process and its threads (what Linux
 * keeps besides memory): descriptors, brk, limits, signals. vmcore's struct
 * proc and struct thread hang off them.
 */
#ifndef VMSIM_SIM_UPROC_H
#define VMSIM_SIM_UPROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sim/cpu.h"
#include "sim/rundb.h"
#include "sim/vfs.h"
#include "vmcore/vmcore.h"

struct machine;
struct machine_config;
struct sysctx;
struct program; /* machine.h */
struct fdtable; /* fd.c: shared between threads, copied by fork */
struct sigstate; /* syscall_signal.c: handlers, masks, pending */
struct sysstate; /* syscall.c: what belongs to no process (futexes, ...) */

/* Signal state of a thread (syscall_signal.c); all zero at first. */
struct thread_signals {
	uint64_t mask; /* bit signo - 1: blocked */
	uint64_t saved_mask; /* to be back after ppoll, sigsuspend */
	bool has_saved;
	bool interruptible; /* asleep where a signal may end the sleep */
	bool killable; /* asleep where only SIGKILL may */
	bool timed; /* asleep with a time limit */
	bool told; /* a signal that it does not block may wait for it */
	vm_offset_t stack; /* sigaltstack */
	uint64_t stack_size;
	uint32_t stack_flags;
	uint64_t wait_mask; /* sigtimedwait: the mask without what it let in */
	int32_t restart; /* ERESTART* that the last call ended with, or 0 */
	int32_t restart_number;
	int32_t fault_access; /* of the fault that signal_fault is told of */
	/* ERESTART_RESTARTBLOCK: the call that goes on, with its arguments
	 * (by fn), until when, and where what is left of a sleep goes */
	int64_t (*restart_fn)(struct sysctx *c);
	sim_time_t restart_end;
	vm_offset_t restart_remain;
};

/* Arguments of the program that a process runs, shared by its forks. */
struct uproc_args {
	uint32_t refs;
	char **argv; /* NULL-terminated */
};

/* A vfork's parent, asleep until the child has its own memory or none. */
struct vfork_wait {
	bool done;
};
struct itimer;
struct ptimer;
struct shm_attach;
struct sem_undos;

#define USER_VA_MIN 0x0000000000010000ull
#define USER_VA_MAX 0x00007ffffffff000ull
#define USER_STACK_TOP 0x00007ffffffff000ull
#define USER_MMAP_TOP 0x00007ffff7fff000ull /* no ASLR: maps grow down */
#define USER_PIE_BASE 0x0000555555554000ull
#define USER_INTERP_BASE 0x00007ffff7fcb000ull /* only a hint */

/* What a thread, a process or its children have used. */
struct usage {
	uint64_t user, all; /* cycles; all: with the kernel's */
	uint64_t minflt, majflt, peak_rss; /* peak in pages */
	uint64_t nswap; /* times swapped out whole */
	uint64_t nvcsw, nivcsw; /* CPU given up by sleeping, and taken away */
};

/* Of a process, or of several (uproc_shared.c). */
struct uproc_fs {
	uint32_t refs;
	struct inode *cwd; /* referenced */
	uint32_t umask;
};
struct uproc_mem { /* of an address space */
	uint32_t refs;
	vm_offset_t brk_start, brk;
	bool lock_future; /* mlockall(MCL_FUTURE) */
};

struct uproc {
	TAILQ_ENTRY(uproc) link; /* machine's list, oldest first */
	TAILQ_HEAD(, uthread) threads;
	struct machine *m;
	struct proc *proc; /* vmcore's */
	struct vmspace *vs; /* same as proc's */
	struct fdtable *fds;
	struct sigstate *sig;
	struct uproc_fs *fs;
	struct uproc_mem *mem;
	struct uproc *parent;
	const struct program *prog; /* started by the machine; NULL: a child */
	int32_t pid, pgid, sid;
	char comm[16];
	char *exe_path; /* /proc/self/exe */
	vm_offset_t stack_top;
	vm_offset_t arg_start, arg_end, env_start, env_end;
	uint64_t rlim_cur[16], rlim_max[16]; /* Linux numbering */
	bool exiting;
	int exit_status; /* as wait4 encodes it */
	int32_t kill_signal; /* posted from above (OOM): dies at next chance */
	/* accounting */
	uint64_t instructions, user_cycles, syscalls, minflt, majflt;
	uint64_t peak_rss_pages;
	uint64_t doing_cycles[DOING_COUNT]; /* all threads; states.c */
	uint32_t swapouts;
	uint64_t nvcsw, nivcsw; /* of all threads; states.c */
	sim_time_t start;
	/* syscall.c */
	struct sysstate *sys;
	TAILQ_ENTRY(uproc) sys_link; /* in order of pid */
	LIST_ENTRY(uproc) hash; /* by pid */
	int32_t dumpable; /* prctl(PR_SET_DUMPABLE) */
	int32_t death_signal; /* prctl(PR_SET_PDEATHSIG) */
	/* family (process.c, wait.c) */
	TAILQ_HEAD(uproc_children, uproc) children; /* oldest first */
	TAILQ_ENTRY(uproc) sibling;
	int32_t exit_signal; /* to the parent at the end; 0: none */
	bool listed; /* in the system calls' list */
	int32_t nice;
	uint32_t *groups, ngroups; /* supplementary ones, sorted */
	bool zombie; /* no threads, no memory: waits to be waited for */
	bool reaped; /* somebody has waited; it is about to be freed */
	bool execed; /* has executed a program since the fork */
	bool exec_waits; /* a thread in exec waits until it is the only one */
	bool stopped; /* by SIGSTOP and its like; threads wait at &stopped */
	bool stop_news, cont_news; /* not yet told to a waiting parent */
	int32_t stop_signal;
	struct vfork_wait *vfork; /* parent to wake */
	struct uproc_args *args;
	uint64_t dead_cycles; /* CPU time of threads that have ended */
	struct usage child; /* waited for, with theirs */
	struct itimer *itimer; /* timers.c; NULL: never used */
	LIST_HEAD(, ptimer) ptimers; /* ptimer.c */
	int32_t next_ptimer;
	uint32_t cpu_ptimers; /* those that count CPU time */
	bool subreaper; /* prctl(PR_SET_CHILD_SUBREAPER) */
	LIST_HEAD(, shm_attach) shm; /* sysv_shm.c */
	struct sem_undos *sem_undos; /* sysv_sem.c; NULL: none yet */
	struct pidref *pidref; /* pidfd.c; NULL: no file stands for it */
	LIST_HEAD(, cpu_sleep) cpu_sleeps; /* syscall_time.c */
};

struct uthread {
	TAILQ_ENTRY(uthread) link;
	struct uproc *p;
	struct thread *td; /* vmcore's */
	struct sim_thread *st;
	struct cpu_context *ctx;
	int32_t tid;
	uint64_t affinity; /* bit each CPU, as it was set; 0: never */
	bool no_new_privs; /* prctl; nothing gives any here */
	char comm[16]; /* PR_SET_NAME; the first one's is the process's */
	vm_offset_t clear_child_tid;
	vm_offset_t robust_list;
	uint64_t minflt, majflt, nvcsw, nivcsw;
	bool exiting;
	struct thread_signals sig;
	struct {
		struct thread_interval cur; /* its end is not known yet */
		struct thread_interval last; /* over; end == start: none */
	} doing;
	vm_offset_t set_child_tid; /* written when it first runs */
	uint64_t user_cycles;
};

/* ---- loader.c ---- */

/*
 * load_program: replace nothing; fill an empty address space with the program
 * at `path` (searched by vfs only, no PATH), its interpreter, stack, arguments,
 * environment and auxiliary vector, and set the entry registers. `#!` scripts
 * are followed up to 4 levels.
 * Sleeps (argument pages are faulted in): call from the process's thread.
 * Errors: -ENOENT, -EACCES, -ENOEXEC, -EISDIR, -ELIBBAD, -ENOMEM, -E2BIG, with
 * one clear line in err: which file, which field, what to do.
 */
struct load_result {
	vm_offset_t entry, sp;
	vm_offset_t brk_start, stack_top;
	vm_offset_t arg_start, arg_end, env_start, env_end;
	char *exe_path; /* malloced */
};
int load_program(struct vm *vm, struct vfs *vfs, struct inode *cwd,
    struct vmspace *vs, const char *path, char *const argv[],
    char *const env[], uint64_t stack_limit, struct load_result *res,
    struct sim_err *err);
/* Checks alone (an ELF for this machine, interpreter present, arguments that
 * fit; NULL: none), no time. */
int load_check(struct vfs *vfs, struct inode *cwd, const char *path,
    char *const argv[], char *const env[], uint64_t stack_limit,
    struct sim_err *err);
/* The header parser by itself, for the fuzz target and unit tests. */
struct elf_info;
int elf_parse(const char *name,
    ssize_t (*pread_fn)(void *ctx, void *buf, size_t n, uint64_t off),
    void *ctx, uint64_t file_size, struct elf_info *out, struct sim_err *err);

/* ---- syscall.c ---- */

/* One a machine, after its file tree; NULL: out of memory. */
struct sysstate *sysstate_create(struct machine *m);
void sysstate_destroy(struct sysstate *ss);
struct task_ops; /* syscall_int.h */
void sysstate_set_tasks(struct sysstate *ss, const struct task_ops *ops);
struct sysstate *machine_sysstate(struct machine *m); /* machine.c */

/* Executes the call in the thread's registers and stores the result there.
 * May sleep; may end the thread (sets exiting). */
void syscall_dispatch(struct machine *m, struct uthread *t);
const char *syscall_name(int number); /* NULL: unknown number */

/* fd.c: descriptors 0 to 2, working directory, limits and signal state of a
 * first process (mc: cwd, stack_limit, rss_limit); and the end of them. */
int uproc_init_files(struct uproc *p, const struct machine_config *mc,
    struct sim_err *err);
void uproc_free_files(struct uproc *p);
/* 0 or -ENOMEM. */
int uproc_set_groups(struct uproc *p, const uint32_t *groups, uint32_t n);

/* A fault or trap that no kernel action resolves: deliver a signal (or end
 * the process). */
void signal_fault(struct uthread *t, int signo, int code, vm_offset_t addr);
/* Before returning to user mode: pending signals. */
void signal_deliver(struct uthread *t);
void signal_post(struct uproc *p, int signo);
/* End the whole process with a wait status; runs in one of its threads. */
void uproc_exit(struct uthread *t, int wait_status);

/* ---- uproc_shared.c ---- */

/* NULL: out of memory; cwd's reference goes with it. */
struct uproc_fs *uproc_fs_new(struct inode *cwd, uint32_t umask);
/* The same one for a child, or a copy. */
struct uproc_fs *uproc_fs_fork(struct uproc_fs *from, bool shared);
void uproc_fs_drop(struct uproc_fs *fs); /* NULL: nothing; may sleep */
struct uproc_mem *uproc_mem_new(void);
struct uproc_mem *uproc_mem_fork(struct uproc_mem *from, bool shared);
void uproc_mem_drop(struct uproc_mem *mem); /* NULL: nothing */

/* ---- process.c ---- */

struct uproc *uproc_new(struct machine *m, struct uproc *parent,
    const char *comm);
/*
 * A thread in two steps: its record, for which memory may have to be waited
 * for, and its start in user mode with the registers of ctx. tid 0: the next
 * number. -ENOMEM.
 */
struct uthread *uthread_alloc(struct uproc *p, struct cpu_context *ctx,
    int32_t tid);
int uthread_start(struct uthread *t);
void uthread_discard(struct uthread *t); /* one that never started */
struct cpu_engine *machine_cpu(struct machine *m);
struct vfs *machine_vfs(struct machine *m);
/* Simulated RAM in bytes for sysinfo and friends, wall clock in ns. */
uint64_t machine_mem_bytes(const struct machine *m);
uint64_t machine_wall_ns(const struct machine *m);
/* Cycles in user mode on one CPU so far; the latest number of a process. */
uint64_t machine_user_cycles(const struct machine *m, uint32_t cpu);
int32_t machine_last_pid(const struct machine *m);
/* The host has refused memory: the run ends with an error. */
void machine_host_nomem(struct machine *m);
void machine_note_enosys(struct machine *m, int number, const uint64_t args[6],
    uint64_t rip);

#endif
