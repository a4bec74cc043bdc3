/*
 * syscall_mem.c: brk, mmap and its family.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: the manual pages of the
 * calls and the order of checks in Linux 6.1 mm/mmap.c, mprotect.c, mremap.c,
 * madvise.c, mlock.c, msync.c. Differences: no huge pages (MAP_HUGETLB is
 * ENOMEM, advice about them changes nothing), no MAP_GROWSDOWN growth, no
 * MREMAP_DONTUNMAP; RLIMIT_MEMLOCK binds root too, as in a container.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "sim/syscall_int.h"

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | 0x8 /* PROT_SEM */)
#define LOW_START 0x40000000ull /* MAP_32BIT */
#define LOW_END 0x80000000ull

_Static_assert(PROT_READ == VM_PROT_READ && PROT_WRITE == VM_PROT_WRITE &&
    PROT_EXEC == VM_PROT_EXECUTE, "rights have the same bits");

static uint64_t
page_round(uint64_t n)
{
	return ((n + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
}

/* ---- code that may have been translated ---- */

static bool
holds_code(struct sysctx *c, vm_offset_t start, uint64_t size)
{
	return ((vm_map_prot_in(c->vs, start, start + size) &
	    VM_PROT_EXECUTE) != 0);
}

static void
code_changed(struct sysctx *c)
{
	struct cpu_engine *cpu = machine_cpu(c->m);

	cpu->ops->code_changed(cpu, vmspace_pmap(c->vs));
}

/* ---- limits ---- */

/* May `size` more bytes be mapped? data: private and writable. */
static bool
may_expand(struct sysctx *c, uint64_t size, bool data)
{
	uint64_t as = sys_limit(c->p, RLIMIT_AS);
	uint64_t limit = sys_limit(c->p, RLIMIT_DATA), used;

	if (as != UINT64_MAX) {
		used = vm_map_size(c->vs);
		if (size > as || used > as - size)
			return (false);
	}
	if (data && limit != UINT64_MAX) {
		used = vm_map_data_size(c->vs);
		if (size > limit || used > limit - size)
			return (false);
	}
	return (true);
}

/*
 * May `size` bytes be locked, beside what is? What is locked already of
 * [start, start + over) does not count twice.
 */
static int
may_lock(struct sysctx *c, vm_offset_t start, uint64_t over, uint64_t size)
{
	uint64_t limit = sys_limit(c->p, RLIMIT_MEMLOCK), locked;

	if (limit == UINT64_MAX)
		return (0);
	if (limit == 0)
		return (-EPERM);
	locked = vm_map_locked(c->vs, 0, USER_VA_MAX) -
	    vm_map_locked(c->vs, start, start + over);
	return (size > limit || locked > limit - size ? -ENOMEM : 0);
}

/* ---- brk ---- */

static int
brk_grow(struct sysctx *c, vm_offset_t from, vm_offset_t to)
{
	struct uproc *p = c->p;
	uint64_t limit = sys_limit(p, RLIMIT_DATA);
	vm_offset_t at = from;

	if (to > USER_VA_MAX ||
	    (limit != UINT64_MAX && to - p->mem->brk_start > limit) ||
	    !may_expand(c, to - from, true))
		return (-ENOMEM);
	if (p->mem->lock_future && may_lock(c, 0, 0, to - from) != 0)
		return (-ENOMEM);
	if (vm_mmap(c->vm, c->vs, &at, to - from, VM_PROT_READ |
	    VM_PROT_WRITE, VM_PROT_ALL, VM_MAP_FIXED | VM_MAP_NOREPLACE, NULL,
	    0) != 0)
		return (-ENOMEM);
	if (p->mem->lock_future)
		(void)vm_mlock(c->vm, c->vs, from, to - from);
	return (0);
}

int64_t
sys_brk(struct sysctx *c)
{
	struct uproc *p = c->p;
	vm_offset_t want = c->a[0], from = page_round(p->mem->brk), to;

	if (want < p->mem->brk_start || want > USER_VA_MAX)
		return ((int64_t)p->mem->brk);
	to = page_round(want);
	if (to < from)
		(void)vm_munmap(c->vm, c->vs, to, from - to);
	else if (to > from && brk_grow(c, from, to) != 0)
		return ((int64_t)p->mem->brk);
	p->mem->brk = want;
	return ((int64_t)want);
}

/* ---- mmap ---- */

struct mmap_args {
	vm_offset_t addr;
	uint64_t length; /* whole pages */
	int prot, max_prot;
	uint32_t flags; /* MAP_* */
	int vm_flags; /* VM_MAP_* */
	struct vnode *vp;
	uint64_t offset;
};

/* What a file and the way it was opened allow. */
static int
mmap_file_check(struct mmap_args *ma, const struct file *f)
{
	uint32_t acc = f->flags & O_ACCMODE, type = ma->flags & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

	if (!shared && type != MAP_PRIVATE)
		return (-EINVAL);
	if (shared && (ma->prot & PROT_WRITE) && acc == O_RDONLY)
		return (-EACCES);
	if (acc == O_WRONLY)
		return (-EACCES);
	if (shared) {
		ma->vm_flags |= VM_MAP_SHARED;
		if (acc == O_RDONLY)
			ma->max_prot = VM_PROT_READ | VM_PROT_EXECUTE;
	}
	return (0);
}

/* Which memory a descriptor gives: a file's pages, or zeroes. */
static int
mmap_file(struct sysctx *c, struct mmap_args *ma)
{
	struct file *f = sys_file(c, c->a[4], false);
	int error;

	if (f == NULL)
		return (-EBADF);
	error = mmap_file_check(ma, f);
	if (error != 0)
		return (error);
	if (f->ip != NULL && inode_special(f->ip) == VFS_ZERO) {
		ma->offset = 0;
		return (0);
	}
	if (f->ops != &file_ops_regular)
		return (-ENODEV);
	if (ma->flags & MAP_GROWSDOWN)
		return (-EINVAL);
	ma->vp = inode_vnode(f->ip);
	ma->vm_flags |= VM_MAP_PREFAULT;
	return (ma->vp != NULL ? 0 : -ENOMEM);
}

static int
mmap_anonymous(struct mmap_args *ma)
{
	ma->offset = 0;
	switch (ma->flags & MAP_TYPE) {
	case MAP_SHARED:
		ma->vm_flags |= VM_MAP_SHARED;
		return (0);
	case MAP_PRIVATE:
		return (0);
	default:
		return (-EINVAL);
	}
}

/* First fit from 1 GiB up, for MAP_32BIT. */
static int
mmap_low(struct sysctx *c, struct mmap_args *ma)
{
	vm_offset_t at = LOW_START;
	struct vm_map_info mi;

	while (at + ma->length <= LOW_END) {
		if (!vm_map_info(c->vs, at, &mi) ||
		    mi.start >= at + ma->length) {
			ma->addr = at;
			return (0);
		}
		at = mi.end;
	}
	return (-ENOMEM);
}

static int
mmap_where(struct sysctx *c, struct mmap_args *ma)
{
	if (ma->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (ma->length > USER_VA_MAX ||
		    ma->addr > USER_VA_MAX - ma->length)
			return (-ENOMEM);
		if (ma->addr & PAGE_MASK)
			return (-EINVAL);
		if (ma->addr < USER_VA_MIN)
			return (-EPERM);
		ma->vm_flags |= VM_MAP_FIXED;
		if (ma->flags & MAP_FIXED_NOREPLACE)
			ma->vm_flags |= VM_MAP_NOREPLACE;
		return (0);
	}
	if (ma->length > USER_VA_MAX)
		return (-ENOMEM);
	if ((ma->flags & MAP_32BIT) && ma->addr == 0)
		return (mmap_low(c, ma));
	return (0);
}

/* Makes what has been mapped resident, as far as memory goes. */
static int
populate(struct sysctx *c, vm_offset_t start, uint64_t size, int access)
{
	for (uint64_t off = 0; off < size; off += PAGE_SIZE) {
		int kr = vm_fault(c->vm, c->vs, start + off, access);

		if (kr == KERN_INVALID_ADDRESS)
			return (-ENOMEM);
		if (kr != KERN_SUCCESS)
			return (kr == KERN_PROTECTION_FAILURE ? -EINVAL :
			    -EFAULT);
		if (signal_pending(c->t))
			return (-EINTR);
	}
	return (0);
}

static void
mmap_after(struct sysctx *c, const struct mmap_args *ma, bool lock)
{
	if (lock)
		(void)vm_mlock(c->vm, c->vs, ma->addr, ma->length);
	else if ((ma->flags & MAP_POPULATE) && ma->prot != 0)
		(void)populate(c, ma->addr, ma->length,
		    (ma->prot & PROT_WRITE) &&
		    !(ma->vm_flags & VM_MAP_SHARED) ? VM_PROT_WRITE :
		    VM_PROT_READ);
}

static int64_t
mmap_do(struct sysctx *c, struct mmap_args *ma)
{
	bool lock = (ma->flags & MAP_LOCKED) || c->p->mem->lock_future;
	bool data = (ma->prot & PROT_WRITE) &&
	    !(ma->vm_flags & VM_MAP_SHARED);
	bool fixed = (ma->vm_flags & VM_MAP_FIXED) != 0, code;
	int error;

	if (!may_expand(c, ma->length, data))
		return (-ENOMEM);
	/* at a free place nothing is locked yet */
	error = lock ? may_lock(c, fixed ? ma->addr : 0,
	    fixed ? ma->length : 0, ma->length) : 0;
	if (error != 0)
		return (error == -EPERM ? -EPERM : -EAGAIN);
	code = fixed && holds_code(c, ma->addr, ma->length);
	error = vm_mmap(c->vm, c->vs, &ma->addr, ma->length, ma->prot,
	    ma->max_prot, ma->vm_flags, ma->vp, ma->offset);
	if (error != 0)
		return (-error);
	if (code)
		code_changed(c);
	if (fixed)
		vfs_reap(c->vfs);
	mmap_after(c, ma, lock);
	return ((int64_t)ma->addr);
}

int64_t
sys_mmap(struct sysctx *c)
{
	struct mmap_args ma = { .addr = c->a[0], .max_prot = VM_PROT_ALL,
		.prot = (int)c->a[2] & VM_PROT_ALL,
		.flags = (uint32_t)c->a[3], .offset = c->a[5] };
	int error;

	if (ma.offset & PAGE_MASK)
		return (-EINVAL);
	error = ma.flags & MAP_ANONYMOUS ? 0 : mmap_file(c, &ma);
	if (error == -EBADF)
		return (error);
	if (c->a[1] == 0)
		return (-EINVAL);
	ma.length = page_round(c->a[1]);
	if (ma.length == 0)
		return (-ENOMEM);
	if (ma.offset + ma.length < ma.offset)
		return (-EOVERFLOW);
	if (ma.flags & MAP_HUGETLB)
		return (-ENOMEM);
	if (error == 0)
		error = mmap_where(c, &ma);
	if (error == 0 && (ma.flags & MAP_ANONYMOUS))
		error = mmap_anonymous(&ma);
	return (error != 0 ? error : mmap_do(c, &ma));
}

int64_t
sys_munmap(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = page_round(c->a[1]);
	bool code;
	int error;

	if ((start & PAGE_MASK) || size == 0 || !user_range_ok(start, size))
		return (-EINVAL);
	code = holds_code(c, start, size);
	error = vm_munmap(c->vm, c->vs, start, size);
	if (code)
		code_changed(c);
	vfs_reap(c->vfs);
	return (-error);
}

/* ---- mprotect ---- */

/* Private memory that becomes writable counts as data from then on. */
static bool
data_may_grow(struct sysctx *c, vm_offset_t start, uint64_t size)
{
	struct vm_map_info mi;
	vm_offset_t at = start;
	uint64_t more = 0;

	if (sys_limit(c->p, RLIMIT_DATA) == UINT64_MAX)
		return (true);
	while (at < start + size && vm_map_info(c->vs, at, &mi) &&
	    mi.start < start + size) {
		vm_offset_t from = mi.start > at ? mi.start : at;
		vm_offset_t to = mi.end < start + size ? mi.end : start + size;

		if (!mi.shared && !mi.stack && !(mi.prot & VM_PROT_WRITE))
			more += to - from;
		at = mi.end;
	}
	return (more == 0 || may_expand(c, more, true));
}

int64_t
sys_mprotect(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = page_round(c->a[1]);
	uint64_t prot = c->a[2];
	bool code;
	int error;

	if (start & PAGE_MASK)
		return (-EINVAL);
	if (c->a[1] == 0)
		return (0);
	if (size == 0 || start + size < start)
		return (-ENOMEM);
	if (prot & ~(uint64_t)PROT_KNOWN)
		return (-EINVAL);
	if (!user_range_ok(start, size))
		return (-ENOMEM);
	if ((prot & PROT_WRITE) && !data_may_grow(c, start, size))
		return (-ENOMEM);
	code = holds_code(c, start, size);
	error = vm_mprotect(c->vm, c->vs, start, size,
	    (int)prot & VM_PROT_ALL);
	if (code)
		code_changed(c);
	return (-error);
}

/* ---- mremap ---- */

static int
mremap_check(struct sysctx *c, uint64_t old, uint64_t new)
{
	uint64_t flags = c->a[3];

	if (flags & ~(uint64_t)(MREMAP_FIXED | MREMAP_MAYMOVE))
		return (-EINVAL);
	if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
		return (-EINVAL);
	if ((c->a[0] & PAGE_MASK) || new == 0 || old == 0)
		return (-EINVAL);
	if (flags & MREMAP_FIXED) {
		if ((c->a[4] & PAGE_MASK) || new > USER_VA_MAX ||
		    c->a[4] > USER_VA_MAX - new)
			return (-EINVAL);
		if (c->a[4] < USER_VA_MIN)
			return (-EPERM);
	}
	return (0);
}

int64_t
sys_mremap(struct sysctx *c)
{
	uint64_t old = page_round(c->a[1]), new = page_round(c->a[2]);
	bool fixed = (c->a[3] & MREMAP_FIXED) != 0, code;
	vm_offset_t to = c->a[4];
	int error;

	error = mremap_check(c, old, new);
	if (error != 0)
		return (error);
	if (!user_range_ok(c->a[0], old))
		return (-EFAULT);
	if (new > old && !may_expand(c, new - old, true))
		return (-ENOMEM);
	if (new > old && vm_map_locked(c->vs, c->a[0], c->a[0] + old) != 0 &&
	    may_lock(c, 0, 0, new - old) != 0)
		return (-EAGAIN);
	code = holds_code(c, c->a[0], old) || (fixed && holds_code(c, to, new));
	error = vm_mremap(c->vm, c->vs, c->a[0], old, new,
	    (c->a[3] & MREMAP_MAYMOVE) != 0, fixed, &to);
	if (code)
		code_changed(c);
	vfs_reap(c->vfs);
	return (error != 0 ? -error : (int64_t)to);
}

/* ---- advice ---- */

/* Is every page of the range mapped? */
static int
check_mapped(struct sysctx *c, vm_offset_t start, uint64_t size)
{
	vm_offset_t at = start;
	struct vm_map_info mi;

	while (at < start + size) {
		if (!vm_map_info(c->vs, at, &mi) || mi.start > at)
			return (-ENOMEM);
		at = mi.end;
	}
	return (0);
}

/* MADV_FREE is for private memory without a file only. */
static int
check_anonymous(struct sysctx *c, vm_offset_t start, uint64_t size)
{
	vm_offset_t at = start;
	struct vm_map_info mi;

	while (at < start + size && vm_map_info(c->vs, at, &mi) &&
	    mi.start < start + size) {
		if (mi.vp != NULL || mi.shared)
			return (-EINVAL);
		at = mi.end;
	}
	return (0);
}

static int
advise(struct sysctx *c, vm_offset_t start, uint64_t size, enum vm_advice how)
{
	return (-vm_madvise(c->vm, c->vs, start, size, how));
}

static int
madvise_do(struct sysctx *c, vm_offset_t start, uint64_t size, int advice)
{
	int error;

	switch (advice) {
	case MADV_NORMAL:
		return (advise(c, start, size, VM_ADV_NORMAL));
	case MADV_RANDOM:
		return (advise(c, start, size, VM_ADV_RANDOM));
	case MADV_SEQUENTIAL:
		return (advise(c, start, size, VM_ADV_SEQUENTIAL));
	case MADV_WILLNEED:
		return (advise(c, start, size, VM_ADV_WILLNEED));
	case MADV_COLD:
	case MADV_PAGEOUT:
		return (advise(c, start, size, VM_ADV_DONTNEED));
	case MADV_FREE:
		error = check_anonymous(c, start, size);
		return (error != 0 ? error :
		    advise(c, start, size, VM_ADV_FREE));
	case MADV_DONTNEED:
		if (vm_map_locked(c->vs, start, start + size) != 0)
			return (-EINVAL);
		/* FALLTHROUGH */
	case 24: /* MADV_DONTNEED_LOCKED */
		return (advise(c, start, size, VM_ADV_LINUX_DONTNEED));
	case MADV_POPULATE_READ:
		return (populate(c, start, size, VM_PROT_READ));
	case MADV_POPULATE_WRITE:
		return (populate(c, start, size, VM_PROT_WRITE));
	case MADV_DONTFORK:
		return (advise(c, start, size, VM_ADV_DONTFORK));
	case MADV_DOFORK:
		return (advise(c, start, size, VM_ADV_DOFORK));
	case MADV_WIPEONFORK:
		return (advise(c, start, size, VM_ADV_WIPEONFORK));
	case MADV_KEEPONFORK:
		return (advise(c, start, size, VM_ADV_KEEPONFORK));
	default: /* about dumps, huge and like pages */
		return (check_mapped(c, start, size));
	}
}

int64_t
sys_madvise(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = page_round(c->a[1]);
	int advice = (int)c->a[2];

	if (advice < 0 || (advice > MADV_DONTNEED && advice < MADV_FREE) ||
	    advice == MADV_REMOVE || advice > 24)
		return (-EINVAL);
	if ((start & PAGE_MASK) || (c->a[1] != 0 && size == 0) ||
	    start + size < start)
		return (-EINVAL);
	if (size == 0)
		return (0);
	if (!user_range_ok(start, size))
		return (-ENOMEM);
	return (madvise_do(c, start, size, advice));
}

/* ---- locking ---- */

/* A byte range to whole pages. */
static int
whole_pages(vm_offset_t *start, uint64_t *size)
{
	uint64_t lead = *start & PAGE_MASK;

	if (*size > UINT64_MAX - lead - PAGE_MASK)
		return (*size > UINT64_MAX - lead ? -ENOMEM : -EINVAL);
	*size = page_round(*size + lead);
	*start -= lead;
	if (*start + *size < *start)
		return (-EINVAL);
	return (user_range_ok(*start, *size) ? 0 : -ENOMEM);
}

static int64_t
do_mlock(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = c->a[1];
	int error;

	error = whole_pages(&start, &size);
	if (error == 0)
		error = may_lock(c, start, size, size);
	if (error != 0 || size == 0)
		return (error);
	error = check_mapped(c, start, size);
	if (error != 0)
		return (error);
	error = vm_mlock(c->vm, c->vs, start, size);
	return (error == EFAULT ? -ENOMEM : -error);
}

int64_t
sys_mlock(struct sysctx *c)
{
	return (do_mlock(c));
}

int64_t
sys_mlock2(struct sysctx *c)
{
	return (c->a[2] & ~1ull ? -EINVAL : do_mlock(c));
}

int64_t
sys_munlock(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = c->a[1];
	int error;

	error = whole_pages(&start, &size);
	if (error != 0 || size == 0)
		return (error);
	error = check_mapped(c, start, size);
	return (error != 0 ? error : -vm_munlock(c->vm, c->vs, start, size));
}

/* Each mapping by itself: what cannot be locked (no rights) is passed over. */
static void
lock_all(struct sysctx *c, bool lock)
{
	struct vm_map_info mi;
	vm_offset_t at = 0;

	while (vm_map_info(c->vs, at, &mi)) {
		at = mi.end;
		if (lock && mi.prot != 0)
			(void)vm_mlock(c->vm, c->vs, mi.start,
			    mi.end - mi.start);
		else if (!lock && vm_map_locked(c->vs, mi.start, mi.end) != 0)
			(void)vm_munlock(c->vm, c->vs, mi.start,
			    mi.end - mi.start);
	}
}

int64_t
sys_mlockall(struct sysctx *c)
{
	uint64_t flags = c->a[0], limit = sys_limit(c->p, RLIMIT_MEMLOCK);

	if (flags == 0 || (flags & ~7ull) || flags == MCL_ONFAULT)
		return (-EINVAL);
	if (limit == 0)
		return (-EPERM);
	if ((flags & MCL_CURRENT) && vm_map_size(c->vs) > limit)
		return (-ENOMEM);
	c->p->mem->lock_future = (flags & MCL_FUTURE) != 0;
	if (flags & MCL_CURRENT)
		lock_all(c, true);
	return (0);
}

int64_t
sys_munlockall(struct sysctx *c)
{
	c->p->mem->lock_future = false;
	lock_all(c, false);
	return (0);
}

/* ---- msync, mincore ---- */

int64_t
sys_msync(struct sysctx *c)
{
	vm_offset_t start = c->a[0];
	uint64_t size = page_round(c->a[1]);
	uint32_t flags = (uint32_t)c->a[2];

	if ((flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (start & PAGE_MASK) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return (-EINVAL);
	if (size < c->a[1] || start + size < start)
		return (-ENOMEM);
	if (size == 0)
		return (0);
	if (!user_range_ok(start, size))
		return (-ENOMEM);
	if ((flags & MS_INVALIDATE) &&
	    vm_map_locked(c->vs, start, start + size) != 0)
		return (-EBUSY);
	return (-vm_msync(c->vm, c->vs, start, size, (flags & MS_SYNC) != 0,
	    (flags & MS_INVALIDATE) != 0));
}

int64_t
sys_mincore(struct sysctx *c)
{
	uint64_t pages = page_round(c->a[1]) / PAGE_SIZE, done = 0;
	uint8_t *vec = sys_buf(c, 0);
	int error;

	if (vec == NULL)
		return (-ENOMEM);
	if (c->a[0] & PAGE_MASK)
		return (-EINVAL);
	if (page_round(c->a[1]) < c->a[1] ||
	    !user_range_ok(c->a[0], pages * PAGE_SIZE))
		return (-ENOMEM);
	while (done < pages) {
		uint64_t n = pages - done < SYSBUF_SIZE ? pages - done :
		    SYSBUF_SIZE;

		error = vm_mincore(c->vm, c->vs, c->a[0] + done * PAGE_SIZE,
		    n * PAGE_SIZE, vec);
		if (error != 0)
			return (-error);
		error = sys_copyout(c, c->a[2] + done, vec, n);
		if (error != 0)
			return (error);
		done += n;
	}
	return (0);
}
