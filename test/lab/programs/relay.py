"""Home-made relays: `relay.py KIND ADDRESS PORT`. Each dials out and carries what comes back to 127.0.0.1:8000."""
import os
import select
import socket
import ssl
import struct
import sys
import threading

from wire import dial, exactly

kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
INSIDE = ("127.0.0.1", 8000)


def shut(connection):
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    shut(target)


def both_ways(a, b, carry):
    back = threading.Thread(target=carry, args=(b, a))
    back.start()
    carry(a, b)
    back.join()


def tls():
    """One thread: a TLS connection is not for two."""
    a = dial(address, port, tls=True)
    a.setblocking(False)
    b = None
    while True:
        select.select([a, b] if b else [a], [], [])
        try:
            while data := a.recv(65536):
                b = b or socket.create_connection(INSIDE)
                b.sendall(data)
            return
        except ssl.SSLWantReadError:
            pass
        if b and select.select([b], [], [], 0)[0]:
            data = b.recv(65536)
            if not data:
                return
            a.setblocking(True)
            a.sendall(data)
            a.setblocking(False)


def threads():
    a = dial(address, port)
    first = a.recv(65536)
    b = socket.create_connection(INSIDE)
    b.sendall(first)
    both_ways(a, b, pump)


def splice():
    def carry(source, target):
        reader, writer = os.pipe()
        while count := os.splice(source.fileno(), writer, 65536):
            while count:
                count -= os.splice(reader, target.fileno(), count)
        shut(target)

    a = dial(address, port)
    a.recv(1, socket.MSG_PEEK)
    both_ways(a, socket.create_connection(INSIDE), carry)


def mux():
    """Frames {u16 channel, u32 length}; an empty one opens or closes a channel."""
    a = dial(address, port)
    channels = {}
    sending = threading.Lock()

    def back(channel, b):
        while True:
            data = b.recv(16384)
            with sending:
                a.sendall(struct.pack(">HI", channel, len(data)) + data)
            if not data:
                return

    try:
        while True:
            channel, size = struct.unpack(">HI", exactly(a, 6))
            data = exactly(a, size)
            if channel not in channels:
                channels[channel] = socket.create_connection(INSIDE)
                threading.Thread(target=back, args=(channel, channels[channel]), daemon=True).start()
            if data:
                channels[channel].sendall(data)
            else:
                shut(channels[channel])
    except EOFError:
        return


def control():
    """Takes orders on one outside connection and opens a new one for each channel."""
    orders = dial(address, port)

    def channel(order):
        a = dial(address, port)
        a.sendall(order.encode())
        both_ways(a, socket.create_connection(INSIDE), pump)

    started = []
    for order in orders.makefile("r"):
        started.append(threading.Thread(target=channel, args=(order,)))
        started[-1].start()
    for thread in started:
        thread.join()


def split(read_out, write_out, read_in, write_in):
    """One process holds the outside connection, its child the inside one, joined by the four descriptors."""
    if os.fork() == 0:
        os.close(read_out)
        os.close(write_out)
        first = os.read(read_in, 65536)
        b = socket.create_connection(INSIDE)
        b.sendall(first)
        threading.Thread(target=lambda: copy(b.fileno(), write_in), daemon=True).start()
        copy(read_in, b.fileno())
        os._exit(0)
    os.close(read_in)
    os.close(write_in)
    a = dial(address, port)
    threading.Thread(target=lambda: copy(read_out, a.fileno()), daemon=True).start()
    copy(a.fileno(), write_out)


def copy(source, target):
    while data := os.read(source, 65536):
        while data:
            data = data[os.write(target, data):]


if kind == "threads":
    threads()
elif kind == "tls":
    tls()
elif kind == "splice":
    splice()
elif kind == "mux":
    mux()
elif kind == "control":
    control()
elif kind == "split-socketpair":
    out, inner = socket.socketpair()
    split(out.fileno(), os.dup(out.fileno()), inner.fileno(), os.dup(inner.fileno()))
elif kind == "split-pipes":
    to_out_read, to_out_write = os.pipe()
    to_in_read, to_in_write = os.pipe()
    split(to_out_read, to_in_write, to_in_read, to_out_write)
else:
    sys.exit(f"relay.py: no such kind: {kind}")
