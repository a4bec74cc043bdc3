/*
 * vm_int.h: struct vm, private to vmcore and its tests. The seeds' globals
 * and hidden statics are fields here; none is a file-scope variable.
 */
#ifndef VMSIM_VMCORE_VM_INT_H
#define VMSIM_VMCORE_VM_INT_H

#include "vmcore/proc.h"
#include "vmcore/vm_map.h"
#include "vmcore/vm_object.h"
#include "vmcore/vm_page.h"
#include "vmcore/vmcore.h"

/* struct vmmeter: unsigned 32-bit as in the seeds */
struct vmmeter {
	/* levels and thresholds */
	uint32_t v_page_count, v_free_count, v_cache_count;
	uint32_t v_inactive_count, v_active_count, v_wire_count;
	uint32_t v_free_target, v_free_min, v_free_reserved, v_free_severe;
	uint32_t v_inactive_target, v_cache_min, v_cache_max;
	uint32_t v_interrupt_free_min, v_pageout_free_min;
	/* totals */
	uint32_t v_pdwakeups, v_pdpages, v_dfree, v_tfree, v_tcached, v_pfree;
	uint32_t v_reactivated;
	uint32_t v_vm_faults, v_io_faults, v_intrans;
	uint32_t v_cow_faults, v_cow_optim, v_zfod, v_ozfod;
	uint32_t v_swapin, v_swapout, v_swappgsin, v_swappgsout;
	uint32_t v_vnodein, v_vnodeout, v_vnodepgsin, v_vnodepgsout;
	uint32_t v_forks;
	uint32_t v_page_size; /* bytes */
};

/* Named costs in cycles: one table, each a tunable "cost.<name>". */
struct vm_costs {
#define VM_COST(name, cycles, help) uint32_t name;
#include "vmcore/vm_costs.h"
#undef VM_COST
};

/*
 * What the VM asks of the machine for one page. Ordinary runs use the mmu
 * folder (vm_pmap_mmu); conformance runs put the model that their README
 * describes here. Pages are named by their record.
 */
struct vm_pmap_ops {
	void (*remove_all)(struct vm *vm, vm_page_t m);
	void (*remove_write)(struct vm *vm, vm_page_t m);
	void (*page_protect)(struct vm *vm, vm_page_t m, int prot);
	int (*ts_referenced)(struct vm *vm, vm_page_t m);
	bool (*is_modified)(struct vm *vm, vm_page_t m);
	void (*clear_modify)(struct vm *vm, vm_page_t m);
	bool (*page_is_mapped)(struct vm *vm, vm_page_t m);
	bool (*page_is_write_mapped)(struct vm *vm, vm_page_t m);
	bool (*page_exists_quick)(struct vm *vm, struct pmap *pmap,
	    vm_page_t m);
	uint64_t (*resident_count)(struct vm *vm, struct pmap *pmap);
	void (*remove_range)(struct vm *vm, struct pmap *pmap, vm_offset_t s,
	    vm_offset_t e);
	void (*zero_page)(struct vm *vm, vm_page_t m);
	void (*zero_page_area)(struct vm *vm, vm_page_t m, int off, int size);
	void (*copy_page)(struct vm *vm, vm_page_t src, vm_page_t dst);
};
/* These charge the cost of what they do (cost.zero_page, cost.copy_page, and
 * cost.pmap_remove for each mapping): callers do not. */
extern const struct vm_pmap_ops vm_pmap_mmu;
/* vm->pmap := vm_pmap_mmu, and vm->mmu's calls upward come to vm. */
void vm_pmap_mmu_attach(struct vm *vm);

/*
 * What the page module tells sideways, to the vnode pager or a conformance
 * driver. Any may be NULL, and so may vm->page_hooks.
 */
struct vm_page_hooks {
	/*
	 * The last resident page of a live vnode object without references
	 * was freed (the object's half of VSHOULDFREE). The callee looks at
	 * the vnode's use and hold counts and puts it on the free list; it
	 * must not free the object or sleep.
	 */
	void (*vnode_idle)(struct vm *vm, vm_object_t object);
	/* vm_page_free's hint to the idle zeroer, each time. */
	void (*zero_hint)(struct vm *vm);
	/* A complaint on the console; the call is otherwise ignored. */
	void (*warn)(struct vm *vm, const char *code);
	/* A page that may be written enters the object: FreeBSD 5's marks, in
	 * place of vm_object_set_writeable_dirty's. */
	void (*object_writeable)(struct vm *vm, vm_object_t object);
};

