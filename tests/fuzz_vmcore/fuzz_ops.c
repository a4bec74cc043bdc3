/*
 * fuzz_ops.c: the random operations. Each takes a random page and does
 * something that a correct kernel could do to a page in that state, so that
 * nothing may panic.
 *
 * Who busies a page or starts I/O on it is noted in fz->owner: only the fuzzer
 * itself ends it. A page that is on no queue is busy, wired or unmanaged, so
 * that vmcheck_accounted always holds.
 */
#include <string.h>

#include "fuzz_vmcore.h"

static uint8_t *
owner_of(struct fz *f, const struct vm_page *m)
{
	return (&f->owner[m->pfn - f->vm->first_page]);
}

static vm_offset_t
address_of(const struct fz *f, const struct vm_page *m)
{
	uint64_t object = m->object->id - 1;

	(void)f;
	return ((object * FZ_OBJECT_PAGES + m->pindex + 16) << PAGE_SHIFT);
}

static bool
is_cached(const struct fz *f, const struct vm_page *m)
{
	return (vm_queue_of(f->vm, m, m->queue) == VMQ_CACHE);
}

static bool
is_managed(const struct vm_page *m)
{
	return ((m->flags & PG_UNMANAGED) == 0);
}

static struct vm_object *
random_object(struct fz *f)
{
	return (&f->objs[fz_below(f, FZ_OBJECTS)]);
}

/* ---- pages without an owner: nothing transient is going on with them */

static void
op_activate(struct fz *f, vm_page_t m)
{
	vm_page_activate(f->vm, m);
}

static void
op_deactivate(struct fz *f, vm_page_t m)
{
	vm_page_deactivate(f->vm, m);
}

static void
op_dontneed(struct fz *f, vm_page_t m)
{
	vm_page_dontneed(f->vm, m);
}

static void
op_cache(struct fz *f, vm_page_t m)
{
	vm_page_test_dirty(f->vm, m);
	if (m->dirty == 0 && m->wire_count == 0 && is_managed(m))
		vm_page_cache(f->vm, m);
}

static void
op_try_to_cache(struct fz *f, vm_page_t m)
{
	(void)vm_page_try_to_cache(f->vm, m);
}

static void
op_try_to_free(struct fz *f, vm_page_t m)
{
	(void)vm_page_try_to_free(f->vm, m);
}

static void
op_wire(struct fz *f, vm_page_t m)
{
	if (f->vm->cnt.v_wire_count < f->vm->cnt.v_page_count / 3)
		vm_page_wire(f->vm, m);
}

static void
op_unwire(struct fz *f, vm_page_t m)
{
	if (m->wire_count != 0)
		vm_page_unwire(f->vm, m, fz_below(f, 2) != 0);
}

static void
op_hold(struct fz *f, vm_page_t m)
{
	if (f->held >= f->vm->cnt.v_page_count / 16)
		return;
	vm_page_hold(m);
	f->held++;
}

static void
op_unhold(struct fz *f, vm_page_t m)
{
	if (m->hold_count == 0)
		return;
	f->held--;
	vm_page_unhold(f->vm, m);
}

static void
op_busy(struct fz *f, vm_page_t m)
{
	vm_page_busy(f->vm, m);
	*owner_of(f, m) = FZ_BUSY;
}

static void
op_io_start(struct fz *f, vm_page_t m)
{
	if (m->queue == PQ_NONE)
		return;
	vm_page_io_start(f->vm, m);
	*owner_of(f, m) = FZ_IO;
}

static void
op_dirty(struct fz *f, vm_page_t m)
{
	if (m->valid == VM_PAGE_BITS_ALL && !is_cached(f, m))
		vm_page_dirty(f->vm, m);
}

static void
op_test_dirty(struct fz *f, vm_page_t m)
{
	if (!is_cached(f, m))
		vm_page_test_dirty(f->vm, m);
}

static void
op_validclean(struct fz *f, vm_page_t m)
{
	int base = (int)fz_below(f, PAGE_SIZE);

	if (m->dirty != 0 || f->vm->pmap->page_is_mapped(f->vm, m))
		return;
	vm_page_set_validclean(f->vm, m, base,
	    (int)fz_below(f, PAGE_SIZE - (uint32_t)base + 1));
	if (fz_below(f, 4) == 0)
		vm_page_zero_invalid(f->vm, m, true);
}

