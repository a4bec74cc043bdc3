/*
 * vm_domain.c: which memory domain a new page comes from.
 *
 * Interface: vm_domain_info of vmcore/vmcore.h; vm_domain_find_free,
 *            vm_domain_of_cpu, vm_domain_tunables of vmcore/vm_page.h.
 * Source:    FreeBSD 11 vm_domain.c and vm_phys.c of the end of 2015: the
 *            sysctl vm.default_policy with its names, the iterator over
 *            domains, and a round robin of its own for each thread.
 * Differs:   the free queues are FreeBSD 5's, coloured and common to all
 *            domains (companions R2); a policy takes the page that their
 *            search would find if only one domain's pages were there, domain
 *            by domain. FreeBSD's strict "first-touch" would let a thread
 *            sleep for memory that other domains have: here it goes on to
 *            them, as "first-touch-rr" does. Cached pages are recycled, and
 *            pages zeroed, in the common order.
 */
#include <string.h>

#include "vmcore/bsd/vm_page_int.h"

static const char *const policies[] = { "rr", "first-touch",
	"first-touch-rr", NULL };

/* CPUs are dealt out to domains in equal shares, as memory is. */
uint32_t
vm_domain_of_cpu(const struct vm *vm, uint32_t cpu)
{
	return (cpu * vm->ndomains / sim_ncpus(vm->sim));
}

bool
vm_domain_info(const struct vm *vm, uint32_t d, pfn_t *first, pfn_t *last,
    uint32_t *pages)
{
	const struct vm_domain *vmd = &vm->dom[d];

	if (d >= vm->ndomains || vmd->vmd_nsegs == 0)
		return (false);
	*first = (pfn_t)(vmd->vmd_seg[0].start / PAGE_SIZE);
	*last = (pfn_t)(vmd->vmd_seg[vmd->vmd_nsegs - 1].end / PAGE_SIZE - 1);
	*pages = vmd->vmd_page_count;
	return (true);
}

/* The running thread's next domain in turn, other than `skip` (-1: any). */
static uint32_t
vm_domain_rr(struct vm *vm, int skip)
{
	struct thread *td = vm_curthread(vm);
	uint32_t *idx = td != NULL ? &td->td_dom_rr_idx : &vm->dom_rr_idx;

	do
		*idx = (*idx + 1) % vm->ndomains;
	while ((int)*idx == skip);
	return (*idx);
}

/*
 * vm_domain_find_free: a free page of the wanted colour, or a neighbouring
 * one, of the first domain in the policy's order that has any page.
 * Source: FreeBSD 11 vm_phys.c, vm_phys_alloc_pages().
 */
vm_page_t
vm_domain_find_free(struct vm *vm, vm_pindex_t colour, bool prefer_zero)
{
	bool touch = strcmp(vm->default_policy, "rr") != 0;
	uint32_t first = vm_domain_of_cpu(vm, sim_curcpu(vm->sim)), d, n;
	vm_page_t m;

	for (n = 0; n < vm->ndomains; n++) {
		if (!touch)
			d = vm_domain_rr(vm, -1);
		else
			d = n == 0 ? first : vm_domain_rr(vm, (int)first);
		m = vm_pageq_find_domain(vm, d, colour, prefer_zero);
		if (m != NULL)
			return (m);
	}
	return (NULL);
}

int
vm_domain_tunables(struct vm *vm, struct tunables *ts)
{
	static const struct tunable rows[] = {
		{ .name = "vm.default_policy", .type = TUN_STRING,
		    .offset = offsetof(struct vm, default_policy),
		    .def_str = "rr", .choices = policies, .unit = "",
		    .source = "FreeBSD 11 vm_phys.c, SYSCTL_PROC; "
			      "vm_domain.c",
		    .help = "memory domain of a new page: rr, each thread's "
			    "next in turn; first-touch, the one of the CPU "
			    "that asks, then the others in turn" },
	};

	return (tunables_register(ts, rows, 1, vm));
}
