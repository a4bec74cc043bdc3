/*
 * futex.c: waiting on words of user memory, and what a thread leaves there
 * when it ends.
 *
 * Interface: sys_futex, sys_set_robust_list and so on of
 * sim/syscall_table.h; thread_leave_user of sim/syscall_int.h. Source:
 * futex(2), get_robust_list(2), Linux 6.1 kernel/futex. Differences: a word
 * of private memory is known by address space and address, one of shared
 * memory by object and offset; the priority-inheriting operations are not
 * there (ENOSYS).
 */
#include <linux/futex.h>
#include <string.h>

#include "sim/syscall_int.h"

#define LOCK_PRI 100 /* PLOCK of FreeBSD 5 */
#define ROBUST_MAX 2048 /* entries of a robust list that are looked at */

/* ---- which word ---- */

static bool
same_key(const struct futex_key *a, const struct futex_key *b)
{
	return (a->shared == b->shared && a->space == b->space &&
	    a->offset == b->offset);
}

static struct futex_key
futex_key(struct vmspace *vs, vm_offset_t va, bool private)
{
	struct futex_key k = { .space = vmspace_id(vs), .offset = va };

	if (!private && vm_map_shared_key(vs, va, &k.space, &k.offset))
		k.shared = true;
	return (k);
}

/* The key of the word at va for the running call. */
static struct futex_key
call_key(struct sysctx *c, vm_offset_t va)
{
	return (futex_key(c->vs, va, (c->a[1] & FUTEX_PRIVATE_FLAG) != 0));
}

/* ---- waking ---- */

static uint32_t
futex_wake(struct sysstate *ss, const struct futex_key *key, uint32_t most,
    uint32_t bits)
{
	struct futex_waiter *w, *next;
	uint32_t n = 0;

	for (w = TAILQ_FIRST(&ss->futexes); w != NULL && n < most; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!same_key(&w->key, key) || !(w->bits & bits))
			continue;
		TAILQ_REMOVE(&ss->futexes, w, link);
		w->woken = true;
		sim_wakeup(ss->sim, w);
		n++;
	}
	return (n);
}

/* Move waiters to another word, after waking `most`. */
static uint32_t
futex_requeue(struct sysctx *c, uint32_t most, uint32_t move)
{
	const struct futex_key from = call_key(c, c->a[0]);
	const struct futex_key to = call_key(c, c->a[4]);
	uint32_t n = futex_wake(c->ss, &from, most, UINT32_MAX);
	struct futex_waiter *w;

	TAILQ_FOREACH(w, &c->ss->futexes, link) {
		if (move == 0)
			break;
		if (!same_key(&w->key, &from))
			continue;
		w->key = to;
		move--;
		n++;
	}
	return (n);
}

/* ---- waiting ---- */

static int
futex_check(struct sysctx *c, uint32_t value)
{
	uint32_t word;

	if (sys_copyin(c, c->a[0], &word, sizeof(word)) != 0)
		return (-EFAULT);
	return (word == value ? 0 : -EAGAIN);
}

/* The simulated time at which a wait ends; SIM_TIME_NEVER without limit. */
static int
futex_deadline(struct sysctx *c, int op, bool realtime, sim_time_t *end)
{
	int64_t ts[2];
	uint64_t ns, now;

	*end = SIM_TIME_NEVER;
	if (c->a[3] == 0)
		return (0);
	if (sys_copyin(c, c->a[3], ts, sizeof(ts)) != 0)
		return (-EFAULT);
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= 1000000000)
		return (-EINVAL);
	if (ts[0] > 10000000000)
		return (0);
	ns = (uint64_t)ts[0] * 1000000000 + (uint64_t)ts[1];
	if (op == FUTEX_WAIT_BITSET) {
		now = realtime ? machine_wall_ns(c->m) :
		    sim_to_ns(c->sim, sim_now(c->sim));
		ns = ns > now ? ns - now : 0;
	}
	*end = sim_now(c->sim) + sim_ns(c->sim, ns);
	return (0);
}

