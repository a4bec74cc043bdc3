/*
 * vfs_data.c: contents of regular files: the host's bytes, read-only, under
 * blocks that the guest has written; and where files lie on the simulated
 * disk.
 *
 * Interface: struct vnode_ops towards the VM (no simulated time here), and
 * sim/vfs.h. Source: placement follows the idea of FFS with reallocation: a
 * file is contiguous; one that outgrows its room moves to a larger one, as
 * delayed allocation would have placed it. Differences: no metadata I/O.
 */
#include "sim/vfs_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- sparse blocks: a tree of four levels, 256 ways ---- */

#define NODE_BITS 8
#define NODE_SLOTS (1u << NODE_BITS)
#define NODE_LEVELS 4

_Static_assert(VFS_FILE_MAX == (uint64_t)VFS_BLOCK << (NODE_BITS * NODE_LEVELS),
    "the tree covers the largest file");

struct vfs_blocks {
	void *slot[NODE_SLOTS]; /* nodes; at the last level, blocks */
};

static size_t
node_slot(uint64_t block, int level)
{
	return ((block >> (NODE_BITS * (NODE_LEVELS - 1 - level))) &
	    (NODE_SLOTS - 1));
}

static uint8_t *
block_find(const struct inode *ip, uint64_t block)
{
	struct vfs_blocks *n = ip->blocks;

	for (int level = 0; n != NULL && level < NODE_LEVELS - 1; level++)
		n = n->slot[node_slot(block, level)];
	return (n != NULL ? n->slot[node_slot(block, NODE_LEVELS - 1)] : NULL);
}

/* The slot for a block, with the nodes above it; NULL: out of memory. */
static void **
block_slot(struct inode *ip, uint64_t block)
{
	void **at = (void **)&ip->blocks;

	for (int level = 0; level < NODE_LEVELS; level++) {
		if (*at == NULL)
			*at = calloc(1, sizeof(struct vfs_blocks));
		if (*at == NULL)
			return (NULL);
		at = &((struct vfs_blocks *)*at)->slot[node_slot(block, level)];
	}
	return (at);
}

/* Frees blocks from `first` on, below a node whose first block is `base`. */
static void
blocks_free(struct vfs_blocks *n, int level, uint64_t base, uint64_t first)
{
	uint64_t span = 1ull << (NODE_BITS * (NODE_LEVELS - 1 - level));

	for (size_t i = 0; i < NODE_SLOTS; i++) {
		uint64_t b = base + i * span;

		if (n->slot[i] == NULL || b + span <= first)
			continue;
		if (level < NODE_LEVELS - 1)
			blocks_free(n->slot[i], level + 1, b, first);
		if (b >= first) {
			free(n->slot[i]);
			n->slot[i] = NULL;
		}
	}
}

void
inode_drop_data(struct inode *ip)
{
	if (ip->blocks == NULL)
		return;
	blocks_free(ip->blocks, 0, 0, 0);
	free(ip->blocks);
	ip->blocks = NULL;
}

/* ---- the host's file ---- */

void
host_close_file(struct inode *ip)
{
	if (ip->host_fd < 0)
		return;
	close(ip->host_fd);
	ip->host_fd = -1;
	if (ip->kept)
		return; /* on no list */
	TAILQ_REMOVE(&ip->vfs->host_open, ip, open);
	ip->vfs->nhost_open--;
}

static int
host_check_same(struct inode *ip, int fd)
{
	struct stat sb;

	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return (-EIO);
	if (ip->host_ino_seen == 0) {
		ip->host_ino_seen = (uint64_t)sb.st_ino;
		ip->host_dev_seen = (uint64_t)sb.st_dev;
	}
	if (ip->host_ino_seen != (uint64_t)sb.st_ino ||
	    ip->host_dev_seen != (uint64_t)sb.st_dev) {
		vfs_set_problem(ip->vfs, "%s: the host's file was replaced "
		    "during the run; run again", ip->host);
		return (-EIO);
	}
	return (0);
}

