"""
Sends requests into a tunnel's outside port, as somebody on the outside host would: `visitor.py PORT [KIND]`. KIND: varied,
constant, one, bulk, parallel, or socks for varied ones through a SOCKS proxy.
"""
import socket
import struct
import sys
import time

from wire import SIZES, done, exactly, first_use, read_answer, request

port = int(sys.argv[1])
kind = sys.argv[2] if len(sys.argv) > 2 else "varied"
sizes = {"constant": [1200] * 6, "one": [700], "bulk": [1_500_000]}.get(kind, SIZES)
# What the tunnel leads to when it is a SOCKS proxy (RFC 1928).
target = ("127.0.0.1", 8000)


def connect():
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    if kind == "socks":
        connection.sendall(b"\x05\x01\x00")
        assert exactly(connection, 2) == b"\x05\x00"
        connection.sendall(b"\x05\x01\x00\x01" + socket.inet_aton(target[0]) + struct.pack(">H", target[1]))
        assert exactly(connection, 10)[1] == 0
    return connection


def check(connection, size):
    assert read_answer(connection.recv) == size
    connection.close()


first = connect()
first_use()
waiting = []
for size in sizes:
    connection, first = first or connect(), None
    connection.sendall(request(size))
    if kind == "parallel":
        waiting.append((connection, size))
    else:
        check(connection, size)
        time.sleep(0.05)
for connection, size in waiting:
    check(connection, size)
done()