struct vm_pageout; /* vmcore/bsd/vm_pageout.h: page daemon and vm daemon */
struct swap_pager; /* vmcore/bsd/swap_pager.c */
struct vnode_pager; /* vmcore/bsd/vnode_pager.c */
struct vm_inject; /* vmcore/bsd/vm_kernel.h */
struct vm_syncer; /* vmcore/bsd/vm_syncer.c */
struct vm_glue; /* vmcore/bsd/vm_glue.h: process swapping */
struct vm_contig_thread; /* vmcore/bsd/vm_contig.c */

struct vm {
	struct sim *sim;
	struct mmu *mmu; /* NULL in conformance runs */
	struct tunables *tunables;
	const struct vm_kernel_ops *kernel;
	const struct vm_pmap_ops *pmap;
	const struct vm_up_ops *up;
	void *up_ctx;
	const struct vm_trace_ops *trace;
	void *trace_ctx;
	struct vm_costs cost;
	struct vmmeter cnt;

	/* vm_page.c, vm_pageq.c */
	struct vm_page *page_array;
	uint32_t page_array_size;
	uint32_t first_page; /* pfn of page_array[0] */
	uint32_t pq_l2_size, pq_prime1, pq_prime2;
	struct vm_pagequeue pq[PQ_COUNT_MAX]; /* not INACTIVE, ACTIVE */
	struct vm_domain dom[VM_MAXDOMAINS];
	uint32_t ndomains;
	uint32_t boot_pages;
	int32_t page_zero_count; /* pre-zeroed pages on free queues */
	uint32_t zero_rover;
	bool zero_state;
	int32_t zero_idle_enabled;
	uint32_t dnweight; /* static of vm_page_dontneed */
	int32_t so_zerocp_fullpage;
	bool invariants; /* the seeds' KASSERTs are on; panics always are */

	/* shared between allocation and the page daemon */
	int32_t vm_pages_needed;
	int32_t vm_pageout_pages_needed;
	int32_t vm_pageout_deficit;
	int32_t vm_pageout_wakeup_thresh;
	bool f11_predicates; /* R11: thresholds of the FreeBSD 11 daemon */
	struct proc *pageproc;
	struct vm_pageout *pageout;

	/* objects, maps, pagers */
	TAILQ_HEAD(, vm_object) object_list;
	uint32_t object_next_id;
	uint32_t object_next_index; /* colour of the next object */
	struct swap_pager *swap;
	struct vnode_pager *vnodes;
	int32_t swap_pager_full;
	uint64_t swap_pager_avail; /* free pages of swap (vm_swap_size) */

	/* processes */
	struct proclist allproc;
	int32_t hz; /* ticks per second of the page daemon's era */

	void *kernel_private; /* conformance drivers: their context */

	/* vm_page.c, continued */
	const struct vm_page_hooks *page_hooks;
	struct sim_thread *pagezero; /* vm_zeroidle.c */
	int32_t idlezero_maxrun; /* pages */
	uint32_t cnt_prezero; /* pages zeroed while idle */
	uint32_t pq_cachesize; /* kilobytes: chooses the colours at boot */
	int32_t f11_cache_rule; /* R10 */

	/* objects, maps and faults, continued */
	const struct vm_pagerops *pagerops[OBJT_DEAD + 1];
	TAILQ_HEAD(, vm_object) object_pool; /* recycled, type-stable */
	struct vm_map_entry *entry_pool; /* by `next` */
	uint32_t object_count; /* live */
	uint32_t object_collapses, object_bypasses;
	uint32_t vmspace_next_id;
	TAILQ_HEAD(, vmspace) vmspaces;
	uint64_t fault_kind[VMF_ERROR + 1]; /* faults by how they ended */
	struct vm_syncer *syncer; /* vm_syncer.c */
	struct vm_inject *inject; /* bsd/vm_kernel.h */
	uint64_t map_entry_bytes; /* host bytes of entries and objects */

	/* vm_domain.c: where pages come from when there are several domains */
	char default_policy[TUN_STRING_MAX];
	uint32_t dom_rr_idx; /* round robin of whoever is no thread */

	struct vm_contig_thread *contigs; /* vm_contig.c, latest first */
	uint32_t ncontigs;

	/* the process list's lock (vm_lock.h) */
	const struct sim_thread *allproc_owner;
	uint32_t allproc_readers;

	struct vm_glue *glue; /* bsd/vm_glue.h */
	struct proclist zombproc; /* left allproc, not reaped yet */
	uint32_t kernel_objects; /* U areas, stacks; not in object_count */
	uint32_t procs_out; /* processes that are swapped out */
	uint32_t proc_swapouts, proc_swapins; /* whole processes */
};