static int64_t
futex_wait(struct sysctx *c, int op, bool realtime, uint32_t bits)
{
	struct futex_waiter w = { .bits = bits };
	sim_time_t end;
	int error;

	if (bits == 0)
		return (-EINVAL);
	error = futex_deadline(c, op, realtime, &end);
	if (error == 0)
		error = futex_check(c, (uint32_t)c->a[2]);
	if (error != 0)
		return (error);
	/* nothing has slept since the word was read: no wake-up is lost */
	w.key = call_key(c, c->a[0]);
	TAILQ_INSERT_TAIL(&c->ss->futexes, &w, link);
	while (!w.woken && error == 0) {
		sim_time_t now = sim_now(c->sim);

		if (now >= end)
			error = -ETIMEDOUT;
		else
			error = sys_sleep(c, &w, LOCK_PRI, "futex",
			    end == SIM_TIME_NEVER ? SIM_NO_TIMEOUT :
			    end - now);
		if (error == -ETIMEDOUT && sim_now(c->sim) < end)
			error = 0;
	}
	if (w.woken)
		return (0);
	TAILQ_REMOVE(&c->ss->futexes, &w, link);
	return (error);
}

/* ---- FUTEX_WAKE_OP ---- */

/* Argument 3 of a wake-op: what to do to the second word, and what of its
 * old value decides whether its waiters are woken too. */
static int
wake_op_apply(struct sysctx *c, uint32_t *old)
{
	uint32_t code = (uint32_t)c->a[5], op = code >> 28 & 7, new;
	uint32_t arg = (uint32_t)((int32_t)(code << 8) >> 20);

	if (code >> 31)
		arg = 1u << (arg & 31);
	/* the page is there and writable before the word is read */
	(void)vm_fault(c->vm, c->vs, c->a[4], VM_PROT_WRITE);
	if (sys_copyin(c, c->a[4], old, sizeof(*old)) != 0)
		return (-EFAULT);
	switch (op) {
	case FUTEX_OP_SET:
		new = arg;
		break;
	case FUTEX_OP_ADD:
		new = *old + arg;
		break;
	case FUTEX_OP_OR:
		new = *old | arg;
		break;
	case FUTEX_OP_ANDN:
		new = *old & ~arg;
		break;
	case FUTEX_OP_XOR:
		new = *old ^ arg;
		break;
	default:
		return (-ENOSYS);
	}
	return (sys_copyout(c, c->a[4], &new, sizeof(new)));
}

static int
wake_op_test(uint32_t code, uint32_t word)
{
	int32_t arg = (int32_t)(code << 20) >> 20, old = (int32_t)word;

	switch (code >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return (old == arg);
	case FUTEX_OP_CMP_NE:
		return (old != arg);
	case FUTEX_OP_CMP_LT:
		return (old < arg);
	case FUTEX_OP_CMP_LE:
		return (old <= arg);
	case FUTEX_OP_CMP_GT:
		return (old > arg);
	case FUTEX_OP_CMP_GE:
		return (old >= arg);
	default:
		return (-ENOSYS);
	}
}

static int64_t
futex_wake_op(struct sysctx *c)
{
	struct futex_key key;
	uint32_t old, n;
	int test, error;

	if ((c->a[4] & 3) != 0)
		return (-EINVAL);
	if (!user_range_ok(c->a[4], 4))
		return (-EFAULT);
	error = wake_op_apply(c, &old);
	if (error != 0)
		return (error);
	test = wake_op_test((uint32_t)c->a[5], old);
	if (test < 0)
		return (test);
	key = call_key(c, c->a[0]);
	n = futex_wake(c->ss, &key, (uint32_t)c->a[2], UINT32_MAX);
	key = call_key(c, c->a[4]);
	if (test > 0)
		n += futex_wake(c->ss, &key, (uint32_t)c->a[3], UINT32_MAX);
	return (n);
}

/* ---- the call ---- */

static int64_t
futex_wake_call(struct sysctx *c, uint32_t bits)
{
	const struct futex_key key = call_key(c, c->a[0]);

	if (bits == 0)
		return (-EINVAL);
	return (futex_wake(c->ss, &key, (uint32_t)c->a[2], bits));
}

static int64_t
futex_requeue_call(struct sysctx *c, bool compare)
{
	int error = compare ? futex_check(c, (uint32_t)c->a[5]) : 0;

	if (error != 0)
		return (error);
	if ((c->a[4] & 3) != 0 || (int32_t)c->a[2] < 0 ||
	    (int32_t)c->a[3] < 0)
		return (-EINVAL);
	return (futex_requeue(c, (uint32_t)c->a[2], (uint32_t)c->a[3]));
}

