/*
 * conform_bsd11_int.h: what the files of the bsd11 conformance driver share.
 * The contract is tests/vectors/bsd11/README.md; numbers of its sections are
 * quoted as "README 1.6".
 */
#ifndef VMSIM_SIM_CONFORM_BSD11_INT_H
#define VMSIM_SIM_CONFORM_BSD11_INT_H

#include "sim/conform.h"
#include "vmcore/bsd/vm_page_f11.h"
#include "vmcore/bsd/vm_pageout.h"

#define B11_MAX_MAPS 65536 /* mappings of one page */
#define B11_MAX_EVENTS (1 << 20) /* of one call */
#define B11_ROW 15 /* columns of a "pg" row */

/* Who sleeps when in a worker or daemon call. */
enum b11_loop { LOOP_NONE, LOOP_WORKER, LOOP_DAEMON };

enum b11_at { AT_PAGE_TRYLOCK, AT_OBJ_TRYLOCK, AT_REMOVE_ALL, AT_START_WRITE,
	AT_VGET, AT_OBJ_TRYRLOCK, AT_MAP_TRYLOCK, AT_PAGE_CLEAN, AT_LOWMEM,
	AT_UMA, AT_SWAPOUT, AT_KTHREAD, AT_COUNT };

struct b11_hook { /* README 1.8 */
	enum b11_at at;
	int64_t key; /* page, object or pid; 0 without one */
	int64_t n; /* the time at which it applies, from 0 */
	int64_t fail, error;
	const cJSON *changes; /* NULL: none */
	/* how often the place was reached for the key; the first hook of a
	 * place and key counts for all of them */
	struct b11_hook *first;
	int64_t count;
};

struct b11_map { /* a mapping of a page */
	int32_t pmap; /* -1: of nobody listed */
	bool acc, mod;
};

struct b11_page { /* beside vm->page_array[i] */
	struct b11_map *maps;
	uint32_t nmaps, maps_room;
	bool swblk;
	uint8_t *put; /* pager statuses, VM_PAGER_* */
	uint32_t nput, put_next;
	uint32_t inflight; /* asynchronous writes */
	char left; /* queue left by a dequeue, 0 none */
	/* act_count and WINATCFLS when the page was locked */
	uint8_t lock_act;
	bool lock_winat;
	int64_t row[B11_ROW]; /* at the end of the previous call */
};

struct b11_pmap {
	int64_t extra;
	int64_t mapped; /* mappings of listed pages */
	int64_t resident; /* at the end of the previous call */
};

struct b11_object {
	bool shared_writes;
	int64_t row[4]; /* at the end of the previous call */
};

struct b11_proc {
	struct proc p; /* first: found from it */
	struct vmspace vs;
	bool has_vm;
	int64_t swap;
	uint64_t *avail;
	uint32_t navail, avail_next;
	struct thread *threads;
	struct vm_map_entry *entries;
	int64_t row[4]; /* at the end of the previous call */
};

struct b11 { /* one scenario */
	struct conform_run *run;
	const cJSON *in;
	struct sim *sim;
	struct vm *vm;
	int verdict;

	/* clocks */
	int32_t ticks;
	int64_t uptime, second; /* at start */
	int64_t elapsed; /* ticks since */

	uint32_t npages, nobjs, npmaps, nprocs, nhooks;
	struct b11_page *pages;
	struct vm_object *objs;
	struct b11_object *xobjs;
	struct b11_pmap *pmaps;
	struct b11_proc *procs;
	struct b11_hook *hooks;
	uint8_t put_default;
	bool detail;
	struct vm_page *markers; /* of other scanners */
	uint32_t nmarkers;

	/* threads: the one that performs the steps, and the loop of a call */
	struct sim_thread *driver, *looper;
	struct thread td_user, td_pageproc;
	struct proc user, pageproc;
	enum b11_loop loop;
	const cJSON *iters;
	int turn, nturns;
	uint32_t loop_dom;
	bool loop_starts; /* vm_pageout rather than vm_pageout_worker */
	bool loop_done;
	bool want_sleep; /* the loop sleeps: apply the turn's changes */

