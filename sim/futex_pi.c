/*
 * futex_pi.c: locks that are handed from owner to owner: the
 * priority-inheriting futexes.
 *
 * Interface: futex_lock_pi and its like of sim/syscall_int.h. Source:
 * futex(2), Linux 6.1 kernel/futex/pi.c: the word holds the owner's number,
 * and the kernel writes the next one's when the owner gives the lock up or
 * ends. Differences: nobody's priority is raised for it (all are
 * time-sharing), so the longest waiting is next.
 */
#include <linux/futex.h>

#include "sim/syscall_int.h"

static int
read_word(struct sysctx *c, uint32_t *word)
{
	/* the page is there and writable before the word is read */
	(void)vm_fault(c->vm, c->vs, c->a[0], VM_PROT_WRITE);
	return (sys_copyin(c, c->a[0], word, sizeof(*word)));
}

static int
write_word(struct sysctx *c, uint32_t word)
{
	return (sys_copyout(c, c->a[0], &word, sizeof(word)));
}

static struct futex_waiter *
first_waiter(struct sysstate *ss, const struct futex_key *key)
{
	struct futex_waiter *w;

	TAILQ_FOREACH(w, futex_bucket(ss, key), link) {
		if (w->thread != NULL && futex_same(&w->key, key))
			break;
	}
	return (w);
}

static struct uthread *
thread_of(struct sysstate *ss, uint32_t tid)
{
	struct uthread *t;
	struct uproc *p;

	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		TAILQ_FOREACH(t, &p->threads, link) {
			if ((uint32_t)t->tid == tid)
				return (t);
		}
	}
	return (NULL);
}

/*
 * The lock is the caller's: 0. Somebody else's: 1, the word says that there
 * are waiters, and *owner who it is.
 */
static int
take_or_mark(struct sysctx *c, const struct futex_key *key, bool mark,
    struct uthread **owner)
{
	uint32_t word, own = (uint32_t)c->t->tid;
	int error = read_word(c, &word);

	if (error != 0)
		return (error);
	if ((word & FUTEX_TID_MASK) == own)
		return (-EDEADLK);
	if ((word & FUTEX_TID_MASK) == 0 && first_waiter(c->ss, key) == NULL)
		return (write_word(c, own | (word & FUTEX_OWNER_DIED)));
	if (!mark)
		return (-EAGAIN);
	*owner = thread_of(c->ss, word & FUTEX_TID_MASK);
	if (*owner == NULL)
		return (-ESRCH);
	if (!(word & FUTEX_WAITERS))
		error = write_word(c, word | FUTEX_WAITERS);
	return (error != 0 ? error : 1);
}

int64_t
futex_lock_pi(struct sysctx *c, const struct deadline *d)
{
	struct futex_waiter w = { .bits = 0, .thread = c->t, .va = c->a[0] };
	int error = futex_call_key(c, c->a[0], &w.key);

	if (error == 0)
		error = take_or_mark(c, &w.key, true, &w.owner);
	if (error <= 0)
		return (error);
	error = futex_sleep(c, &w, d);
	return (error == -ERESTARTSYS ? -ERESTARTNOINTR : error);
}

int64_t
futex_trylock_pi(struct sysctx *c)
{
	struct uthread *owner;
	struct futex_key key;
	int error = futex_call_key(c, c->a[0], &key);

	return (error != 0 ? error : take_or_mark(c, &key, false, &owner));
}

/* Into memory of a process that may end meanwhile. */
static void
put_word(struct sysstate *ss, struct vmspace *vs, vm_offset_t va,
    uint32_t word)
{
	struct cpu_engine *cpu = machine_cpu(ss->m);

	vmspace_ref(vs);
	(void)vm_copyout(ss->vm, vs, va, &word, sizeof(word));
	if (vmspace_ref_count(vs) == 1)
		cpu->ops->pmap_gone(cpu, vmspace_pmap(vs));
	vmspace_free(ss->vm, vs);
}

/* The lock is w's from now on; the others wait for it. */
static void
hand_over(struct sysstate *ss, struct futex_waiter *w, uint32_t more)
{
	struct futex_list *list = futex_bucket(ss, &w->key);
	uint32_t tid = (uint32_t)w->thread->tid;
	struct vmspace *vs = w->thread->p->vs;
	vm_offset_t va = w->va;
	struct futex_waiter *o;

	TAILQ_REMOVE(list, w, link);
	w->woken = true;
	TAILQ_FOREACH(o, list, link) {
		if (o->thread != NULL && futex_same(&o->key, &w->key))
			o->owner = w->thread;
	}
	sim_wakeup(ss->sim, w);
	/* no more of w: its thread may run while this one sleeps */
	put_word(ss, vs, va, tid | FUTEX_WAITERS | more);
}

int64_t
futex_unlock_pi(struct sysctx *c)
{
	struct futex_waiter *w;
	struct futex_key key;
	uint32_t word;
	int error = futex_call_key(c, c->a[0], &key);

	if (error == 0)
		error = read_word(c, &word);
	if (error != 0)
		return (error);
	if ((word & FUTEX_TID_MASK) != (uint32_t)c->t->tid)
		return (-EPERM);
	w = first_waiter(c->ss, &key);
	if (w == NULL)
		return (write_word(c, 0));
	hand_over(c->ss, w, 0);
	return (0);
}

void
futex_leave_pi(struct uthread *t)
{
	struct sysstate *ss = t->p->sys;
	struct futex_waiter *w;

	for (uint32_t i = 0; i < FUTEX_BUCKETS; i++) {
		do {
			TAILQ_FOREACH(w, &ss->futexes[i], link) {
				if (w->thread != NULL && w->owner == t)
					break;
			}
			if (w != NULL)
				hand_over(ss, w, FUTEX_OWNER_DIED);
		} while (w != NULL);
	}
}
