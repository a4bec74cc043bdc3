/*
 * vmcore.c: the front of the VM subsystem: creation, boot, and the calls that
 * go to whichever kernel a run has chosen.
 *
 * Interface: vmcore/vmcore.h.
 * Source:    our own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/vm_int.h"

static const struct vm_kernel_ops *const kernels[] = { &vm_kernel_bsd };
#define NKERNELS (sizeof(kernels) / sizeof(kernels[0]))

static const char *const fault_kinds[] = {
	[VMF_FAST] = "fast",
	[VMF_RESIDENT] = "resident",
	[VMF_ZERO] = "zero_fill",
	[VMF_COW] = "cow",
	[VMF_COW_MOVE] = "cow_move",
	[VMF_FILE] = "file",
	[VMF_SWAP] = "swap",
	[VMF_ERROR] = "error",
};

static const char *const io_kinds[] = {
	[VMIO_SWAP_OUT] = "swap_out",
	[VMIO_SWAP_IN] = "swap_in",
	[VMIO_VNODE_OUT] = "vnode_out",
	[VMIO_VNODE_IN] = "vnode_in",
};

/* The one cost that sim/base charges by itself. */
static void
cost_changed(void *object, const struct tunable *row)
{
	struct vm *vm = object;

	(void)row;
	sim_set_context_switch_cost(vm->sim, vm->cost.context_switch);
}

static const struct tunable cost_rows[] = {
#define VM_COST(field, cycles, about)                                 \
	{ .name = "cost." #field, .type = TUN_UINT,                   \
	    .offset = offsetof(struct vm, cost.field), .def = cycles, \
	    .min = 0, .max = 1000000000, .unit = "cycles",            \
	    .source = "vmcore/vm_costs.h", .help = about,             \
	    .changed = cost_changed },
#include "vmcore/vm_costs.h"
#undef VM_COST
};

/* ------------------------------------------------------------ names */

const char *
vm_fault_kind_name(enum vm_fault_kind k)
{
	return ((unsigned)k <= VMF_ERROR ? fault_kinds[k] : "?");
}

const char *
vm_io_kind_name(enum vm_io_kind k)
{
	return ((unsigned)k <= VMIO_VNODE_IN ? io_kinds[k] : "?");
}

/* ------------------------------------------------------------ life cycle */

static const struct vm_kernel_ops *
vm_find_kernel(const char *name, struct sim_err *err)
{
	const char *names[NKERNELS], *near;
	size_t i;

	for (i = 0; i < NKERNELS; i++) {
		if (strcmp(kernels[i]->name, name) == 0)
			return (kernels[i]);
		names[i] = kernels[i]->name;
	}
	near = nearest_name(name, names, NKERNELS);
	(void)sim_err_set(err, EINVAL, "unknown kernel \"%s\"; use \"%s\"",
	    name, near != NULL ? near : names[0]);
	return (NULL);
}

static void
vm_init_lists(struct vm *vm)
{
	TAILQ_INIT(&vm->object_list);
	TAILQ_INIT(&vm->object_pool);
	TAILQ_INIT(&vm->allproc);
	TAILQ_INIT(&vm->zombproc);
	TAILQ_INIT(&vm->vmspaces);
}

struct vm *
vm_create(struct sim *sim, struct mmu *mmu, struct tunables *ts,
    const struct vm_config *cfg, struct sim_err *err)
{
	const struct vm_kernel_ops *kernel;
	struct vm *vm;
	int error;

	kernel = vm_find_kernel(cfg->kernel != NULL ? cfg->kernel : "bsd",
	    err);
	if (kernel == NULL)
		return (NULL);
	if (cfg->ndomains > VM_MAXDOMAINS) {
		(void)sim_err_set(err, EINVAL, "%u memory domains; at most %d",
		    cfg->ndomains, VM_MAXDOMAINS);
		return (NULL);
	}
	vm = calloc(1, sizeof(*vm));
	if (vm == NULL) {
		(void)sim_err_set(err, ENOMEM, "no host memory for the VM");
		return (NULL);
	}
	vm->sim = sim;
	vm->mmu = mmu;
	vm->tunables = ts;
	vm->kernel = kernel;
	vm->ndomains = cfg->ndomains != 0 ? cfg->ndomains : 1;
	vm->boot_pages = cfg->boot_pages;
	vm->invariants = true;
	vm_init_lists(vm);
	error = tunables_register(ts, cost_rows,
	    sizeof(cost_rows) / sizeof(cost_rows[0]), vm);
	if (error != 0)
		(void)sim_err_set(err, -error,
		    "the VM's tunables are registered already");
	else
		error = kernel->create(vm, ts, err);
	if (error != 0) {
		vm_destroy(vm);
		return (NULL);
	}
	return (vm);
}