	/* the record of the call under way */
	cJSON *out; /* all records */
	cJSON *rec, *ev; /* ev joins rec at the end */
	uint32_t nevents; /* in ev */
	bool quiet; /* inside a change: no events */
	bool in_page_op; /* the page module works on a page */
	bool late_wakeup; /* and has woken the waiters for memory */
	const cJSON *page_do, *obj_do; /* changes of failed tries */

	int64_t step; /* index of the call, for comparisons */
	const cJSON *now_step; /* the step under way */
};

static inline struct b11 *
b11_of(struct vm *vm)
{
	return (vm->kernel_private);
}

static inline int64_t
b11_index(const struct b11 *w, const struct vm_page *m)
{
	return (m - w->vm->page_array);
}

static inline struct b11_page *
b11_page(const struct b11 *w, const struct vm_page *m)
{
	return (&w->pages[m - w->vm->page_array]);
}

static inline int64_t
b11_obj_index(const struct b11 *w, const struct vm_object *o)
{
	return (o - w->objs);
}

/* ---- conform_bsd11.c ---- */

/* The scenario is over: malformed input, a panic, a mismatch, no memory. */
void b11_stop(struct b11 *w, int verdict) __attribute__((noreturn));
/* The loop of a worker or daemon call is over: its thread ends. */
void b11_loop_end(struct b11 *w) __attribute__((noreturn));
/* "0", "EIO", ... */
const char *b11_errno_name(int error);
/* Malformed: one line, then b11_stop. */
void b11_bad(struct b11 *w, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void *b11_alloc(struct b11 *w, size_t n, size_t size);
/* Members with a default; out of range is malformed. */
int64_t b11_int(struct b11 *w, const cJSON *obj, const char *name, int64_t def,
    int64_t min, int64_t max);
/* A required index below n. */
uint32_t b11_idx(struct b11 *w, const cJSON *obj, const char *name,
    uint32_t n);
const char *b11_str(struct b11 *w, const cJSON *obj, const char *name,
    const char *def);
const cJSON *b11_array(struct b11 *w, const cJSON *obj, const char *name);
/* The value of an item that must be an integer in the range. */
int64_t b11_item(struct b11 *w, const cJSON *item, const char *what,
    int64_t min, int64_t max);

/* ---- conform_bsd11_world.c ---- */

void b11_build(struct b11 *w);
void b11_free(struct b11 *w);
uint8_t b11_pager_status(struct b11 *w, const char *name);
struct b11_proc *b11_proc(struct b11 *w, int64_t pid);
/* NULL: the place's turn has no hook. */
struct b11_hook *b11_reach(struct b11 *w, enum b11_at at, int64_t key);

/* Tail of a queue of the page's domain; the page is on none. */
void b11_enqueue(struct b11 *w, struct vm_page *m, uint32_t queue);

/* ---- conform_bsd11_change.c ---- */

/* Was the step a change of the world (README 1.6)? */
bool b11_change(struct b11 *w, const cJSON *step);
void b11_changes(struct b11 *w, const cJSON *list);
void b11_set_var(struct b11 *w, const char *name, const cJSON *value);
void b11_add_map(struct b11 *w, struct b11_page *pg, int32_t pmap, bool acc,
    bool mod);
/* Drop all mappings, or those of one pmap: their bits go to the page
 * (README 2.2). */
void b11_drop_maps(struct b11 *w, struct vm_page *m);
void b11_drop_maps_of(struct b11 *w, struct vm_page *m, int32_t pmap);

/* ---- conform_bsd11_env.c ---- */

extern const struct vm_page_ops b11_page_ops;
extern const struct vm_pageout_env b11_env;
extern const struct vm_pmap_ops b11_pmap_ops;
extern const struct vm_pagerops b11_pager_ops;
extern const struct sim_trace_ops b11_trace_ops;

/* ---- conform_bsd11_out.c ---- */

char b11_queue(const struct b11 *w, const struct vm_page *m);
/* An event: its name, then i (int64_t) or s (string) or c (letter). */
void b11_ev(struct b11 *w, const char *name, const char *types, ...);
/* The same, only with "detail". */
void b11_detail(struct b11 *w, const char *name, const char *types, ...);
void b11_begin(struct b11 *w, const char *op);
/* Append counters, domains and changed rows to the record. */
void b11_finish(struct b11 *w);
/* Take the present rows as "the end of the previous call". */
void b11_snapshot(struct b11 *w);
void b11_dump(struct b11 *w);

#endif