static void
op_invalidate(struct fz *f, vm_page_t m)
{
	int base = (int)fz_below(f, PAGE_SIZE);

	if (m->dirty != 0 || f->vm->pmap->page_is_mapped(f->vm, m) ||
	    is_cached(f, m))
		return;
	vm_page_set_invalid(f->vm, m, base,
	    (int)fz_below(f, PAGE_SIZE - (uint32_t)base + 1));
}

static void
op_requeue(struct fz *f, vm_page_t m)
{
	vm_pageq_requeue(f->vm, m);
}

static void
op_unmanage(struct fz *f, vm_page_t m)
{
	if (fz_below(f, 16) == 0 && !f->vm->pmap->page_is_mapped(f->vm, m))
		vm_page_unmanage(f->vm, m);
}

static void
op_cow(struct fz *f, vm_page_t m)
{
	if (m->cow == 0)
		vm_page_cowsetup(f->vm, m);
	else
		vm_page_cowclear(m);
}

/* A fault: the page is mapped somewhere. A cached one is taken off first. */
static void
op_enter(struct fz *f, vm_page_t m)
{
	int prot = VM_PROT_READ;
	int flags = 0;

	if (m->valid != VM_PAGE_BITS_ALL || !is_managed(m) ||
	    m->hold_count != 0)
		return;
	if (is_cached(f, m)) {
		vm_page_remque(f->vm, m);
		vm_page_activate(f->vm, m);
	}
	if (fz_below(f, 2) != 0)
		prot |= VM_PROT_WRITE;
	if ((prot & VM_PROT_WRITE) != 0 && fz_below(f, 2) != 0)
		flags = PMAP_ENTER_WRITE_FAULT;
	vm_page_flag_clear(m, PG_ZERO);
	pmap_enter(f->pmaps[fz_below(f, FZ_PMAPS)], address_of(f, m), m->pfn,
	    prot, flags);
}

/* The CPU uses the page; a write leaves something in it. */
static void
op_touch(struct fz *f, vm_page_t m)
{
	pte_t *pte = pmap_pte(f->pmaps[fz_below(f, FZ_PMAPS)],
	    address_of(f, m));
	uint64_t *word;

	if (pte == NULL || (*pte & PTE_V) == 0)
		return;
	*pte |= PTE_A;
	if ((*pte & PTE_RW) == 0)
		return;
	*pte |= PTE_M;
	word = mmu_frame_data_write(f->mmu, m->pfn);
	word[fz_below(f, PAGE_SIZE / sizeof(*word))] = m->pfn + 1;
}

static void
op_unmap(struct fz *f, vm_page_t m)
{
	vm_offset_t va = address_of(f, m);

	if (fz_below(f, 2) != 0)
		f->vm->pmap->remove_write(f->vm, m);
	else
		f->vm->pmap->remove_range(f->vm,
		    f->pmaps[fz_below(f, FZ_PMAPS)], va, va + PAGE_SIZE);
}

static void
op_referenced(struct fz *f, vm_page_t m)
{
	(void)f->vm->pmap->ts_referenced(f->vm, m);
	vm_page_flag_set(m, PG_REFERENCED);
}

static void
op_lookup(struct fz *f, vm_page_t m)
{
	vm_page_t found = vm_page_lookup(m->object, m->pindex);

	KASSERT(f->sim, found == m,
	    ("FUZZ_LOOKUP: page %u of object %u is not found", m->pfn,
		m->object->id));
	(void)vm_page_next(m);
	(void)vm_page_prev(m);
}

static void
op_free(struct fz *f, vm_page_t m)
{
	if (m->wire_count != 0)
		return;
	f->vm->pmap->remove_all(f->vm, m);
	if (fz_below(f, 4) == 0) {
		vm_page_free_f11(f->vm, m);
		return;
	}
	vm_page_busy(f->vm, m);
	if (fz_below(f, 4) == 0) {
		mmu_zero_frame(f->mmu, m->pfn);
		vm_page_free_zero(f->vm, m);
	} else
		vm_page_free(f->vm, m);
}

/* To another object, or another place; the page loses its mappings. */
static void
op_rename(struct fz *f, vm_page_t m)
{
	struct vm_object *object = random_object(f);
	vm_pindex_t pindex = fz_below(f, FZ_OBJECT_PAGES);

	if (m->valid != VM_PAGE_BITS_ALL || fz_locked(object) ||
	    vm_page_lookup(object, pindex) != NULL)
		return;
	f->vm->pmap->remove_all(f->vm, m);
	vm_page_busy(f->vm, m);
	vm_page_rename(f->vm, m, object, pindex);
}

