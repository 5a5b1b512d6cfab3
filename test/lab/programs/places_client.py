"""Ordinary programs at the same places: `places_client.py KIND ARGUMENTS`. None lets the outside reach inside.

`web OUTSIDE PORT PATH`: asks an interface outside, and a database at a unix socket between.
`both OUTSIDE PORT INSIDE PORT`: a browser that is at a site outside and at one of a neighbour.
`proxied PROXY-PORT OUTSIDE PORT INSIDE PORT`: the same by a CONNECT proxy on this host, over one kept connection.
`logger OUTSIDE PORT PATH`: writes each message that is pushed to it to a log at a unix datagram socket.
"""
import socket
import sys
import time

from places import through
from wire import SIZES, dial, read_answer, request


def fetch(connection, size):
    connection.sendall(request(size))
    assert read_answer(connection.recv) == size


def take_turns(outside, inside):
    for turn in range(2):
        for size in SIZES:
            fetch(outside, size)
            fetch(inside, SIZES[(turn + size) % len(SIZES)])
            time.sleep(0.1)


def unix(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.bind("")
    connection.connect(path)
    return connection


kind, rest = sys.argv[1], sys.argv[2:]
if kind == "web":
    take_turns(dial(rest[0], int(rest[1])), unix(rest[2]))
elif kind == "both":
    take_turns(dial(rest[0], int(rest[1])), dial(rest[2], int(rest[3])))
elif kind == "proxied":
    take_turns(through(int(rest[0]), rest[1], int(rest[2])), dial(rest[3], int(rest[4])))
elif kind == "logger":
    outside, log = dial(rest[0], int(rest[1])), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for size in SIZES * 2:
        outside.sendall(request(size))
        log.sendto(outside.recv(65536)[:4000], rest[2])
        time.sleep(0.1)
else:
    sys.exit(f"places_client.py: no such kind: {kind}")
