/*
 * vm_pageout.c: the page daemon: thresholds, its loop, the wake-up, and the
 * two ways of taking a lock that a scan cannot get at once.
 *
 * Interface: vm_pageout.h.
 * Source:    FreeBSD 11-CURRENT vm_pageout.c (end of 2015).
 * Differs:   MAXMEMDOM is a field; the helper thread of the kernel allocator
 *            is announced, not simulated.
 *
 * The loop, with the free-page test at its top:
 *
 *	needed, pass 0, 1 --> pass + 1, scan at once
 *	needed, pass > 1  --> sleep hz/2 (or until woken), pass + 1, scan
 *	not needed        --> sleep hz, then pass 0 (ageing only) or, when
 *	                      somebody asked meanwhile, pass + 1
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmcore/bsd/vm_pageout.h"

/* A placeholder in a page queue; busy and held so that nobody takes it. */
void
vm_pageout_init_marker(struct vm *vm, vm_page_t marker, uint32_t queue)
{
	memset(marker, 0, sizeof(*marker));
	marker->flags = PG_MARKER | PG_BUSY;
	marker->queue = (uint16_t)queue;
	marker->hold_count = 1;
}

/*
 * Mark the page's place and let go of its queue. The caller waits for a lock
 * and then calls vm_pageout_queue_return.
 */
static struct vm_pagequeue *
vm_pageout_queue_leave(struct vm *vm, vm_page_t m, vm_page_t marker)
{
	struct vm_pagequeue *pq = vm_pageout_queue(vm, m);

	vm_pageout_init_marker(vm, marker, m->queue);
	TAILQ_INSERT_AFTER(&pq->pq_pl, m, marker, pageq);
	vm_pagequeue_unlock(vm, pq);
	return (pq);
}

/*
 * Back on the queue: the page may have gone and come again, so only the
 * marker's links say whether it still stands where it stood.
 */
static bool
vm_pageout_queue_return(struct vm *vm, struct vm_pagequeue *pq, vm_page_t m,
    vm_page_t marker, vm_page_t *next)
{
	bool in_place;

	vm_pagequeue_lock(vm, pq);
	*next = TAILQ_NEXT(marker, pageq);
	in_place = m == TAILQ_PREV(marker, pglist, pageq);
	TAILQ_REMOVE(&pq->pq_pl, marker, pageq);
	return (in_place);
}

/*
 * vm_pageout_page_lock: lock a page while holding its queue's lock. When it
 * cannot be had at once the queue is let go meanwhile.
 * Returns: the page is still in its place; *next follows it. The page is
 *          locked either way.
 * Source:  FreeBSD 11 vm_pageout.c, vm_pageout_page_lock(); R12 (a).
 */
bool
vm_pageout_page_lock(struct vm *vm, vm_page_t m, vm_page_t *next)
{
	struct vm_page marker;
	struct vm_pagequeue *pq;
	uint32_t queue = m->queue;
	bool unchanged;

	if (vm_penv(vm)->page_trylock(vm, m))
		return (true);

	pq = vm_pageout_queue_leave(vm, m, &marker);
	vm_penv(vm)->preempt(vm);
	vm_penv(vm)->page_lock(vm, m);
	unchanged = vm_pageout_queue_return(vm, pq, m, &marker, next);
	VM_KASSERT(vm, !unchanged || m->queue == queue,
	    ("page %u: queue %u, was %u", m->pfn, m->queue, queue));
	vm_pageout_note(vm, VPN_PAGE_LOCK_MISS, m, unchanged, 0);
	return (unchanged);
}

/*
 * vm_pageout_fallback_object_lock: the same for the page's object, after a
 * failed try. Queue and page are let go meanwhile, so the page may have moved
 * and may belong to somebody else: false then. The object that was the
 * page's at the call is locked either way, and the page too.
 * Source:  FreeBSD 11 vm_pageout.c, same name; R12 (a).
 */
