"""
A link of HTTP requests, a new connection for each: poll asks every 0.1 s, longpoll waits for an answer, sse has one answer
that never ends for the way down. What goes up is posted.
"""
import queue
import socket
import threading
import time

from wire import dial, exactly, read_head


def message_bytes(framing, channel, data):
    from link import write_message
    return write_message(framing, channel, data)


def messages(framing, body):
    from link import read_message
    reader = Bytes(body)
    while reader.left:
        yield read_message(framing, reader)


class Bytes:
    def __init__(self, body):
        self.left = body

    def recv(self, count):
        data, self.left = self.left[:count], self.left[count:]
        return data


def body_of(connection):
    head = read_head(connection)
    size = next((int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.startswith(b"Content-Length")), 0)
    return head, exactly(connection, size)


def emptied(waiting, first=()):
    found = list(first)
    while not waiting.empty():
        found.append(waiting.get())
    return found


class PollingClient:
    def __init__(self, carrier, framing, address, port):
        self.carrier, self.framing, self.place = carrier, framing, (address, port)
        self.down, self.up, self.isopen = queue.Queue(), queue.Queue(), True
        threading.Thread(target=self.listen if carrier == "sse" else self.poll, daemon=True).start()
        if carrier != "poll":
            threading.Thread(target=self.post, daemon=True).start()

    def request(self, verb, body):
        with dial(*self.place) as connection:
            head = b"%s /events HTTP/1.1\r\nHost: api\r\nContent-Length: %d\r\n\r\n" % (verb, len(body))
            connection.sendall(head + body)
            return body_of(connection)[1]

    def poll(self):
        while self.isopen:
            outgoing = emptied(self.up) if self.carrier == "poll" else []
            body = b"".join(message_bytes(self.framing, *one) for one in outgoing)
            try:
                for one in messages(self.framing, self.request(b"POST" if body else b"GET", body)):
                    self.down.put(one)
            except (EOFError, OSError):
                self.down.put(None)
                return
            if self.carrier == "poll":
                time.sleep(0.1)

    def post(self):
        while self.isopen:
            outgoing = emptied(self.up, [self.up.get()])
            self.request(b"POST", b"".join(message_bytes(self.framing, *one) for one in outgoing))

    def listen(self):
        from link import read_message
        connection = dial(*self.place)
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: api\r\nAccept: text/event-stream\r\n\r\n")
        try:
            read_head(connection)
            while True:
                self.down.put(read_message(self.framing, connection))
        except (EOFError, OSError):
            self.down.put(None)

    def send(self, channel, data):
        self.up.put((channel, data))

    def receive(self):
        one = self.down.get()
        if one is None:
            raise EOFError
        return one

    def close(self):
        self.isopen = False


class PollingServer:
    def __init__(self, carrier, framing, server):
        self.carrier, self.framing, self.server = carrier, framing, server
        self.down, self.up, self.seen = queue.Queue(), queue.Queue(), threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()
        self.seen.wait(20)

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        head, body = body_of(connection)
        self.seen.set()
        for one in messages(self.framing, body):
            self.up.put(one)
        if head.startswith(b"GET /stream"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            while True:
                connection.sendall(message_bytes(self.framing, *self.down.get()))
        found = emptied(self.down) if self.carrier == "poll" else []
        if self.carrier == "longpoll" and head.startswith(b"GET"):
            try:
                found = emptied(self.down, [self.down.get(timeout=2)])
            except queue.Empty:
                pass
        body = b"".join(message_bytes(self.framing, *one) for one in found)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        connection.shutdown(socket.SHUT_WR)
        connection.close()

    def send(self, channel, data):
        self.down.put((channel, data))

    def receive(self):
        return self.up.get()

    def close(self):
        self.server.close()
