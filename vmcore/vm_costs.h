/*
 * Costs of kernel code in cycles: VM_COST(name, cycles, help); each is the
 * tunable "cost.<name>". Defaults are the order of magnitude of measured
 * kernels of the era at 1 GHz, not fits.
 */
VM_COST(trap, 400, "entering and leaving the kernel on a fault or interrupt")
VM_COST(syscall, 200, "entering and leaving the kernel on a system call")
VM_COST(fault, 600, "map lookup and bookkeeping of one fault")
VM_COST(fault_step, 150, "each further object of the shadow chain looked at")
VM_COST(page_alloc, 150, "taking a page from the free or cache queue")
VM_COST(page_free, 150, "giving a page back")
VM_COST(page_queue, 80, "moving a page between queues")
VM_COST(zero_page, 1000, "zeroing a page")
VM_COST(copy_page, 2000, "copying a page")
VM_COST(copy_word, 1, "copying 8 bytes to or from the user")
VM_COST(pmap_enter, 200, "entering a mapping")
VM_COST(pmap_remove, 150, "removing a mapping")
VM_COST(scan_page, 120, "looking at one page in a queue scan")
VM_COST(io_start, 5000, "setting up one disk transfer")
VM_COST(io_done, 3000, "finishing one disk transfer")
VM_COST(map_entry, 500, "creating or removing a map entry")
VM_COST(object, 300, "creating or destroying an object")
VM_COST(context_switch, 2000, "switching to another thread")
