/*
 * vmcore: the virtual-memory subsystem. This is the folder's one public
 * header; everything else is private to vmcore and its tests.
 *
 * A kernel ("bsd", later "mach") is one instance of struct vm_kernel_ops.
 * vmcore knows no emulator, no database and no files of the host: what it
 * needs from above comes through struct vm_up_ops, what it did goes out
 * through struct vm_trace_ops.
 *
 * Every function that may sleep says so; it must be called from a simulated
 * thread whose data (sim_thread_data) is the struct thread of vm_thread_new.
 */
#ifndef VMSIM_VMCORE_VMCORE_H
#define VMSIM_VMCORE_VMCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk_model/disk.h"
#include "mmu/mmu.h"
#include "sim/base/sim.h"
#include "sim/base/tunables.h"

struct vm;
struct vmspace; /* an address space: map + pmap, reference-counted */
struct proc; /* what the kernel knows of a process */
struct thread; /* what the kernel knows of a thread */
struct vnode; /* a regular file as the VM sees it */

typedef uint64_t vm_pindex_t;

/* Results of map and fault operations (Mach names and values). */
#define KERN_SUCCESS 0
#define KERN_INVALID_ADDRESS 1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE 3
#define KERN_INVALID_ARGUMENT 4
#define KERN_FAILURE 5
#define KERN_RESOURCE_SHORTAGE 6
#define KERN_NOT_RECEIVER 7
#define KERN_MEMORY_ERROR 10 /* page-in failed: SIGBUS */

/* ------------------------------------------------------------ what goes out */

/* Canonical queue names of the log (companions, R1). */
enum vm_queue {
	VMQ_NONE, /* no queue: transient, or unmanaged */
	VMQ_FREE,
	VMQ_CACHE,
	VMQ_INACTIVE,
	VMQ_ACTIVE,
	VMQ_HOLD,
	VMQ_WIRED, /* no queue, wire_count > 0 */
	VMQ_BUSY, /* no queue, exclusively busy */
	VMQ_COUNT
};
const char *vm_queue_name(enum vm_queue q);

/* Why a page moved: one entry per decision; see vm_reason.h. */
enum vm_reason {
#define VM_REASON(sym, name, help) WHY_##sym,
#include "vmcore/vm_reason.h"
#undef VM_REASON
	WHY_COUNT
};
const char *vm_reason_name(enum vm_reason why); /* "inactive_referenced" */
const char *vm_reason_help(enum vm_reason why); /* one sentence */

enum { VMT_TAIL, VMT_HEAD, VMT_SAME }; /* where in the new queue */

struct vm_transition {
	sim_time_t when;
	pfn_t page;
	uint32_t object; /* id, 0: none */
	vm_pindex_t pindex; /* page index in the object */
	uint8_t from, to; /* enum vm_queue */
	uint8_t where;
	uint8_t reason; /* enum vm_reason */
	uint8_t act_count; /* after the move */
};

enum vm_fault_kind { /* how a fault ended */
	VMF_FAST, /* resident in the top object: 6.1 fast path */
	VMF_RESIDENT, /* found resident by the slow path */
	VMF_ZERO,
	VMF_COW,
	VMF_COW_MOVE, /* the backing page was renamed up */
	VMF_FILE, /* read from a file: hard */
	VMF_SWAP, /* read from swap: hard */
	VMF_ERROR
};
const char *vm_fault_kind_name(enum vm_fault_kind k);

struct vm_fault_record {
	sim_time_t start, end;
	int32_t pid, tid;
	vm_offset_t va;
	uint8_t access; /* VM_PROT_* of the access */
	uint8_t kind; /* enum vm_fault_kind */
	uint16_t restarts; /* slept for memory or a busy page */
	pfn_t page;
	uint32_t object;
	vm_pindex_t pindex;
};

enum vm_io_kind { VMIO_SWAP_OUT, VMIO_SWAP_IN, VMIO_VNODE_OUT, VMIO_VNODE_IN };
const char *vm_io_kind_name(enum vm_io_kind k);