/* ---- predicates (companions 2.1); avail = free + cache, 32-bit unsigned */

static inline uint32_t
vm_page_avail(const struct vm *vm)
{
	return (vm->cnt.v_free_count + vm->cnt.v_cache_count);
}

static inline bool
vm_page_count_severe(const struct vm *vm)
{
	return (vm->cnt.v_free_severe > vm_page_avail(vm));
}

static inline bool
vm_page_count_min(const struct vm *vm)
{
	return (vm->cnt.v_free_min > vm_page_avail(vm));
}

static inline int32_t
vm_paging_target(const struct vm *vm)
{
	uint32_t t = vm->cnt.v_free_target;

	if (!vm->f11_predicates)
		t += vm->cnt.v_cache_min;
	return ((int32_t)(t - vm_page_avail(vm)));
}

static inline bool
vm_paging_needed(const struct vm *vm)
{
	if (vm->f11_predicates)
		return (vm_page_avail(vm) <
		    (uint32_t)vm->vm_pageout_wakeup_thresh);
	return (vm->cnt.v_free_reserved + vm->cnt.v_cache_min >
	    vm_page_avail(vm));
}

void pagedaemon_wakeup(struct vm *vm); /* vm_pageout.c */

/* ---- the running process; NULL in event context */

static inline struct thread *
vm_curthread(const struct vm *vm)
{
	struct sim_thread *st = sim_curthread(vm->sim);

	return (st != NULL ? sim_thread_data(st) : NULL);
}

static inline struct proc *
vm_curproc(const struct vm *vm)
{
	struct thread *td = vm_curthread(vm);

	return (td != NULL ? td->td_proc : NULL);
}

/* ---- reasons: WHY(vm, COW_SOURCE) { ...queue changes... } is spelled
 *	uint32_t why = vm_why(vm, WHY_COW_SOURCE);
 *	vm_page_deactivate(vm, m);
 *	vm_why(vm, why);
 */
static inline uint32_t
vm_why(struct vm *vm, uint32_t why)
{
	return (sim_tag_set(vm->sim, why));
}

static inline void
vm_spend(struct vm *vm, uint32_t cycles)
{
	sim_spend(vm->sim, cycles);
}

void vm_trace_event(struct vm *vm, enum vm_event_kind kind, int32_t pid,
    int64_t a, int64_t b);

/* ---- queue transitions (vm_trace.c): one call for each, never two for a
 *	removal and an insertion that belong together. */

/* Canonical name of a PQ_ number, for a page (tells WIRED, BUSY). */
enum vm_queue vm_queue_of(const struct vm *vm, const struct vm_page *m,
    int pq);

static inline bool
vm_tracing_moves(const struct vm *vm)
{
	return (vm->trace != NULL && vm->trace->transition != NULL);
}

/* A page before a move: where it was and whose it was. */
struct vm_trace_from {
	enum vm_queue queue;
	uint32_t object;
	vm_pindex_t pindex;
};

void vm_trace_mark(const struct vm *vm, const struct vm_page *m,
    struct vm_trace_from *from);
/* why: the reason when the running thread has set none. */
void vm_trace_emit(struct vm *vm, const struct vm_page *m,
    const struct vm_trace_from *from, enum vm_queue to, int where,
    enum vm_reason why);

/* from, to: enum vm_queue. Emits one struct vm_transition. */
static inline void
vm_trace_move(struct vm *vm, vm_page_t m, int from, int to, int where)
{
	struct vm_trace_from f;

	if (__builtin_expect(vm_tracing_moves(vm), 0)) {
		vm_trace_mark(vm, m, &f);
		f.queue = (enum vm_queue)from;
		vm_trace_emit(vm, m, &f, (enum vm_queue)to, where, WHY_NONE);
	}
}

/*
 * An assertion of the seed: checked when vm->invariants. The message starts
 * with a code that conformance runs compare ("BUSY_ALREADY: ...").
 */
#define VM_KASSERT(vm, cond, msg)                        \
	do {                                             \
		if ((vm)->invariants)                    \
			KASSERT((vm)->sim, (cond), msg); \
	} while (0)
/* A panic of the seed. */
#define vm_panic(vm, ...) \
	sim_panic((vm)->sim, __FILE__, __LINE__, __func__, __VA_ARGS__)

#endif /* VMSIM_VMCORE_VM_INT_H */
