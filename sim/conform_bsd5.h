/*
 * conform_bsd5.h: what the files of the bsd5 driver share. A call of a
 * kernel function runs in a simulated thread; the driver records what it did
 * (moves, events) and what it changed (counters, pages, objects).
 */
#ifndef VMSIM_SIM_CONFORM_BSD5_H
#define VMSIM_SIM_CONFORM_BSD5_H

#include "sim/conform.h"
#include "vmcore/vm_int.h"

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
	int64_t was_resident, was_flags; /* before the op */
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
};

struct bsd5;
typedef void bsd5_fn(struct bsd5 *d, const struct bsd5_args *a);

enum { /* arguments that an op cannot do without */
	NEED_M = 1, NEED_TO = 2, NEED_O = 4, NEED_PI = 8, NEED_BASE = 16,
	NEED_SIZE = 32, NEED_BITS = 64, NEED_PROT = 128, NEED_NAME = 256,
	NEED_V = 512, NEED_FIND = 1024,
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
	struct bsd5_object *objs;

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
 * i int64_t. */
void bsd5_event(struct bsd5 *d, const char *kind, const char *fmt, ...);

/* conform_bsd5_state.c: state as JSON */
void bsd5_remember(struct bsd5 *d);
cJSON *bsd5_outcome(struct bsd5 *d, bool blocked);
cJSON *bsd5_snapshot(struct bsd5 *d);
cJSON *bsd5_queues(struct vm *vm, uint32_t first_page);
void bsd5_dump(struct bsd5 *d);

/* conform_bsd5_boot.c */
bsd5_fn bsd5_op_startup;

#endif
