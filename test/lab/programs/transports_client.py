"""Ordinary programs on the watched host that speak MPTCP or UDP: `transports_client.py KIND ADDRESS PORT`."""
import socket
import sys
import threading
import time

from wire import SIZES, done, read_answer, request

MPTCP = socket.IPPROTO_TCP + 256
DATABASE = ("127.0.0.1", 6000)

kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def stream(protocol, place):
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    connection.connect(place)
    return connection


def store(size, protocol=0):
    with stream(protocol, DATABASE) as database:
        database.sendall(f"SET {size}\n".encode() + b"x" * size)
        assert database.recv(16) == b"+OK\n"


def downloads():
    """Fetches outside and stores inside, both over MPTCP."""
    for size in SIZES:
        with stream(MPTCP, (address, port)) as server:
            server.sendall(request(size))
            assert read_answer(server.recv) == size
        store(size, MPTCP)
        time.sleep(0.05)


def resolver():
    """Local clients ask it, and it asks twelve servers outside from one socket."""
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(("127.0.0.1", 0))
    upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def serve():
        for turn in range(36):
            query, client = front.recvfrom(4096)
            upstream.sendto(query, (address, port + turn % 12))
            answer, _ = upstream.recvfrom(4096)
            front.sendto(answer, client)

    serving = threading.Thread(target=serve)
    serving.start()
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for turn in range(36):
        clients[turn % 3].sendto(f"{40 + turn} query".encode(), front.getsockname())
        clients[turn % 3].recvfrom(4096)
        time.sleep(0.02)
    serving.join()


def fetcher():
    """One connected socket, as a QUIC client has; what it fetched is stored inside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.connect((address, port))
        for size in (100, 1200, 300, 900, 50, 1000):
            server.send(f"{size} fetch".encode())
            store(len(server.recv(4096)))
            time.sleep(0.05)


def aggregator():
    """Takes measurements of local programs and sends sums outside, which are acknowledged."""
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(("127.0.0.1", 0))
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for turn in range(30):
        for number in range(5):
            source.sendto(f"hits.{number}:{turn}|c".encode(), front.getsockname())
        got = [front.recvfrom(512)[0] for _ in range(5)]
        front.sendto(b"20 " + b"\n".join(got), (address, port))
        front.recvfrom(512)
        time.sleep(0.03)


def server():
    """Answers whoever asks, from the database: more strangers than anybody would remember, in bursts."""
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(("", port))
    print("listening", flush=True)
    while True:
        burst = [front.recvfrom(512) for _ in range(12)]
        if burst[0][0] == b"end":
            return
        for query, client in burst:
            size = int(query.split()[0])
            with stream(0, DATABASE) as database:
                database.sendall(f"ROWS {size}\n".encode())
                rows = b""
                while len(rows) < size:
                    rows += database.recv(4096)
            front.sendto(rows, client)


{"downloads": downloads, "resolver": resolver, "fetcher": fetcher, "aggregator": aggregator, "server": server}[kind]()
done()
