"""
The inside end of a home-made tunnel: `tunnel_in.py ADDRESS PORT [option=value]...`. Beyond those of link.py:
target  where it leads: HOST:PORT or the path of a unix socket
opens   when it dials inside: asked (on the first byte of a channel), eager (before the outside speaks), kept (one for all)
delay   seconds that each message waits on its way, both ways
split   a second process holds the inside, joined by: socketpair, fifo, unix, seqpacket, loopback, datagrams
chatter how many other outside connections (to PORT + 1) report and are answered meanwhile
"""
import os
import queue
import socket
import sys
import threading
import time

from link import LARGEST, Streams, dial_link, options

address, port = sys.argv[1], int(sys.argv[2])
given = options(sys.argv[3:])
target = given.get("target", "127.0.0.1:8000")
opens, delay = given.get("opens", "asked"), float(given.get("delay", 0))
chatter, split = int(given.get("chatter", 0)), given.get("split")


def dial_inside():
    if target.startswith("/"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target)
        return connection
    host, _, number = target.rpartition(":")
    return socket.create_connection((host, int(number)))


def later(step):
    """Calls the step with what is put into it, in order, `delay` seconds after."""
    if delay == 0:
        return step
    waiting = queue.Queue()

    def run():
        while True:
            due, words = waiting.get()
            time.sleep(max(0, due - time.monotonic()))
            step(*words)

    threading.Thread(target=run, daemon=True).start()
    return lambda *words: waiting.put((time.monotonic() + delay, words))


def serve(link, prepared=None):
    channels = {}
    to_outside = later(link.send)

    def back(channel, inside):
        while data := inside.recv(LARGEST):
            to_outside(channel, data)
        to_outside(channel, b"")

    def open_channel(channel):
        inside = prepared.pop() if prepared else dial_inside()
        threading.Thread(target=back, args=(channel, inside), daemon=True).start()
        return inside

    def to_inside(channel, data):
        place = 0 if opens == "kept" else channel
        if place not in channels:
            channels[place] = open_channel(channel)
        if data:
            channels[place].sendall(data)
        elif opens != "kept":
            channels[place].shutdown(socket.SHUT_WR)

    forward = later(to_inside)
    try:
        while True:
            channel, data = link.receive()
            if channel == 65535:
                # A keep-alive of the link itself.
                link.send(channel, data)
            else:
                forward(channel, data)
    except (EOFError, OSError):
        return


def chat(number):
    """Reports something every so often, and gets a word back."""
    connection = socket.create_connection((address, port + 1))
    turn = 0
    while True:
        turn += 1
        connection.sendall(b"m" * (60 + (turn * 37 + number * 101) % 400))
        connection.recv(4096)
        time.sleep(0.05 + (turn * 7 + number * 3) % 20 / 100)


class Packets:
    """A socket with borders between messages, read as if it had none."""

    def __init__(self, connection):
        self.connection, self.rest = connection, b""

    def sendall(self, data):
        for at in range(0, len(data), 8192):
            self.connection.send(data[at:at + 8192])

    def recv(self, count):
        if not self.rest:
            self.rest = self.connection.recv(65536)
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def close(self):
        self.connection.close()


class Files:
    def __init__(self, reads, writes):
        self.reads, self.writes = reads, writes

    def recv(self, count):
        return os.read(self.reads, count)

    def sendall(self, data):
        while data:
            data = data[os.write(self.writes, data):]


def joined():
    """Two ends, one for each process; made before they part."""
    if split == "socketpair":
        return [Streams("plain", one, one) for one in socket.socketpair()]
    if split == "seqpacket":
        return [Streams("plain", one, one) for one in map(Packets, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))]
    if split == "fifo":
        names = [f"tunnel-{os.getpid()}-{way}" for way in ("down", "up")]
        for name in names:
            os.mkfifo(name)
        # Opened for both, so that nobody waits for the other end.
        first, second = [os.open(name, os.O_RDWR) for name in names]
        return [Streams("plain", one, one) for one in (Files(second, first), Files(first, second))]
    if split == "datagrams":
        ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in ends:
            one.bind(("127.0.0.1", 0))
        ends[0].connect(ends[1].getsockname())
        ends[1].connect(ends[0].getsockname())
        return [Streams("plain", one, one) for one in map(Packets, ends)]
    family = socket.AF_UNIX if split == "unix" else socket.AF_INET
    place = f"tunnel-{os.getpid()}.sock" if split == "unix" else ("127.0.0.1", 0)
    server = socket.socket(family)
    server.bind(place)
    server.listen()
    far = socket.socket(family)
    far.connect(server.getsockname())
    near, _ = server.accept()
    return [Streams("plain", one, one) for one in (near, far)]


def carry(source, sink):
    try:
        while True:
            sink.send(*source.receive())
    except (EOFError, OSError):
        return


for number in range(chatter):
    threading.Thread(target=chat, args=(number,), daemon=True).start()
carrier, framing = given.get("carrier", "tcp"), given.get("framing", "plain")
if split:
    outer, inner = joined()
    if os.fork() == 0:
        serve(inner)
        os._exit(0)
    link = dial_link(carrier, framing, address, port)
    threading.Thread(target=carry, args=(outer, link), daemon=True).start()
    carry(link, outer)
else:
    prepared = [dial_inside()] if opens == "kept" else []
    link = dial_link(carrier, framing, address, port)
    if opens == "eager":
        prepared = [dial_inside() for _ in range(8)]
    serve(link, prepared)