struct vm_io_record {
	sim_time_t queued, start, finish;
	uint8_t kind; /* enum vm_io_kind */
	const char *disk;
	uint32_t object;
	vm_pindex_t pindex; /* first page */
	uint32_t pages;
	uint64_t lbn; /* disk sector */
	int32_t error; /* errno */
	uint64_t overhead, seek, rotation, transfer; /* cycles */
};

/* Rare things worth a row of their own. The two numbers' meaning by kind. */
enum vm_event_kind {
#define VM_EVENT(sym, name, help) VME_##sym,
#include "vmcore/vm_events.h"
#undef VM_EVENT
	VME_COUNT
};
const char *vm_event_kind_name(enum vm_event_kind k);
const char *vm_event_kind_help(enum vm_event_kind k);

struct vm_event_record {
	sim_time_t when;
	uint8_t kind;
	int32_t pid;
	int64_t a, b;
};

/* Any may be NULL. Called in order of simulated time, on the one host thread
 * of the simulation. */
struct vm_trace_ops {
	void (*transition)(void *ctx, const struct vm_transition *t);
	void (*fault)(void *ctx, const struct vm_fault_record *f);
	void (*io)(void *ctx, const struct vm_io_record *io);
	void (*event)(void *ctx, const struct vm_event_record *e);
	/* An object that has a name: a file's ("vnode", its path). Every other
	 * object is anonymous memory and is not reported. */
	void (*object)(void *ctx, uint32_t id, const char *type,
	    const char *name);
};

/* ------------------------------------------------------ what is asked above */

struct vm_up_ops {
	/* SIGKILL to a process (out of memory); must not sleep. */
	void (*kill)(void *ctx, struct proc *p, const char *why);
	/* A thread's address space has been swapped in/out whole (vm_glue). */
	void (*swapped)(void *ctx, struct proc *p, bool out);
	/* The simulated kernel gives up, as it was told to (a panic that is
	 * the seed's own decision, not a broken invariant); the machine must
	 * stop: what calls this never runs on. NULL: as a broken invariant. */
	void (*panic)(void *ctx, const char *why);
};

/*
 * Contents of a file, without time: the vnode pager charges the disk's time
 * itself. read fills exactly n bytes (zeroes past the end); write changes the
 * overlay's copy. 0 or an errno.
 */
struct vnode_ops {
	int (*read)(void *ctx, uint64_t offset, void *buf, uint32_t n);
	int (*write)(void *ctx, uint64_t offset, const void *buf, uint32_t n);
};

/* ------------------------------------------------------------ life cycle */

struct vm_config {
	const char *kernel; /* "bsd" */
	uint32_t ndomains; /* 0: 1 */
	uint32_t boot_pages; /* frames that the kernel itself keeps, wired */
};

/*
 * vm_create: a machine's VM over all frames of `mmu`. Registers its tunables
 * in ts (they may then be set until vm_boot).
 * Errors: -EINVAL unknown kernel, -ENOMEM.
 */
struct vm *vm_create(struct sim *sim, struct mmu *mmu, struct tunables *ts,
    const struct vm_config *cfg, struct sim_err *err);
void vm_destroy(struct vm *vm);
void vm_set_up_ops(struct vm *vm, const struct vm_up_ops *ops, void *ctx);
void vm_set_trace(struct vm *vm, const struct vm_trace_ops *ops, void *ctx);
/* Swap space: `sectors` of the disk from `first` on (multiples of 8). Contents
 * must be enabled on it. Before vm_boot; several are used round-robin. */
int vm_add_swap(struct vm *vm, struct disk *d, uint64_t first, uint64_t sectors,
    struct sim_err *err);
/*
 * vm_boot: builds the page array and queues, computes thresholds and starts
 * the daemon threads. -EINVAL when there are fewer frames than the kernel's
 * reserve (err says how many it needs).
 */
