/*
 * futex.c: waiting on words of user memory, and what a thread leaves there
 * when it ends.
 *
 * Interface: sys_futex, sys_set_robust_list and so on of
 * sim/syscall_table.h; thread_leave_user of sim/syscall_int.h. Source:
 * futex(2), get_robust_list(2), Linux 6.1 kernel/futex. A word of private
 * memory is known by address space and address, one of shared memory by
 * object and offset. Differences: no waiting on several words (futex_waitv),
 * none moved to a priority-inheriting lock (ENOSYS).
 */
#include <linux/futex.h>
#include <string.h>
#include <time.h>

#include "sim/syscall_int.h"

#define LOCK_PRI 100 /* PLOCK of FreeBSD 5 */
#define ROBUST_MAX 2048 /* entries of a robust list that are looked at */

/* ---- which word ---- */

void
futex_init(struct sysstate *ss)
{
	for (uint32_t i = 0; i < FUTEX_BUCKETS; i++)
		TAILQ_INIT(&ss->futexes[i]);
}

struct futex_list *
futex_bucket(struct sysstate *ss, const struct futex_key *k)
{
	uint64_t h = (k->space * 0x9e3779b97f4a7c15ull ^ k->offset >> 2) *
	    0x9e3779b97f4a7c15ull;

	return (&ss->futexes[h >> 56]);
}
_Static_assert(FUTEX_BUCKETS == 256, "futex_bucket takes eight bits");

bool
futex_same(const struct futex_key *a, const struct futex_key *b)
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

int
futex_call_key(struct sysctx *c, vm_offset_t va, struct futex_key *k)
{
	bool private = (c->a[1] & FUTEX_PRIVATE_FLAG) != 0;
	uint32_t word;

	/* a word that others may see has to be there */
	if (!private && sys_copyin(c, va, &word, sizeof(word)) != 0)
		return (-EFAULT);
	*k = futex_key(c->vs, va, private);
	return (0);
}

/* ---- waking ---- */

/* As Linux, one at least, whatever the number. */
static uint32_t
futex_wake(struct sysstate *ss, const struct futex_key *key, int32_t most,
    uint32_t bits)
{
	struct futex_list *list = futex_bucket(ss, key);
	struct futex_waiter *w, *next;
	int32_t n = 0;

	for (w = TAILQ_FIRST(list); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!futex_same(&w->key, key) || !(w->bits & bits))
			continue;
		TAILQ_REMOVE(list, w, link);
		w->woken = true;
		sim_wakeup(ss->sim, w);
		if (++n >= most)
			break;
	}
	return ((uint32_t)n);
}

/* Wake `most` waiters and move others to the end of another word's. */
static int64_t
futex_requeue(struct sysctx *c, int32_t most, int32_t move)
{
	struct futex_list *list, *there;
	struct futex_waiter *w, *next;
	struct futex_key from, to;
	int32_t n = 0;
	int error = futex_call_key(c, c->a[0], &from);

	if (error == 0)
		error = futex_call_key(c, c->a[4], &to);
	if (error != 0)
		return (error);
	list = futex_bucket(c->ss, &from);
	there = futex_bucket(c->ss, &to);
	for (w = TAILQ_FIRST(list); w != NULL && n - most < move; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!futex_same(&w->key, &from))
			continue;
		if (w->thread != NULL)
			return (-EINVAL); /* a lock's are not moved */
		TAILQ_REMOVE(list, w, link);
		if (++n <= most) {
			w->woken = true;
			sim_wakeup(c->sim, w);
			continue;
		}
		w->key = to;
		TAILQ_INSERT_TAIL(there, w, link);
		if (futex_same(&from, &to) && next == NULL)
			break;
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

int
futex_deadline(struct sysctx *c, bool absolute, bool wall, struct deadline *d)
{
	int clock = wall ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	int64_t ts[2], ns;

	*d = (struct deadline) { .forever = true, .end = SIM_TIME_NEVER };
	if (c->a[3] == 0)
		return (0);
	if (sys_copyin(c, c->a[3], ts, sizeof(ts)) != 0)
		return (-EFAULT);
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= 1000000000)
		return (-EINVAL);
	ns = ts[0] >= INT64_MAX / 1000000000 ? INT64_MAX :
	    ts[0] * 1000000000 + ts[1];
	d->forever = false;
	d->end = sys_boot_cycles(c->sim, sys_clock_when(c, clock, ns,
	    absolute));
	return (0);
}

