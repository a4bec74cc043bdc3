/*
 * epoll.c: sets of files to wait for, and telling those who wait that a file
 * has changed.
 *
 * Interface: poll_notify and its like of sim/fd.h; sys_epoll_create1,
 * sys_epoll_ctl, sys_epoll_wait and their kin. Source: epoll(7), Linux 6.1
 * fs/eventpoll.c for the order of the ready list: an item joins it at its end
 * when its file tells of a change, and a level-triggered one that was
 * reported goes to the end again. Differences: EPOLLEXCLUSIVE does not choose
 * between sets, and EPOLLWAKEUP does nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define EPOLL_PRI 88 /* PSOCK of FreeBSD 5 */
#define EPOLL_DEV 0xeull /* Linux's anonymous inodes */
#define NESTED_MAX 5 /* sets within sets */
#define MODES (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
#define EXCLUSIVE_OK (EPOLLEXCLUSIVE | EPOLLIN | EPOLLOUT | EPOLLERR | \
    EPOLLHUP | EPOLLWAKEUP | EPOLLET)

struct epoll;

struct epoll_item {
	TAILQ_ENTRY(epoll_item) link; /* epoll.items */
	TAILQ_ENTRY(epoll_item) ready_link; /* epoll.ready, while `ready` */
	TAILQ_ENTRY(epoll_item) head_link; /* head->items */
	LIST_ENTRY(epoll_item) of_file; /* file.watches */
	struct epoll *ep;
	struct poll_head *head; /* NULL: it has ended */
	struct file *f;
	int fd;
	uint32_t events; /* without EPOLL* but modes: it sleeps */
	uint64_t data;
	bool ready;
};

struct epoll {
	struct file *f; /* its own */
	TAILQ_HEAD(, epoll_item) items;
	uint32_t nitems;
	TAILQ_HEAD(epoll_ready, epoll_item) ready;
};