int vm_boot(struct vm *vm, struct sim_err *err);
/* The fewest frames with which vm_boot succeeds and a program can run. */
uint32_t vm_min_frames(const struct vm *vm);
struct sim *vm_sim(const struct vm *vm);
struct mmu *vm_mmu(const struct vm *vm);
/*
 * The frames [*first, *last] of memory domain d and how many of them are
 * managed pages at the moment; false when there is no such domain.
 */
bool vm_domain_info(const struct vm *vm, uint32_t d, pfn_t *first,
    pfn_t *last, uint32_t *pages);
/* cost.syscall, in cycles: charged by the machine for each system call. */
uint32_t vm_cost_syscall(const struct vm *vm);

/* ------------------------------------------------------------ contiguous */

/*
 * A request for physically contiguous wired memory by the kernel itself (a
 * driver's buffer), made by a thread of its own at simulated time `at`.
 */
struct vm_contig_request {
	uint32_t pages;
	vm_paddr_t low, high; /* all within [low, high); high 0: no limit */
	vm_paddr_t align; /* of the first byte, a power of 2; 0: a page */
	vm_paddr_t boundary; /* a power of 2 not to be crossed; 0: none */
	sim_time_t at; /* cycles since boot */
	uint64_t hold; /* cycles until it is given back; 0: never */
	uint32_t number; /* from 1, for the log: given by vm_contig_schedule */
};
/* What vm_contig_alloc has found. */
struct vm_contig {
	struct vm_object *object; /* NULL: nothing */
	pfn_t first;
	uint32_t pages;
	int tries; /* calls of vm_pageout_grow_cache */
};
/* After vm_boot, before the run. -EINVAL (err says why), -ENOMEM. */
int vm_contig_schedule(struct vm *vm, const struct vm_contig_request *rq,
    struct sim_err *err);
/* Now, for the running thread; sleeps. False: there is no such run of pages,
 * not even after laundering. */
bool vm_contig_alloc(struct vm *vm, const struct vm_contig_request *rq,
    struct vm_contig *c);
void vm_contig_free(struct vm *vm, struct vm_contig *c); /* may sleep */

/* ------------------------------------------------------------ processes */

/*
 * parent may be NULL; vs too for a child that vm_forkproc gives one. Inserted
 * at the head of the list (newest first). May sleep for the memory of its U
 * area when called from a thread.
 */
struct proc *vm_proc_new(struct vm *vm, int32_t pid, const char *name,
    struct vmspace *vs, struct proc *parent);
/*
 * May sleep for the memory of its kernel stack. Inside a run give st NULL and
 * make the simulated thread afterwards, with vm_thread_start: it must not run
 * before it is known.
 */
struct thread *vm_thread_new(struct vm *vm, struct proc *p, int32_t tid,
    struct sim_thread *st);
void vm_thread_start(struct vm *vm, struct thread *td, struct sim_thread *st);
void vm_thread_free(struct vm *vm, struct thread *td);
/*
 * fork: the address space of p2, a child without one, whose first thread is
 * td2; td is running. VM_RFPROC: a new process; VM_RFMEM: it shares td's
 * address space. Waits while memory is severely short.
 */
enum { VM_RFPROC = 0x10, VM_RFMEM = 0x20 };
void vm_forkproc(struct vm *vm, struct thread *td, struct proc *p2,
    struct thread *td2, int flags);
/* The process ends: it is no victim any more, and its address space goes. May
 * sleep, so its last thread is still there. */