int
futex_sleep(struct sysctx *c, struct futex_waiter *w,
    const struct deadline *d)
{
	int error = 0;

	TAILQ_INSERT_TAIL(futex_bucket(c->ss, &w->key), w, link);
	while (!w->woken && error == 0) {
		sim_time_t now = sim_now(c->sim);

		if (now >= d->end)
			error = -ETIMEDOUT;
		else
			error = sys_sleep(c, w, LOCK_PRI, "futex",
			    d->forever ? SIM_NO_TIMEOUT : d->end - now);
		if (error == -ETIMEDOUT && sim_now(c->sim) < d->end)
			error = 0;
	}
	if (w->woken)
		return (0);
	TAILQ_REMOVE(futex_bucket(c->ss, &w->key), w, link);
	return (error);
}

static int64_t wait_again(struct sysctx *c);

/* With a limit it goes on to the same end, unless a handler ran. */
static int64_t
futex_wait(struct sysctx *c, uint32_t bits, const struct deadline *d)
{
	struct futex_waiter w = { .bits = bits };
	int error = futex_call_key(c, c->a[0], &w.key);

	if (error == 0)
		error = futex_check(c, (uint32_t)c->a[2]);
	if (error != 0)
		return (error);
	/* nothing has slept since the word was read: no wake-up is lost */
	error = futex_sleep(c, &w, d);
	if (error != -ERESTARTSYS || d->forever)
		return (error);
	c->t->sig.restart_fn = wait_again;
	c->t->sig.restart_end = d->end;
	c->t->sig.restart_remain = bits;
	return (-ERESTART_RESTARTBLOCK);
}

static int64_t
wait_again(struct sysctx *c)
{
	const struct deadline d = { .end = c->t->sig.restart_end };

	c->a[0] = c->regs.r[R_RDI];
	c->a[1] = c->regs.r[R_RSI];
	c->a[2] = c->regs.r[R_RDX];
	return (futex_wait(c, (uint32_t)c->t->sig.restart_remain, &d));
}

static int64_t
futex_wait_call(struct sysctx *c, bool absolute, bool wall, uint32_t bits)
{
	struct deadline d;
	int error;

	if (bits == 0)
		return (-EINVAL);
	error = futex_deadline(c, absolute, wall, &d);
	return (error != 0 ? error : futex_wait(c, bits, &d));
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
	struct futex_key key, second;
	uint32_t old, n;
	int test, error;

	if ((c->a[4] & 3) != 0)
		return (-EINVAL);
	if (!user_range_ok(c->a[4], 4))
		return (-EFAULT);
	error = futex_call_key(c, c->a[0], &key);
	if (error == 0)
		error = futex_call_key(c, c->a[4], &second);
	if (error == 0)
		error = wake_op_apply(c, &old);
	if (error != 0)
		return (error);
	test = wake_op_test((uint32_t)c->a[5], old);
	if (test < 0)
		return (test);
	n = futex_wake(c->ss, &key, (int32_t)c->a[2], UINT32_MAX);
	if (test > 0)
		n += futex_wake(c->ss, &second, (int32_t)c->a[3], UINT32_MAX);
	return (n);
}

/* ---- the call ---- */

static int64_t
futex_wake_call(struct sysctx *c, uint32_t bits)
{
	struct futex_key key;
	int error;

	if (bits == 0)
		return (-EINVAL);
	error = futex_call_key(c, c->a[0], &key);
	if (error != 0)
		return (error);
	return (futex_wake(c->ss, &key, (int32_t)c->a[2], bits));
}

static int64_t
futex_requeue_call(struct sysctx *c, bool compare)
{
	int error = 0;

	if ((c->a[4] & 3) != 0 || (int32_t)c->a[2] < 0 ||
	    (int32_t)c->a[3] < 0)
		return (-EINVAL);
	if (!user_range_ok(c->a[4], 4))
		return (-EFAULT);
	if (compare)
		error = futex_check(c, (uint32_t)c->a[5]);
	return (error != 0 ? error : futex_requeue(c, (int32_t)c->a[2],
	    (int32_t)c->a[3]));
}