int64_t
sys_futex(struct sysctx *c)
{
	int op = (int)c->a[1] & FUTEX_CMD_MASK;
	bool realtime = (c->a[1] & FUTEX_CLOCK_REALTIME) != 0;

	if ((c->a[0] & 3) != 0)
		return (-EINVAL);
	if (!user_range_ok(c->a[0], 4))
		return (-EFAULT);
	switch (op) {
	case FUTEX_WAIT:
		return (futex_wait(c, op, realtime, UINT32_MAX));
	case FUTEX_WAIT_BITSET:
		return (futex_wait(c, op, realtime, (uint32_t)c->a[5]));
	case FUTEX_WAKE:
		return (futex_wake_call(c, UINT32_MAX));
	case FUTEX_WAKE_BITSET:
		return (futex_wake_call(c, (uint32_t)c->a[5]));
	case FUTEX_WAKE_OP:
		return (futex_wake_op(c));
	case FUTEX_CMP_REQUEUE:
	case FUTEX_REQUEUE:
		return (futex_requeue_call(c, op == FUTEX_CMP_REQUEUE));
	default:
		return (-ENOSYS);
	}
}

/* ---- the end of a thread ---- */

static void
wake_word(struct uthread *t, vm_offset_t va, uint32_t most)
{
	const struct futex_key key = futex_key(t->p->vs, va, false);
	const struct futex_key own = futex_key(t->p->vs, va, true);

	if (futex_wake(t->p->sys, &key, most, UINT32_MAX) < most &&
	    !same_key(&key, &own))
		(void)futex_wake(t->p->sys, &own, most, UINT32_MAX);
}

/* A lock that the thread still holds is marked; false: bad memory. */
static bool
robust_release(struct uthread *t, vm_offset_t va)
{
	struct vm *vm = t->p->sys->vm;
	uint32_t word, new;

	if ((va & 3) != 0 || !user_range_ok(va, 4))
		return (false);
	if (vm_fault(vm, t->p->vs, va, VM_PROT_WRITE) != KERN_SUCCESS ||
	    vm_copyin(vm, t->p->vs, va, &word, sizeof(word)) != 0)
		return (false);
	if ((word & FUTEX_TID_MASK) != (uint32_t)t->tid)
		return (true);
	new = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (vm_copyout(vm, t->p->vs, va, &new, sizeof(new)) != 0)
		return (false);
	if (word & FUTEX_WAITERS)
		wake_word(t, va, 1);
	return (true);
}

/* Bit 0 of a link says that the lock is of the priority-inheriting kind. */
static void
robust_walk(struct uthread *t)
{
	struct vm *vm = t->p->sys->vm;
	uint64_t head[3], at; /* first entry, offset of the word, pending */

	if (!user_range_ok(t->robust_list, sizeof(head)) ||
	    vm_copyin(vm, t->p->vs, t->robust_list, head, sizeof(head)) != 0)
		return;
	at = head[0] & ~1ull;
	for (int n = 0; at != t->robust_list && n < ROBUST_MAX; n++) {
		uint64_t next;

		if (!user_range_ok(at, sizeof(next)) ||
		    vm_copyin(vm, t->p->vs, at, &next, sizeof(next)) != 0)
			return;
		if (at != (head[2] & ~1ull) &&
		    !robust_release(t, at + head[1]))
			return;
		at = next & ~1ull;
	}
	if ((head[2] & ~1ull) != 0)
		(void)robust_release(t, (head[2] & ~1ull) + head[1]);
}

/*
 * thread_leave_user: the thread uses its memory no more: locks that it holds
 * are marked, and who waits for its end is woken. May sleep.
 * Source: Linux mm_release().
 */
void
thread_leave_user(struct uthread *t)
{
	struct uproc *p = t->p;
	const uint32_t zero = 0;
	bool shared;

	if (t->robust_list != 0)
		robust_walk(t);
	t->robust_list = 0;
	shared = TAILQ_NEXT(TAILQ_FIRST(&p->threads), link) != NULL ||
	    vmspace_ref_count(p->vs) > 1;
	if (t->clear_child_tid != 0 && shared &&
	    user_range_ok(t->clear_child_tid, 4) &&
	    vm_copyout(p->sys->vm, p->vs, t->clear_child_tid, &zero,
	    sizeof(zero)) == 0)
		wake_word(t, t->clear_child_tid, 1);
	t->clear_child_tid = 0;
}
