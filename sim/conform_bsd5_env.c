/*
 * conform_bsd5_env.c: what a bsd5 vector puts around the page module: the
 * model MMU, vnode counts, and the recording of moves and events.
 *
 * Interface: sim/conform_bsd5.h.
 * Source:    README of the vectors, sections 2.5, 4 and 7.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd5.h"

static struct bsd5 *
driver_of_vm(struct vm *vm)
{
	return (vm->kernel_private);
}

uint32_t
bsd5_page_index(const struct bsd5 *d, const struct vm_page *m)
{
	return (m->pfn - d->vm->first_page);
}

/* ------------------------------------------------------------ events */

cJSON *
bsd5_event(struct bsd5 *d, const char *kind, const char *fmt, ...)
{
	cJSON *ev = cJSON_CreateArray();
	va_list ap;

	cJSON_AddItemToArray(ev, cJSON_CreateString(kind));
	va_start(ap, fmt);
	for (; *fmt != '\0'; fmt++)
		cJSON_AddItemToArray(ev, *fmt == 's' ?
			cJSON_CreateString(va_arg(ap, const char *)) :
			cJSON_CreateNumber((double)va_arg(ap, int64_t)));
	va_end(ap);
	cJSON_AddItemToArray(d->events, ev);
	return (ev);
}

/* The pid of the process whose p_sflag this is; -1: it is none. */
static int32_t
sflag_channel(const struct bsd5 *d, const void *chan)
{
	uint32_t i;

	for (i = 0; d->glue != NULL && i < d->glue->nprocs; i++)
		if (chan == &d->glue->procs[i].p.p_sflag)
			return (d->glue->procs[i].p.p_pid);
	return (-1);
}

/* A page that is slept on or woken is a page that changes. */
static void
channel_name(struct bsd5 *d, const void *chan, char *buf, size_t size)
{
	const struct vm *vm = d->vm;
	const struct vm_page *m = chan;

	if (chan == &vm->vm_pages_needed)
		snprintf(buf, size, "pagedaemon");
	else if (chan == &vm->cnt.v_free_count)
		snprintf(buf, size, "free");
	else if (chan == &vm->vm_pageout_pages_needed)
		snprintf(buf, size, "pageout");
	else if (vm->glue != NULL && chan == vm_swapper_channel(vm))
		snprintf(buf, size, "swapper");
	else if (sflag_channel(d, chan) >= 0)
		snprintf(buf, size, "sflag:%d", sflag_channel(d, chan));
	else if (m >= vm->page_array &&
	    m < vm->page_array + vm->page_array_size) {
		snprintf(buf, size, "page:%u", bsd5_page_index(d, m));
		bsd5_touch(d, m);
	} else
		snprintf(buf, size, "unknown");
}

static void
on_wakeup(void *ctx, const void *chan)
{
	struct bsd5 *d = ctx;
	char name[32];

	channel_name(d, chan, name, sizeof(name));
	bsd5_event(d, "wakeup", "s", name);
}

/*
 * The running thread is about to sleep. With a script left the driver takes
 * over when it does (sim_stop); without, the call ends here for good.
 */
static void
on_sleep(void *ctx, struct sim_thread *td, const void *chan, int priority,
    const char *wmesg, uint64_t timeout)
{
	struct bsd5 *d = ctx;
	char name[32];

	(void)td;
	channel_name(d, chan, name, sizeof(name));
	bsd5_event(d, "sleep", "sisi", name, (int64_t)priority, wmesg,
	    (int64_t)timeout);
	if (d->call->within) {
		d->bad_args = conform_bad(d->run,
		    "an op of \"on_lock\" sleeps");
		sim_abandon_current(d->sim);
	}
	if (d->call->script == NULL) {
		d->call->blocked = true;
		sim_abandon_current(d->sim);
	}
	sim_stop(d->sim);
}

const struct sim_trace_ops bsd5_sim_ops = {
	.sleep = on_sleep,
	.wakeup = on_wakeup,
};