/*
 * Lent to the network, then written to: the copy takes its place and the
 * original, alone in the world, is freed.
 */
static void
op_cowfault(struct fz *f, vm_page_t m)
{
	struct vm_object *object = m->object;
	vm_pindex_t pindex = m->pindex;
	vm_page_t copy;

	if (m->cow == 0 || m->wire_count != 0 ||
	    m->valid != VM_PAGE_BITS_ALL || f->vm->cnt.v_free_count == 0)
		return;
	f->vm->pmap->remove_all(f->vm, m);
	vm_page_cowfault(f->vm, m);
	copy = vm_page_lookup(object, pindex);
	KASSERT(f->sim, copy != NULL && copy != m && m->object == NULL,
	    ("FUZZ_COW: page %u was not replaced", m->pfn));
	vm_page_activate(f->vm, copy);
	vm_page_free(f->vm, m);
}

/* ---- pages that the fuzzer owns */

static void
end_busy(struct fz *f, vm_page_t m)
{
	*owner_of(f, m) = FZ_NOBODY;
	if (m->queue == PQ_NONE && m->wire_count == 0 && is_managed(m)) {
		if (fz_below(f, 2) != 0)
			vm_page_activate(f->vm, m);
		else
			vm_page_deactivate(f->vm, m);
	}
	vm_page_wakeup(f->vm, m);
}

/* The end of a write that the page daemon began. */
void
fz_complete_write(struct fz *f, vm_page_t m, int status)
{
	vm_object_t object = m->object;

	*owner_of(f, m) = FZ_NOBODY;
	if (status == VM_PAGER_OK)
		vm_page_undirty(m);
	else
		vm_page_activate(f->vm, m);
	object->paging_in_progress--;
	vm_page_io_finish(f->vm, m);
}

static void
owned_page(struct fz *f, vm_page_t m)
{
	switch (*owner_of(f, m)) {
	case FZ_BUSY:
		if (m->valid == 0 && fz_below(f, 8) != 0)
			vm_page_set_validclean(f->vm, m, 0, PAGE_SIZE);
		end_busy(f, m);
		break;
	case FZ_IO:
		if (fz_below(f, 4) == 0 && m->busy < 200) {
			vm_page_io_start(f->vm, m);
			break;
		}
		vm_page_io_finish(f->vm, m);
		if (m->busy == 0)
			*owner_of(f, m) = FZ_NOBODY;
		break;
	case FZ_WRITE:
		fz_complete_write(f, m, fz_below(f, 8) != 0 ? VM_PAGER_OK :
							      VM_PAGER_ERROR);
		break;
	default:
		break;
	}
}

/* ---- free and held pages */

static void
check_zeroed(struct fz *f, const struct vm_page *m)
{
	const unsigned char *p = mmu_frame_data(f->mmu, m->pfn);
	uint32_t i;

	for (i = 0; i < PAGE_SIZE; i++)
		KASSERT(f->sim, p[i] == 0,
		    ("FUZZ_ZERO: page %u is not zero at %u", m->pfn, i));
}

static void
alloc_page(struct fz *f)
{
	static const int classes[8] = { VM_ALLOC_NORMAL, VM_ALLOC_NORMAL,
		VM_ALLOC_NORMAL, VM_ALLOC_NORMAL, VM_ALLOC_NORMAL,
		VM_ALLOC_NORMAL, VM_ALLOC_SYSTEM, VM_ALLOC_INTERRUPT };
	struct vm_object *object = random_object(f);
	vm_pindex_t pindex = fz_below(f, FZ_OBJECT_PAGES);
	uint32_t r = fz_below(f, 64);
	int req = classes[r & 7] | (r & 8 ? VM_ALLOC_ZERO : 0);
	vm_page_t m;

	if (fz_locked(object) || vm_page_lookup(object, pindex) != NULL)
		return;
	m = vm_page_alloc(f->vm, object, pindex, req);
	if (m == NULL)
		return;
	if ((m->flags & PG_ZERO) != 0)
		check_zeroed(f, m);
	*owner_of(f, m) = FZ_BUSY;
	if (r < 48)
		owned_page(f, m);
}

