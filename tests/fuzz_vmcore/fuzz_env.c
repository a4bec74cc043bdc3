/*
 * fuzz_env.c: the kernel around the page daemon, all of it unreliable: locks
 * fail, pagers fail, and whenever the daemon lets go of something others work
 * on the pages (fz_op), except on those of objects that it has locked.
 */
#include <errno.h>

#include "fuzz_vmcore.h"

static struct fz *
fz_of(struct vm *vm)
{
	return (vm->kernel_private);
}

/* What others do meanwhile. */
static void
meanwhile(struct vm *vm)
{
	struct fz *f = fz_of(vm);
	uint32_t n = fz_below(f, 4);

	if (f->depth > 1)
		return;
	f->depth++;
	while (n-- > 0)
		fz_op(f);
	f->depth--;
}

static bool
mostly(struct vm *vm)
{
	return (fz_below(fz_of(vm), 16) != 0);
}

/* ---- clocks: a tick each time somebody looks */

static int32_t
env_ticks(struct vm *vm)
{
	return ((int32_t)(fz_of(vm)->done / 64));
}

static int64_t
env_seconds(struct vm *vm)
{
	return (1 + (int64_t)(fz_of(vm)->done / 4096));
}

/* ---- locks */

static bool
env_page_trylock(struct vm *vm, vm_page_t m)
{
	(void)m;
	return (mostly(vm));
}

static void
env_page_lock(struct vm *vm, vm_page_t m)
{
	(void)vm;
	(void)m;
}

static bool
env_object_trywlock(struct vm *vm, vm_object_t object, vm_page_t m)
{
	(void)m;
	return (mostly(vm) && vm_object_trywlock(vm, object));
}

static void
env_object_wlock(struct vm *vm, vm_object_t object)
{
	meanwhile(vm);
	vm_object_wlock(vm, object);
}

static bool
env_object_tryrlock(struct vm *vm, vm_object_t object)
{
	return (mostly(vm) && vm_object_tryrlock(vm, object));
}

/* ---- files */

static void
env_object_nothing(struct vm *vm, vm_object_t object)
{
	(void)vm;
	(void)object;
}

static void
env_object_pip_add(struct vm *vm, vm_object_t object, int n)
{
	(void)vm;
	object->paging_in_progress += n;
}

static void
env_object_pip_wakeup(struct vm *vm, vm_object_t object)
{
	(void)vm;
	object->paging_in_progress--;
}

static void
env_object_page_clean(struct vm *vm, vm_object_t object, int flags)
{
	vm_page_t m;

	(void)flags;
	TAILQ_FOREACH (m, &object->memq, listq) {
		if (m->dirty != 0 && !vm_page_busied(m))
			(void)vm_pageout_flush(vm, &m, 1, VM_PAGER_PUT_SYNC, 0,
			    NULL, NULL);
	}
}

static int
env_vn_start_write(struct vm *vm, vm_object_t object, bool wait)
{
	(void)object;
	return (wait || mostly(vm) ? 0 : EAGAIN);
}

static bool
env_shared_writes(struct vm *vm, vm_object_t object)
{
	(void)object;
	return (fz_below(fz_of(vm), 2) != 0);
}

static int
env_vget(struct vm *vm, vm_object_t object, int lockmode)
{
	(void)object;
	(void)lockmode;
	meanwhile(vm);
	return (mostly(vm) ? 0 : EDEADLK);
}

static void
env_vn_lock(struct vm *vm, vm_object_t object, int lockmode)
{
	(void)object;
	(void)lockmode;
	meanwhile(vm);
}

/* ---- the rest */

static bool
env_speedup_syncer(struct vm *vm)
{
	(void)vm;
	return (true);
}

static void
env_nothing(struct vm *vm)
{
	(void)vm;
}

static void
env_swapout_procs(struct vm *vm, int flags)
{
	(void)vm;
	(void)flags;
}

/* There are no processes, so nothing else is ever asked. */
const struct vm_pageout_env fz_env = {
	.ticks = env_ticks,
	.uptime = env_seconds,
	.second = env_seconds,
	.page_trylock = env_page_trylock,
	.page_lock = env_page_lock,
	.page_unlock = env_page_lock,
	.object_trywlock = env_object_trywlock,
	.object_wlock = env_object_wlock,
	.object_wunlock = vm_object_wunlock,
	.object_tryrlock = env_object_tryrlock,
	.object_rlock = vm_object_rlock,
	.object_runlock = vm_object_runlock,
	.object_reference = env_object_nothing,
	.object_deallocate = env_object_nothing,
	.object_pip_add = env_object_pip_add,
	.object_pip_wakeup = env_object_pip_wakeup,
	.object_page_clean = env_object_page_clean,
	.vn_start_write = env_vn_start_write,
	.vn_finished_write = env_object_nothing,
	.shared_writes = env_shared_writes,
	.vget = env_vget,
	.vput = env_object_nothing,
	.vn_lock = env_vn_lock,
	.vn_unlock = env_object_nothing,
	.speedup_syncer = env_speedup_syncer,
	.lowmem = env_nothing,
	.uma_reclaim = env_nothing,
	.swapout_procs = env_swapout_procs,
	.swap_init = env_nothing,
	.preempt = meanwhile,
};

