/*
 * vm_model.h: random operations on address spaces, compared with a model that
 * knows nothing but pages: what each page of each space shows, and with which
 * rights. Used by test_vm_map.c (memory enough) and test_vm_pressure.c (far
 * from enough).
 *
 * A page is represented by its first 8 bytes. Shared memory and files are
 * cells that several pages show; private pages have a value of their own, or
 * show a file's cell until they are written to.
 */
#ifndef VMSIM_TESTS_UNIT_VM_MODEL_H
#define VMSIM_TESTS_UNIT_VM_MODEL_H

#include <errno.h>

#include "tests/unit/vm_rig.h"

#define MODEL_SPACES 6
#define MODEL_PAGES 192u /* of the window */
#define MODEL_FILES 3
#define MODEL_FILE_PAGES 64u
#define MODEL_CELLS 65536u

enum mp_kind { MP_FREE, MP_PRIVATE, MP_SHARED, MP_FILE_SHARED,
	MP_FILE_PRIVATE };

struct mp { /* one page of one space */
	enum mp_kind kind;
	int prot, max_prot;
	bool locked;
	bool own; /* FILE_PRIVATE: written to since */
	uint64_t value; /* PRIVATE, or FILE_PRIVATE with own */
	uint32_t cell, segment; /* SHARED */
	uint32_t file, index; /* FILE_* */
};

struct mfile {
	struct vnode *vp;
	uint64_t pages; /* length */
	uint64_t value[MODEL_FILE_PAGES]; /* what readers see */
	uint64_t disk[MODEL_FILE_PAGES]; /* what vnode_ops hold */
	uint32_t writes;
};

struct model {
	struct rig *r;
	struct sim_rng rng;
	vm_offset_t base; /* of the window */
	struct vmspace *vs[MODEL_SPACES];
	struct mp page[MODEL_SPACES][MODEL_PAGES];
	struct mfile file[MODEL_FILES];
	uint64_t cell[MODEL_CELLS];
	uint32_t ncells, nsegments;
	uint64_t ops, accesses;
	bool errors; /* writes fail now and then */
	bool lock; /* mlock is tried */
};

static inline uint32_t
model_below(struct model *mo, uint32_t n)
{
	return ((uint32_t)sim_rng_below(&mo->rng, n));
}

static inline vm_offset_t
model_va(const struct model *mo, uint32_t page)
{
	return (mo->base + (vm_offset_t)page * PAGE_SIZE);
}

/* ------------------------------------------------------------ files */

static inline int
model_file_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	struct mfile *f = ctx;
	uint64_t page = offset / PAGE_SIZE;

	memset(buf, 0, n);
	ck_assert_uint_eq(offset % PAGE_SIZE, 0);
	ck_assert_uint_lt(page, MODEL_FILE_PAGES);
	memcpy(buf, &f->disk[page], sizeof(uint64_t));
	return (0);
}

static inline int
model_file_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	struct mfile *f = ctx;
	uint64_t page = offset / PAGE_SIZE;

	ck_assert_uint_eq(offset % PAGE_SIZE, 0);
	ck_assert_uint_lt(page, MODEL_FILE_PAGES);
	ck_assert_uint_ge(n, sizeof(uint64_t));
	memcpy(&f->disk[page], buf, sizeof(uint64_t));
	f->writes++;
	return (0);
}

static const struct vnode_ops model_file_ops = { model_file_read,
	model_file_write };

/* ------------------------------------------------------------ the model */

/* What a page shows. */
static inline uint64_t *
model_value(struct model *mo, struct mp *p)
{
	switch (p->kind) {
	case MP_PRIVATE:
		return (&p->value);
	case MP_SHARED:
		return (&mo->cell[p->cell]);
	case MP_FILE_PRIVATE:
		if (p->own)
			return (&p->value);
		return (&mo->file[p->file].value[p->index]);
	case MP_FILE_SHARED:
		return (&mo->file[p->file].value[p->index]);
	case MP_FREE:
		break;
	}
	ck_abort_msg("free page has no value");
}

/* Does the page lie past the end of its file (and shows it)? */
static inline bool
model_past_end(struct model *mo, const struct mp *p)
{
	if (p->kind != MP_FILE_SHARED && p->kind != MP_FILE_PRIVATE)
		return (false);
	return (p->index >= mo->file[p->file].pages);
}