void
bsd5_panicked(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct bsd5 *d = ctx;

	(void)file;
	(void)line;
	(void)func;
	snprintf(d->err, sizeof(d->err), "%.*s",
	    (int)strcspn(message, ":"), message);
	sim_abandon_current(d->sim);
}

/* ------------------------------------------------------------ moves */

static void
queue_name(const struct vm_page *m, enum vm_queue q, char *buf, size_t size)
{
	switch (q) {
	case VMQ_FREE:
		snprintf(buf, size, "F%u", m->pc);
		break;
	case VMQ_CACHE:
		snprintf(buf, size, "C%u", m->pc);
		break;
	case VMQ_ACTIVE:
		snprintf(buf, size, "A");
		break;
	case VMQ_INACTIVE:
		snprintf(buf, size, "I");
		break;
	case VMQ_HOLD:
		snprintf(buf, size, "H");
		break;
	default:
		snprintf(buf, size, "-");
		break;
	}
}

static struct bsd5_move *
new_move(struct bsd5 *d)
{
	struct bsd5_move *moves;
	size_t room;

	if (d->nmoves == d->moves_room) {
		room = d->moves_room * 2 + 16;
		moves = realloc(d->moves, room * sizeof(*moves));
		KASSERT(d->sim, moves != NULL, ("NO_MEMORY: moves"));
		d->moves = moves;
		d->moves_room = room;
	}
	return (&d->moves[d->nmoves++]);
}

/*
 * A removal directly followed by an insertion of the same page is one move,
 * also when two calls of the page module made them.
 */
static void
on_transition(void *ctx, const struct vm_transition *t)
{
	struct bsd5 *d = ctx;
	const struct vm_page *m = vm_phys_to_page(d->vm, t->page);
	uint32_t page = bsd5_page_index(d, m);
	struct bsd5_move *last = d->nmoves > 0 ? &d->moves[d->nmoves - 1] :
						 NULL;
	char from[12];

	bsd5_touch(d, m);
	queue_name(m, t->from, from, sizeof(from));
	if (last == NULL || last->page != page || last->to[0] != '-' ||
	    from[0] != '-') {
		last = new_move(d);
		last->page = page;
		memcpy(last->from, from, sizeof(from));
	}
	queue_name(m, t->to, last->to, sizeof(last->to));
	last->head = t->where == VMT_HEAD;
}

const struct vm_trace_ops bsd5_trace_ops = {
	.transition = on_transition,
};

/* ------------------------------------------------------------ hooks */

static void
hook_vnode_idle(struct vm *vm, vm_object_t object)
{
	struct bsd5_object *o = object->handle;

	if ((o->vi & (VI_FREE | VI_DOOMED)) != 0 || o->use != 0 ||
	    o->hold != 0)
		return;
	o->vi |= VI_FREE;
	bsd5_event(driver_of_vm(vm), "vfree", "i", (int64_t)object->id - 1);
}

static void
hook_zero_hint(struct vm *vm)
{
	bsd5_event(driver_of_vm(vm), "zhint", "");
}

static void
hook_warn(struct vm *vm, const char *code)
{
	bsd5_event(driver_of_vm(vm), "warn", "s", code);
}

static void
hook_object_writeable(struct vm *vm, vm_object_t object)
{
	(void)vm;
	object->flags |= OBJ_WRITEABLE | OBJ_MIGHTBEDIRTY;
}

const struct vm_page_hooks bsd5_page_hooks = {
	.object_writeable = hook_object_writeable,
	.vnode_idle = hook_vnode_idle,
	.zero_hint = hook_zero_hint,
	.warn = hook_warn,
};

/* ------------------------------------------------------------ model MMU */

static uint8_t *
bits_of(struct bsd5 *d, const struct vm_page *m)
{
	return (&d->mmu[bsd5_page_index(d, m)]);
}

