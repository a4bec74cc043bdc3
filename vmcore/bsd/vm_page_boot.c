/*
 * vm_page_boot.c: building the page array and the free queues at boot.
 *
 * Interface: vmcore/vm_page.h (vm_page_startup*, vm_set_page_size,
 *            vm_page_tunables).
 * Source:    FreeBSD 5.0 vm_page.c, vm_set_page_size() and
 *            vm_page_startup(). Despite the seed's comment the free queues
 *            are built in ascending order (companions V-4).
 * Differs:   vm_page_startup_phys is the seed's arithmetic over phys_avail,
 *            which takes the page array and the allocator's first pages out
 *            of the largest segment. vm_page_startup, which runs use, takes
 *            vm->boot_pages there instead (companions 19) and knows domains.
 *            The array itself lives on the host.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/vm_page_int.h"

#define TRUNC_PAGE(x) ((x) & ~(uint64_t)PAGE_MASK)
#define ROUND_PAGE(x) TRUNC_PAGE((x) + PAGE_MASK)

void
vm_set_page_size(struct vm *vm)
{
	if (vm->cnt.v_page_size == 0)
		vm->cnt.v_page_size = PAGE_SIZE;
	if (((vm->cnt.v_page_size - 1) & vm->cnt.v_page_size) != 0)
		vm_panic(vm, "PAGE_SIZE_NOT_POW2: page size %u",
		    vm->cnt.v_page_size);
}

vm_page_t
vm_phys_to_page(struct vm *vm, pfn_t pfn)
{
	uint32_t i = pfn - vm->first_page;

	return (i < vm->page_array_size ? &vm->page_array[i] : NULL);
}

/* Records for `count` frames from `first` on; none is managed yet. */
static int
vm_page_array_new(struct vm *vm, uint64_t first, uint64_t count,
    struct sim_err *err)
{
	uint32_t i;

	if (count == 0 || first + count > PFN_NONE)
		return (sim_err_set(err, EINVAL,
		    "%llu frames of memory from frame %llu: give at least one "
		    "and stay below 16 TiB",
		    (unsigned long long)count, (unsigned long long)first));
	vm_page_shutdown(vm);
	vm->page_array = calloc(count, sizeof(struct vm_page));
	if (vm->page_array == NULL)
		return (sim_err_set(err, ENOMEM,
		    "no host memory for the records of %llu pages",
		    (unsigned long long)count));
	vm->page_array_size = (uint32_t)count;
	vm->first_page = (uint32_t)first;
	for (i = 0; i < vm->page_array_size; i++) {
		vm->page_array[i].pfn = vm->first_page + i;
		vm->page_array[i].flags = PG_NOTAVAIL;
	}
	vm->cnt.v_page_count = 0;
	vm->cnt.v_free_count = 0;
	return (0);
}

void
vm_page_shutdown(struct vm *vm)
{
	free(vm->page_array);
	vm->page_array = NULL;
	vm->page_array_size = 0;
}

static void
vm_page_add_frame(struct vm *vm, uint64_t pfn, uint32_t domain)
{
	vm_page_t m = &vm->page_array[pfn - vm->first_page];

	m->domain = (uint8_t)domain;
	(void)vm_pageq_add_new_page(vm, m, (pfn_t)pfn);
}

/* ------------------------------------------------------------ the seed's */

struct phys_sum {
	uint64_t total, biggest_size;
	uint32_t biggest, blocks;
};

/* Round every range inward and find the largest; a zero end is the end. */
static void
vm_page_startup_survey(struct vm_page_boot *b, struct phys_sum *sum)
{
	uint32_t i;

	for (i = 0; i < b->nphys && b->phys[i].end != 0; i++) {
		b->phys[i].start = ROUND_PAGE(b->phys[i].start);
		b->phys[i].end = TRUNC_PAGE(b->phys[i].end);
	}
	*sum = (struct phys_sum) { 0 };
	for (i = 0; i < b->nphys && b->phys[i].end != 0; i++) {
		uint64_t size = b->phys[i].end - b->phys[i].start;

		if (size > sum->biggest_size) {
			sum->biggest = i;
			sum->biggest_size = size;
		}
		sum->blocks++;
		sum->total += size;
	}
}