static inline int
model_expected(struct model *mo, const struct mp *p, bool write)
{
	if (p->kind == MP_FREE)
		return (KERN_INVALID_ADDRESS);
	if ((write && (p->prot & VM_PROT_WRITE) == 0) ||
	    p->prot == VM_PROT_NONE)
		return (KERN_PROTECTION_FAILURE);
	if (model_past_end(mo, p) && !p->own)
		return (KERN_MEMORY_ERROR);
	return (KERN_SUCCESS);
}

static inline void
model_access(struct model *mo, uint32_t s, uint32_t page, bool write)
{
	struct mp *p = &mo->page[s][page];
	int expected = model_expected(mo, p, write), result;
	uint64_t value = sim_rng_next(&mo->rng);

	mo->accesses++;
	result = rig_access(mo->r, mo->vs[s], model_va(mo, page), write,
	    &value);
	ck_assert_msg(result == expected,
	    "space %u page %u kind %d prot %d %s: result %d, expected %d", s,
	    page, p->kind, p->prot, write ? "write" : "read", result,
	    expected);
	if (result != KERN_SUCCESS)
		return;
	if (!write) {
		ck_assert_msg(value == *model_value(mo, p),
		    "space %u page %u kind %d own %d: %llx, expected %llx", s,
		    page, p->kind, p->own, (unsigned long long)value,
		    (unsigned long long)*model_value(mo, p));
		return;
	}
	if (p->kind == MP_FILE_PRIVATE)
		p->own = true;
	*model_value(mo, p) = value;
}

/* ------------------------------------------------------------ operations */

static inline void
model_range(struct model *mo, uint32_t *start, uint32_t *count)
{
	*start = model_below(mo, MODEL_PAGES);
	*count = 1 + model_below(mo, 24);
	if (*start + *count > MODEL_PAGES)
		*count = MODEL_PAGES - *start;
}

static inline void
model_mmap(struct model *mo, uint32_t s)
{
	static const int prots[] = { VM_PROT_READ | VM_PROT_WRITE,
		VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ, VM_PROT_NONE };
	uint32_t start, count, file = 0, offset = 0, i;
	enum mp_kind kind = 1 + (enum mp_kind)model_below(mo, 4);
	struct vnode *vp = NULL;
	int prot = prots[model_below(mo, 4)];
	vm_offset_t addr;

	model_range(mo, &start, &count);
	if (kind == MP_FILE_SHARED || kind == MP_FILE_PRIVATE) {
		file = model_below(mo, MODEL_FILES);
		offset = model_below(mo, MODEL_FILE_PAGES);
		vp = mo->file[file].vp;
		if (offset + count > MODEL_FILE_PAGES)
			count = MODEL_FILE_PAGES - offset;
	}
	addr = model_va(mo, start);
	ck_assert_int_eq(vm_mmap(mo->r->vm, mo->vs[s], &addr,
	    (uint64_t)count * PAGE_SIZE, prot, VM_PROT_ALL, VM_MAP_FIXED |
	    (kind == MP_SHARED || kind == MP_FILE_SHARED ? VM_MAP_SHARED : 0),
	    vp, (uint64_t)offset * PAGE_SIZE), 0);
	mo->nsegments++;
	for (i = 0; i < count; i++) {
		struct mp *p = &mo->page[s][start + i];

		*p = (struct mp) { .kind = kind, .prot = prot,
			.max_prot = VM_PROT_ALL, .file = file,
			.index = offset + i };
		if (kind == MP_SHARED) {
			p->segment = mo->nsegments;
			p->cell = mo->ncells++ % MODEL_CELLS;
			mo->cell[p->cell] = 0;
		}
	}
}

static inline void
model_munmap(struct model *mo, uint32_t s)
{
	uint32_t start, count;

	model_range(mo, &start, &count);
	ck_assert_int_eq(vm_munmap(mo->r->vm, mo->vs[s], model_va(mo, start),
	    (uint64_t)count * PAGE_SIZE), 0);
	memset(&mo->page[s][start], 0, count * sizeof(struct mp));
}

