"""What the outside programs share: listening, requests, answers, and TLS where asked for."""
import socket
import ssl
import sys
import time

SIZES = [10, 500, 3000, 77, 12000, 8]


def listen(port, tls=None, family=socket.AF_INET6):
    server = socket.create_server(("", port), family=family, dualstack_ipv6=family == socket.AF_INET6)
    server.settimeout(20)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server = context.wrap_socket(server, server_side=True)
    print("listening", flush=True)
    return server


def dial(address, port, tls=False):
    connection = socket.create_connection((address, port), timeout=20)
    connection.settimeout(None)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = context.wrap_socket(connection)
    return connection


def request(size):
    return f"GET /bytes/{size} HTTP/1.1\r\nHost: inside\r\n\r\n".encode()


def read_answer(read):
    """Reads one HTTP answer; returns the length of its body."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = read(65536)
        if not piece:
            raise EOFError("the answer broke off")
        head += piece
    head, body = head.split(b"\r\n\r\n", 1)
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    got = len(body)
    while got < size:
        piece = read(65536)
        if not piece:
            raise EOFError("the body broke off")
        got += len(piece)
    return size


def first_use():
    """Tells when the first byte is sent in from outside."""
    print("first", time.time_ns() // 1000, flush=True)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def done():
    print("done", flush=True)
    sys.exit(0)
