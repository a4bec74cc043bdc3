/*
 * vm_pager.c: what both pagers share: read-ahead pages, the log of transfers,
 * injected failures.
 *
 * Interface: vmcore/bsd/vm_kernel.h.
 * Source:    FreeBSD 11 vm_page.c, vm_page_readahead_finish(), as told by
 *            companions 4; injection: our own (companions R12).
 * Differs:   nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/vm_kernel.h"

/* A page that was read along: to INACTIVE, or ACTIVE when somebody waits. */
void
vm_page_readahead_finish(struct vm *vm, vm_page_t m)
{
	bool wanted = (m->flags & PG_WANTED) != 0;
	uint32_t why = vm_why(vm,
	    wanted ? WHY_READAHEAD_WANTED : WHY_READAHEAD);

	if (wanted)
		vm_page_activate(vm, m);
	else
		vm_page_deactivate(vm, m);
	vm_why(vm, why);
	vm_page_wakeup(vm, m);
}

void
vm_page_readahead_drop(struct vm *vm, vm_page_t *pages, int n)
{
	uint32_t why = vm_why(vm, WHY_READAHEAD_DROP);

	for (; n > 0; n--, pages++)
		if (*pages != NULL)
			vm_page_free(vm, *pages);
	vm_why(vm, why);
}

void
vm_pager_trace_io(struct vm *vm, enum vm_io_kind kind, const struct disk *d,
    const struct disk_request *rq, const struct vm_object *object,
    vm_pindex_t pindex, uint32_t pages, int error)
{
	struct vm_io_record r;

	if (error != 0)
		vm_trace_event(vm, VME_IO_ERROR, 0, object->id,
		    (int64_t)pindex);
	if (vm->trace == NULL || vm->trace->io == NULL)
		return;
	r = (struct vm_io_record) { .queued = rq->arrival,
		.start = rq->start,
		.finish = rq->finish,
		.kind = (uint8_t)kind,
		.disk = disk_name(d),
		.object = object->id,
		.pindex = pindex,
		.pages = pages,
		.lbn = rq->lbn,
		.error = error,
		.overhead = rq->overhead,
		.seek = rq->seek,
		.rotation = rq->rotation,
		.transfer = rq->transfer };
	vm->trace->io(vm->trace_ctx, &r);
}

/* A quarter of the first 64 MiB (beyond 4) and a tenth of the rest, in
 * buffers, after the first 50. */
uint32_t
vm_nbuf(const struct vm *vm)
{
	const uint64_t factor = 4 * BKVASIZE / 1024;
	uint64_t kb = (uint64_t)vm->cnt.v_page_count * PAGE_SIZE / 1024;
	uint64_t nbuf = 50, more;

	if (kb > 4096) {
		more = (kb - 4096) / factor;
		nbuf += more < 65536 / factor ? more : 65536 / factor;
	}
	if (kb > 65536) {
		more = (kb - 65536) * 2 / (factor * 5);
		nbuf += more < 32 * 1024 * 1024 / (factor * 5) ? more :
				32 * 1024 * 1024 / (factor * 5);
	}
	return ((uint32_t)nbuf);
}

/* ------------------------------------------------------------ injection */

static const struct tunable inject_rows[] = {
	{ .name = "inject.io_error", .type = TUN_UINT,
	    .offset = offsetof(struct vm_inject, io_error_ppm),
	    .def = 0, .min = 0, .max = 1000000, .unit = "ppm",
	    .source = "companions 9.3, R12",
	    .help = "writes of the pagers that end with EIO although the disk "
		    "did them" },
	{ .name = "inject.io_read_error", .type = TUN_UINT,
	    .offset = offsetof(struct vm_inject, io_read_error_ppm),
	    .def = 0, .min = 0, .max = 1000000, .unit = "ppm",
	    .source = "companions 9.4",
	    .help = "reads of the pagers that end with EIO: the program gets "
		    "SIGBUS" },
	{ .name = "inject.io_again", .type = TUN_UINT,
	    .offset = offsetof(struct vm_inject, io_again_ppm),
	    .def = 0, .min = 0, .max = 1000000, .unit = "ppm",
	    .source = "FreeBSD 11 vm_pageout.c, VM_PAGER_AGAIN",
	    .help = "page-outs that the pager puts off" },
};

int
vm_inject_create(struct vm *vm, struct tunables *ts)
{
	struct vm_inject *in = calloc(1, sizeof(*in));
	uint64_t seed = sim_rng_seed(vm->sim);

	if (in == NULL)
		return (-ENOMEM);
	sim_rng_init(&in->io_error, seed, "io_error");
	sim_rng_init(&in->io_read_error, seed, "io_read_error");
	sim_rng_init(&in->io_again, seed, "io_again");
	vm->inject = in;
	return (tunables_register(ts, inject_rows,
	    sizeof(inject_rows) / sizeof(inject_rows[0]), in));
}

void
vm_inject_destroy(struct vm *vm)
{
	free(vm->inject);
	vm->inject = NULL;
}

int
vm_inject_io_error(struct vm *vm, bool write, int error)
{
	struct vm_inject *in = vm->inject;
	uint32_t ppm = write ? in->io_error_ppm : in->io_read_error_ppm;

	if (error == 0 && ppm != 0 &&
	    sim_rng_chance(write ? &in->io_error : &in->io_read_error, ppm))
		return (EIO);
	return (error);
}

bool
vm_inject_again(struct vm *vm)
{
	struct vm_inject *in = vm->inject;

	return (in->io_again_ppm != 0 &&
	    sim_rng_chance(&in->io_again, in->io_again_ppm));
}