static inline void
model_mprotect(struct model *mo, uint32_t s)
{
	static const int prots[] = { VM_PROT_READ | VM_PROT_WRITE,
		VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ, VM_PROT_NONE };
	uint32_t start, count, i;
	int prot = prots[model_below(mo, 4)], expected = 0;

	model_range(mo, &start, &count);
	for (i = start; i < start + count; i++) {
		if (mo->page[s][i].kind == MP_FREE) {
			expected = ENOMEM;
			break;
		}
		mo->page[s][i].prot = prot;
	}
	ck_assert_int_eq(vm_mprotect(mo->r->vm, mo->vs[s], model_va(mo, start),
	    (uint64_t)count * PAGE_SIZE, prot), expected);
}

/* Linux's MADV_DONTNEED, and advice that must change nothing. */
static inline void
model_madvise(struct model *mo, uint32_t s)
{
	static const enum vm_advice advice[] = { VM_ADV_LINUX_DONTNEED,
		VM_ADV_LINUX_DONTNEED, VM_ADV_DONTNEED, VM_ADV_WILLNEED,
		VM_ADV_SEQUENTIAL, VM_ADV_RANDOM, VM_ADV_NORMAL };
	enum vm_advice adv = advice[model_below(mo, 7)];
	uint32_t start, count, i;
	int expected = 0, error;

	model_range(mo, &start, &count);
	error = vm_madvise(mo->r->vm, mo->vs[s], model_va(mo, start),
	    (uint64_t)count * PAGE_SIZE, adv);
	for (i = start; i < start + count; i++) {
		struct mp *p = &mo->page[s][i];

		if (p->kind == MP_FREE) {
			expected = ENOMEM;
			continue;
		}
		if (adv != VM_ADV_LINUX_DONTNEED)
			continue;
		if (p->locked) {
			expected = EINVAL;
			break;
		}
		if (p->kind == MP_PRIVATE)
			p->value = 0;
		p->own = false;
	}
	ck_assert_int_eq(error, expected);
}

static inline void
model_mlock(struct model *mo, uint32_t s)
{
	uint32_t start, count, i;
	bool hole = false, past = false;
	int error;

	model_range(mo, &start, &count);
	count = 1 + count / 8;
	for (i = start; i < start + count; i++) {
		hole |= mo->page[s][i].kind == MP_FREE;
		past |= mo->page[s][i].kind == MP_FREE ||
		    mo->page[s][i].prot == VM_PROT_NONE ||
		    (model_past_end(mo, &mo->page[s][i]) &&
		    !mo->page[s][i].own);
	}
	if (model_below(mo, 2) == 0) {
		error = vm_munlock(mo->r->vm, mo->vs[s], model_va(mo, start),
		    (uint64_t)count * PAGE_SIZE);
		ck_assert_int_eq(error, hole ? ENOMEM : 0);
		for (i = start; i < start + count; i++) {
			if (mo->page[s][i].kind == MP_FREE)
				break;
			mo->page[s][i].locked = false;
		}
		return;
	}
	error = vm_mlock(mo->r->vm, mo->vs[s], model_va(mo, start),
	    (uint64_t)count * PAGE_SIZE);
	if (past)
		ck_assert_int_eq(error, ENOMEM);
	if (error == 0) {
		for (i = start; i < start + count; i++) {
			mo->page[s][i].locked = true;
			/* Wiring writable private file memory copies it. */
			if (mo->page[s][i].kind == MP_FILE_PRIVATE &&
			    (mo->page[s][i].prot & VM_PROT_WRITE) != 0 &&
			    !mo->page[s][i].own) {
				mo->page[s][i].value =
				    *model_value(mo, &mo->page[s][i]);
				mo->page[s][i].own = true;
			}
		}
		return;
	}
	ck_assert_int_eq(error, ENOMEM);
	if (hole)
		return;
	/* It may have got some way, then undone everything. */
	for (i = start; i < start + count; i++) {
		struct mp *p = &mo->page[s][i];
		uint64_t value;

		p->locked = false;
		if (p->kind != MP_FILE_PRIVATE || p->own ||
		    (p->prot & VM_PROT_WRITE) == 0 || model_past_end(mo, p))
			continue;
		value = *model_value(mo, p);
		ck_assert_int_eq(rig_access(mo->r, mo->vs[s], model_va(mo, i),
		    true, &value), KERN_SUCCESS);
		p->own = true;
		p->value = value;
	}
}