void vm_proc_exit(struct vm *vm, struct proc *p);
/* It is reaped; all threads are gone. May sleep. */
void vm_proc_free(struct vm *vm, struct proc *p);
/* The running thread is about to return to user mode, each time. */
void vm_userret(struct vm *vm);
void vm_proc_set_nice(struct vm *vm, struct proc *p, int nice); /* -20..20 */
int vm_proc_nice(const struct proc *p);
/* Threads that ran or could, averaged over 1, 5 and 15 minutes, times 100. */
#define VM_LOADAVGS 3
void vm_loadavg(const struct vm *vm, uint64_t hundredths[VM_LOADAVGS]);
/* Times swapped out; is it in memory now? */
uint32_t vm_proc_nswap(const struct proc *p);
bool vm_proc_in_memory(const struct proc *p);
int32_t vm_proc_pid(const struct proc *p);
void vm_proc_set_name(struct proc *p, const char *name); /* exec */
struct vmspace *vm_proc_vmspace(const struct proc *p);
/* exec: the new one's reference is taken over, the old one's dropped. */
void vm_proc_set_vmspace(struct vm *vm, struct proc *p, struct vmspace *vs);
bool vm_proc_killed(const struct proc *p);
void vm_proc_set_killed(struct vm *vm, struct proc *p);
enum vm_rlimit {
	VM_RLIMIT_RSS, /* RLIMIT_RSS: trimmed when memory is short */
	VM_RACCT_RSS, /* resource accounting: looked at once a second */
	VM_RLIMIT_COUNT
};
void vm_proc_set_rlimit(struct proc *p, enum vm_rlimit which, uint64_t bytes);

/* ----------------------------------------------------------- address spaces */

/* [min, max): user addresses. Returned with one reference. */
struct vmspace *vmspace_alloc(struct vm *vm, vm_offset_t min, vm_offset_t max);
struct vmspace *vmspace_fork(struct vm *vm, struct vmspace *vs); /* may sleep */
void vmspace_ref(struct vmspace *vs);
void vmspace_free(struct vm *vm, struct vmspace *vs); /* may sleep */
uint32_t vmspace_ref_count(const struct vmspace *vs);
uint32_t vmspace_id(const struct vmspace *vs); /* 1, 2, ... never again */
struct pmap *vmspace_pmap(const struct vmspace *vs);
uint64_t vmspace_resident_count(const struct vmspace *vs);
/* Pages of swap space in use, an estimate. */
uint64_t vmspace_swap_count(struct vm *vm, struct vmspace *vs);
/* Where the search for free space starts, going down; at first 128 MiB below
 * the space's end (all of it when the space is small). */
void vmspace_set_mmap_top(struct vmspace *vs, vm_offset_t top);

enum { /* flags of vm_mmap */
	VM_MAP_SHARED = 1, /* else private: copy on write */
	VM_MAP_FIXED = 2, /* replaces what is there */
	VM_MAP_NOREPLACE = 4, /* with FIXED: EEXIST if anything is there */
	VM_MAP_STACK = 8, /* grows downward to its reservation */
	VM_MAP_PREFAULT = 16, /* pre-enter resident pages (file maps) */
};
/*
 * vm_mmap: map `length` bytes of vp from `offset` (or zero-fill memory when
 * vp is NULL) and return the address in *addr; without FIXED *addr is a hint
 * and the search goes top-down below `*addr`'s default area.
 * prot: present rights; max_prot: what mprotect may give later.
 * Errors: errno values 0, EINVAL, ENOMEM, EEXIST.
 */
int vm_mmap(struct vm *vm, struct vmspace *vs, vm_offset_t *addr,
    uint64_t length, int prot, int max_prot, int flags, struct vnode *vp,
    uint64_t offset);
/* Share another space's (or the same space's) object at a new place. */
int vm_munmap(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length); /* may sleep; holes are fine */
/* ENOMEM at the first hole, after changing what precedes it; EACCES. */
int vm_mprotect(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, int prot);
/* mremap(2): moves page tables' worth of entries, no copying. new_addr is
 * input with `fixed`, output otherwise. ENOMEM, EFAULT, EINVAL. */
int vm_mremap(struct vm *vm, struct vmspace *vs, vm_offset_t old_addr,
    uint64_t old_size, uint64_t new_size, bool may_move, bool fixed,
    vm_offset_t *new_addr);
enum vm_advice { VM_ADV_NORMAL, VM_ADV_RANDOM, VM_ADV_SEQUENTIAL,
	VM_ADV_WILLNEED, VM_ADV_DONTNEED, VM_ADV_FREE,
	VM_ADV_LINUX_DONTNEED, /* drops anonymous pages at once */
	VM_ADV_DONTFORK, VM_ADV_DOFORK, /* children have it not, or have it */
	VM_ADV_WIPEONFORK, VM_ADV_KEEPONFORK }; /* ... find it empty */