/* What the seed takes for granted: ranges in order, room for the overhead. */
static int
vm_page_startup_refuse(const struct vm_page_boot *b,
    const struct phys_sum *sum, struct sim_err *err)
{
	uint64_t overhead;
	uint32_t i;

	for (i = 0; i < sum->blocks; i++)
		if (b->phys[i].end < b->phys[i].start ||
		    (i > 0 && b->phys[i].start < b->phys[i - 1].end))
			return (sim_err_set(err, EINVAL,
			    "physical range %u: ranges must be ascending and "
			    "hold a page", i));
	if (sum->blocks == 0)
		return (sim_err_set(err, EINVAL, "no physical memory"));
	overhead = (b->phys[sum->blocks - 1].end - b->phys[0].start) /
	    PAGE_SIZE * b->struct_bytes + (uint64_t)b->boot_pages * PAGE_SIZE;
	if (ROUND_PAGE(overhead) > sum->biggest_size)
		return (sim_err_set(err, EINVAL,
		    "the largest physical range cannot hold the page array; "
		    "make it at least %llu bytes",
		    (unsigned long long)ROUND_PAGE(overhead)));
	return (0);
}

/*
 * Give the frames to the free queues, ascending. As in the seed the number
 * left is unsigned and may wrap when it ends inside a range.
 */
static void
vm_page_startup_fill(struct vm *vm, const struct vm_page_boot *b,
    const struct phys_sum *sum, uint64_t new_end)
{
	uint64_t npages = b->npages;
	uint64_t pa, last_pa;
	uint32_t i;

	for (i = 0; i < sum->blocks && npages > 0; i++) {
		pa = b->phys[i].start;
		last_pa = i == sum->biggest ? new_end : b->phys[i].end;
		while (pa < last_pa && npages-- > 0) {
			vm_page_add_frame(vm, pa / PAGE_SIZE, 0);
			pa += PAGE_SIZE;
		}
	}
}

/*
 * vm_page_startup_phys: the seed's boot. From the top of the largest range
 * go the allocator's boot pages, then the page array; each is mapped at
 * vaddr, which moves on by its length. The rest becomes free pages.
 */
int
vm_page_startup_phys(struct vm *vm, struct vm_page_boot *b,
    struct sim_err *err)
{
	uint64_t end, new_end, first, array_bytes;
	struct phys_sum sum;
	int error;

	b->vaddr = ROUND_PAGE(b->vaddr);
	vm_page_startup_survey(b, &sum);
	error = vm_page_startup_refuse(b, &sum, err);
	if (error != 0)
		return (error);
	vm_pageq_init(vm);

	end = b->phys[sum.biggest].end;
	new_end = TRUNC_PAGE(end - (uint64_t)b->boot_pages * PAGE_SIZE);
	b->vaddr += end - new_end;

	first = b->phys[0].start / PAGE_SIZE;
	b->page_range = b->phys[sum.blocks - 1].end / PAGE_SIZE - first;
	array_bytes = b->page_range * b->struct_bytes;
	b->npages = (sum.total - array_bytes - (end - new_end)) / PAGE_SIZE;
	end = new_end;

	new_end = TRUNC_PAGE(end - array_bytes);
	b->vaddr += end - new_end;
	error = vm_page_array_new(vm, first, b->page_range, err);
	if (error == 0)
		vm_page_startup_fill(vm, b, &sum, new_end);
	return (error);
}

/* ------------------------------------------------------------ the run's */

struct boot_seg {
	uint64_t start, end; /* frames */
	uint32_t domain;
};
#define BOOT_SEGS_MAX \
	(VM_MAXDOMAINS * (int)(sizeof(((struct vm_domain *)0)->vmd_seg) / \
			     sizeof(((struct vm_domain *)0)->vmd_seg[0])))

/* The domains' segments in order of address. */
static int
vm_page_boot_segs(const struct vm *vm, struct boot_seg *segs)
{
	int n = 0, at;
	uint32_t d, i;

	for (d = 0; d < vm->ndomains; d++) {
		for (i = 0; i < vm->dom[d].vmd_nsegs; i++) {
			struct boot_seg s = {
				ROUND_PAGE(vm->dom[d].vmd_seg[i].start) /
				    PAGE_SIZE,
				vm->dom[d].vmd_seg[i].end / PAGE_SIZE, d
			};

			if (s.end <= s.start)
				continue;
			for (at = n++; at > 0 &&
			    segs[at - 1].start > s.start; at--)
				segs[at] = segs[at - 1];
			segs[at] = s;
		}
	}
	return (n);
}

/* Lay the boot pages aside at the top of the largest segment. */
static int
vm_page_boot_aside(struct vm *vm, struct boot_seg *segs, int nsegs,
    struct sim_err *err)
{
	struct boot_seg *biggest = NULL;
	int i;

	for (i = 0; i < nsegs; i++)
		if (biggest == NULL || segs[i].end - segs[i].start >
		    biggest->end - biggest->start)
			biggest = &segs[i];
	if (biggest == NULL ||
	    biggest->end - biggest->start <= vm->boot_pages)
		return (sim_err_set(err, EINVAL,
		    "no memory left beside %u boot pages; give more memory",
		    vm->boot_pages));
	biggest->end -= vm->boot_pages;
	return (0);
}

