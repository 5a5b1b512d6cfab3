"""Relays to places that are inside for a reason of their own, and what is there.

`places.py relay OUTSIDE PORT PLACE`: dials out, and carries what comes back to PLACE: tcp:ADDRESS:PORT, unix:PATH (its own end
has a name too), or datagrams:PATH.
`places.py through PROXY-PORT OUTSIDE PORT PLACE`: the same, by a CONNECT proxy on this host.
`places.py front OUTSIDE PORT MEETING` and `places.py back MEETING PLACE`: one relay in two processes. The front holds the
connection to the outside and listens at MEETING (tcp:PORT or unix:PATH), the back calls it.
`places.py serve PATH` and `places.py serve-datagrams PATH`: HTTP at a unix socket.
`places.py proxy PORT`: an HTTP CONNECT proxy.
"""
import os
import select
import socket
import sys
import threading

from wire import dial, read_head


def open_place(place):
    kind, rest = place.split(":", 1)
    if kind == "tcp":
        host, port = rest.rsplit(":", 1)
        return socket.create_connection((host, int(port)))
    if kind == "meeting":
        return socket.create_connection(("127.0.0.1", int(rest)))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM)
    # Autobound: an abstract name that the kernel picks.
    connection.bind("")
    connection.connect(rest)
    return connection


def listen_at(meeting):
    kind, rest = meeting.split(":", 1)
    if kind == "meeting":
        return socket.create_server(("127.0.0.1", int(rest)))
    server = socket.socket(socket.AF_UNIX)
    server.bind(rest)
    server.listen()
    return server


def carry(a, b):
    """Both ways, until one side ends."""
    while True:
        for ready in select.select([a, b], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (b if ready is a else a).sendall(data)


def relay(outside, place):
    first = outside.recv(65536)
    inside = open_place(place)
    inside.sendall(first)
    carry(outside, inside)


def through(port, address, far_port):
    outside = socket.create_connection(("127.0.0.1", port))
    outside.sendall(f"CONNECT {address}:{far_port} HTTP/1.1\r\nHost: {address}:{far_port}\r\n\r\n".encode())
    assert b" 200 " in read_head(outside)
    return outside


def answer(head):
    size = int(head.split()[1].rsplit(b"/", 1)[-1])
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size


def serve(server):
    def one(connection):
        try:
            while True:
                connection.sendall(answer(read_head(connection)))
        except EOFError:
            return

    while True:
        threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()


def serve_datagrams(path):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    print("listening", flush=True)
    while True:
        head, caller = server.recvfrom(65536)
        if caller and head.startswith(b"GET "):
            server.sendto(answer(head), caller)


def proxy(server):
    def one(client):
        address, port = read_head(client).split()[1].decode().rsplit(":", 1)
        outside = socket.create_connection((address, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        carry(client, outside)
        outside.close()
        client.close()

    while True:
        threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()


def main(kind, *rest):
    if kind == "relay":
        relay(dial(rest[0], int(rest[1])), rest[2])
    elif kind == "through":
        relay(through(int(rest[0]), rest[1], int(rest[2])), rest[3])
    elif kind == "front":
        outside, server = dial(rest[0], int(rest[1])), listen_at(rest[2])
        print("listening", flush=True)
        carry(outside, server.accept()[0])
    elif kind == "back":
        relay(open_place(rest[0]), rest[1])
    elif kind == "serve-datagrams":
        serve_datagrams(rest[0])
    else:
        server = listen_at(f"unix:{rest[0]}" if kind == "serve" else f"meeting:{rest[0]}")
        print("listening", flush=True)
        (serve if kind == "serve" else proxy)(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)