int vm_madvise(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, enum vm_advice advice);
/* Writes dirty pages of shared file maps; sync waits. May sleep. */
int vm_msync(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, bool sync, bool invalidate);
/* One byte a page: 1 resident. */
int vm_mincore(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, uint8_t *vec);
int vm_mlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length); /* may sleep */
int vm_munlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length);

/* One map entry, for /proc/self/maps and checks of ranges. */
struct vm_map_info {
	vm_offset_t start, end;
	int prot, max_prot;
	bool shared, stack;
	struct vnode *vp; /* NULL: anonymous */
	uint64_t offset;
	uint64_t resident; /* pages mapped in this space */
};
/* The first entry that ends above addr; false when there is none. */
bool vm_map_info(struct vmspace *vs, vm_offset_t addr, struct vm_map_info *mi);
/* Which shared memory lies at addr: an object's id and the offset in it;
 * false: none, or private memory. */
bool vm_map_shared_key(struct vmspace *vs, vm_offset_t addr, uint64_t *object,
    uint64_t *offset);
/* Rights of all that is mapped in [start, end), together. */
int vm_map_prot_in(struct vmspace *vs, vm_offset_t start, vm_offset_t end);
/* Bytes of [start, end) locked by vm_mlock. */
uint64_t vm_map_locked(struct vmspace *vs, vm_offset_t start, vm_offset_t end);
/* Bytes of private writable memory other than stacks. */
uint64_t vm_map_data_size(const struct vmspace *vs);
/* Total bytes mapped. */
uint64_t vm_map_size(const struct vmspace *vs);

/*
 * vm_fault: resolve a fault of the running thread. access: VM_PROT_READ,
 * _WRITE or _EXECUTE. Sleeps for memory and I/O.
 * Returns KERN_SUCCESS, KERN_INVALID_ADDRESS (SEGV_MAPERR),
 * KERN_PROTECTION_FAILURE (SEGV_ACCERR), KERN_MEMORY_ERROR (SIGBUS: past the
 * end of the file, or page-in failed).
 */
int vm_fault(struct vm *vm, struct vmspace *vs, vm_offset_t va, int access);

/*
 * Kernel access to user memory: walks the page tables, faults in what is
 * missing, sets R and M itself, kills translated code of written frames.
 * 0 or EFAULT. May sleep.
 */
int vm_copyin(struct vm *vm, struct vmspace *vs, vm_offset_t va, void *buf,
    uint64_t n);
int vm_copyout(struct vm *vm, struct vmspace *vs, vm_offset_t va,
    const void *buf, uint64_t n);
/* Bytes up to and including the NUL; ENAMETOOLONG. */
int vm_copyinstr(struct vm *vm, struct vmspace *vs, vm_offset_t va, char *buf,
    size_t size, size_t *length);

/* ------------------------------------------------------------ shared memory */

/*
 * Memory without a file that lives apart from any mapping (System V shared
 * memory). free drops the owner's reference: mappings keep it alive.
 */
struct vm_object;
struct vm_object *vm_shared_new(struct vm *vm, uint64_t bytes);
void vm_shared_free(struct vm *vm, struct vm_object *object); /* may sleep */
/* As vm_mmap with VM_MAP_SHARED, of `object` from its beginning. */
int vm_mmap_shared(struct vm *vm, struct vmspace *vs, vm_offset_t *addr,
    uint64_t length, int prot, int flags, struct vm_object *object);
uint64_t vm_shared_resident(const struct vm_object *object); /* pages */

/* ------------------------------------------------------------ files */

/*
 * A regular file: its pages live in one vnode object, kept while any exist.
 * first_sector: where the file lies on the disk, contiguous; NULL disk: no
 * transfer time (memory file systems).
 */
struct vnode *vm_vnode_new(struct vm *vm, const char *name, uint64_t size,
    const struct vnode_ops *ops, void *ctx, struct disk *d,
    uint64_t first_sector);
