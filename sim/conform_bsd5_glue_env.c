/*
 * conform_bsd5_glue_env.c: what a vector of the suite vm_glue puts around
 * vm_glue: objects, address spaces, threads; nearly all of it is recorded
 * and nothing more.
 *
 * Interface: sim/conform_bsd5.h (bsd5_glue_env, bsd5_pagerops).
 * Source:    README of the vectors, sections 4 and 6.
 */
#include <inttypes.h>

#include "sim/conform_bsd5.h"

static struct bsd5 *
driver_of_vm(struct vm *vm)
{
	return (vm->kernel_private);
}

/* The name of an address space: its process's number, or "kernel". */
static void
map_name(const struct bsd5 *d, const struct vmspace *vs, char *buf,
    size_t size)
{
	if (vs == NULL)
		snprintf(buf, size, "kernel");
	else
		snprintf(buf, size, "%d", d->call->args.proc != NULL ?
		    d->call->args.proc->p.p_pid : 0);
}

/* ["kind",map,start,end,n] */
static void
range_event(struct vm *vm, const char *kind, const struct vmspace *vs,
    vm_offset_t start, vm_offset_t end, int64_t n)
{
	struct bsd5 *d = driver_of_vm(vm);
	char map[16], s[24], e[24];

	map_name(d, vs, map, sizeof(map));
	snprintf(s, sizeof(s), "0x%" PRIx64, start);
	snprintf(e, sizeof(e), "0x%" PRIx64, end);
	bsd5_event(d, kind, "sssi", map, s, e, n);
}

/* ------------------------------------------------------------ the pager */

static int
pager_getpages(struct vm *vm, vm_object_t object, vm_page_t *mc, int count,
    int reqpage)
{
	struct bsd5 *d = driver_of_vm(vm);
	vm_page_t m = mc[reqpage];

	(void)count;
	bsd5_event(d, "pagein", "iii", (int64_t)object->id - 1,
	    (int64_t)m->pindex, (int64_t)bsd5_page_index(d, m));
	if (d->call->args.pager_fail)
		return (VM_PAGER_ERROR);
	m->valid = VM_PAGE_BITS_ALL;
	m->dirty = 0;
	return (VM_PAGER_OK);
}

const struct vm_pagerops bsd5_pagerops = {
	.getpages = pager_getpages,
};

/* ------------------------------------------------------------ sleeping */

/* Ticks are reported as they are; no simulated time passes. */
static void
env_tsleep(struct vm *vm, const void *chan, int priority, const char *wmesg,
    int32_t timo)
{
	(void)sim_sleep(vm->sim, chan, priority, wmesg, (uint64_t)timo);
}

static void
env_proc_lock(struct vm *vm, struct proc *p)
{
	struct bsd5 *d = driver_of_vm(vm);

	if (d->call->on_lock != NULL)
		bsd5_locked(d, p->p_pid);
}

/* ------------------------------------------------------------ memory */

static vm_object_t
env_object_allocate(struct vm *vm, vm_pindex_t size)
{
	struct bsd5 *d = driver_of_vm(vm);
	struct bsd5_object *o = bsd5_new_object(d);

	KASSERT(vm->sim, o != NULL, ("NO_MEMORY: object"));
	o->obj.type = OBJT_DEFAULT;
	o->obj.size = size;
	o->obj.ref_count = 1;
	o->obj.flags = OBJ_ONEMAPPING;
	vm_object_color_new(vm, &o->obj);
	bsd5_event(d, "objalloc", "iii", (int64_t)o->obj.id - 1,
	    (int64_t)size, (int64_t)o->obj.pg_color);
	return (&o->obj);
}

static void
env_object_deallocate(struct vm *vm, vm_object_t object)
{
	bsd5_event(driver_of_vm(vm), "objfree", "i", (int64_t)object->id - 1);
}

static bool
env_uarea_address(struct vm *vm, struct proc *p)
{
	p->p_nswap = 0; /* a new U area is clear */
	return (!driver_of_vm(vm)->call->args.kva_fail);
}

static void
env_uarea_qenter(struct vm *vm, struct proc *p, vm_page_t *ma,
    uint32_t count)
{
	struct bsd5 *d = driver_of_vm(vm);
	cJSON *ev;
	uint32_t i;

	ev = bsd5_event(d, "qenter", "i", (int64_t)p->p_pid);
	for (i = 0; i < count; i++)
		cJSON_AddItemToArray(ev,
		    cJSON_CreateNumber(bsd5_page_index(d, ma[i])));
}