/* Are a page and the next one parts of one area? Adjacent shared memory of two
 * calls may have become one, but need not. */
static inline bool
model_alike(const struct mp *a, const struct mp *b)
{
	bool shared = a->kind == MP_SHARED || a->kind == MP_FILE_SHARED;

	if (a->prot != b->prot || a->locked != b->locked)
		return (false);
	if (!shared)
		return (b->kind == MP_PRIVATE || b->kind == MP_FILE_PRIVATE);
	if (a->kind != b->kind)
		return (false);
	return (a->kind == MP_SHARED ? a->segment == b->segment &&
	    (a->cell + 1) % MODEL_CELLS == b->cell : a->file == b->file &&
	    a->index + 1 == b->index);
}

/* Move or resize; the model moves pages likewise. */
static inline void
model_mremap(struct model *mo, uint32_t s)
{
	uint32_t start, count, to, i;
	struct mp moved[32];
	vm_offset_t addr;
	bool hole = false;
	int error;

	model_range(mo, &start, &count);
	to = model_below(mo, MODEL_PAGES - count + 1);
	if (to < start + count && start < to + count)
		return;
	addr = model_va(mo, to);
	error = vm_mremap(mo->r->vm, mo->vs[s], model_va(mo, start),
	    (uint64_t)count * PAGE_SIZE, (uint64_t)count * PAGE_SIZE, true,
	    true, &addr);
	for (i = 0; i < count; i++) {
		const struct mp *p = &mo->page[s][start + i];

		hole |= p->kind == MP_FREE;
		if (i + 1 == count)
			break;
		if (p->kind == MP_SHARED && p[1].kind == MP_SHARED &&
		    p->segment != p[1].segment && error == 0)
			continue;
		hole |= !model_alike(p, p + 1);
	}
	ck_assert_int_eq(error, hole ? EFAULT : 0);
	if (hole)
		return;
	ck_assert_uint_eq(addr, model_va(mo, to));
	memcpy(moved, &mo->page[s][start], count * sizeof(struct mp));
	memset(&mo->page[s][start], 0, count * sizeof(struct mp));
	for (i = 0; i < count; i++)
		moved[i].locked = false;
	memcpy(&mo->page[s][to], moved, count * sizeof(struct mp));
}

static inline void
model_fork(struct model *mo, uint32_t s)
{
	uint32_t child = model_below(mo, MODEL_SPACES), i;

	if (child == s)
		return;
	if (mo->vs[child] != NULL)
		vmspace_free(mo->r->vm, mo->vs[child]);
	mo->vs[child] = vmspace_fork(mo->r->vm, mo->vs[s]);
	memcpy(mo->page[child], mo->page[s], sizeof(mo->page[s]));
	for (i = 0; i < MODEL_PAGES; i++)
		mo->page[child][i].locked = false;
}

static inline void
model_exit(struct model *mo, uint32_t s)
{
	uint32_t i, live = 0;

	for (i = 0; i < MODEL_SPACES; i++)
		live += mo->vs[i] != NULL;
	if (live == 1)
		return;
	vmspace_free(mo->r->vm, mo->vs[s]);
	mo->vs[s] = NULL;
	memset(mo->page[s], 0, sizeof(mo->page[s]));
}