static int64_t
futex_lock_call(struct sysctx *c, bool wall)
{
	struct deadline d;
	int error = futex_deadline(c, true, wall, &d);

	return (error != 0 ? error : futex_lock_pi(c, &d));
}

int64_t
sys_futex(struct sysctx *c)
{
	int op = (int)c->a[1] & FUTEX_CMD_MASK;
	bool wall = (c->a[1] & FUTEX_CLOCK_REALTIME) != 0;

	if (wall && op != FUTEX_WAIT_BITSET && op != FUTEX_LOCK_PI2)
		return (-ENOSYS);
	if ((c->a[0] & 3) != 0)
		return (-EINVAL);
	if (!user_range_ok(c->a[0], 4))
		return (-EFAULT);
	switch (op) {
	case FUTEX_WAIT:
		return (futex_wait_call(c, false, false, UINT32_MAX));
	case FUTEX_WAIT_BITSET:
		return (futex_wait_call(c, true, wall, (uint32_t)c->a[5]));
	case FUTEX_WAKE:
		return (futex_wake_call(c, UINT32_MAX));
	case FUTEX_WAKE_BITSET:
		return (futex_wake_call(c, (uint32_t)c->a[5]));
	case FUTEX_WAKE_OP:
		return (futex_wake_op(c));
	case FUTEX_CMP_REQUEUE:
	case FUTEX_REQUEUE:
		return (futex_requeue_call(c, op == FUTEX_CMP_REQUEUE));
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return (futex_lock_call(c, op == FUTEX_LOCK_PI || wall));
	case FUTEX_TRYLOCK_PI:
		return (futex_trylock_pi(c));
	case FUTEX_UNLOCK_PI:
		return (futex_unlock_pi(c));
	default:
		return (-ENOSYS);
	}
}

/* ---- the end of a thread ---- */

static void
wake_word(struct uthread *t, vm_offset_t va)
{
	const struct futex_key key = futex_key(t->p->vs, va, false);
	const struct futex_key own = futex_key(t->p->vs, va, true);

	if (futex_wake(t->p->sys, &key, 1, UINT32_MAX) == 0 &&
	    !futex_same(&key, &own))
		(void)futex_wake(t->p->sys, &own, 1, UINT32_MAX);
}

/* A lock that the thread still holds is marked; false: bad memory. */
static bool
robust_release(struct uthread *t, vm_offset_t va, bool pi)
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
	if ((word & FUTEX_WAITERS) && !pi)
		wake_word(t, va);
	return (true);
}

/* Bit 0 of a link says that the lock is of the priority-inheriting kind. */
static void
robust_walk(struct uthread *t)
{
	struct vm *vm = t->p->sys->vm;
	uint64_t head[3], at; /* first entry, offset of the word, pending */
	bool pi;

	if (!user_range_ok(t->robust_list, sizeof(head)) ||
	    vm_copyin(vm, t->p->vs, t->robust_list, head, sizeof(head)) != 0)
		return;
	at = head[0] & ~1ull;
	pi = (head[0] & 1) != 0;
	for (int n = 0; at != t->robust_list && n < ROBUST_MAX; n++) {
		uint64_t next;

		if (!user_range_ok(at, sizeof(next)) ||
		    vm_copyin(vm, t->p->vs, at, &next, sizeof(next)) != 0)
			return;
		if (at != (head[2] & ~1ull) &&
		    !robust_release(t, at + head[1], pi))
			return;
		at = next & ~1ull;
		pi = (next & 1) != 0;
	}
	if ((head[2] & ~1ull) != 0)
		(void)robust_release(t, (head[2] & ~1ull) + head[1],
		    (head[2] & 1) != 0);
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
	futex_leave_pi(t);
	shared = TAILQ_NEXT(TAILQ_FIRST(&p->threads), link) != NULL ||
	    vmspace_ref_count(p->vs) > 1;
	if (t->clear_child_tid != 0 && shared &&
	    user_range_ok(t->clear_child_tid, 4) &&
	    vm_copyout(p->sys->vm, p->vs, t->clear_child_tid, &zero,
	    sizeof(zero)) == 0)
		wake_word(t, t->clear_child_tid);
	t->clear_child_tid = 0;
}
