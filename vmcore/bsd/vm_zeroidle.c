/*
 * vm_zeroidle.c: zeroing free pages while the processor has nothing to do.
 *
 * Interface: vmcore/vm_page.h (vm_page_zero_*, vm_pagezero_start).
 * Source:    FreeBSD 5.0 vm_zeroidle.c 1.18 as told by the companions, 3.
 * Differs:   the thread yields after every page when somebody else wants the
 *            processor, and after idlezero_maxrun pages in any case.
 */
#include "vmcore/bsd/vm_page_int.h"

#define ZIDLE_LO(free) ((free) * 2 / 3)
#define ZIDLE_HI(free) ((free) * 4 / 5)
#define ZIDLE_SLEEP_SECONDS 300

/*
 * vm_page_zero_check: is more zeroing wanted? Starts below two thirds of the
 * free pages, then goes on to four fifths (zero_state: the mark was reached).
 */
bool
vm_page_zero_check(struct vm *vm)
{
	uint32_t zeroed = (uint32_t)vm->page_zero_count;
	uint32_t nfree = vm->cnt.v_free_count;

	if (!vm->zero_idle_enabled)
		return (false);
	if (vm->zero_state && zeroed >= ZIDLE_LO(nfree))
		return (false);
	return (zeroed < ZIDLE_HI(nfree));
}

/* Zero one free page and move it to its colour's zeroed end. */
static void
vm_page_zero_one(struct vm *vm, vm_page_t m)
{
	struct vm_trace_from from;
	uint32_t queue = m->queue;
	uint32_t tag;

	vm_moving(vm, m, &from);
	vm_pageq_unlink(vm, m);
	vm->pmap->zero_page(vm, m);
	vm_page_flag_set(m, PG_ZERO);
	vm_pageq_link(vm, m, queue, false);
	vm->page_zero_count++;
	vm->cnt_prezero++;
	tag = vm_why(vm, WHY_ZERO_IDLE);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_ZERO_IDLE);
	vm_why(vm, tag);
	if ((uint32_t)vm->page_zero_count >= ZIDLE_HI(vm->cnt.v_free_count))
		vm->zero_state = true;
}

/*
 * vm_page_zero_idle_step: look at one free page of the rover's colour, zero
 * it if it is not. The rover moves on in every case.
 * Returns the page zeroed, NULL when there was nothing to do.
 */
vm_page_t
vm_page_zero_idle_step(struct vm *vm)
{
	vm_page_t m;

	vm->zero_state = false;
	m = vm_pageq_find(vm, PQ_FREE, vm->zero_rover, false);
	if (m != NULL && (m->flags & PG_ZERO) == 0)
		vm_page_zero_one(vm, m);
	else
		m = NULL;
	vm->zero_rover = (vm->zero_rover + vm->pq_prime2) & PQ_L2_MASK(vm);
	return (m);
}

/* vm_page_free's hint: there may be a page to zero. */
void
vm_page_zero_idle_wakeup(struct vm *vm)
{
	if (__builtin_expect(vm->page_hooks != NULL, 0) &&
	    vm->page_hooks->zero_hint != NULL)
		vm->page_hooks->zero_hint(vm);
	if (vm->pagezero != NULL && sim_thread_channel(vm->pagezero) != NULL &&
	    vm_page_zero_check(vm))
		sim_wakeup(vm->sim, &vm->zero_state);
}

static void
vm_pagezero(void *arg)
{
	struct vm *vm = arg;
	int32_t pages = 0;

	for (;;) {
		if (vm_page_zero_check(vm)) {
			(void)vm_page_zero_idle_step(vm);
			/* Even a step that zeroes nothing takes time. */
			vm_spend(vm, vm->cost.page_queue);
			if (++pages > vm->idlezero_maxrun) {
				(void)sim_yield(vm->sim);
				pages = 0;
			} else
				(void)sim_preempt_point(vm->sim);
		} else {
			(void)sim_sleep(vm->sim, &vm->zero_state, PRI_IDLE_MAX,
			    "pgzero", sim_hz(vm->sim) * ZIDLE_SLEEP_SECONDS);
			pages = 0;
		}
	}
}

void
vm_pagezero_start(struct vm *vm)
{
	vm->pagezero = sim_thread_create(vm->sim, "pagezero", PRI_IDLE_MAX,
	    vm_pagezero, vm);
}
