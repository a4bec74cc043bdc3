# Processes and threads of Python: pool, queue, lock, shared value, pipe.
import multiprocessing as mp
import os
import signal
import subprocess
import threading


def square(x):
    return sum(i * x for i in range(200)), x * x


def worker(queue, lock, value, name):
    for _ in range(40):
        with lock:
            value.value += 1
    queue.put(name)


def talk(conn):
    while True:
        got = conn.recv()
        if got is None:
            break
        conn.send(got[::-1])
    conn.close()


if __name__ == "__main__":
    with mp.Pool(3) as pool:
        print(pool.map(square, range(24)))
    queue, lock, value = mp.Queue(), mp.Lock(), mp.Value("i", 0)
    procs = [mp.Process(target=worker, args=(queue, lock, value, n))
             for n in "abc"]
    for p in procs:
        p.start()
    print(sorted(queue.get() for _ in procs))
    for p in procs:
        p.join()
    print([p.exitcode for p in procs], value.value)
    ours, theirs = mp.Pipe()
    p = mp.Process(target=talk, args=(theirs,))
    p.start()
    for text in ("abc", "x" * 100000 + "y"):
        ours.send(text)
        print(ours.recv()[:10])
    ours.send(None)
    p.join()
    p = mp.Process(target=signal.pause)
    p.start()
    os.kill(p.pid, signal.SIGKILL)
    p.join()
    print("killed", p.exitcode)
    done = []
    threads = [threading.Thread(target=lambda n=n: done.append(square(n)))
               for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(len(done))
    out = subprocess.run(["sort", "-r"], input=b"a\nc\nb\n",
                         stdout=subprocess.PIPE, check=True)
    print(out.stdout)