bool
vm_pageout_fallback_object_lock(struct vm *vm, vm_page_t m, vm_page_t *next)
{
	struct vm_page marker;
	struct vm_pagequeue *pq;
	vm_object_t object = m->object;
	uint32_t queue = m->queue;
	bool unchanged;

	pq = vm_pageout_queue_leave(vm, m, &marker);
	vm_penv(vm)->page_unlock(vm, m);
	vm_penv(vm)->preempt(vm);
	vm_penv(vm)->object_wlock(vm, object);
	vm_penv(vm)->page_lock(vm, m);
	unchanged = vm_pageout_queue_return(vm, pq, m, &marker, next) &&
	    m->object == object;
	VM_KASSERT(vm, !unchanged || m->queue == queue,
	    ("page %u: queue %u, was %u", m->pfn, m->queue, queue));
	vm_pageout_note(vm, VPN_OBJECT_LOCK_MISS, m, unchanged, 0);
	return (unchanged);
}

/*
 * An unlimited scan has failed: breathe, in case pages come back by themselves.
 */
static void
vm_pageout_breathe(struct vm *vm, struct vm_domain *vmd)
{
	int64_t timo = (int64_t)vm->hz * vm->pageout->vm_pageout_rest / 1000;

	vm_trace_event(vm, VME_REST, 0, vmd - vm->dom,
	    vm->cnt.v_free_count + vm->cnt.v_cache_count);
	vm_penv(vm)->msleep(vm, &vm->vm_pages_needed, PVM, "psleep",
	    (int32_t)timo);
}

/*
 * The top of the loop, under the free queue's lock: tell the waiters, decide
 * how long to rest, choose the pass.
 */
static void
vm_pageout_worker_rest(struct vm *vm, struct vm_domain *vmd)
{
	/*
	 * Threads may go on as soon as the minimum is there; the request
	 * itself stands until the daemon's own goal is met, or it would be
	 * woken for every page.
	 */
	if (vm->vm_pages_needed && !vm_page_count_min(vm)) {
		if (!vm_paging_needed(vm))
			vm->vm_pages_needed = 0;
		sim_wakeup(vm->sim, &vm->cnt.v_free_count);
	}
	if (vm->vm_pages_needed) {
		if (vmd->vmd_pass > 1)
			vm_pageout_breathe(vm, vmd);
	} else
		vm_penv(vm)->msleep(vm, &vm->vm_pages_needed, PVM, "psleep",
		    vm->hz);
	if (vm->vm_pages_needed) {
		vm->cnt.v_pdwakeups++;
		vmd->vmd_pass++;
	} else
		vmd->vmd_pass = 0;
}

static void
vm_pageout_worker_begin(struct vm *vm, struct vm_domain *vmd)
{
	uint32_t inactive = PQ_INACTIVE(vm);

	vmd->vmd_last_active_scan = vm_penv(vm)->ticks(vm);
	vm_pageout_init_marker(vm, &vmd->vmd_marker, inactive);
	vm_pageout_init_marker(vm, &vmd->vmd_inacthead, inactive);
	TAILQ_INSERT_HEAD(&vmd->vmd_inactive.pq_pl, &vmd->vmd_inacthead,
	    pageq);
	vmd->vmd_inacthead_queued = true;
}

/*
 * vm_pageout_worker: the daemon of one domain, for ever.
 * Source:  FreeBSD 11 vm_pageout.c, same name; R12 (g).
 */
void
vm_pageout_worker(struct vm *vm, uint32_t domidx)
{
	struct vm_domain *vmd = &vm->dom[domidx];

	vm_pageout_worker_begin(vm, vmd);
	for (;;) {
		vm_pageout_worker_rest(vm, vmd);
		vm_pageout_note(vm, VPN_SCAN, vmd, domidx, vmd->vmd_pass);
		vm_trace_event(vm, VME_SCAN, 0, domidx, vmd->vmd_pass);
		if (vm_penv(vm)->worker_scan != NULL)
			vm_penv(vm)->worker_scan(vm, vmd, vmd->vmd_pass);
		else
			vm_pageout_scan(vm, vmd, vmd->vmd_pass);
	}
}

