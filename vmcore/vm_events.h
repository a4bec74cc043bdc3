/*
 * Rare events: VM_EVENT(symbol, name, help; a and b explained in help).
 * Order is the code in the run database: append only.
 */
VM_EVENT(LOWMEM, "lowmem", "low-memory handlers called")
VM_EVENT(OOM, "oom", "out-of-memory selection started; a: 1 memory, 2 swap metadata")
VM_EVENT(OOM_KILL, "oom_kill", "process killed; a: its size in pages")
VM_EVENT(PAGEDAEMON_WAKEUP, "pagedaemon_wakeup", "page daemon asked for; a: free, b: cache pages")
VM_EVENT(SCAN, "scan", "page daemon scan begins; a: domain, b: pass")
VM_EVENT(SCAN_END, "scan_end", "inactive scan over; a: shortage left, b: shortage at start")
VM_EVENT(VMDAEMON_REQ, "vmdaemon_req", "swap-out daemon asked; a: 1 normal, 2 idle")
VM_EVENT(SWAP_OUT, "swap_out", "process swapped out whole; a: its resident pages, b: 1 memory was short, 2 it was idle, 3 either")
VM_EVENT(SWAP_IN, "swap_in", "process swapped in; a: pages read, b: cycles it took")
VM_EVENT(SYNCER, "syncer", "syncer hurried")
VM_EVENT(SWAP_FULL, "swap_full", "no swap space for a page-out; a: pages wanted")
VM_EVENT(IO_ERROR, "io_error", "pager I/O failed; a: object, b: page index")
VM_EVENT(RSS_TRIM, "rss_trim", "RSS limit enforced; a: resident, b: limit, pages")
VM_EVENT(WAIT, "wait_memory", "a thread sleeps for free pages; a: free, b: cache pages")
VM_EVENT(TUNABLE, "tunable", "a tunable changed; a: its row, b: new value")
VM_EVENT(GROW_CACHE, "grow_cache", "contiguous memory wanted; a: tries")
VM_EVENT(SWAP_IN_REQ, "swap_in_request", "a thread of a swapped-out process was woken; a: seconds since it went out")
