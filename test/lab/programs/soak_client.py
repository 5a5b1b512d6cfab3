"""
One ordinary program with very many flows: `soak_client.py ADDRESS PORT PORTS HELD SHORT SECONDS SEED`. It holds HELD connections
on which it is sent messages, stores every fourth in a database inside, and makes SHORT others meanwhile, spread over SECONDS, as
pollers and reconnecting clients do. Prints "held", and at the end what it did; "end" on its standard input ends it.
"""
import random
import resource
import select
import selectors
import socket
import sys
import time

address, first = sys.argv[1], int(sys.argv[2])
ports, held, short = (int(word) for word in sys.argv[3:6])
seconds, chance = float(sys.argv[6]), random.Random(int(sys.argv[7]))
_, file_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (file_limit, file_limit))
database = socket.create_connection(("127.0.0.1", 6000))
selector = selectors.DefaultSelector()
messages = lost = done = 0


def dial():
    return socket.create_connection((address, first + chance.randrange(ports)), timeout=60)


def hold():
    connection = dial()
    connection.sendall(b"hold")
    selector.register(connection, selectors.EVENT_READ)


def store(data):
    database.sendall(f"SET {len(data)}\n".encode() + data)
    assert database.recv(64) == b"+OK\n"


def serve(wait):
    global messages, lost
    for key, _ in selector.select(wait):
        try:
            data = key.fileobj.recv(4096)
            key.fileobj.sendall(b"ack")
        except OSError:
            data = b""
        if data:
            messages += 1
            if messages % 4 == 0:
                store(data)
        else:
            # It reconnects, as such clients do.
            lost += 1
            selector.unregister(key.fileobj)
            key.fileobj.close()
            hold()


def once():
    global done
    size = chance.randint(30, 9000)
    with dial() as connection:
        connection.sendall(b"get %d" % size)
        while size > 0:
            data = connection.recv(16384)
            assert data
            size -= len(data)
    done += 1


for _ in range(held):
    hold()
    serve(0)
print("held", flush=True)
began = time.monotonic()
for turn in range(short):
    while (left := began + seconds * turn / short - time.monotonic()) > 0:
        serve(min(left, 0.5))
    serve(0)
    once()
print("made", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    serve(0.2)
print("did", messages, lost, done, flush=True)