/* read(2), write(2), fsync, truncate of a file. */
static inline void
model_file_op(struct model *mo)
{
	struct mfile *f = &mo->file[model_below(mo, MODEL_FILES)];
	uint32_t page = model_below(mo, MODEL_FILE_PAGES), i, j;
	uint64_t value, done, size;

	switch (model_below(mo, 8)) {
	case 0:
	case 1:
	case 2:
		value = 0;
		ck_assert_int_eq(vm_vnode_read(mo->r->vm, f->vp,
		    (uint64_t)page * PAGE_SIZE, &value, 8, &done), 0);
		ck_assert_uint_eq(done, page < f->pages ? 8 : 0);
		if (done != 0)
			ck_assert_uint_eq(value, f->value[page]);
		break;
	case 3:
	case 4:
	case 5:
		if (page >= f->pages)
			break;
		value = sim_rng_next(&mo->rng);
		ck_assert_int_eq(vm_vnode_write(mo->r->vm, f->vp,
		    (uint64_t)page * PAGE_SIZE, &value, 8, &done), 0);
		ck_assert_uint_eq(done, 8);
		f->value[page] = value;
		break;
	case 6:
		j = (uint32_t)vm_vnode_sync(mo->r->vm, f->vp, true);
		if (mo->errors) {
			ck_assert(j == 0 || j == EIO);
			break;
		}
		ck_assert_int_eq(j, 0);
		for (i = 0; i < f->pages; i++)
			ck_assert_uint_eq(f->disk[i], f->value[i]);
		break;
	default:
		size = model_below(mo, MODEL_FILE_PAGES) + 1;
		ck_assert_int_eq(vm_vnode_truncate(mo->r->vm, f->vp,
		    size * PAGE_SIZE), 0);
		for (i = (uint32_t)size; i < MODEL_FILE_PAGES; i++)
			f->value[i] = f->disk[i] = 0;
		f->pages = size;
		break;
	}
}

static inline uint32_t
model_space(struct model *mo)
{
	uint32_t s;

	do
		s = model_below(mo, MODEL_SPACES);
	while (mo->vs[s] == NULL);
	return (s);
}

static inline void
model_step(struct model *mo)
{
	uint32_t s = model_space(mo), op = model_below(mo, 100), i, n;

	mo->ops++;
	if (op < 12)
		model_mmap(mo, s);
	else if (op < 16)
		model_munmap(mo, s);
	else if (op < 22)
		model_mprotect(mo, s);
	else if (op < 28)
		model_madvise(mo, s);
	else if (op < 31)
		model_mremap(mo, s);
	else if (op < 34)
		model_fork(mo, s);
	else if (op < 36)
		model_exit(mo, s);
	else if (op < 46)
		model_file_op(mo);
	else if (op < 48 && mo->lock)
		model_mlock(mo, s);
	else
		for (i = 0, n = 1 + model_below(mo, 40); i < n; i++)
			model_access(mo, s, model_below(mo, MODEL_PAGES),
			    model_below(mo, 2) == 0);
}

static inline void
model_init(struct model *mo, struct rig *r, uint64_t seed)
{
	uint32_t i;

	memset(mo, 0, sizeof(*mo));
	mo->r = r;
	mo->base = RIG_BASE;
	sim_rng_init(&mo->rng, seed, "model");
	mo->vs[0] = r->vs;
	vmspace_ref(r->vs);
	for (i = 0; i < MODEL_FILES; i++) {
		struct mfile *f = &mo->file[i];

		f->pages = MODEL_FILE_PAGES;
		for (uint32_t j = 0; j < MODEL_FILE_PAGES; j++)
			f->value[j] = f->disk[j] = sim_rng_next(&mo->rng);
		f->vp = vm_vnode_new(r->vm, "file",
		    MODEL_FILE_PAGES * PAGE_SIZE, &model_file_ops, f,
		    i == 0 ? NULL : r->fs, i * 4096);
	}
}

/* Every page of every space, once. */
static inline void
model_verify(struct model *mo)
{
	uint32_t s, i;

	for (s = 0; s < MODEL_SPACES; s++)
		for (i = 0; mo->vs[s] != NULL && i < MODEL_PAGES; i++)
			model_access(mo, s, i, false);
}

static inline void
model_finish(struct model *mo)
{
	uint32_t i, j;

	model_verify(mo);
	for (i = 0; i < MODEL_SPACES; i++)
		if (mo->vs[i] != NULL)
			vmspace_free(mo->r->vm, mo->vs[i]);
	for (i = 0; i < MODEL_FILES; i++) {
		/* A failed write is tried again until it works. */
		while (vm_vnode_sync(mo->r->vm, mo->file[i].vp, true) != 0)
			ck_assert(mo->errors);
		for (j = 0; j < mo->file[i].pages; j++)
			ck_assert_uint_eq(mo->file[i].disk[j],
			    mo->file[i].value[j]);
		vm_vnode_rele(mo->r->vm, mo->file[i].vp);
	}
	vm_check_all(mo->r->vm);
}

#endif
