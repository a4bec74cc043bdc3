/*
 * sysv_shm.c: System V shared memory: segments of anonymous memory that
 * processes map by number.
 *
 * Interface: sys_shmget, sys_shmat, sys_shmdt, sys_shmctl; shm_* of
 * sim/syscall_int.h. Source: shmget(2), shmop(2), shmctl(2). Differences:
 * permissions are not checked (all is root's); unmapping a segment with
 * munmap does not count as detaching it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "sim/syscall_int.h"

#define SEGMENTS_MAX 4096 /* SHMMNI */
#define SEGMENT_MAX (1ull << 40) /* bytes */
#define SHM_STAT_ANY_ 15

struct shm_segment {
	TAILQ_ENTRY(shm_segment) link;
	int32_t id, key;
	uint64_t size;
	struct vm_object *object;
	uint32_t mode;
	uint32_t attached;
	bool removed; /* goes with the last attachment */
	int32_t creator, last;
	int64_t atime, dtime, ctime; /* s */
};

struct shm_attach {
	LIST_ENTRY(shm_attach) link;
	struct shm_segment *seg;
	vm_offset_t addr;
};

static int64_t
now_s(const struct sysstate *ss)
{
	return (vfs_now(ss->vfs) / 1000000000);
}

static uint64_t
whole_pages(uint64_t n)
{
	return ((n + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
}

/* ---- segments ---- */

static struct shm_segment *
segment_find(struct sysstate *ss, int32_t id)
{
	struct shm_segment *seg;

	TAILQ_FOREACH(seg, &ss->shm, link) {
		if (seg->id == id)
			return (seg);
	}
	return (NULL);
}

static struct shm_segment *
segment_by_key(struct sysstate *ss, int32_t key, uint32_t *count)
{
	struct shm_segment *seg, *hit = NULL;

	*count = 0;
	TAILQ_FOREACH(seg, &ss->shm, link) {
		++*count;
		if (key != IPC_PRIVATE && seg->key == key && !seg->removed)
			hit = seg;
	}
	return (hit);
}

static void
segment_unused(struct sysstate *ss, struct shm_segment *seg)
{
	struct vm_object *object = seg->object;

	if (!seg->removed || seg->attached != 0)
		return;
	TAILQ_REMOVE(&ss->shm, seg, link);
	free(seg);
	vm_shared_free(ss->vm, object);
}

static int64_t
segment_new(struct sysctx *c, int32_t key, uint64_t size, uint32_t mode)
{
	struct shm_segment *seg;

	if (size == 0 || size > SEGMENT_MAX)
		return (-EINVAL);
	seg = calloc(1, sizeof(*seg));
	if (seg == NULL)
		return (-ENOMEM);
	seg->id = c->ss->next_shmid++;
	seg->key = key;
	seg->size = size;
	seg->mode = mode & 0777;
	seg->creator = c->p->pid;
	seg->ctime = now_s(c->ss);
	seg->object = vm_shared_new(c->vm, size);
	TAILQ_INSERT_TAIL(&c->ss->shm, seg, link);
	return (seg->id);
}

int64_t
sys_shmget(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[2], count;
	int32_t key = (int32_t)c->a[0];
	struct shm_segment *seg = segment_by_key(c->ss, key, &count);

	if (seg != NULL) {
		if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
			return (-EEXIST);
		return (c->a[1] > seg->size ? -EINVAL : seg->id);
	}
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return (-ENOENT);
	if (count >= SEGMENTS_MAX)
		return (-ENOSPC);
	return (segment_new(c, key, c->a[1], flags));
}

/* ---- attachments ---- */

static int
attach_add(struct uproc *p, struct shm_segment *seg, vm_offset_t addr)
{
	struct shm_attach *at = malloc(sizeof(*at));

	if (at == NULL)
		return (-ENOMEM);
	at->seg = seg;
	at->addr = addr;
	seg->attached++;
	LIST_INSERT_HEAD(&p->shm, at, link);
	return (0);
}

static void
attach_drop(struct uproc *p, struct shm_attach *at)
{
	struct shm_segment *seg = at->seg;

	LIST_REMOVE(at, link);
	free(at);
	seg->attached--;
	seg->last = p->pid;
	seg->dtime = now_s(p->sys);
	segment_unused(p->sys, seg);
}

int
shm_fork(struct uproc *child, const struct uproc *parent)
{
	const struct shm_attach *at;

	LIST_FOREACH(at, &parent->shm, link) {
		if (attach_add(child, at->seg, at->addr) != 0)
			return (-ENOMEM);
	}
	return (0);
}

void
shm_detach_all(struct uproc *p)
{
	struct shm_attach *at;

	while ((at = LIST_FIRST(&p->shm)) != NULL)
		attach_drop(p, at);
}

/* Host memory alone: the machine's goes with it. */
void
shm_free_all(struct sysstate *ss)
{
	struct shm_segment *seg;

	while ((seg = TAILQ_FIRST(&ss->shm)) != NULL) {
		TAILQ_REMOVE(&ss->shm, seg, link);
		free(seg);
	}
}

static int
attach_where(uint32_t flags, vm_offset_t *addr, int *vm_flags)
{
	*vm_flags = VM_MAP_SHARED;
	if (*addr == 0)
		return (flags & SHM_REMAP ? -EINVAL : 0);
	if (*addr & PAGE_MASK) {
		if (!(flags & SHM_RND))
			return (-EINVAL);
		*addr &= ~(vm_offset_t)PAGE_MASK;
	}
	if (*addr < USER_VA_MIN)
		return (-EINVAL);
	*vm_flags |= VM_MAP_FIXED;
	if (!(flags & SHM_REMAP))
		*vm_flags |= VM_MAP_NOREPLACE;
	return (0);
}

int64_t
sys_shmat(struct sysctx *c)
{
	struct shm_segment *seg = segment_find(c->ss, (int32_t)c->a[0]);
	uint32_t flags = (uint32_t)c->a[2];
	vm_offset_t addr = c->a[1];
	int prot = VM_PROT_READ, vm_flags, error;

	if (seg == NULL)
		return (-EINVAL);
	error = attach_where(flags, &addr, &vm_flags);
	if (error != 0)
		return (error);
	if (!(flags & SHM_RDONLY))
		prot |= VM_PROT_WRITE;
	if (flags & SHM_EXEC)
		prot |= VM_PROT_EXECUTE;
	seg->attached++; /* it stays while the map is waited for */
	error = vm_mmap_shared(c->vm, c->vs, &addr, whole_pages(seg->size),
	    prot, vm_flags, seg->object);
	seg->attached--;
	if (error != 0) {
		segment_unused(c->ss, seg);
		return (error == EEXIST ? -EINVAL : -error);
	}
	error = attach_add(c->p, seg, addr);
	if (error != 0)
		return (error);
	seg->last = c->p->pid;
	seg->atime = now_s(c->ss);
	return ((int64_t)addr);
}

int64_t
sys_shmdt(struct sysctx *c)
{
	struct shm_attach *at;
	uint64_t size;

	LIST_FOREACH(at, &c->p->shm, link) {
		if (at->addr == c->a[0])
			break;
	}
	if (at == NULL)
		return (-EINVAL);
	size = whole_pages(at->seg->size);
	attach_drop(c->p, at);
	(void)vm_munmap(c->vm, c->vs, c->a[0], size);
	return (0);
}

/* ---- control ---- */

static int64_t
segment_stat(struct sysctx *c, const struct shm_segment *seg)
{
	struct shmid_ds ds;

	memset(&ds, 0, sizeof(ds));
	ds.shm_perm.__key = seg->key;
	ds.shm_perm.mode = (uint16_t)(seg->mode |
	    (seg->removed ? SHM_DEST : 0));
	ds.shm_segsz = seg->size;
	ds.shm_atime = seg->atime;
	ds.shm_dtime = seg->dtime;
	ds.shm_ctime = seg->ctime;
	ds.shm_cpid = seg->creator;
	ds.shm_lpid = seg->last;
	ds.shm_nattch = seg->attached;
	return (sys_copyout(c, c->a[2], &ds, sizeof(ds)));
}

/* Limits, or what there is; the answer is the largest index in use. */
static int64_t
segments_info(struct sysctx *c, bool used)
{
	struct shminfo limits = { .shmmax = SEGMENT_MAX, .shmmin = 1,
		.shmmni = SEGMENTS_MAX, .shmseg = SEGMENTS_MAX,
		.shmall = SEGMENT_MAX / PAGE_SIZE };
	const struct shm_segment *seg;
	struct shm_info info;
	int error;

	memset(&info, 0, sizeof(info));
	TAILQ_FOREACH(seg, &c->ss->shm, link) {
		info.used_ids++;
		info.shm_tot += whole_pages(seg->size) / PAGE_SIZE;
	}
	error = used ? sys_copyout(c, c->a[2], &info, sizeof(info)) :
	    sys_copyout(c, c->a[2], &limits, sizeof(limits));
	return (error != 0 ? error : info.used_ids > 0 ? info.used_ids - 1 :
	    0);
}

static int64_t
stat_by_index(struct sysctx *c)
{
	const struct shm_segment *seg;
	int32_t i = (int32_t)c->a[0];
	int64_t error;

	TAILQ_FOREACH(seg, &c->ss->shm, link) {
		if (i-- == 0)
			break;
	}
	if (seg == NULL)
		return (-EINVAL);
	error = segment_stat(c, seg);
	return (error != 0 ? error : seg->id);
}

int64_t
sys_shmctl(struct sysctx *c)
{
	struct shm_segment *seg = segment_find(c->ss, (int32_t)c->a[0]);
	int cmd = (int)c->a[1], error;
	struct shmid_ds ds;

	if (cmd == IPC_INFO || cmd == SHM_INFO)
		return (segments_info(c, cmd == SHM_INFO));
	if (cmd == SHM_STAT || cmd == SHM_STAT_ANY_)
		return (stat_by_index(c));
	if (seg == NULL)
		return (-EINVAL);
	switch (cmd) {
	case IPC_STAT:
		return (segment_stat(c, seg));
	case IPC_SET:
		error = sys_copyin(c, c->a[2], &ds, sizeof(ds));
		if (error == 0) {
			seg->mode = ds.shm_perm.mode & 0777;
			seg->ctime = now_s(c->ss);
		}
		return (error);
	case IPC_RMID:
		seg->removed = true;
		seg->key = IPC_PRIVATE;
		segment_unused(c->ss, seg);
		return (0);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return (0);
	default:
		return (-EINVAL);
	}
}
