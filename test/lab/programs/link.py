"""
Messages between the two ends of a home-made tunnel, over many forms of transport. Both ends take the same options:
framing how a message is written: plain, header (48 bytes before each), cells (512 bytes each), zip, base64, http
carrier what carries it: tcp, tls, websocket, halves, poll, longpoll, sse, udp
A message is (channel, data); empty data closes the channel.
"""
import base64
import os
import queue
import socket
import struct
import threading
import zlib

from wire import dial, exactly, read_head, websocket_accept, websocket_connect

HEADER = os.urandom(48)
CELL = 512
LARGEST = 16384


def options(words):
    return dict(word.split("=", 1) for word in words)


def packed(channel, data):
    return struct.pack(">HI", channel, len(data)) + data


def write_message(framing, channel, data):
    body = packed(channel, data)
    if framing == "header":
        body = HEADER + body
    elif framing == "zip":
        body = zlib.compress(body, 6)
    elif framing == "base64":
        body = base64.b64encode(body)
    elif framing == "http":
        return b"POST /api/v1/events HTTP/1.1\r\nHost: collector\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "cells":
        whole = -(-(len(body) + 4) // CELL) * CELL
        return struct.pack(">I", len(body)) + body + bytes(whole - len(body) - 4)
    return struct.pack(">I", len(body)) + body


def read_message(framing, connection):
    if framing == "http":
        head = read_head(connection)
        size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    else:
        (size,) = struct.unpack(">I", exactly(connection, 4))
    body = exactly(connection, size)
    if framing == "cells":
        exactly(connection, -(size + 4) % CELL)
    elif framing == "header":
        body = body[len(HEADER):]
    elif framing == "zip":
        body = zlib.decompress(body)
    elif framing == "base64":
        body = base64.b64decode(body)
    channel, length = struct.unpack(">HI", body[:6])
    return channel, body[6:6 + length]


class Streams:
    """One connection for both ways, or one for each."""

    def __init__(self, framing, reads, writes):
        self.framing, self.reads, self.writes = framing, reads, writes
        self.sending = threading.Lock()

    def send(self, channel, data):
        with self.sending:
            self.writes.sendall(write_message(self.framing, channel, data))

    def receive(self):
        return read_message(self.framing, self.reads)

    def close(self):
        self.writes.close()
        self.reads.close()


class WebSocketStream:
    """Binary frames of RFC 6455 around what is sent; reads across frames, as exactly() asks."""

    def __init__(self, connection, masked):
        self.connection, self.masked, self.rest = connection, masked, b""

    def sendall(self, data):
        size = len(data)
        bit = 0x80 if self.masked else 0
        short = struct.pack("!B", bit | size) if size < 126 else struct.pack("!BH", bit | 126, size)
        if size > 65535:
            short = struct.pack("!BQ", bit | 127, size)
        if not self.masked:
            self.connection.sendall(b"\x82" + short + data)
            return
        mask = os.urandom(4)
        # XOR of whole integers: a loop over bytes would take longer than the link.
        pad = (mask * (size // 4 + 1))[:size]
        hidden = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
        self.connection.sendall(b"\x82" + short + mask + hidden)

    def recv(self, count):
        if not self.rest:
            _, size = exactly(self.connection, 2)
            masked, size = size & 0x80, size & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", exactly(self.connection, 2))
            elif size == 127:
                (size,) = struct.unpack("!Q", exactly(self.connection, 8))
            mask = exactly(self.connection, 4) if masked else None
            data = exactly(self.connection, size)
            if mask:
                pad = (mask * (size // 4 + 1))[:size]
                data = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
            self.rest = data
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def close(self):
        self.connection.close()


class Datagrams:
    """Messages in pieces over UDP, each sent again until it is acknowledged (as in RFC 1350, one under way)."""

    PIECE = 1100

    def __init__(self, connection):
        self.connection, self.pieces, self.acks = connection, queue.Queue(), queue.Queue()
        self.sending, self.sent, self.expected, self.isopen = threading.Lock(), 0, 0, True
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while self.isopen:
            try:
                packet = self.connection.recv(2048)
            except OSError:
                continue
            kind, number = struct.unpack(">BI", packet[:5])
            if kind == 2:
                self.acks.put(number)
                continue
            self.connection.send(struct.pack(">BI", 2, number))
            if number == self.expected:
                self.expected += 1
                self.pieces.put((kind, packet[5:]))

    def send(self, channel, data):
        body = packed(channel, data)
        with self.sending:
            for at in range(0, len(body), self.PIECE):
                kind = 1 if at + self.PIECE >= len(body) else 0
                self.deliver(struct.pack(">BI", kind, self.sent) + body[at:at + self.PIECE])
                self.sent += 1

    def deliver(self, packet):
        while self.isopen:
            self.connection.send(packet)
            try:
                while self.acks.get(timeout=0.25) != self.sent:
                    pass
                return
            except queue.Empty:
                pass

    def receive(self):
        body = b""
        while True:
            kind, piece = self.pieces.get()
            body += piece
            if kind == 1:
                channel, _ = struct.unpack(">HI", body[:6])
                return channel, body[6:]

    def close(self):
        self.isopen = False


def dial_link(carrier, framing, address, port):
    """The inside end's side of the link."""
    if carrier == "udp":
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_DGRAM)
        connection.connect((address, port))
        link = Datagrams(connection)
        link.send(0, b"hello")
        return link
    if carrier in ("poll", "longpoll", "sse"):
        from polling import PollingClient
        return PollingClient(carrier, framing, address, port)
    connection = dial(address, port, tls=carrier == "tls")
    connection = Whole(connection) if carrier == "tls" else connection
    if carrier == "websocket":
        websocket_connect(connection)
        connection = WebSocketStream(connection, masked=True)
    if carrier == "halves":
        connection.sendall(b"d")
        up = dial(address, port)
        up.sendall(b"u")
        return Streams(framing, connection, up)
    return Streams(framing, connection, connection)


def accept_link(carrier, framing, server):
    """The outside end's side of it; `server` listens."""
    if carrier == "udp":
        # The first packet tells who it is; it comes again, since nothing has acknowledged it.
        _, peer = server.recvfrom(2048)
        server.connect(peer)
        link = Datagrams(server)
        assert link.receive() == (0, b"hello")
        return link
    if carrier in ("poll", "longpoll", "sse"):
        from polling import PollingServer
        return PollingServer(carrier, framing, server)
    connection, _ = server.accept()
    connection = Whole(connection) if carrier == "tls" else connection
    if carrier == "websocket":
        websocket_accept(connection)
        connection = WebSocketStream(connection, masked=False)
    if carrier == "halves":
        both = {exactly(connection, 1): connection}
        second, _ = server.accept()
        both[exactly(second, 1)] = second
        return Streams(framing, both[b"u"], both[b"d"])
    return Streams(framing, connection, connection)


class Whole:
    """A TLS connection for one reader and one writer at a time: OpenSSL's are not for two threads at once."""

    def __init__(self, connection):
        self.connection, self.using = connection, threading.Lock()
        connection.setblocking(False)

    def recv(self, count):
        import select
        import ssl
        while True:
            with self.using:
                try:
                    return self.connection.recv(count)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            select.select([self.connection], [], [], 1)

    def sendall(self, data):
        import select
        import ssl
        view = memoryview(data)
        while view:
            with self.using:
                try:
                    view = view[self.connection.send(view):]
                    continue
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            select.select([], [self.connection], [], 1)

    def close(self):
        self.connection.close()