/* How many files the host lets vmsim have open is nothing to the guest. */
bool
host_spare_file(struct vfs *vfs)
{
	if ((errno != EMFILE && errno != ENFILE) ||
	    TAILQ_EMPTY(&vfs->host_open))
		return (false);
	host_close_file(TAILQ_FIRST(&vfs->host_open));
	return (true);
}

static int
host_open(struct inode *ip, int how)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd;

	do
		fd = open(ip->host, how | flags);
	while (fd < 0 && host_spare_file(ip->vfs));
	return (fd);
}

/* Opens it, or notes its use; the one unused longest is closed for it. */
int
host_open_file(struct inode *ip)
{
	struct vfs *vfs = ip->vfs;
	int fd = -1, error;

	if (ip->host_fd >= 0) {
		if (!ip->kept) {
			TAILQ_REMOVE(&vfs->host_open, ip, open);
			TAILQ_INSERT_TAIL(&vfs->host_open, ip, open);
		}
		return (0);
	}
	if (ip->host == NULL)
		return (-ENOENT);
	if (vfs->nhost_open >= VFS_HOST_FDS)
		host_close_file(TAILQ_FIRST(&vfs->host_open));
	if (ip->rw)
		fd = host_open(ip, O_RDWR);
	if (fd < 0)
		fd = host_open(ip, O_RDONLY);
	if (fd < 0)
		return (host_errno(errno));
	error = host_check_same(ip, fd);
	if (error != 0) {
		close(fd);
		return (error);
	}
	ip->host_fd = fd;
	TAILQ_INSERT_TAIL(&vfs->host_open, ip, open);
	vfs->nhost_open++;
	return (0);
}

/* The guest is root, but vmsim need not be: found out when the file is opened,
 * not when a page of it is wanted. */
int
inode_may_read(struct inode *ip)
{
	if (ip->kind != IK_FILE || ip->host == NULL || ip->host_size == 0 ||
	    ip->host_fd >= 0)
		return (0);
	return (host_open_file(ip));
}

