"""Sends requests into a tunnel's outside port: `visitor.py PORT [socks]`, as somebody on the outside host would."""
import socket
import struct
import sys
import time

from wire import SIZES, done, exactly, first_use, read_answer, request

port = int(sys.argv[1])
# What the tunnel leads to when it is a SOCKS proxy (RFC 1928).
target = ("127.0.0.1", 8000)
has_printed = False
for size in SIZES:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    if not has_printed:
        first_use()
        has_printed = True
    if len(sys.argv) > 2:
        connection.sendall(b"\x05\x01\x00")
        assert exactly(connection, 2) == b"\x05\x00"
        connection.sendall(b"\x05\x01\x00\x01" + socket.inet_aton(target[0]) + struct.pack(">H", target[1]))
        assert exactly(connection, 10)[1] == 0
    connection.sendall(request(size))
    assert read_answer(connection.recv) == size
    connection.close()
    time.sleep(0.05)
done()
