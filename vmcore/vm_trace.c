/*
 * vm_trace.c: what vmcore reports about itself: queue transitions and rare
 * events, and the names of every code that goes into the log.
 *
 * Interface: vmcore/vmcore.h (names), vmcore/vm_int.h (vm_trace_*).
 * Source:    our own; queue names after companions R1.
 */
#include "vmcore/vm_int.h"

static const char *const queue_names[VMQ_COUNT] = {
	[VMQ_NONE] = "none",
	[VMQ_FREE] = "free",
	[VMQ_CACHE] = "cache",
	[VMQ_INACTIVE] = "inactive",
	[VMQ_ACTIVE] = "active",
	[VMQ_HOLD] = "hold",
	[VMQ_WIRED] = "wired",
	[VMQ_BUSY] = "busy",
};

static const struct {
	const char *name, *help;
} reasons[WHY_COUNT] = {
#define VM_REASON(sym, text, about) [WHY_##sym] = { text, about },
#include "vmcore/vm_reason.h"
#undef VM_REASON
}, events[VME_COUNT] = {
#define VM_EVENT(sym, text, about) [VME_##sym] = { text, about },
#include "vmcore/vm_events.h"
#undef VM_EVENT
};

const char *
vm_queue_name(enum vm_queue q)
{
	return ((unsigned)q < VMQ_COUNT ? queue_names[q] : "?");
}

const char *
vm_reason_name(enum vm_reason why)
{
	return ((unsigned)why < WHY_COUNT ? reasons[why].name : "?");
}

const char *
vm_reason_help(enum vm_reason why)
{
	return ((unsigned)why < WHY_COUNT ? reasons[why].help : "?");
}

const char *
vm_event_kind_name(enum vm_event_kind k)
{
	return ((unsigned)k < VME_COUNT ? events[k].name : "?");
}

const char *
vm_event_kind_help(enum vm_event_kind k)
{
	return ((unsigned)k < VME_COUNT ? events[k].help : "?");
}

/*
 * vm_queue_of: the log's name of queue number pq for page m. A page on no
 * queue is told apart by what keeps it off: wired, then busy.
 */
enum vm_queue
vm_queue_of(const struct vm *vm, const struct vm_page *m, int pq)
{
	int l2 = (int)vm->pq_l2_size;

	if (pq == PQ_NONE) {
		if (m->wire_count != 0)
			return (VMQ_WIRED);
		return ((m->flags & PG_BUSY) != 0 ? VMQ_BUSY : VMQ_NONE);
	}
	if (pq < PQ_FREE + l2)
		return (VMQ_FREE);
	if (pq == (int)PQ_INACTIVE(vm))
		return (VMQ_INACTIVE);
	if (pq == (int)PQ_ACTIVE(vm))
		return (VMQ_ACTIVE);
	return (pq < (int)PQ_CACHE(vm) + l2 ? VMQ_CACHE : VMQ_HOLD);
}

void
vm_trace_mark(const struct vm *vm, const struct vm_page *m,
    struct vm_trace_from *from)
{
	from->queue = vm_queue_of(vm, m, m->queue);
	from->object = m->object != NULL ? m->object->id : 0;
	from->pindex = m->object != NULL ? m->pindex : 0;
}

/*
 * vm_trace_emit: one transition. The page is named by the object it belongs
 * to now, or by the one it has just left. The reason is the running
 * context's tag.
 */
void
vm_trace_emit(struct vm *vm, const struct vm_page *m,
    const struct vm_trace_from *from, enum vm_queue to, int where,
    enum vm_reason why)
{
	uint32_t tag = sim_tag(vm->sim);
	struct vm_transition t = {
		.when = sim_now(vm->sim),
		.page = m->pfn,
		.object = from->object,
		.pindex = from->pindex,
		.from = (uint8_t)from->queue,
		.to = (uint8_t)to,
		.where = (uint8_t)where,
		.reason = (uint8_t)(tag != WHY_NONE ? tag : why),
		.act_count = m->act_count,
	};

	if (m->object != NULL) {
		t.object = m->object->id;
		t.pindex = m->pindex;
	}
	vm->trace->transition(vm->trace_ctx, &t);
}

void
vm_trace_event(struct vm *vm, enum vm_event_kind kind, int32_t pid, int64_t a,
    int64_t b)
{
	struct vm_event_record e;

	if (vm->trace == NULL || vm->trace->event == NULL)
		return;
	e.when = sim_now(vm->sim);
	e.kind = (uint8_t)kind;
	e.pid = pid;
	e.a = a;
	e.b = b;
	vm->trace->event(vm->trace_ctx, &e);
}
