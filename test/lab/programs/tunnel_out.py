"""
The outside end of a home-made tunnel: `tunnel_out.py PORT CERTIFICATE [option=value]...`. Beyond those of link.py:
requests what is asked for through it: varied, constant, one, bulk, pipelined, parallel
ping     seconds between keep-alives of the link
"""
import queue
import socket
import sys
import threading
import time

from link import accept_link, options
from wire import SIZES, chatter, done, first_use, listen, read_answer, request

port, certificate = int(sys.argv[1]), sys.argv[2]
given = options(sys.argv[3:])
carrier, kind = given.get("carrier", "tcp"), given.get("requests", "varied")
limit = 40


if int(given.get("chatter", 0)):
    chatter(port + 1)
if carrier == "udp":
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", port))
    server.settimeout(20)
    print("listening", flush=True)
else:
    server = listen(port, certificate if carrier == "tls" else None)
link = accept_link(carrier, given.get("framing", "plain"), server)
channels = {}


def receive():
    try:
        while True:
            channel, data = link.receive()
            channels.setdefault(channel, queue.Queue()).put(data)
    except (EOFError, OSError):
        return


def ping(pause):
    while True:
        link.send(65535, b"alive")
        time.sleep(pause)


class Channel:
    """What comes back on a channel, as a connection gives it; `kept` has all of it on the first one's."""

    def __init__(self, number):
        self.number, self.rest = number, b""
        self.waiting = channels.setdefault(1 if given.get("opens") == "kept" else number, queue.Queue())

    def recv(self, _):
        return self.waiting.get(timeout=limit)

    def ask(self, size):
        link.send(self.number, request(size))

    def check(self, size):
        assert read_answer(self.recv) == size

    def close(self):
        if given.get("opens") != "kept":
            link.send(self.number, b"")


def one_by_one(sizes):
    for number, size in enumerate(sizes):
        channel = Channel(number + 1)
        channel.ask(size)
        channel.check(size)
        channel.close()
        time.sleep(0.05)


def at_once(sizes):
    all_of_them = [(Channel(number + 1), size) for number, size in enumerate(sizes)]
    for channel, size in all_of_them:
        channel.ask(size)
    for channel, size in all_of_them:
        channel.check(size)
        channel.close()


def in_a_row(sizes):
    """All requests on one connection before the first answer is there."""
    channel = Channel(1)
    for size in sizes:
        channel.ask(size)
    expected, got = sum(sizes), 0
    while got < expected:
        got += len(channel.recv(0))
    channel.close()


threading.Thread(target=receive, daemon=True).start()
if "ping" in given:
    threading.Thread(target=ping, args=(float(given["ping"]),), daemon=True).start()
# A tunnel stands before it is used.
time.sleep(0.7)
first_use()
if kind == "bulk":
    one_by_one([1_500_000])
elif kind == "one":
    one_by_one([700])
elif kind == "constant":
    one_by_one([1200] * 6)
elif kind == "pipelined":
    in_a_row(SIZES)
elif kind == "parallel":
    at_once(SIZES)
else:
    one_by_one(SIZES)
time.sleep(0.3)
link.close()
done()