/* The kernel's own frames have a domain too: they may be given back. */
static void
vm_page_boot_kept(struct vm *vm)
{
	const struct vm_domain *vmd;
	uint32_t d, i;
	vm_page_t m;
	pfn_t pfn;

	for (d = 0; d < vm->ndomains; d++) {
		vmd = &vm->dom[d];
		for (i = 0; i < vmd->vmd_nsegs; i++) {
			pfn = (pfn_t)(vmd->vmd_seg[i].start / PAGE_SIZE);
			for (; pfn < vmd->vmd_seg[i].end / PAGE_SIZE; pfn++) {
				m = vm_phys_to_page(vm, pfn);
				if (m != NULL && (m->flags & PG_NOTAVAIL) != 0)
					m->domain = (uint8_t)d;
			}
		}
	}
}

int
vm_page_startup(struct vm *vm, struct sim_err *err)
{
	struct boot_seg segs[BOOT_SEGS_MAX];
	uint64_t first, end, pfn;
	int nsegs, error, i;

	nsegs = vm_page_boot_segs(vm, segs);
	if (nsegs == 0)
		return (sim_err_set(err, EINVAL, "no physical memory"));
	first = segs[0].start;
	end = segs[nsegs - 1].end;
	error = vm_page_boot_aside(vm, segs, nsegs, err);
	if (error != 0)
		return (error);
	if (vm->pq_l2_size == 0)
		(void)vm_page_set_colours(vm,
		    vm_page_cachesize_colours(vm->pq_cachesize));
	vm_set_page_size(vm);
	vm_pageq_init(vm);
	error = vm_page_array_new(vm, first, end - first, err);
	if (error != 0)
		return (error);
	for (i = 0; i < nsegs; i++)
		for (pfn = segs[i].start; pfn < segs[i].end; pfn++)
			vm_page_add_frame(vm, pfn, segs[i].domain);
	vm_page_boot_kept(vm);
	return (0);
}

/* ------------------------------------------------------------ tunables */

int
vm_page_tunables(struct vm *vm, struct tunables *ts)
{
	static const struct tunable rows[] = {
		{ .name = "vm.pq_cachesize", .type = TUN_UINT,
		    .flags = TUN_BOOT,
		    .offset = offsetof(struct vm, pq_cachesize),
		    .def = 128, .min = 0, .max = 1 << 20, .unit = "KB",
		    .source = "FreeBSD 5 vm_page.h, option PQ_CACHESIZE",
		    .help = "L2 cache that page colouring is made for: 1024 "
			    "gives 256 colours, 512 128, 256 64, 128 32, 64 "
			    "16, less none" },
		{ .name = "vm.idlezero_enable", .type = TUN_BOOL,
		    .offset = offsetof(struct vm, zero_idle_enabled),
		    .def = 1, .min = 0, .max = 1, .unit = "",
		    .source = "FreeBSD 5 vm_zeroidle.c, SYSCTL_INT",
		    .help = "zero free pages while the CPU is idle" },
		{ .name = "vm.idlezero_maxrun", .type = TUN_INT,
		    .offset = offsetof(struct vm, idlezero_maxrun),
		    .def = 16, .min = 1, .max = 1 << 20, .unit = "pages",
		    .source = "FreeBSD 5 vm_zeroidle.c, SYSCTL_INT",
		    .help = "pages the idle zeroer handles before it yields" },
		{ .name = "vm.stats.misc.zero_page_count", .type = TUN_INT,
		    .flags = TUN_RD,
		    .offset = offsetof(struct vm, page_zero_count),
		    .def = 0, .min = 0, .max = INT32_MAX, .unit = "pages",
		    .source = "FreeBSD 5 vm_page.c, vm_page_zero_count",
		    .help = "zeroed pages on the free queues" },
		{ .name = "vm.stats.misc.cnt_prezero", .type = TUN_UINT,
		    .flags = TUN_RD,
		    .offset = offsetof(struct vm, cnt_prezero),
		    .def = 0, .min = 0, .max = UINT32_MAX, .unit = "pages",
		    .source = "FreeBSD 5 vm_zeroidle.c, SYSCTL_INT",
		    .help = "pages zeroed by the idle zeroer so far" },
		{ .name = "page.f11_cache_rule", .type = TUN_BOOL,
		    .offset = offsetof(struct vm, f11_cache_rule),
		    .def = 0, .min = 0, .max = 1, .unit = "",
		    .source = "FreeBSD 11 vm_page.c, vm_page_cache(); "
			      "companions R10",
		    .help = "free, rather than cache, pages that FreeBSD 11's "
			    "page module would free" },
	};

	return (tunables_register(ts, rows, sizeof(rows) / sizeof(rows[0]),
	    vm));
}