static void
unmap(struct bsd5 *d, vm_page_t m)
{
	uint8_t bits = *bits_of(d, m);

	if ((bits & MMU_MAPPED) != 0) {
		if ((bits & MMU_ACCESSED) != 0)
			vm_page_flag_set(m, PG_REFERENCED);
		if ((bits & MMU_MODIFIED) != 0)
			vm_page_dirty(d->vm, m);
	}
	*bits_of(d, m) = 0;
	vm_page_flag_clear(m, PG_WRITEABLE);
}

static void
write_protect(struct bsd5 *d, vm_page_t m)
{
	uint8_t *bits = bits_of(d, m);

	if ((m->flags & PG_WRITEABLE) == 0 || (m->flags & PG_FICTITIOUS) != 0)
		return;
	if ((*bits & MMU_MAPPED) != 0 && (*bits & MMU_WRITABLE) != 0) {
		if ((*bits & MMU_MODIFIED) != 0)
			vm_page_dirty(d->vm, m);
		*bits &= (uint8_t)~(MMU_WRITABLE | MMU_MODIFIED);
	}
	vm_page_flag_clear(m, PG_WRITEABLE);
}

void
bsd5_protect(struct bsd5 *d, vm_page_t m, int64_t prot)
{
	if ((prot & VM_PROT_WRITE) != 0)
		return;
	if ((prot & (VM_PROT_READ | VM_PROT_EXECUTE)) == 0)
		unmap(d, m);
	else
		write_protect(d, m);
}

static void
pmap_op_remove_all(struct vm *vm, vm_page_t m)
{
	unmap(driver_of_vm(vm), m);
}

static void
pmap_op_page_protect(struct vm *vm, vm_page_t m, int prot)
{
	bsd5_protect(driver_of_vm(vm), m, prot);
}

static bool
pmap_op_is_modified(struct vm *vm, vm_page_t m)
{
	uint8_t bits = *bits_of(driver_of_vm(vm), m);

	return ((m->flags & PG_FICTITIOUS) == 0 &&
	    (bits & MMU_MAPPED) != 0 && (bits & MMU_MODIFIED) != 0);
}

static void
pmap_op_clear_modify(struct vm *vm, vm_page_t m)
{
	if ((m->flags & PG_FICTITIOUS) == 0)
		*bits_of(driver_of_vm(vm), m) &= (uint8_t)~MMU_MODIFIED;
}

static bool
pmap_op_page_is_mapped(struct vm *vm, vm_page_t m)
{
	return ((*bits_of(driver_of_vm(vm), m) & MMU_MAPPED) != 0);
}

/* The idle zeroer's work is not an event of the format. */
static void
pmap_op_zero_page(struct vm *vm, vm_page_t m)
{
	(void)vm;
	(void)m;
}

static void
pmap_op_zero_page_area(struct vm *vm, vm_page_t m, int off, int size)
{
	struct bsd5 *d = driver_of_vm(vm);

	bsd5_event(d, "zero", "iii", (int64_t)bsd5_page_index(d, m),
	    (int64_t)off, (int64_t)size);
}

static void
pmap_op_copy_page(struct vm *vm, vm_page_t src, vm_page_t dst)
{
	struct bsd5 *d = driver_of_vm(vm);

	bsd5_event(d, "copy", "ii", (int64_t)bsd5_page_index(d, src),
	    (int64_t)bsd5_page_index(d, dst));
}

/* What the FreeBSD 5 texts never call is left out. */
const struct vm_pmap_ops bsd5_pmap_ops = {
	.remove_all = pmap_op_remove_all,
	.page_protect = pmap_op_page_protect,
	.is_modified = pmap_op_is_modified,
	.clear_modify = pmap_op_clear_modify,
	.page_is_mapped = pmap_op_page_is_mapped,
	.zero_page = pmap_op_zero_page,
	.zero_page_area = pmap_op_zero_page_area,
	.copy_page = pmap_op_copy_page,
};
