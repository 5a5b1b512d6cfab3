"""One program in two processes: `joined.py HALF CHANNEL FOLDER [ADDRESS PORT]`.

`front` holds the connection to the outside and `back` the one inside; `middle` passes on in a ring, `bystander` only opens.
`subscriber` stores nothing itself; `worker` stores inside what the subscriber hands on, and answers nothing; `poller` asks
inside on a timer.
"""
import ctypes
import mmap
import os
import select
import socket
import struct
import sys
import time
import tty

from wire import dial, websocket_connect, websocket_receive, websocket_send

half, channel, folder = sys.argv[1:4]
INSIDE, DATABASE = ("127.0.0.1", 8000), ("127.0.0.1", 6000)
IS_FRONT = half in ("front", "subscriber")
libc = ctypes.CDLL(None, use_errno=True)


def path(name):
    return f"{folder}/{name}"


def opened(name, flags):
    return os.open(path(name), flags)


class Descriptors:
    """Read here, written there; the two may be one."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def receive(self):
        return os.read(self.reader, 65536)

    def send(self, data):
        while data:
            data = data[os.write(self.writer, data[:8000]) :]


class Datagrams:
    def __init__(self, connection, peer):
        self.connection, self.reader, self.peer = connection, connection.fileno(), peer

    def receive(self):
        return self.connection.recv(65536)

    def send(self, data):
        for at in range(0, len(data), 8000):
            self.connection.sendto(data[at : at + 8000], self.peer)


class Queue:
    """System V: type 1 to the back, type 2 to the front."""

    reader = None

    def __init__(self):
        self.queue = libc.msgget(libc.ftok(folder.encode(), 1), 0o1600)

    def receive(self):
        data = ctypes.create_string_buffer(8200)
        size = libc.msgrcv(self.queue, data, 8192, 2 if IS_FRONT else 1, 0o4000)
        return data.raw[8 : 8 + size] if size > 0 else b""

    def send(self, data):
        for at in range(0, len(data), 4000):
            piece = data[at : at + 4000]
            while libc.msgsnd(self.queue, struct.pack("l", 1 if IS_FRONT else 2) + piece, len(piece), 0):
                time.sleep(0.001)


class Spool:
    """A file for each message."""

    reader = None

    def __init__(self):
        self.count = 0

    def receive(self):
        mine = "back." if IS_FRONT else "front."
        data = b""
        for name in sorted(name for name in os.listdir(folder) if name.startswith(mine)):
            with open(path(name), "rb") as file:
                data += file.read()
            os.remove(path(name))
        return data

    def send(self, data):
        self.count += 1
        with open(path(f"new-{half}"), "wb") as file:
            file.write(data)
        os.rename(path(f"new-{half}"), path(f"{half}.{self.count:06}"))


class Memory:
    """Two halves of 64 KiB of a file that both map: a length, set last, and the data."""

    reader, SIZE = None, 65536

    def __init__(self):
        file = opened("memory", os.O_RDWR | os.O_CREAT)
        os.ftruncate(file, 2 * self.SIZE)
        self.map = mmap.mmap(file, 2 * self.SIZE)
        os.close(file)

    def at(self, mine):
        return 0 if mine == IS_FRONT else self.SIZE

    def receive(self):
        at = self.at(False)
        (size,) = struct.unpack_from("<I", self.map, at)
        data = self.map[at + 4 : at + 4 + size]
        struct.pack_into("<I", self.map, at, 0)
        return data

    def send(self, data):
        at = self.at(True)
        for piece in (data[i : i + 60000] for i in range(0, len(data), 60000)):
            while struct.unpack_from("<I", self.map, at)[0]:
                time.sleep(0.001)
            self.map[at + 4 : at + 4 + len(piece)] = piece
            struct.pack_into("<I", self.map, at, len(piece))


def appears(name):
    while not os.path.lexists(path(name)):
        time.sleep(0.02)


def join():
    if channel == "fifos":
        ends = [opened("there", os.O_RDWR), opened("back", os.O_RDWR)]
        return Descriptors(*(reversed(ends) if IS_FRONT else ends))
    if channel == "ring":
        # front -> there -> back -> on -> middle -> round -> front. Each opens its ends as its neighbours do.
        reads, writes = {"front": ("round", "there"), "back": ("there", "on"), "middle": ("on", "round")}[half]
        if IS_FRONT:
            writer = opened(writes, os.O_WRONLY)
            return Descriptors(opened(reads, os.O_RDONLY), writer)
        reader = opened(reads, os.O_RDONLY)
        return Descriptors(reader, opened(writes, os.O_WRONLY))
    if channel == "socket":
        connection = socket.socket(socket.AF_UNIX)
        if IS_FRONT:
            connection.bind(path("socket"))
            connection.listen()
            return Descriptors(*[connection.accept()[0].detach()] * 2)
        while connection.connect_ex(path("socket")):
            time.sleep(0.02)
        return Descriptors(*[connection.detach()] * 2)
    if channel == "datagrams":
        mine, other = ("front", "back") if IS_FRONT else ("back", "front")
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        connection.bind(path(mine))
        appears(other)
        return Datagrams(connection, path(other))
    if channel == "terminal":
        if not IS_FRONT:
            appears("terminal")
            return Descriptors(*[os.open(os.readlink(path("terminal")), os.O_RDWR | os.O_NOCTTY)] * 2)
        master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), path("terminal"))
        return Descriptors(master, master)
    return {"queue": Queue, "folder": Spool, "memory": Memory}[channel]()


def pump(a, b):
    """Between the channel and a connection, until that ends. What has no descriptor is looked at every 2 ms."""
    while True:
        ready, _, _ = select.select([a] if b.reader is None else [a, b.reader], [], [], 0.002 if b.reader is None else None)
        if b.reader is None or b.reader in ready:
            a.sendall(b.receive())
        if a in ready:
            data = a.recv(65536)
            if not data:
                return
            b.send(data)


def first_of(joint):
    while not (data := joint.receive()):
        time.sleep(0.002)
    return data


if half == "bystander":
    ends = [opened("there", os.O_RDWR), opened("back", os.O_RDWR)]
    time.sleep(60)
elif half == "front":
    outside = dial(sys.argv[4], int(sys.argv[5]))
    joint = join()
    pump(outside, joint)
    if channel == "queue":
        libc.msgctl(joint.queue, 0, None)
elif half == "back":
    joint = join()
    data = first_of(joint)
    inside = socket.create_connection(INSIDE)
    inside.sendall(data)
    pump(inside, joint)
elif half == "middle":
    joint = join()
    while data := joint.receive():
        joint.send(data)
elif half == "subscriber":
    joint = join()
    outside = dial(sys.argv[4], int(sys.argv[5]), tls=True)
    websocket_connect(outside)
    websocket_send(outside, "ready", masked=True)
    while message := websocket_receive(outside):
        joint.send(message.encode())
        websocket_send(outside, "stored", masked=True)
elif half == "worker":
    joint = join()
    inside = socket.create_connection(DATABASE)
    while data := joint.receive():
        inside.sendall(b"SET %d\n" % len(data) + data)
        assert inside.recv(65536)
elif half == "poller":
    while True:
        with socket.create_connection(INSIDE) as inside:
            inside.sendall(b"GET /bytes/40 HTTP/1.1\r\nHost: inside\r\nConnection: close\r\n\r\n")
            while inside.recv(65536):
                pass
        time.sleep(0.7)
