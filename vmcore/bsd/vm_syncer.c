/*
 * vm_syncer.c: the syncer: once a second a slot of files whose dirty pages are
 * due is written; every 30 seconds all files' dirty mapped pages are.
 *
 * Interface: vmcore/bsd/vnode_pager.h (vm_syncer_*, vm_speedup_syncer).
 * Source:    FreeBSD 11 kern/vfs_subr.c (sched_sync, vn_syncer_add_to_worklist,
 *            speedup_syncer, vfs_msync) as told by companions 10.4.
 * Differs:   one file system, so its own place on the work list is a counter.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/vnode_pager.h"

struct vm_syncer {
	struct vnodelist slot[SYNCER_MAXDELAY];
	uint32_t delayno; /* slot of the present second */
	int32_t rushjob; /* extra slots asked for */
	int32_t filedelay, syncdelay; /* s, tunables */
	int32_t since_msync; /* slots */
};

static const struct tunable syncer_rows[] = {
	{ .name = "kern.filedelay", .type = TUN_INT,
	    .offset = offsetof(struct vm_syncer, filedelay),
	    .def = SYNCER_FILEDELAY, .min = 0, .max = SYNCER_MAXDELAY - 2,
	    .unit = "s",
	    .source = "FreeBSD 11 vfs_subr.c, SYSCTL_INT",
	    .help = "time to delay syncing files" },
	{ .name = "kern.syncdelay", .type = TUN_INT,
	    .offset = offsetof(struct vm_syncer, syncdelay),
	    .def = SYNCER_SYNCDELAY, .min = 1, .max = 3600, .unit = "s",
	    .source = "FreeBSD 11 vfs_subr.c, syncdelay",
	    .help = "time between pushes of dirty mapped pages" },
};

int
vm_syncer_create(struct vm *vm, struct tunables *ts)
{
	struct vm_syncer *sy = calloc(1, sizeof(*sy));
	int i;

	if (sy == NULL)
		return (-ENOMEM);
	for (i = 0; i < SYNCER_MAXDELAY; i++)
		TAILQ_INIT(&sy->slot[i]);
	vm->syncer = sy;
	return (tunables_register(ts, syncer_rows,
	    sizeof(syncer_rows) / sizeof(syncer_rows[0]), sy));
}

void
vm_syncer_destroy(struct vm *vm)
{
	free(vm->syncer);
	vm->syncer = NULL;
}

/* ------------------------------------------------------------ work list */

void
vm_syncer_add(struct vm *vm, struct vnode *vp)
{
	struct vm_syncer *sy = vm->syncer;
	uint32_t delay = (uint32_t)sy->filedelay;

	if (vp->sync_slot >= 0)
		return;
	vp->sync_slot = (int32_t)((sy->delayno + delay) % SYNCER_MAXDELAY);
	TAILQ_INSERT_TAIL(&sy->slot[vp->sync_slot], vp, sync_link);
}

void
vm_syncer_remove(struct vm *vm, struct vnode *vp)
{
	if (vp->sync_slot < 0)
		return;
	TAILQ_REMOVE(&vm->syncer->slot[vp->sync_slot], vp, sync_link);
	vp->sync_slot = -1;
}

bool
vm_speedup_syncer(struct vm *vm)
{
	struct vm_syncer *sy = vm->syncer;

	if (sy->rushjob >= sy->syncdelay / 2)
		return (false);
	sy->rushjob++;
	vm_trace_event(vm, VME_SYNCER, 0, sy->rushjob, 0);
	sim_wakeup(vm->sim, sy);
	return (true);
}

/* ------------------------------------------------------------ writing */

/* Write what is dirty of a file, without waiting for the disk. */
static void
vm_syncer_file(struct vm *vm, struct vnode *vp, int flags)
{
	vnode_ref(vp);
	vnode_lock(vm, vp, false);
	vm_object_page_clean(vm, vp->object, 0, 0, flags);
	vnode_unlock(vm, vp);
	vnode_rele(vm, vp);
}

/* Files whose time has come. */
static void
vm_syncer_slot(struct vm *vm)
{
	struct vm_syncer *sy = vm->syncer;
	struct vnodelist *slot = &sy->slot[sy->delayno];
	struct vnode *vp;

	sy->delayno = (sy->delayno + 1) % SYNCER_MAXDELAY;
	while ((vp = TAILQ_FIRST(slot)) != NULL) {
		vm_syncer_remove(vm, vp);
		vm_syncer_file(vm, vp, 0);
	}
}

/* vfs_msync(MNT_NOWAIT): dirty mapped pages of every file but NOSYNC ones. */
static void
vm_syncer_msync(struct vm *vm)
{
	struct vnode *vp, *next;

	vp = TAILQ_FIRST(&vm->vnodes->vnodes);
	if (vp != NULL)
		vnode_ref(vp); /* so that it stays in the list */
	for (; vp != NULL; vp = next) {
		if ((vp->object->flags & OBJ_MIGHTBEDIRTY) != 0)
			vm_syncer_file(vm, vp, OBJPC_NOSYNC);
		next = TAILQ_NEXT(vp, link);
		if (next != NULL)
			vnode_ref(next);
		vnode_rele(vm, vp);
	}
}

static void
vm_syncer(void *arg)
{
	struct vm *vm = arg;
	struct vm_syncer *sy = vm->syncer;

	for (;;) {
		vm_syncer_slot(vm);
		if (++sy->since_msync >= sy->syncdelay) {
			sy->since_msync = 0;
			vm_syncer_msync(vm);
		}
		vnode_pager_reclaim(vm);
		if (sy->rushjob > 0) {
			sy->rushjob--;
			continue;
		}
		(void)sim_sleep(vm->sim, sy, PPAUSE, "syncer",
		    sim_hz(vm->sim));
	}
}

void
vm_syncer_start(struct vm *vm)
{
	(void)sim_thread_create(vm->sim, "syncer", PPAUSE, vm_syncer, vm);
}
