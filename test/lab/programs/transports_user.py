"""The outside end of relays over other transports: `transports_user.py mptcp|tcp|fast-open|udp|udplite PORT`. Waits for the
relay and sends requests through it."""
import socket
import struct
import sys
import time

from wire import SIZES, body_of, done, exactly, first_use, read_answer, request

MPTCP = socket.IPPROTO_TCP + 256
UDPLITE = 136
TCP_FASTOPEN = 23

kind, port = sys.argv[1], int(sys.argv[2])


def streams():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP if kind == "mptcp" else 0)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.settimeout(20)
    server.bind(("", port))
    if kind == "fast-open":
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    server.listen()
    print("listening", flush=True)
    relay, _ = server.accept()
    if kind == "fast-open":
        exactly(relay, len(b"hello"))
    time.sleep(1)
    first_use()
    for size in SIZES:
        relay.sendall(request(size))
        assert read_answer(relay.recv) == size
        time.sleep(0.05)
    time.sleep(0.5)
    relay.close()


def datagrams():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDPLITE if kind == "udplite" else 0)
    server.settimeout(20)
    server.bind(("", port))
    print("listening", flush=True)
    _, relay = server.recvfrom(65536)
    time.sleep(1)
    first_use()
    for size in SIZES:
        server.sendto(request(size), relay)
        pieces, count = {}, 1
        while len(pieces) < count:
            data = server.recv(65536)
            number, count = struct.unpack(">HH", data[:4])
            pieces[number] = data[4:]
        answer = b"".join(pieces[number] for number in range(count))
        assert len(body_of(answer)) == size
        time.sleep(0.05)
    time.sleep(0.5)
    server.sendto(b"end", relay)


if kind in ("udp", "udplite"):
    datagrams()
else:
    streams()
done()
