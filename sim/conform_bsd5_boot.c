/*
 * conform_bsd5_boot.c: the op `startup`: the seed's boot on a machine of its
 * own, whose pages are named by their physical numbers.
 *
 * Interface: sim/conform_bsd5.h (bsd5_op_startup).
 * Source:    README of the vectors, section 2.6.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/conform_bsd5.h"

#define PHYS_MAX 64
#define PHYS_END ((uint64_t)1 << 34) /* so that the page array fits the host */
/* A page descriptor of the kernel that made the vectors, bytes; the expected
 * result of a scenario overrides it. */
#define STRUCT_BYTES 104

static int
parse_phys(struct bsd5 *d, const cJSON *op, struct vm_phys_range *phys,
    uint32_t *n)
{
	const cJSON *list, *range;
	int error;

	*n = 0;
	list = conform_array(d->run, op, "phys", true, &error);
	if (error != 0)
		return (error);
	cJSON_ArrayForEach(range, list) {
		if (*n == PHYS_MAX)
			return (conform_bad(d->run,
			    "\"phys\" has more than %d ranges", PHYS_MAX));
		if (cJSON_GetArraySize(range) != 2)
			return (conform_bad(d->run,
			    "\"phys\" must hold pairs [start,end]"));
		error = conform_addr_item(d->run, range->child, "phys",
		    &phys[*n].start);
		if (error == 0)
			error = conform_addr_item(d->run, range->child->next,
			    "phys", &phys[*n].end);
		if (error == 0 && (phys[*n].start > PHYS_END ||
		    phys[*n].end > PHYS_END))
			error = conform_bad(d->run,
			    "\"phys\" goes beyond 16 GiB");
		if (error != 0)
			return (error);
		++*n;
	}
	return (0);
}

static int
parse_boot(struct bsd5 *d, const cJSON *op, struct vm_page_boot *b)
{
	const cJSON *exp = cJSON_GetObjectItemCaseSensitive(op, "exp");
	int64_t boot_pages = 0, bytes = STRUCT_BYTES;
	int error;

	error = conform_int(d->run, op, "boot_pages", true, 0, 1 << 20,
	    &boot_pages);
	if (error == 0)
		error = conform_addr(d->run, op, "vaddr", true, &b->vaddr);
	if (error == 0)
		error = conform_int(d->run,
		    cJSON_GetObjectItemCaseSensitive(exp, "r"),
		    "struct_bytes", false, 1, 4096, &bytes);
	b->boot_pages = (uint32_t)boot_pages;
	b->struct_bytes = (uint32_t)bytes;
	return (error != 0 ? error : parse_phys(d, op, b->phys, &b->nphys));
}

/* Stretches of managed pages: [first, count]. */
static cJSON *
managed_runs(const struct vm *vm)
{
	cJSON *runs = cJSON_CreateArray(), *run;
	uint32_t i, first;

	for (i = 0; i < vm->page_array_size; i++) {
		if ((vm->page_array[i].flags & PG_NOTAVAIL) != 0)
			continue;
		first = i;
		while (i + 1 < vm->page_array_size &&
		    (vm->page_array[i + 1].flags & PG_NOTAVAIL) == 0)
			i++;
		run = cJSON_CreateArray();
		cJSON_AddItemToArray(run,
		    cJSON_CreateNumber(vm->first_page + first));
		cJSON_AddItemToArray(run, cJSON_CreateNumber(i + 1 - first));
		cJSON_AddItemToArray(runs, run);
	}
	return (runs);
}

static cJSON *
boot_result(struct vm *vm, const struct vm_page_boot *b)
{
	cJSON *r = cJSON_CreateObject();
	char vaddr[24];

	snprintf(vaddr, sizeof(vaddr), "0x%llx", (unsigned long long)b->vaddr);
	cJSON_AddNumberToObject(r, "struct_bytes", b->struct_bytes);
	cJSON_AddNumberToObject(r, "first_page", vm->first_page);
	cJSON_AddNumberToObject(r, "array_size", (double)b->page_range);
	cJSON_AddNumberToObject(r, "page_count", vm->cnt.v_page_count);
	cJSON_AddNumberToObject(r, "free", vm->cnt.v_free_count);
	cJSON_AddStringToObject(r, "vaddr", vaddr);
	cJSON_AddItemToObject(r, "runs", managed_runs(vm));
	cJSON_AddItemToObject(r, "qs", bsd5_queues(vm, 0));
	return (r);
}

/* Cannot be refused by the kernel; what the format allows is all parsed. */
void
bsd5_op_startup(struct bsd5 *d, const struct bsd5_args *a)
{
	struct vm_phys_range phys[PHYS_MAX];
	struct vm_page_boot b = { .phys = phys };
	struct vm *vm;

	d->bad_args = parse_boot(d, a->op, &b);
	if (d->bad_args != 0)
		return;
	vm = calloc(1, sizeof(*vm));
	if (vm == NULL) {
		d->bad_args = conform_bad(d->run, "no memory");
		return;
	}
	vm->sim = d->sim;
	(void)vm_page_set_colours(vm, d->vm->pq_l2_size);
	d->bad_args = vm_page_startup_phys(vm, &b, d->run->err);
	if (d->bad_args == 0) {
		d->result = R_JSON;
		d->r_json = boot_result(vm, &b);
	}
	vm_page_shutdown(vm);
	free(vm);
}
