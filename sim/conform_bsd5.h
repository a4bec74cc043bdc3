/*
 * conform_bsd5.h: what the files of the bsd5 driver share. A call of a
 * kernel function runs in a simulated thread; the driver records what it did
 * (moves, events) and what it changed (counters, pages, objects).
 */
#ifndef VMSIM_SIM_CONFORM_BSD5_H
#define VMSIM_SIM_CONFORM_BSD5_H

#include "sim/conform.h"
#include "vmcore/bsd/vm_glue.h"

/* The model MMU's bits: one mapping a page at most. */
#define MMU_MAPPED 1
#define MMU_WRITABLE 2
#define MMU_ACCESSED 4
#define MMU_MODIFIED 8

#define VI_FREE 1 /* on the free list */
#define VI_DOOMED 2

enum bsd5_counter { C_FREE, C_CACHE, C_INACT, C_ACT, C_WIRE, C_REACT,
	C_TFREE, C_ZERO, C_DEFICIT, C_PGNEED, C_PDNEED, C_COUNT };
enum bsd5_field { F_FL, F_ACT, F_WIRE, F_HOLD, F_BUSY, F_V, F_D, F_COW,
	F_MMU, F_O, F_PI, F_COUNT };

struct bsd5_row { /* a page as the format sees it */
	int64_t field[F_COUNT];
};

struct bsd5_object {
	struct vm_object obj;
	int64_t use, hold, vi; /* its vnode's */
	int64_t was_resident, was_flags; /* after the last op */
};

struct bsd5_move {
	uint32_t page;
	char from[12], to[12]; /* "-": none */
	bool head;
};

/* Arguments of an op, checked and turned into what the kernel takes. */
struct bsd5_args {
	const cJSON *op;
	vm_page_t m, to;
	vm_object_t o;
	int64_t pi, base, size, bits, n, prot, color, v;
	int req; /* VM_ALLOC_* */
	const char *name;
	bool as_pd, act, also, setvalid, zero, noobj, find_cache;
	/* of the suite vm_glue */
	struct bsd5_proc *proc, *child;
	struct bsd5_thread *thread;
	struct ksegrp *group;
	int64_t action, flags, rw, len;
	uint64_t addr;
	bool allow, kva_fail, pager_fail, shared_sig;
	int64_t sigrefs;
};

struct bsd5;
typedef void bsd5_fn(struct bsd5 *d, const struct bsd5_args *a);

enum { /* arguments that an op cannot do without */
	NEED_M = 1, NEED_TO = 2, NEED_O = 4, NEED_PI = 8, NEED_BASE = 16,
	NEED_SIZE = 32, NEED_BITS = 64, NEED_PROT = 128, NEED_NAME = 256,
	NEED_V = 512, NEED_FIND = 1024, NEED_PID = 2048, NEED_CHILD = 4096,
	NEED_TID = 8192, NEED_G = 16384, NEED_ADDR = 32768,
	NEED_LEN = 65536, /* signed */ NEED_ULEN = 131072,
	NEED_ACTION = 262144, NEED_FLAGS = 524288,
};
struct bsd5_op {
	const char *name;
	uint32_t need;
	bsd5_fn *fn; /* runs in a simulated thread */
};

enum bsd5_result { R_NONE, R_PAGE, R_INT, R_JSON };

/* One call under way: of an op, or of an op inside a script. */
struct bsd5_call {
	struct bsd5 *d;
	const struct bsd5_op *op;
	struct bsd5_args args;
	const cJSON *script; /* "sleeps", NULL: none; its next entry */
	const cJSON *on_lock; /* entries, NULL: none */
	uint64_t locked; /* bit i: entry i has been performed */
	bool within; /* of an on_lock: it runs inside another call */
	bool done, blocked;
};

struct bsd5 {
	struct conform_run *run;
	struct sim *sim;
	struct vm *vm;
	struct proc user, pageproc;
	struct thread user_td, pageproc_td;

	uint32_t npages, nobjs;
	uint8_t *mmu; /* a page's bits */
	struct bsd5_object **objs;
	uint32_t objs_room;
	struct bsd5_glue *glue; /* of the suite vm_glue, NULL in others */

	/* the present op */
	struct bsd5_call *call; /* innermost */
	struct bsd5_move *moves;
	size_t nmoves, moves_room;
	cJSON *events;
	enum bsd5_result result;
	vm_page_t r_page;
	int64_t r_int;
	cJSON *r_json;
	char err[32]; /* refusal, "" none */
	int bad_args; /* -errno found while it ran (run->err) */

	/* the state after the last op */
	int64_t was[C_COUNT];
	struct bsd5_row *rows;
	/* Pages that the present op may have changed; kept on large machines
	 * only, where looking at all of them takes too long. */
	uint32_t *touched;
	uint32_t ntouched;
	uint8_t *is_touched;
};

/* conform_bsd5_ops.c */
const struct bsd5_op *bsd5_find_op(const char *name);
/* 0 or -EINVAL (run->err). */
int bsd5_parse_args(struct bsd5 *d, const struct bsd5_op *op,
    const cJSON *json, struct bsd5_args *a);

/* A threshold or knob by its name in the format; false: unknown. */
bool bsd5_set_variable(struct vm *vm, const char *name, int64_t v);