static void
vm_free_procs(struct proclist *list)
{
	struct ksegrp *kg;
	struct thread *td;
	struct proc *p;

	while ((p = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, p, p_list);
		while ((td = TAILQ_FIRST(&p->p_threads)) != NULL) {
			TAILQ_REMOVE(&p->p_threads, td, td_plist);
			free(td);
		}
		while ((kg = TAILQ_FIRST(&p->p_ksegrps)) != NULL) {
			TAILQ_REMOVE(&p->p_ksegrps, kg, kg_ksegrp);
			free(kg);
		}
		free(p);
	}
}

void
vm_destroy(struct vm *vm)
{
	if (vm == NULL)
		return;
	vm_free_procs(&vm->allproc);
	vm_free_procs(&vm->zombproc);
	vmspace_shutdown(vm);
	vm_map_entry_pool_free(vm);
	vm_object_shutdown(vm);
	vm->kernel->destroy(vm);
	free(vm);
}

void
vm_set_up_ops(struct vm *vm, const struct vm_up_ops *ops, void *ctx)
{
	vm->up = ops;
	vm->up_ctx = ctx;
}

void
vm_set_trace(struct vm *vm, const struct vm_trace_ops *ops, void *ctx)
{
	vm->trace = ops;
	vm->trace_ctx = ctx;
}

int
vm_boot(struct vm *vm, struct sim_err *err)
{
	uint32_t frames = mmu_frames(vm->mmu), need;
	int error;

	need = vm->boot_pages + vm_min_frames(vm);
	if (frames < need)
		return (sim_err_set(err, EINVAL, "%u frames of memory, %u of "
		    "them the kernel's own; it needs at least %u", frames,
		    vm->boot_pages, need));
	sim_set_context_switch_cost(vm->sim, vm->cost.context_switch);
	error = vm->kernel->boot(vm, err);
	if (error == 0)
		vm->kernel->start_daemons(vm);
	return (error);
}

struct sim *
vm_sim(const struct vm *vm)
{
	return (vm->sim);
}

struct mmu *
vm_mmu(const struct vm *vm)
{
	return (vm->mmu);
}

int
vm_fault(struct vm *vm, struct vmspace *vs, vm_offset_t va, int access)
{
	return (vm->kernel->fault(vm, vs, va, access));
}

/* ------------------------------------------------------------ statistics */

size_t
vm_stat_count(const struct vm *vm)
{
	return (vm->kernel->stat_count(vm));
}

const char *
vm_stat_name(const struct vm *vm, size_t i)
{
	return (vm->kernel->stat_name(vm, i));
}

const char *
vm_stat_help(const struct vm *vm, size_t i)
{
	return (vm->kernel->stat_help(vm, i));
}

bool
vm_stat_is_gauge(const struct vm *vm, size_t i)
{
	return (vm->kernel->stat_is_gauge(vm, i));
}

uint64_t
vm_stat_value(const struct vm *vm, size_t i)
{
	return (vm->kernel->stat_value(vm, i));
}

uint64_t
vm_stat(const struct vm *vm, const char *name)
{
	size_t i, n = vm_stat_count(vm);

	for (i = 0; i < n; i++)
		if (strcmp(vm_stat_name(vm, i), name) == 0)
			return (vm_stat_value(vm, i));
	return (0);
}
