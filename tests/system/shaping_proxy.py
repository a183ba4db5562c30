"""A bad link, played: a TCP proxy that limits the rate, delays, stalls and cuts at any byte, and counts what it delivered.

Bytes wait in the sender's own buffers, not here, as on a slow line: sockets' buffers are small, and no more is read than the
line has room for. What a cut finds under way is lost and not counted.
"""
import asyncio
import collections
import dataclasses
import random
import socket
import threading

SEGMENT = 1400  # Bytes moved at once, about a packet's.
SOCKET_BUFFER = 8 << 10


@dataclasses.dataclass
class Line:
    """What the link is like, both ways alike."""
    bytes_per_second: float = float("inf")
    delay: float = 0.0                # Seconds, one way: half a round trip.
    cut_every: float = float("inf")   # Seconds of a connection's life, on average; drawn anew for each.
    stall_every: float = float("inf")  # Seconds between two stalls, on average.
    stall: float = 0.0                # Seconds that a stall lasts.


@dataclasses.dataclass
class Connection:
    """Bytes delivered to the other end."""
    up: int = 0
    down: int = 0


class ShapingProxy:
    """Listens on loopback for one store. Thread-safe; the event loop runs on a thread of its own."""

    def __init__(self, target_port, line, seed, target_host="127.0.0.1"):
        self.target = (target_host, target_port)
        self.line = line
        self.luck = random.Random(seed)
        self.connections = []  # Every one there ever was.
        self.is_up = True
        self.port = 0
        self._open = set()  # Tasks, one for each open connection.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        listening = threading.Event()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(listening), self._loop)
        if not listening.wait(10):
            raise RuntimeError("the shaping proxy doesn't listen")
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def delivered(self):
        return sum(connection.up + connection.down for connection in self.connections)

    def go_down(self):
        """An outage: everything open is cut, nothing new gets through."""
        self.is_up = False
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._open])

    def come_back(self):
        self.is_up = True

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self, listening):
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        door.bind(("127.0.0.1", 0))
        self.port = door.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, sock=door, limit=SEGMENT)
        listening.set()

    async def _close(self):
        self._server.close()
        open_now = list(self._open)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._open.add(task)
        try:
            if self.is_up:
                await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _carry(self, reader, writer):
        there = socket.socket()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        there.setblocking(False)
        await self._loop.sock_connect(there, self.target)
        far_reader, far_writer = await asyncio.open_connection(sock=there, limit=SEGMENT)
        connection = Connection()
        self.connections.append(connection)
        line = self.line
        ways = [asyncio.ensure_future(self._one_way(reader, far_writer, connection, "up", line)),
                asyncio.ensure_future(self._one_way(far_reader, writer, connection, "down", line))]
        life = None if line.cut_every == float("inf") else self.luck.uniform(0.5, 1.5) * line.cut_every
        try:
            await asyncio.wait(ways, timeout=life, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    async def _one_way(self, reader, writer, connection, way, line):
        under_way = collections.deque()  # (Due, bytes): on the line, not yet at its end.
        arrived = asyncio.Event()
        delivery = asyncio.ensure_future(self._deliver(under_way, arrived, writer, connection, way, line))
        free_at = next_stall = self._loop.time()
        next_stall += self._until_stall(line)
        try:
            while data := await reader.read(SEGMENT):
                now = self._loop.time()
                if now >= next_stall:
                    free_at = now + line.stall
                    next_stall = free_at + self._until_stall(line)
                free_at = max(free_at, now) + len(data) / line.bytes_per_second
                await asyncio.sleep(free_at - now)
                under_way.append((free_at + line.delay, data))
                arrived.set()
            while under_way:  # The end of the stream arrives after all that was sent before it.
                await asyncio.sleep(line.delay)
        finally:
            delivery.cancel()

    def _until_stall(self, line):
        return float("inf") if line.stall_every == float("inf") else self.luck.uniform(0.5, 1.5) * line.stall_every

    async def _deliver(self, under_way, arrived, writer, connection, way, line):
        while True:
            await arrived.wait()
            while under_way:
                due, data = under_way[0]
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                writer.write(data)
                await writer.drain()
                under_way.popleft()
                setattr(connection, way, getattr(connection, way) + len(data))
            arrived.clear()