/* conform_bsd5_env.c: the rest of the kernel, as the README tells it */
extern const struct vm_pmap_ops bsd5_pmap_ops;
extern const struct vm_page_hooks bsd5_page_hooks;
extern const struct vm_trace_ops bsd5_trace_ops;
extern const struct sim_trace_ops bsd5_sim_ops;
void bsd5_panicked(void *ctx, const char *file, int line, const char *func,
    const char *message) __attribute__((noreturn));
void bsd5_protect(struct bsd5 *d, vm_page_t m, int64_t prot);
uint32_t bsd5_page_index(const struct bsd5 *d, const struct vm_page *m);
/* Append an event: fmt has a letter for each further argument: s string,
 * i int64_t. Returns it, for those with a list of their own. */
cJSON *bsd5_event(struct bsd5 *d, const char *kind, const char *fmt, ...);

/* conform_bsd5_state.c: state as JSON */
/* 0 or -EINVAL (run->err: no memory). d->npages is known. */
int bsd5_state_create(struct bsd5 *d);
void bsd5_state_free(struct bsd5 *d);
/* The op under way works on this page. NULL: on none. */
void bsd5_touch(struct bsd5 *d, const struct vm_page *m);
void bsd5_remember(struct bsd5 *d);
cJSON *bsd5_outcome(struct bsd5 *d, bool blocked);
cJSON *bsd5_snapshot(struct bsd5 *d);
cJSON *bsd5_queues(struct vm *vm, uint32_t first_page);
void bsd5_dump(struct bsd5 *d);
/* A member of exp, owned by it; an empty list or object is dropped. */
void bsd5_add_unless_empty(cJSON *exp, const char *name, cJSON *value);

/* ---- the suite vm_glue */

enum bsd5_proc_field { P_STATE, P_FLAG, P_SFLAG, P_LOCK, P_SWTIME, P_SWRSS,
	P_NSWAP, P_REFS, P_COUNT };

struct bsd5_space { /* an address space */
	struct vmspace vs; /* first */
	int64_t rss; /* resident pages */
	int64_t maplocked; /* a try-lock of its map fails */
	struct bsd5_space *next; /* all of them */
};

struct bsd5_proc {
	struct proc p; /* first */
	struct thread self; /* as it calls useracc and its like */
	uint32_t ngroups;
	struct ksegrp *groups;
	int64_t was[P_COUNT];
};

struct bsd5_thread {
	struct thread td; /* first */
	int64_t was_inhib, was_state;
};

/* Positions by number (a pid or tid), ascending. */
struct bsd5_index {
	struct bsd5_place {
		int32_t id;
		uint32_t at;
	} *places;
	uint32_t n, room;
};

struct bsd5_glue {
	uint32_t nprocs, nthreads, threads_room;
	struct bsd5_index by_pid, by_tid;
	struct bsd5_proc *procs;
	struct bsd5_thread **threads;
	struct bsd5_space *spaces;
	uint64_t sharers_sigacts; /* what shared signal actions point to */
	uint64_t timers; /* a fresh value for each parent that forks */
};

/* conform_bsd5.c */
struct bsd5_object *bsd5_new_object(struct bsd5 *d);
int bsd5_run_setup(struct bsd5 *d, bsd5_fn *fn, struct bsd5_proc *proc);
/* The entry for pid of the call's on_lock, once. */
void bsd5_locked(struct bsd5 *d, int64_t pid);

/* conform_bsd5_glue.c: processes, their state as JSON */
int bsd5_glue_setup(struct bsd5 *d, const cJSON *cfg);
void bsd5_glue_free(struct bsd5 *d);
/* The cfg fields of a process that an object gives; 0 or -EINVAL. */
int bsd5_glue_set_proc(struct bsd5 *d, struct bsd5_proc *bp,
    const cJSON *json);
int bsd5_glue_set_group(struct bsd5 *d, struct ksegrp *kg, const cJSON *json);
int bsd5_glue_set_thread(struct bsd5 *d, struct bsd5_thread *bt,
    const cJSON *json);
struct bsd5_proc *bsd5_glue_proc(const struct bsd5 *d, int64_t pid);
struct bsd5_thread *bsd5_glue_thread(const struct bsd5 *d, int64_t tid);
struct bsd5_space *bsd5_glue_space(struct bsd5 *d);
/* Touch the pages of all U areas. */
void bsd5_glue_touch(struct bsd5 *d);
void bsd5_glue_remember(struct bsd5 *d);
void bsd5_glue_outcome(struct bsd5 *d, cJSON *exp);
void bsd5_glue_snapshot(struct bsd5 *d, cJSON *exp);

/* conform_bsd5_glue_ops.c */
const struct bsd5_op *bsd5_glue_find_op(const char *name);
int bsd5_glue_parse_args(struct bsd5 *d, uint32_t need, const cJSON *json,
    struct bsd5_args *a);

/* conform_bsd5_glue_env.c */
extern const struct vm_glue_env bsd5_glue_env;
extern const struct vm_pagerops bsd5_pagerops;

/* conform_bsd5_boot.c */
bsd5_fn bsd5_op_startup;

#endif
