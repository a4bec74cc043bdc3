# What processes of Python share: a manager behind a local socket, shared
# memory, semaphores, conditions, barriers, events, queues; the three ways to
# start a process; pools of processes and of threads.
import concurrent.futures as cf
import multiprocessing as mp
import os
import socket
from multiprocessing import shared_memory
from multiprocessing.connection import Client, Listener, wait
from multiprocessing.managers import BaseManager


def power(x):
    return x ** 3 % 1009


def fill(d, li, lock, name, n):
    for i in range(n):
        with lock:
            d[name] = d.get(name, 0) + i
            li.append(i)


def add(name, index, n):
    shm = shared_memory.SharedMemory(name=name)
    for i in range(n):
        shm.buf[index * n + i] = (index * 7 + i) % 256
    shm.close()


def meet(barrier, sem, queue, index):
    with sem:
        queue.put(("in", index))
    barrier.wait()
    queue.put(("out", index))


def eat(queue, cond, box):
    while True:
        with cond:
            while box.value == 0:
                cond.wait()
            got, box.value = box.value, 0
            cond.notify_all()
        if got < 0:
            break
        queue.put(got)


def talk(address):
    with Client(address, authkey=b"secret") as conn:
        conn.send({"pid": 0, "data": list(range(1000))})
        print("client:", len(conn.recv()), flush=True)


def echo(conn, n):
    for i in range(n):
        conn.send((i, "x" * (i * 5000)))
    conn.close()


class Counter:
    def __init__(self):
        self.n = 0

    def step(self, k):
        self.n += k
        return self.n


class MyManager(BaseManager):
    pass


MyManager.register("Counter", Counter)


def managers():
    with mp.Manager() as manager:
        d, li, lock = manager.dict(), manager.list(), manager.Lock()
        procs = [mp.Process(target=fill, args=(d, li, lock, n, 12))
                 for n in "abc"]
        for p in procs:
            p.start()
        for p in procs:
            p.join()
        print(sorted(d.items()), sorted(li))
        q = manager.Queue()
        q.put("through the manager")
        print(q.get())
        ns = manager.Namespace()
        ns.x = 5
        print(ns.x)
    with MyManager() as manager:
        counter = manager.Counter()
        print([counter.step(i) for i in range(5)])


def memory():
    shm = shared_memory.SharedMemory(create=True, size=40000)
    procs = [mp.Process(target=add, args=(shm.name, i, 10000))
             for i in range(4)]
    for p in procs:
        p.start()
    for p in procs:
        p.join()
    print(sum(shm.buf), [p.exitcode for p in procs])
    shm.close()
    shm.unlink()
    arr = mp.Array("d", 1000)
    with arr.get_lock():
        arr[:] = [i / 2 for i in range(1000)]
    print(sum(arr))


def synchronisation():
    barrier, sem, queue = mp.Barrier(4), mp.Semaphore(2), mp.Queue()
    procs = [mp.Process(target=meet, args=(barrier, sem, queue, i))
             for i in range(4)]
    for p in procs:
        p.start()
    print(sorted(queue.get() for _ in range(8)))
    for p in procs:
        p.join()
    cond, box, queue = mp.Condition(), mp.Value("i", 0), mp.Queue()
    p = mp.Process(target=eat, args=(queue, cond, box))
    p.start()
    for v in [3, 1, 4, 1, 5, -1]:
        with cond:
            while box.value != 0:
                cond.wait()
            box.value = v
            cond.notify_all()
    print([queue.get() for _ in range(5)])
    p.join()
    event = mp.Event()
    p = mp.Process(target=event.wait)
    p.start()
    event.set()
    p.join()
    print("event", p.exitcode)


def connections():
    with Listener(family="AF_UNIX", authkey=b"secret") as listener:
        p = mp.Process(target=talk, args=(listener.address,))
        p.start()
        with listener.accept() as conn:
            print("server:", sum(conn.recv()["data"]))
            conn.send(b"y" * 70000)
        p.join()
    conns = []
    for n in (3, 5, 2):
        r, w = mp.Pipe(duplex=False)
        mp.Process(target=echo, args=(w, n)).start()
        w.close()
        conns.append(r)
    total = 0
    while conns:
        for r in wait(conns):
            try:
                i, text = r.recv()
                total += i + len(text)
            except EOFError:
                conns.remove(r)
                r.close()
    print("total", total)
    for p in mp.active_children():
        p.join()
    a, b = socket.socketpair()
    r, w = os.pipe()
    socket.send_fds(a, [b"fd"], [w])
    os.close(w)
    data, fds, flags, addr = socket.recv_fds(b, 10, 4)
    os.write(fds[0], b"by a descriptor")
    print(data, len(fds), os.read(r, 100))


def starts():
    for method in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(method)
        with ctx.Pool(2) as pool:
            print(method, pool.map(power, range(10)),
                  pool.apply_async(power, (12,)).get(),
                  sum(pool.imap_unordered(power, range(30), 7)))
        q = ctx.Queue()
        p = ctx.Process(target=q.put, args=("from " + method,))
        p.start()
        print(q.get())
        p.join()


def futures():
    with cf.ProcessPoolExecutor(3) as ex:
        print(list(ex.map(power, range(20), chunksize=3)))
        fs = [ex.submit(power, i) for i in range(8)]
        print(sorted(f.result() for f in cf.as_completed(fs)))
        try:
            ex.submit(divmod, 1, 0).result()
        except ZeroDivisionError as e:
            print("error:", e)
    with cf.ThreadPoolExecutor(4) as ex:
        print(sum(ex.map(power, range(100))))


if __name__ == "__main__":
    managers()
    memory()
    synchronisation()
    connections()
    starts()
    futures()