static void
env_uarea_qremove(struct vm *vm, struct proc *p, uint32_t count)
{
	bsd5_event(driver_of_vm(vm), "qremove", "ii", (int64_t)p->p_pid,
	    (int64_t)count);
}

static uint32_t
env_swapin_thread(struct vm *vm, struct thread *td)
{
	bsd5_event(driver_of_vm(vm), "tswapin", "i", (int64_t)td->td_tid);
	return (0);
}

static void
env_swapout_thread(struct vm *vm, struct thread *td)
{
	bsd5_event(driver_of_vm(vm), "tswapout", "i", (int64_t)td->td_tid);
}

static void
env_setrunnable(struct vm *vm, struct thread *td)
{
	bsd5_event(driver_of_vm(vm), "setrunnable", "i", (int64_t)td->td_tid);
	td->td_state = TDS_RUNQ;
}

/* ------------------------------------------------------------ spaces */

static bool
env_map_trylock(struct vm *vm, struct vmspace *vs)
{
	(void)vm;
	return (((struct bsd5_space *)vs)->maplocked == 0);
}

static void
env_map_unlock(struct vm *vm, struct vmspace *vs)
{
	(void)vm;
	(void)vs;
}

static void
env_vmspace_free(struct vm *vm, struct vmspace *vs)
{
	(void)vm;
	vs->vm_refcnt--;
}

static uint64_t
env_resident_count(struct vm *vm, struct vmspace *vs)
{
	(void)vm;
	return ((uint64_t)((struct bsd5_space *)vs)->rss);
}

static bool
env_check_protection(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, int prot)
{
	range_event(vm, "check", vs, start, end, prot);
	return (driver_of_vm(vm)->call->args.allow);
}

static void
env_map_wire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	range_event(vm, "map_wire", vs, start, end, user);
}

static void
env_map_unwire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	range_event(vm, "map_unwire", vs, start, end, user);
}

/* ------------------------------------------------------------ fork */

static void
env_vmspace_unshare(struct vm *vm, struct proc *p)
{
	bsd5_event(driver_of_vm(vm), "unshare", "i", (int64_t)p->p_pid);
}

static struct vmspace *
env_vmspace_fork(struct vm *vm, struct vmspace *vs)
{
	struct bsd5_space *sp = bsd5_glue_space(driver_of_vm(vm));

	(void)vs;
	KASSERT(vm->sim, sp != NULL, ("NO_MEMORY: address space"));
	bsd5_event(driver_of_vm(vm), "vmspace_fork", "");
	return (&sp->vs);
}

static void
env_shmfork(struct vm *vm, struct proc *p1, struct proc *p2)
{
	bsd5_event(driver_of_vm(vm), "shmfork", "ii", (int64_t)p1->p_pid,
	    (int64_t)p2->p_pid);
}

static void
env_cpu_fork(struct vm *vm, struct thread *td, struct proc *p2,
    struct thread *td2, int flags)
{
	(void)td2;
	bsd5_event(driver_of_vm(vm), "cpu_fork", "iii",
	    (int64_t)td->td_proc->p_pid, (int64_t)p2->p_pid, (int64_t)flags);
}

static void
env_cpu_wait(struct vm *vm, struct proc *p)
{
	bsd5_event(driver_of_vm(vm), "cpu_wait", "i", (int64_t)p->p_pid);
}

static void
env_vmspace_exitfree(struct vm *vm, struct proc *p)
{
	bsd5_event(driver_of_vm(vm), "exitfree", "i", (int64_t)p->p_pid);
}

const struct vm_glue_env bsd5_glue_env = {
	.tsleep = env_tsleep,
	.proc_lock = env_proc_lock,
	.object_allocate = env_object_allocate,
	.object_deallocate = env_object_deallocate,
	.uarea_address = env_uarea_address,
	.uarea_qenter = env_uarea_qenter,
	.uarea_qremove = env_uarea_qremove,
	.swapin_thread = env_swapin_thread,
	.swapout_thread = env_swapout_thread,
	.setrunnable = env_setrunnable,
	.map_trylock = env_map_trylock,
	.map_unlock = env_map_unlock,
	.vmspace_free = env_vmspace_free,
	.resident_count = env_resident_count,
	.check_protection = env_check_protection,
	.map_wire = env_map_wire,
	.map_unwire = env_map_unwire,
	.vmspace_unshare = env_vmspace_unshare,
	.vmspace_fork = env_vmspace_fork,
	.shmfork = env_shmfork,
	.cpu_fork = env_cpu_fork,
	.cpu_wait = env_cpu_wait,
	.vmspace_exitfree = env_vmspace_exitfree,
};