/*
 * vm_pageout_init: thresholds from the numbers of all and of free pages.
 * Units:   pages; vm_pageout_update_period in seconds.
 * Source:  FreeBSD 11 vm_pageout.c, same name; companions 2.2.
 */
void
vm_pageout_init(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;
	struct vmmeter *cnt = &vm->cnt;

	cnt->v_interrupt_free_min = 2;
	if (cnt->v_page_count < 2000)
		po->vm_pageout_page_count = 8;

	/* The reserve pays for the largest structures of a page-out. */
	cnt->v_free_min = 4;
	if (cnt->v_page_count > 1024)
		cnt->v_free_min += (cnt->v_page_count - 1024) / 200;
	cnt->v_pageout_free_min = 2 * MAXBSIZE / PAGE_SIZE +
	    cnt->v_interrupt_free_min;
	cnt->v_free_reserved = (uint32_t)po->vm_pageout_page_count +
	    cnt->v_pageout_free_min + cnt->v_page_count / 768;
	cnt->v_free_severe = cnt->v_free_min / 2;
	cnt->v_free_target = 4 * cnt->v_free_min + cnt->v_free_reserved;
	cnt->v_free_min += cnt->v_free_reserved;
	cnt->v_free_severe += cnt->v_free_reserved;
	cnt->v_inactive_target = 3 * cnt->v_free_target / 2;
	if (cnt->v_inactive_target > cnt->v_free_count / 3)
		cnt->v_inactive_target = cnt->v_free_count / 3;

	/* A tenth above the minimum, divided first: see companions 2.2. */
	vm->vm_pageout_wakeup_thresh = (int32_t)(cnt->v_free_min / 10 * 11);

	if (po->vm_pageout_update_period == 0)
		po->vm_pageout_update_period = VM_PAGEOUT_UPDATE_PERIOD;
	if (po->vm_page_max_wired == 0)
		po->vm_page_max_wired = (int32_t)(cnt->v_free_count / 3);
}

static void
vm_pageout_worker_thread(void *arg)
{
	struct vm_pageout_worker_arg *wa = arg;

	vm_pageout_worker(wa->vm, wa->domain);
}

/*
 * vm_pageout: first thread of the page daemon's process: starts the others
 * and becomes the daemon of domain 0.
 * Source:  FreeBSD 11 vm_pageout.c, same name.
 */
void
vm_pageout(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;
	char name[16];
	int error;

	po->env->swap_init(vm);
	if (po->opt_maxmemdom > 1) {
		for (uint32_t i = 1; i < vm->ndomains; i++) {
			po->worker[i].vm = vm;
			po->worker[i].domain = i;
			snprintf(name, sizeof(name), "dom%u", i);
			error = po->env->kthread_add(vm,
			    vm_pageout_worker_thread, &po->worker[i], name,
			    (int)i);
			if (error != 0)
				vm_panic(vm, "starting pageout for domain %u, "
				    "error %d", i, error);
		}
	}
	error = po->env->kthread_add(vm, NULL, NULL, "uma", 0);
	if (error != 0)
		vm_panic(vm, "starting uma_reclaim helper, error %d", error);
	vm_pageout_worker(vm, 0);
}

/*
 * pagedaemon_wakeup: ask for free pages. The daemon's own requests do not
 * count, nor a second one before the first is met.
 */
void
pagedaemon_wakeup(struct vm *vm)
{
	if (vm->vm_pages_needed ||
	    (vm->pageproc != NULL && vm_curproc(vm) == vm->pageproc))
		return;
	vm->vm_pages_needed = 1;
	vm_trace_event(vm, VME_PAGEDAEMON_WAKEUP, 0, vm->cnt.v_free_count,
	    vm->cnt.v_cache_count);
	sim_wakeup(vm->sim, &vm->vm_pages_needed);
}