/* ---- choosing */

static const struct {
	const char *name;
	uint32_t weight; /* of 256, for pages in use */
	void (*fn)(struct fz *f, vm_page_t m);
} ops[] = {
	{ "activate", 40, op_activate },
	{ "deactivate", 36, op_deactivate },
	{ "free", 40, op_free },
	{ "dontneed", 12, op_dontneed },
	{ "cache", 8, op_cache },
	{ "try_to_cache", 6, op_try_to_cache },
	{ "try_to_free", 6, op_try_to_free },
	{ "wire", 8, op_wire },
	{ "unwire", 16, op_unwire },
	{ "hold", 3, op_hold },
	{ "unhold", 8, op_unhold },
	{ "busy", 8, op_busy },
	{ "io_start", 5, op_io_start },
	{ "dirty", 4, op_dirty },
	{ "test_dirty", 4, op_test_dirty },
	{ "validclean", 5, op_validclean },
	{ "invalidate", 2, op_invalidate },
	{ "requeue", 6, op_requeue },
	{ "unmanage", 1, op_unmanage },
	{ "cow", 2, op_cow },
	{ "cowfault", 2, op_cowfault },
	{ "enter", 10, op_enter },
	{ "touch", 10, op_touch },
	{ "unmap", 5, op_unmap },
	{ "referenced", 3, op_referenced },
	{ "lookup", 4, op_lookup },
	{ "rename", 2, op_rename },
};
#define NOPS (sizeof(ops) / sizeof(ops[0]))

const char *
fz_op_name(unsigned i)
{
	return (i < NOPS ? ops[i].name : NULL);
}

static unsigned
choose(uint32_t r)
{
	unsigned i = 0;

	while (r >= ops[i].weight)
		r -= ops[i++].weight;
	return (i);
}

static void
idle_page(struct fz *f, vm_page_t m)
{
	if (vm_queue_of(f->vm, m, m->queue) == VMQ_HOLD) {
		f->held--;
		vm_page_unhold(f->vm, m);
	} else if (fz_below(f, 64) == 0)
		(void)vm_page_zero_idle_step(f->vm);
	else
		alloc_page(f);
}

void
fz_op(struct fz *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = &vm->page_array[fz_below(f, vm->page_array_size)];
	unsigned op;

	f->done++;
	if ((m->flags & PG_NOTAVAIL) != 0)
		return;
	if (m->object == NULL) {
		idle_page(f, m);
		return;
	}
	if (fz_locked(m->object) || m->object < f->objs ||
	    m->object >= f->objs + FZ_OBJECTS)
		return;
	if (*owner_of(f, m) != FZ_NOBODY) {
		owned_page(f, m);
		return;
	}
	op = choose(fz_below(f, 256));
	f->counts[op]++;
	ops[op].fn(f, m);
}

/* Give everything back: afterwards all pages are free. */
void
fz_drain(struct fz *f)
{
	struct vm *vm = f->vm;
	uint32_t i;

	fz_free_contigs(f);
	for (i = 0; i < vm->page_array_size; i++) {
		vm_page_t m = &vm->page_array[i];

		while (*owner_of(f, m) != FZ_NOBODY)
			owned_page(f, m);
		while (m->wire_count != 0)
			vm_page_unwire(vm, m, false);
		if (m->object != NULL) {
			vm->pmap->remove_all(vm, m);
			vm_page_busy(vm, m);
			vm_page_free(vm, m);
		}
		while (m->hold_count > 0) {
			f->held--;
			vm_page_unhold(vm, m);
		}
	}
}

/*
 * Somebody who takes a page whatever it costs: sleeps while it is busy and
 * while there is no memory. Whoever lets go must wake it.
 */
void
fz_waiter(void *arg)
{
	struct fz *f = arg;
	vm_page_t m;

	while (!f->draining) {
		struct vm_object *object = random_object(f);

		if (fz_locked(object)) {
			(void)sim_yield(f->sim);
			continue;
		}
		m = vm_page_grab(f->vm, object, fz_below(f, FZ_OBJECT_PAGES),
		    VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
		f->waits++;
		*owner_of(f, m) = FZ_BUSY;
		if (m->valid == 0)
			vm_page_set_validclean(f->vm, m, 0, PAGE_SIZE);
		end_busy(f, m);
		(void)sim_yield(f->sim);
	}
	f->waiters--;
}