void vm_vnode_ref(struct vnode *vp);
/* At the last reference the object stays cached until its pages are gone. */
void vm_vnode_rele(struct vm *vm, struct vnode *vp);
/* Does an address space map the file? */
bool vm_vnode_is_mapped(const struct vnode *vp);
/* The file lies elsewhere on its disk from now on: it grew out of its room. */
void vm_vnode_place(struct vnode *vp, uint64_t first_sector);
uint32_t vm_vnode_id(const struct vnode *vp);
const char *vm_vnode_name(const struct vnode *vp);
uint64_t vm_vnode_size(const struct vnode *vp);
/* read(2), write(2) through the page cache. Returns bytes done in *done.
 * Writing past the end extends. Sleeps. */
int vm_vnode_read(struct vm *vm, struct vnode *vp, uint64_t offset, void *buf,
    uint64_t n, uint64_t *done);
int vm_vnode_write(struct vm *vm, struct vnode *vp, uint64_t offset,
    const void *buf, uint64_t n, uint64_t *done);
/* ftruncate: pages past the end are freed, mappings of them removed. */
int vm_vnode_truncate(struct vm *vm, struct vnode *vp, uint64_t size);
/* Push every dirty page to the file's contents; fsync, and before somebody
 * reads the contents behind the VM's back. Sleeps when sync. */
int vm_vnode_sync(struct vm *vm, struct vnode *vp, bool sync);

/* ------------------------------------------------------------ statistics */

/* Counters by kernel name, in a fixed order; see vm_stat_names(). */
size_t vm_stat_count(const struct vm *vm);
const char *vm_stat_name(const struct vm *vm, size_t i); /* "v_free_count" */
const char *vm_stat_help(const struct vm *vm, size_t i);
bool vm_stat_is_gauge(const struct vm *vm, size_t i); /* level, not a total */
uint64_t vm_stat_value(const struct vm *vm, size_t i);
/* Swap space in pages: all of it, and what no object uses. */
uint64_t vm_swap_total(const struct vm *vm);
uint64_t vm_swap_free(const struct vm *vm);
/* By name; 0 when there is no such counter. */
uint64_t vm_stat(const struct vm *vm, const char *name);

/* Sum of queues, wired and busy against the page count, and every structure's
 * own invariants. Panics on the first that does not hold. */
void vm_check_all(struct vm *vm);
/* Host bytes per simulated page besides contents (page records etc.). */
uint64_t vm_overhead_bytes(const struct vm *vm);

/* ------------------------------------------------------------ kernels */

/* One kernel. The functions above check arguments and call these. */
struct vm_kernel_ops {
	const char *name; /* "bsd" */
	const char *help;
	int (*create)(struct vm *vm, struct tunables *ts, struct sim_err *err);
	void (*destroy)(struct vm *vm);
	int (*boot)(struct vm *vm, struct sim_err *err);
	int (*fault)(struct vm *vm, struct vmspace *vs, vm_offset_t va,
	    int access);
	void (*start_daemons)(struct vm *vm);
	size_t (*stat_count)(const struct vm *vm);
	const char *(*stat_name)(const struct vm *vm, size_t i);
	const char *(*stat_help)(const struct vm *vm, size_t i);
	bool (*stat_is_gauge)(const struct vm *vm, size_t i);
	uint64_t (*stat_value)(const struct vm *vm, size_t i);
	void (*check)(struct vm *vm);
	/* What the kernel keeps of processes and threads. Any may be NULL.
	 * proc_new and thread_new may sleep; the record is in no list yet. */
	void (*proc_new)(struct vm *vm, struct proc *p, struct proc *parent);
	void (*proc_free)(struct vm *vm, struct proc *p);
	void (*thread_new)(struct vm *vm, struct thread *td);
	void (*thread_start)(struct vm *vm, struct thread *td);
	void (*thread_free)(struct vm *vm, struct thread *td);
};
extern const struct vm_kernel_ops vm_kernel_bsd;

#endif /* VMSIM_VMCORE_VMCORE_H */
