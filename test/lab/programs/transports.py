"""Relays over other transports than a plain TCP socket: `transports.py KIND ADDRESS PORT`. Each dials out and carries what
comes back to 127.0.0.1:8000."""
import socket
import struct
import sys
import threading

from wire import read_whole_answer

MPTCP = socket.IPPROTO_TCP + 256
UDPLITE = 136
PIECE = 1200

kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
INSIDE = ("127.0.0.1", 8000)


def stream(protocol, place):
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    connection.connect(place)
    return connection


def fast_open(place, data):
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.sendto(data, socket.MSG_FASTOPEN, place)
    return connection


def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def carry(a, dial_inside):
    first = a.recv(65536)
    b = dial_inside(first)
    back = threading.Thread(target=pump, args=(b, a))
    back.start()
    pump(a, b)
    back.join()


def dialled(protocol):
    def dial_inside(first):
        b = stream(protocol, INSIDE)
        b.sendall(first)
        return b

    return dial_inside


def datagrams(a, send):
    """Each request comes in one datagram and is answered in numbered pieces."""
    send(b"hello")
    while True:
        request = a.recv(65536)
        if request == b"end":
            return
        with socket.create_connection(INSIDE) as b:
            b.sendall(request)
            answer = read_whole_answer(b.recv)
        pieces = [answer[i:i + PIECE] for i in range(0, len(answer), PIECE)]
        for number, piece in enumerate(pieces):
            send(struct.pack(">HH", number, len(pieces)) + piece)


def to_outside(a):
    return lambda data: a.sendto(data, (address, port))


def greet(a):
    """Somebody here speaks to the socket before it speaks to anybody."""
    a.bind(("", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greeter:
        greeter.sendto(b"x", ("127.0.0.1", a.getsockname()[1]))
    a.recvfrom(16)


if kind == "mptcp-out":
    carry(stream(MPTCP, (address, port)), dialled(0))
elif kind == "mptcp-in":
    carry(stream(0, (address, port)), dialled(MPTCP))
elif kind == "mptcp":
    carry(stream(MPTCP, (address, port)), dialled(MPTCP))
elif kind == "fast-open":
    carry(fast_open((address, port), b"hello"), lambda first: fast_open(INSIDE, first))
elif kind == "udplite":
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDPLITE)
    datagrams(a, to_outside(a))
elif kind == "udp-decoy":
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.sendto(b"x", ("127.0.0.1", 9))
    datagrams(a, to_outside(a))
elif kind == "udp-decoy-connected":
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.sendto(b"x", ("127.0.0.1", 9))
    a.connect((address, port))
    datagrams(a, a.send)
elif kind == "udp-greeted":
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    greet(a)
    datagrams(a, to_outside(a))
elif kind == "udp-crowd":
    # More decoys than anybody would remember, before each piece.
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    decoys = 0

    def send_among_decoys(data):
        global decoys
        for _ in range(10):
            decoys += 1
            a.sendto(b"x", ("127.0.0.1", 20000 + decoys % 20000))
        a.sendto(data, (address, port))

    datagrams(a, send_among_decoys)
else:
    sys.exit(f"transports.py: no such kind: {kind}")
