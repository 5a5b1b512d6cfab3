"""What the outside programs share: listening, requests, answers, and TLS where asked for."""
import base64
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
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


def read_whole_answer(read):
    """Reads one HTTP answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = read(65536)
        if not piece:
            raise EOFError("the answer broke off")
        head += piece
    head, body = head.split(b"\r\n\r\n", 1)
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < size:
        piece = read(65536)
        if not piece:
            raise EOFError("the body broke off")
        body += piece
    return head + b"\r\n\r\n" + body


def body_of(answer):
    return answer.split(b"\r\n\r\n", 1)[1]


def read_answer(read):
    """Reads one HTTP answer; returns the length of its body."""
    return len(body_of(read_whole_answer(read)))


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


# RFC 6455 1.3: what a server adds to the client's key.
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(connection, 1)
    return head


def websocket_accept(connection):
    """Answers a client's opening handshake (RFC 6455 4.2.2)."""
    fields = dict(line.split(b": ", 1) for line in read_head(connection).split(b"\r\n") if b": " in line)
    accept = base64.b64encode(hashlib.sha1(fields[b"Sec-WebSocket-Key"] + WEBSOCKET_GUID).digest())
    reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    connection.sendall(reply + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def websocket_connect(connection):
    key = base64.b64encode(os.urandom(16))
    opening = b"GET /feed HTTP/1.1\r\nHost: feed\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    connection.sendall(opening + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n")
    assert b" 101 " in read_head(connection)


def websocket_send(connection, text, masked):
    """One text frame (RFC 6455 5.2); a client masks, a server does not."""
    data = text.encode()
    size = struct.pack("!B", len(data)) if len(data) < 126 else struct.pack("!BH", 126, len(data))
    if not masked:
        connection.sendall(b"\x81" + size + data)
        return
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    connection.sendall(b"\x81" + bytes([size[0] | 0x80]) + size[1:] + mask + hidden)


def websocket_receive(connection):
    """The text of the next frame, or None when the other side is gone."""
    try:
        _, size = exactly(connection, 2)
        masked, size = size & 0x80, size & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", exactly(connection, 2))
        mask = exactly(connection, 4) if masked else b"\0\0\0\0"
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(exactly(connection, size))).decode()
    except EOFError:
        return None


def chatter(port):
    """Answers whatever is reported on other connections beside a tunnel or a consumer; listens when it returns."""
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)

    def answer(connection):
        while data := connection.recv(4096):
            connection.sendall(b"k" * (8 + len(data) % 30))

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def done():
    print("done", flush=True)
    sys.exit(0)