/* Exactly n bytes of the host's file; zeroes where it has none. */
static int
host_pread(struct inode *ip, uint8_t *buf, size_t n, uint64_t off)
{
	int error;

	memset(buf, 0, n);
	if (!ip->rw) {
		if (off >= ip->host_size)
			return (0);
		if (n > ip->host_size - off)
			n = ip->host_size - off;
	}
	if (ip->host == NULL || n == 0)
		return (0);
	error = host_open_file(ip);
	if (error != 0)
		return (error);
	while (n > 0) {
		ssize_t k = pread(ip->host_fd, buf, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return (-EIO);
		if (k == 0)
			break;
		buf += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return (0);
}

static int
host_pwrite(struct inode *ip, const uint8_t *buf, size_t n, uint64_t off)
{
	int error = host_open_file(ip);

	if (error != 0)
		return (error);
	while (n > 0) {
		ssize_t k = pwrite(ip->host_fd, buf, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			vfs_set_problem(ip->vfs, "%s: cannot write to the "
			    "host's file: %s", ip->host, strerror(errno));
			return (host_errno(errno));
		}
		buf += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return (0);
}

/* ---- contents ---- */

/* One piece within a block. */
static int
block_read(struct inode *ip, uint8_t *buf, size_t n, uint64_t off)
{
	const uint8_t *b = block_find(ip, off / VFS_BLOCK);

	if (b == NULL)
		return (host_pread(ip, buf, n, off));
	memcpy(buf, b + off % VFS_BLOCK, n);
	return (0);
}

static int
block_write(struct inode *ip, const uint8_t *buf, size_t n, uint64_t off)
{
	uint64_t start = off - off % VFS_BLOCK;
	void **slot = block_slot(ip, off / VFS_BLOCK);
	int error;

	if (slot == NULL)
		return (-ENOMEM);
	if (*slot == NULL) {
		uint8_t *b = malloc(VFS_BLOCK);

		if (b == NULL)
			return (-ENOMEM);
		error = n == VFS_BLOCK ? 0 :
		    host_pread(ip, b, VFS_BLOCK, start);
		if (error != 0) {
			free(b);
			return (error);
		}
		*slot = b;
	}
	memcpy((uint8_t *)*slot + off % VFS_BLOCK, buf, n);
	return (0);
}

static int
data_read(struct inode *ip, uint8_t *buf, size_t n, uint64_t off)
{
	if (ip->blocks == NULL)
		return (host_pread(ip, buf, n, off));
	while (n > 0) {
		size_t k = VFS_BLOCK - off % VFS_BLOCK;
		int error;

		if (k > n)
			k = n;
		error = block_read(ip, buf, k, off);
		if (error != 0)
			return (error);
		buf += k;
		off += k;
		n -= k;
	}
	return (0);
}

static int
data_write(struct inode *ip, const uint8_t *buf, size_t n, uint64_t off)
{
	if (ip->rw)
		return (host_pwrite(ip, buf, n, off));
	while (n > 0) {
		size_t k = VFS_BLOCK - off % VFS_BLOCK;
		int error;

		if (k > n)
			k = n;
		error = block_write(ip, buf, k, off);
		if (error != 0)
			return (error);
		buf += k;
		off += k;
		n -= k;
	}
	return (0);
}

int
inode_set_text(struct inode *ip, const char *text)
{
	ip->size = strlen(text);
	return (data_write(ip, (const uint8_t *)text, ip->size, 0));
}

/* Contents from `size` on are gone, for ever: later growth reads zeroes. */
static int
data_truncate(struct inode *ip, uint64_t size)
{
	uint8_t *b;

	if (ip->rw) {
		int error = host_open_file(ip);

		if (error != 0)
			return (error);
		return (ftruncate(ip->host_fd, (off_t)size) != 0 ?
		    host_errno(errno) : 0);
	}
	if (ip->blocks != NULL) {
		blocks_free(ip->blocks, 0, 0,
		    (size + VFS_BLOCK - 1) / VFS_BLOCK);
		b = size % VFS_BLOCK != 0 ?
		    block_find(ip, size / VFS_BLOCK) : NULL;
		if (b != NULL)
			memset(b + size % VFS_BLOCK, 0,
			    VFS_BLOCK - size % VFS_BLOCK);
	}
	if (ip->host_size > size)
		ip->host_size = size;
	return (0);
}

static int
vnop_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	struct inode *ip = ctx;
	uint64_t size = inode_size(ip), have = n;
	int error;

	if (offset >= size)
		have = 0;
	else if (have > size - offset)
		have = size - offset;
	memset((uint8_t *)buf + have, 0, n - have);
	error = have != 0 ? data_read(ip, buf, have, offset) : 0;
	return (-error);
}

/* Bytes past the end of the file stay in the page. */
static int
vnop_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	struct inode *ip = ctx;
	uint64_t size = inode_size(ip), have = n;

	if (offset >= size)
		return (0);
	if (have > size - offset)
		have = size - offset;
	return (-data_write(ip, buf, have, offset));
}

static const struct vnode_ops inode_vnode_ops = {
	.read = vnop_read,
	.write = vnop_write,
};

/* ---- place on the disk ---- */

static void
hole_add(struct vfs *vfs, struct extent e)
{
	size_t i = 0;

	if (vfs->nholes == vfs->holes_room) {
		size_t room = vfs->holes_room == 0 ? 64 : vfs->holes_room * 2;
		struct extent *h = realloc(vfs->holes, room * sizeof(*h));

		if (h == NULL)
			return; /* that room is lost to this run */
		vfs->holes = h;
		vfs->holes_room = room;
	}
	while (i < vfs->nholes && vfs->holes[i].first < e.first)
		i++;
	memmove(&vfs->holes[i + 1], &vfs->holes[i],
	    (vfs->nholes - i) * sizeof(e));
	vfs->holes[i] = e;
	vfs->nholes++;
	if (i + 1 < vfs->nholes &&
	    e.first + e.count == vfs->holes[i + 1].first) {
		vfs->holes[i].count += vfs->holes[i + 1].count;
		vfs->nholes--;
		memmove(&vfs->holes[i + 1], &vfs->holes[i + 2],
		    (vfs->nholes - i - 1) * sizeof(e));
	}
	if (i > 0 && vfs->holes[i - 1].first + vfs->holes[i - 1].count ==
	    e.first) {
		vfs->holes[i - 1].count += vfs->holes[i].count;
		vfs->nholes--;
		memmove(&vfs->holes[i], &vfs->holes[i + 1],
		    (vfs->nholes - i) * sizeof(e));
	}
}

/* First fit among the holes. */
static bool
hole_take(struct vfs *vfs, uint64_t count, struct extent *out)
{
	for (size_t i = 0; i < vfs->nholes; i++) {
		struct extent *h = &vfs->holes[i];

		if (h->count < count)
			continue;
		out->first = h->first;
		out->count = count;
		h->first += count;
		h->count -= count;
		if (h->count == 0) {
			vfs->nholes--;
			memmove(h, h + 1, (vfs->nholes - i) * sizeof(*h));
		}
		return (true);
	}
	return (false);
}

static uint64_t
space_end(const struct vfs *vfs)
{
	return (vfs->space.first + vfs->space.count);
}

/* Fresh room first, in order of first use; holes when there is none left. */
static int
space_take(struct vfs *vfs, uint64_t count, struct extent *out)
{
	if (space_end(vfs) - vfs->space_next >= count) {
		out->first = vfs->space_next;
		out->count = count;
		vfs->space_next += count;
	} else if (!hole_take(vfs, count, out)) {
		vfs_set_problem(vfs, "the simulated file system's disk is "
		    "full: no room for %llu KiB in one piece; use a larger "
		    "disk", (unsigned long long)(count / 2));
		return (-ENOSPC);
	}
	vfs->space_used += count;
	return (0);
}

void
inode_place_free(struct inode *ip)
{
	struct vfs *vfs = ip->vfs;

	if (ip->place.count == 0)
		return;
	vfs->space_used -= ip->place.count;
	hole_add(vfs, ip->place);
	ip->place.count = 0;
}

static uint64_t
sectors_for(uint64_t bytes)
{
	return ((bytes + VFS_BLOCK - 1) / VFS_BLOCK * VFS_SECTORS_PER_BLOCK);
}

/* Is the file the last on the disk, with free room behind it? */
static bool
place_extend(struct inode *ip, uint64_t count)
{
	struct vfs *vfs = ip->vfs;
	uint64_t more = count - ip->place.count;

	if (ip->place.first + ip->place.count != vfs->space_next ||
	    space_end(vfs) - vfs->space_next < more)
		return (false);
	vfs->space_next += more;
	vfs->space_used += more;
	ip->place.count = count;
	return (true);
}

/* Room for `bytes`; growing files double, so that they seldom move. */
static int
place_reserve(struct inode *ip, uint64_t bytes)
{
	struct vfs *vfs = ip->vfs;
	uint64_t need = sectors_for(bytes), want = need;
	struct extent e;
	int error;

	if (vfs->disk == NULL || need <= ip->place.count)
		return (0);
	if (ip->place.count != 0 || bytes > ip->size) {
		if (want < 16 * VFS_SECTORS_PER_BLOCK)
			want = 16 * VFS_SECTORS_PER_BLOCK;
		if (want < 2 * ip->place.count)
			want = 2 * ip->place.count;
	}
	if (ip->place.count != 0 && place_extend(ip, want))
		return (0);
	error = space_take(vfs, want, &e);
	if (error != 0)
		return (error);
	inode_place_free(ip);
	ip->place = e;
	if (ip->vp != NULL)
		vm_vnode_place(ip->vp, e.first);
	return (0);
}

/* ---- interface ---- */

struct vnode *
inode_vnode(struct inode *ip)
{
	struct vfs *vfs = ip->vfs;

	if (ip->kind != IK_FILE)
		return (NULL);
	if (ip->vp != NULL)
		return (ip->vp);
	if (place_reserve(ip, ip->size) != 0)
		return (NULL);
	ip->vp = vm_vnode_new(vfs->vm, inode_path(ip), ip->size,
	    &inode_vnode_ops, ip, vfs->disk, ip->place.first);
	return (ip->vp);
}

struct inode *
vfs_inode_of(struct vfs *vfs, const struct vnode *vp)
{
	struct inode *ip;

	TAILQ_FOREACH(ip, &vfs->inodes, all) {
		if (ip->vp == vp)
			return (ip);
	}
	return (NULL);
}

int
inode_prepare_write(struct inode *ip, uint64_t off, uint64_t n)
{
	if (off > VFS_FILE_MAX || n > VFS_FILE_MAX - off)
		return (-EFBIG);
	return (off + n > inode_size(ip) ? place_reserve(ip, off + n) : 0);
}

void
inode_wrote(struct inode *ip)
{
	ip->mtime = ip->ctime = vfs_now(ip->vfs);
	if ((ip->mode & 0111) != 0)
		ip->mode &= ~(uint32_t)(S_ISUID | S_ISGID);
}

int
inode_truncate(struct inode *ip, uint64_t size)
{
	uint64_t old;
	int error;

	if (inode_is_directory(ip))
		return (-EISDIR);
	if (ip->kind != IK_FILE)
		return (-EINVAL);
	if (size > VFS_FILE_MAX)
		return (-EFBIG);
	inode_lock(ip);
	old = inode_size(ip);
	error = size > old && ip->vp != NULL ? place_reserve(ip, size) : 0;
	if (error == 0 && ip->vp != NULL && size != old)
		error = -vm_vnode_truncate(ip->vfs->vm, ip->vp, size);
	if (error == 0 && (size < old || ip->rw))
		error = data_truncate(ip, size);
	if (error == 0) {
		ip->size = size;
		inode_wrote(ip);
	}
	inode_unlock(ip);
	return (error);
}

int
inode_sync(struct inode *ip, bool wait)
{
	if (ip->vp == NULL)
		return (0);
	return (-vm_vnode_sync(ip->vfs->vm, ip->vp, wait));
}

void
inode_lock(struct inode *ip)
{
	struct sim *sim = ip->vfs->sim;

	while (ip->locked && sim_curthread(sim) != NULL)
		sim_sleep(sim, &ip->locked, 72, "inode", SIM_NO_TIMEOUT);
	ip->locked = true;
}

void
inode_unlock(struct inode *ip)
{
	ip->locked = false;
	sim_wakeup(ip->vfs->sim, &ip->locked);
}

ssize_t
inode_pread_raw(struct inode *ip, void *buf, size_t n, uint64_t off)
{
	struct vfs *vfs = ip->vfs;
	uint64_t size;
	int error;

	if (ip->kind == IK_DIR)
		return (-EISDIR);
	if (ip->kind != IK_FILE)
		return (-EINVAL);
	if (ip->vp != NULL && sim_curthread(vfs->sim) != NULL) {
		error = vm_vnode_sync(vfs->vm, ip->vp, true);
		if (error != 0)
			return (-error);
	}
	size = inode_size(ip);
	if (off >= size)
		return (0);
	if (n > size - off)
		n = size - off;
	error = data_read(ip, buf, n, off);
	return (error != 0 ? error : (ssize_t)n);
}

/*
 * Bound files have their pages pushed to the host. The inode list may grow
 * while this sleeps, at its end only; a reference keeps our place in it.
 */
void
vfs_sync(struct vfs *vfs)
{
	struct inode *ip, *next;

	if (sim_curthread(vfs->sim) == NULL)
		return;
	for (ip = TAILQ_FIRST(&vfs->inodes); ip != NULL; ip = next) {
		if (!ip->rw || ip->vp == NULL || ip->orphaned) {
			next = TAILQ_NEXT(ip, all);
			continue;
		}
		inode_ref(ip);
		if (vm_vnode_sync(vfs->vm, ip->vp, true) != 0)
			vfs_set_problem(vfs, "%s: not all data reached the "
			    "host's file", ip->host);
		next = TAILQ_NEXT(ip, all);
		inode_rele(ip);
	}
}

void
vfs_space(const struct vfs *vfs, uint64_t *total, uint64_t *free_bytes,
    uint64_t *inodes)
{
	*total = vfs->space.count * DISK_SECTOR;
	*free_bytes = (vfs->space.count - vfs->space_used) * DISK_SECTOR;
	*inodes = VFS_FILES + vfs->nmade;
}
