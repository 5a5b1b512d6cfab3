"""
Outside ends of ordinary flows: `soak_server.py PORT COUNT` listens on COUNT ports. Who sends "hold" gets a message now and then
and acknowledges it; who sends anything else gets as many bytes as it asked for, and the end.
"""
import heapq
import itertools
import random
import resource
import selectors
import socket
import sys
import time

first, count = int(sys.argv[1]), int(sys.argv[2])
_, file_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (file_limit, file_limit))
chance = random.Random(first)
selector, due, order = selectors.DefaultSelector(), [], itertools.count()
for port in range(first, first + count):
    server = socket.create_server(("", port), backlog=1024)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ, "server")
print("listening", flush=True)


def leave(connection):
    selector.unregister(connection)
    connection.close()


def read(connection):
    try:
        data = connection.recv(4096)
    except OSError:
        data = b""
    if data.startswith(b"hold"):
        heapq.heappush(due, (time.monotonic() + chance.uniform(1, 20), next(order), connection))
    elif data.startswith(b"get "):
        connection.setblocking(True)
        connection.sendall(b"g" * int(data[4:]))
        leave(connection)
    elif not data:
        leave(connection)


while True:
    wait = max(0, due[0][0] - time.monotonic()) if due else 1
    for key, _ in selector.select(wait):
        if key.data == "server":
            connection, _ = key.fileobj.accept()
            selector.register(connection, selectors.EVENT_READ)
        else:
            read(key.fileobj)
    while due and due[0][0] <= time.monotonic():
        _, _, connection = heapq.heappop(due)
        if connection.fileno() >= 0:
            try:
                connection.sendall(b"p" * chance.randint(20, 900))
                heapq.heappush(due, (time.monotonic() + chance.uniform(5, 40), next(order), connection))
            except OSError:
                leave(connection)