struct epoll_event64 { /* struct epoll_event of x86-64 */
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

/* ---- telling ---- */

void
poll_head_init(struct poll_head *h)
{
	TAILQ_INIT(&h->items);
	TAILQ_INIT(&h->pollers);
}

void
poll_head_end(struct poll_head *h)
{
	struct epoll_item *it;
	struct poll_entry *e;

	while ((it = TAILQ_FIRST(&h->items)) != NULL) {
		TAILQ_REMOVE(&h->items, it, head_link);
		it->head = NULL;
	}
	while ((e = TAILQ_FIRST(&h->pollers)) != NULL) {
		TAILQ_REMOVE(&h->pollers, e, link);
		e->head = NULL;
	}
}

/* Who waits for the set looks at its list. */
static void
item_ready(struct epoll_item *it)
{
	struct epoll *ep = it->ep;

	if (!it->ready) {
		TAILQ_INSERT_TAIL(&ep->ready, it, ready_link);
		it->ready = true;
	}
	sim_wakeup(ep->f->ss->sim, ep);
	poll_notify(ep->f->ss, &ep->f->head, POLLIN | POLLRDNORM);
}

void
poll_notify(struct sysstate *ss, struct poll_head *h, uint32_t events)
{
	const struct poll_entry *e;
	struct epoll_item *it;

	TAILQ_FOREACH(e, &h->pollers, link) {
		if (events == 0 || (events & e->events))
			sim_wakeup(ss->sim, e->chan);
	}
	TAILQ_FOREACH(it, &h->items, head_link) {
		uint32_t wanted = it->events & ~(uint32_t)MODES;

		if (wanted != 0 && (events == 0 || (events & wanted)))
			item_ready(it);
	}
}

/* ---- items ---- */

static uint32_t
item_events(struct sysctx *c, const struct epoll_item *it)
{
	return (file_poll(c, it->f) & it->events & ~(uint32_t)MODES);
}

static void
item_unready(struct epoll_item *it)
{
	if (it->ready)
		TAILQ_REMOVE(&it->ep->ready, it, ready_link);
	it->ready = false;
}

static void
item_free(struct epoll_item *it)
{
	item_unready(it);
	if (it->head != NULL)
		TAILQ_REMOVE(&it->head->items, it, head_link);
	LIST_REMOVE(it, of_file);
	TAILQ_REMOVE(&it->ep->items, it, link);
	it->ep->nitems--;
	free(it);
}

void
epoll_forget(struct file *f)
{
	struct epoll_item *it;

	while ((it = LIST_FIRST(&f->watches)) != NULL)
		item_free(it);
}

static struct epoll_item *
item_find(const struct epoll *ep, const struct file *f, int fd)
{
	struct epoll_item *it;

	LIST_FOREACH(it, &f->watches, of_file) {
		if (it->ep == ep && it->fd == fd)
			return (it);
	}
	return (NULL);
}

struct poll_head *
poll_head_of(struct sysctx *c, struct file *f)
{
	return (f->ops->head != NULL ? f->ops->head(c, f) : &f->head);
}

static struct epoll_item *
item_new(struct sysctx *c, struct epoll *ep, struct file *f, int fd)
{
	struct epoll_item *it = calloc(1, sizeof(*it));

	if (it == NULL)
		return (NULL);
	it->ep = ep;
	it->f = f;
	it->fd = fd;
	it->head = poll_head_of(c, f);
	TAILQ_INSERT_TAIL(&ep->items, it, link);
	ep->nitems++;
	TAILQ_INSERT_HEAD(&it->head->items, it, head_link);
	LIST_INSERT_HEAD(&f->watches, it, of_file);
	return (it);
}

/* New wishes: is there something already? */
static void
item_set(struct sysctx *c, struct epoll_item *it,
    const struct epoll_event64 *ev)
{
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	it->data = ev->data;
	if (item_events(c, it) != 0)
		item_ready(it);
}

/* ---- the set as a file ---- */

/* An item of the set that is ready, the first; the others sleep again. */
static uint32_t
epoll_poll(struct sysctx *c, struct file *f)
{
	struct epoll *ep = f->data;
	struct epoll_item *it;

	while ((it = TAILQ_FIRST(&ep->ready)) != NULL) {
		if (item_events(c, it) != 0)
			return (POLLIN | POLLRDNORM);
		item_unready(it);
	}
	return (0);
}

static void
epoll_close(struct file *f)
{
	struct epoll *ep = f->data;
	struct epoll_item *it;

	while ((it = TAILQ_FIRST(&ep->items)) != NULL)
		item_free(it);
	free(ep);
}

void
anon_stat(struct file *f, struct vfs_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->dev = EPOLL_DEV;
	st->ino = 1;
	st->mode = 0600;
	st->nlink = 1;
	st->blksize = 4096;
}

static const struct file_ops file_ops_epoll = {
	.name = "anon_inode:[eventpoll]",
	.poll = epoll_poll,
	.close = epoll_close,
	.stat = anon_stat,
};

/* ---- making and changing ---- */

static int64_t
epoll_new(struct sysctx *c, bool cloexec)
{
	struct epoll *ep = calloc(1, sizeof(*ep));
	struct file *f = ep != NULL ?
	    file_new(c->ss, &file_ops_epoll, O_RDWR) : NULL;

	if (f == NULL) {
		free(ep);
		return (-ENOMEM);
	}
	TAILQ_INIT(&ep->items);
	TAILQ_INIT(&ep->ready);
	ep->f = f;
	f->data = ep;
	return (file_give(c, f, cloexec));
}

int64_t
sys_epoll_create1(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[0];

	if (flags & ~(uint32_t)EPOLL_CLOEXEC)
		return (-EINVAL);
	return (epoll_new(c, flags != 0));
}

int64_t
sys_epoll_create(struct sysctx *c)
{
	return ((int)c->a[0] <= 0 ? -EINVAL : epoll_new(c, false));
}

/* How deep do sets lie within f? More than the most: it holds `ep` itself. */
static int
depth_below(const struct file *f, const struct epoll *ep, int level)
{
	const struct epoll_item *it;
	const struct epoll *in = f->data;
	int deepest = 0;

	if (f->ops != &file_ops_epoll)
		return (0);
	if (in == ep || level > NESTED_MAX)
		return (NESTED_MAX + 1);
	TAILQ_FOREACH(it, &in->items, link) {
		int n = depth_below(it->f, ep, level + 1);

		if (n > deepest)
			deepest = n;
	}
	return (deepest + 1);
}

/* How deep does the set lie within others? */
static int
depth_above(const struct epoll *ep, int level)
{
	const struct epoll_item *it;
	int deepest = 0;

	if (level > NESTED_MAX)
		return (0);
	LIST_FOREACH(it, &ep->f->watches, of_file) {
		int n = 1 + depth_above(it->ep, level + 1);

		if (n > deepest)
			deepest = n;
	}
	return (deepest);
}

static int
epoll_add(struct sysctx *c, struct epoll *ep, struct file *f, int fd,
    const struct epoll_event64 *ev)
{
	struct epoll_item *it;

	if (item_find(ep, f, fd) != NULL)
		return (-EEXIST);
	if (f->ops == &file_ops_epoll && depth_below(f, ep, 0) +
	    depth_above(ep, 0) > NESTED_MAX - 1)
		return (-ELOOP);
	it = item_new(c, ep, f, fd);
	if (it == NULL)
		return (-ENOMEM);
	item_set(c, it, ev);
	return (0);
}

static int
epoll_mod(struct sysctx *c, struct epoll *ep, struct file *f, int fd,
    const struct epoll_event64 *ev)
{
	struct epoll_item *it = item_find(ep, f, fd);

	if (it == NULL)
		return (-ENOENT);
	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return (-EINVAL);
	item_set(c, it, ev);
	return (0);
}

static int
epoll_del(struct epoll *ep, struct file *f, int fd)
{
	struct epoll_item *it = item_find(ep, f, fd);

	if (it == NULL)
		return (-ENOENT);
	item_free(it);
	return (0);
}

/* EPERM: files that are always ready are none to wait for. */
static int
check_target(const struct file *set, const struct file *f, int op,
    uint32_t events)
{
	if (f->ops->poll == NULL)
		return (-EPERM);
	if (set == f || set->ops != &file_ops_epoll)
		return (-EINVAL);
	if (op == EPOLL_CTL_ADD && (events & EPOLLEXCLUSIVE) &&
	    (f->ops == &file_ops_epoll ||
	    (events & ~(uint32_t)EXCLUSIVE_OK) != 0))
		return (-EINVAL);
	return (0);
}

int64_t
sys_epoll_ctl(struct sysctx *c)
{
	struct epoll_event64 ev = { .events = 0 };
	int op = (int)c->a[1], fd = (int)c->a[2], error = 0;
	struct file *set, *f;

	if (op != EPOLL_CTL_DEL)
		error = sys_copyin(c, c->a[3], &ev, sizeof(ev));
	if (error != 0)
		return (error);
	set = sys_file(c, c->a[0], false);
	f = set != NULL ? sys_file(c, c->a[2], false) : NULL;
	if (f == NULL)
		return (-EBADF);
	error = check_target(set, f, op, ev.events);
	if (error != 0)
		return (error);
	switch (op) {
	case EPOLL_CTL_ADD:
		return (epoll_add(c, set->data, f, fd, &ev));
	case EPOLL_CTL_MOD:
		return (epoll_mod(c, set->data, f, fd, &ev));
	case EPOLL_CTL_DEL:
		return (epoll_del(set->data, f, fd));
	default:
		return (-EINVAL);
	}
}

/* ---- waiting ---- */

/* What an item has to report, 0: nothing any more. A level-triggered one is
 * put aside to be looked at again. */
static uint32_t
item_report(struct sysctx *c, struct epoll_item *it, struct epoll_ready *again)
{
	uint32_t ev = item_events(c, it);

	item_unready(it);
	if (ev == 0)
		return (0);
	if (it->events & EPOLLONESHOT) {
		it->events &= MODES;
	} else if (!(it->events & EPOLLET)) {
		TAILQ_INSERT_TAIL(again, it, ready_link);
		it->ready = true;
	}
	return (ev);
}

static int
epoll_harvest(struct sysctx *c, struct epoll *ep, struct epoll_event64 *out,
    int most)
{
	struct epoll_ready again = TAILQ_HEAD_INITIALIZER(again);
	struct epoll_item *it;
	int n = 0;

	while (n < most && (it = TAILQ_FIRST(&ep->ready)) != NULL) {
		uint32_t ev = item_report(c, it, &again);

		if (ev == 0)
			continue;
		out[n].events = ev;
		out[n++].data = it->data;
	}
	TAILQ_CONCAT(&ep->ready, &again, ready_link);
	return (n);
}

static int64_t
epoll_sleep(struct sysctx *c, struct epoll *ep, const struct deadline *d)
{
	sim_time_t now = sim_now(c->sim);

	if (!d->forever && now >= d->end)
		return (-ETIMEDOUT);
	return (sys_sleep(c, ep, EPOLL_PRI, "epoll",
	    d->forever ? SIM_NO_TIMEOUT : d->end - now));
}

/* Room for what the set can report, at least for what fits a buffer. */
static struct epoll_event64 *
events_buf(struct sysctx *c, const struct epoll *ep, int *most)
{
	const int usual = SYSBUF_SIZE / sizeof(struct epoll_event64);
	int room = ep->nitems > (uint32_t)usual ? (int)ep->nitems : usual;

	if (*most > room)
		*most = room;
	return ((void *)sys_large_buf(c, 0, (uint64_t)*most *
	    sizeof(struct epoll_event64)));
}

static int64_t
do_epoll_wait(struct sysctx *c, const struct deadline *d)
{
	struct epoll_event64 *out;
	int most = (int)c->a[2], n, error;
	struct file *f;

	if (most <= 0 || (uint64_t)most > INT_MAX / sizeof(*out))
		return (-EINVAL);
	if (!user_range_ok(c->a[1], (uint64_t)most * sizeof(*out)))
		return (-EFAULT);
	f = sys_file(c, c->a[0], false);
	if (f == NULL)
		return (-EBADF);
	if (f->ops != &file_ops_epoll)
		return (-EINVAL);
	out = events_buf(c, f->data, &most);
	if (out == NULL)
		return (-ENOMEM);
	while ((n = epoll_harvest(c, f->data, out, most)) == 0) {
		error = (int)epoll_sleep(c, f->data, d);
		if (error == -ERESTARTSYS)
			return (-EINTR);
		if (error == -ETIMEDOUT && sim_now(c->sim) >= d->end)
			return (0);
	}
	error = sys_copyout(c, c->a[1], out, (uint64_t)n * sizeof(*out));
	return (error != 0 ? error : n);
}

static int64_t
epoll_wait_ms(struct sysctx *c)
{
	int32_t ms = (int32_t)c->a[3];
	struct deadline d;

	deadline_set(c, &d, ms < 0 ? -1 : (int64_t)ms * 1000000);
	return (do_epoll_wait(c, &d));
}

int64_t
sys_epoll_wait(struct sysctx *c)
{
	return (epoll_wait_ms(c));
}

int64_t
sys_epoll_pwait(struct sysctx *c)
{
	int error = sys_set_temp_mask(c, c->a[4], c->a[5]);
	int64_t ret;

	if (error != 0)
		return (error);
	ret = epoll_wait_ms(c);
	sys_end_temp_mask(c, ret == -EINTR);
	return (ret);
}

int64_t
sys_epoll_pwait2(struct sysctx *c)
{
	struct deadline d;
	int64_t ret;
	int error;

	error = deadline_read(c, &d, c->a[3], 1);
	if (error == 0)
		error = sys_set_temp_mask(c, c->a[4], c->a[5]);
	if (error != 0)
		return (error);
	ret = do_epoll_wait(c, &d);
	sys_end_temp_mask(c, ret == -EINTR);
	return (ret);
}