/* ---- a pager that succeeds, fails, or takes its time */

static void
pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc, int count,
    int flags, int *rtvals)
{
	static const int results[16] = { VM_PAGER_PEND, VM_PAGER_PEND,
		VM_PAGER_PEND, VM_PAGER_PEND, VM_PAGER_PEND, VM_PAGER_OK,
		VM_PAGER_OK, VM_PAGER_OK, VM_PAGER_OK, VM_PAGER_OK,
		VM_PAGER_OK, VM_PAGER_AGAIN, VM_PAGER_AGAIN, VM_PAGER_ERROR,
		VM_PAGER_FAIL, VM_PAGER_BAD };
	struct fz *f = fz_of(vm);
	int i;

	(void)object;
	for (i = 0; i < count; i++) {
		rtvals[i] = results[fz_below(f, 16)];
		if ((flags & VM_PAGER_PUT_SYNC) != 0 &&
		    rtvals[i] == VM_PAGER_PEND)
			rtvals[i] = VM_PAGER_OK;
		if (rtvals[i] == VM_PAGER_OK)
			vm_page_undirty(mc[i]);
		if (rtvals[i] == VM_PAGER_PEND)
			f->owner[mc[i]->pfn - vm->first_page] = FZ_WRITE;
	}
}

static void
pager_dealloc(struct vm *vm, vm_object_t object)
{
	(void)vm;
	(void)object;
}

const struct vm_pagerops fz_pager = {
	.putpages = pager_putpages,
	.dealloc = pager_dealloc,
};

/* ---- the daemons' work, a piece at a time */

static void
random_grow_cache(struct fz *f)
{
	uint32_t a = fz_below(f, f->vm->page_array_size);
	uint32_t b = fz_below(f, f->vm->page_array_size);
	vm_paddr_t low = (vm_paddr_t)(f->vm->first_page + a) << PAGE_SHIFT;

	vm_pageout_grow_cache(f->vm, (int)fz_below(f, 3), low,
	    low + ((vm_paddr_t)(b % 64) << PAGE_SHIFT));
}

static void
random_deactivate(struct fz *f)
{
	vm_object_t object = &f->objs[fz_below(f, FZ_OBJECTS)];

	vm_object_rlock(f->vm, object);
	vm_pageout_object_deactivate_pages(f->vm,
	    f->pmaps[fz_below(f, FZ_PMAPS)], object, fz_below(f, 64));
	vm_object_runlock(f->vm, object);
}

/* Contiguous memory comes and goes; pages of it are nobody else's. */
static void
random_contig(struct fz *f)
{
	struct vm_contig *c = &f->contig[fz_below(f, FZ_CONTIGS)];
	struct vm_contig_request rq = { .pages = 1 + fz_below(f, 24),
		.align = (vm_paddr_t)PAGE_SIZE << fz_below(f, 4) };

	if (c->object != NULL) {
		vm_contig_free(f->vm, c);
		return;
	}
	if (fz_below(f, 2) != 0)
		rq.low = (vm_paddr_t)fz_below(f, f->vm->page_array_size) <<
		    PAGE_SHIFT;
	if (vm_contig_alloc(f->vm, &rq, c))
		KASSERT(f->sim, c->pages == rq.pages &&
		    ((vm_paddr_t)c->first << PAGE_SHIFT) % rq.align == 0 &&
		    (vm_paddr_t)c->first << PAGE_SHIFT >= rq.low,
		    ("FUZZ_CONTIG: %u pages at %u", c->pages, c->first));
}

void
fz_free_contigs(struct fz *f)
{
	for (uint32_t i = 0; i < FZ_CONTIGS; i++)
		if (f->contig[i].object != NULL)
			vm_contig_free(f->vm, &f->contig[i]);
}

void
fz_random_scan(struct fz *f)
{
	uint32_t r = fz_below(f, 16);

	f->scans++;
	f->depth++;
	if (r == 0)
		random_grow_cache(f);
	else if (r < 3)
		random_deactivate(f);
	else if (r < 5)
		random_contig(f);
	else
		vm_pageout_scan(f->vm, &f->vm->dom[fz_below(f,
		    f->vm->ndomains)], (int)fz_below(f, 4));
	f->depth--;
}
