# asyncio: streams over local sockets, subprocesses, signals, timers, threads
# of an executor, selectors.
import asyncio
import os
import select
import selectors
import signal
import socket
import sys
import threading


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(path, n):
    reader, writer = await asyncio.open_unix_connection(path)
    out = []
    for i in range(n):
        writer.write(f"line {i} of {n}\n".encode())
        out.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return b"".join(out).decode()


async def streams():
    server = await asyncio.start_unix_server(serve, "server.sock")
    got = await asyncio.gather(*(client("server.sock", n) for n in (2, 5, 3)))
    print("".join(got), end="")
    server.close()
    await server.wait_closed()


async def run(*args, data=None):
    p = await asyncio.create_subprocess_exec(
        *args, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    out, _ = await p.communicate(data)
    return p.returncode, out.decode()


async def children():
    print(await asyncio.gather(
        run("sort", data=b"b\nc\na\n"), run("sh", "-c", "echo one; exit 3"),
        run("tr", "a-z", "A-Z", data=b"x" * 200000)))
    p = await asyncio.create_subprocess_exec("sleep", "1000")
    p.terminate()
    print("killed", await p.wait())
    p = await asyncio.create_subprocess_shell("cat; echo done")
    print("shell", await p.wait())


async def signals():
    loop = asyncio.get_running_loop()
    got = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 10)
    print("signal")
    loop.remove_signal_handler(signal.SIGUSR1)


async def times():
    order, loop, done = [], asyncio.get_running_loop(), asyncio.Event()
    start = loop.time()
    for ms in (60, 20, 40):
        loop.call_at(start + ms / 1000, order.append, ms)
    loop.call_at(start + 0.08, done.set)
    await done.wait()
    print(order)
    try:
        await asyncio.wait_for(asyncio.sleep(100), 0.02)
    except asyncio.TimeoutError:
        print("time is over")
    queue = asyncio.Queue(2)

    async def producer():
        for i in range(5):
            await queue.put(i)
        await queue.put(None)

    async def consumer():
        out = []
        while (i := await queue.get()) is not None:
            out.append(i)
        return out

    print((await asyncio.gather(producer(), consumer()))[1])


async def threads():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(*(loop.run_in_executor(None, pow, 3, i)
                                 for i in range(8))))
    done = asyncio.Event()
    t = threading.Thread(
        target=lambda: loop.call_soon_threadsafe(done.set))
    t.start()
    await done.wait()
    t.join()
    print("from a thread")


async def main():
    print(type(asyncio.get_running_loop()._selector).__name__)
    await streams()
    await children()
    await signals()
    await times()
    await threads()


def selecting():
    for kind in (selectors.EpollSelector, selectors.PollSelector,
                 selectors.SelectSelector):
        with kind() as sel:
            a, b = socket.socketpair()
            r, w = os.pipe()
            sel.register(a, selectors.EVENT_READ, "socket")
            sel.register(r, selectors.EVENT_READ, "pipe")
            print(kind.__name__, sel.select(0.01))
            b.send(b"x")
            os.write(w, b"y")
            print(sorted(k.data for k, _ in sel.select(1)))
            b.close()
            os.close(w)
            a.recv(10)
            os.read(r, 10)
            print(sorted(k.data for k, _ in sel.select(1)))
            a.close()
            os.close(r)
    ep = select.epoll()
    r, w = os.pipe()
    ep.register(w, select.EPOLLOUT | select.EPOLLET)
    print(len(ep.poll(0)), len(ep.poll(0)))


if __name__ == "__main__":
    asyncio.run(main())
    selecting()
    sys.stdout.flush()
