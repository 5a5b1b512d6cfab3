"""
An ordinary program that is sent messages: `consumer.py ADDRESS PORT [option=value]...`. What it does with each is its own
affair, and what it answers is its own word: nobody outside reaches inside. Beyond the options of link.py:
does     store (kept database connection), store-fresh, store-unix (kept, at a unix socket), store-unix-fresh, file, fetch,
         fetch-lan, fetch-unix, engine (asks a service at a unix socket twice, by itself), curl, job, notify, think
target   the unix socket
answers  ack, none, status (a line of varying size), digest (of what it did)
reports  how many other outside connections (to PORT + 1) it reports on
"""
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time

from link import dial_link, options
from wire import read_answer, request

address, port = sys.argv[1], int(sys.argv[2])
given = options(sys.argv[3:])
does, answers = given.get("does", "think"), given.get("answers", "ack")


def dial_unix():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(given["target"])
    return connection


database = socket.create_connection(("127.0.0.1", 6000)) if does == "store" else None
if does in ("store-unix", "engine"):
    database = dial_unix()
listeners = []


def store(connection, data):
    connection.sendall(f"SET {len(data)}\n".encode() + data)
    assert connection.recv(64) == b"+OK\n"
    return b"stored"


def fetch(number, target):
    if target.startswith("/"):
        connection = dial_unix()
    else:
        connection = socket.create_connection((target, 8000))
    size = 150 + (number * 613) % 3000
    with connection:
        connection.sendall(request(size))
        assert read_answer(connection.recv) == size
    return str(size).encode()


def ask(size):
    database.sendall(request(size))
    assert read_answer(database.recv) == size
    return size


def act(number, data):
    if does in ("store", "store-unix"):
        return store(database, data)
    if does == "store-unix-fresh":
        with dial_unix() as fresh:
            return store(fresh, data)
    if does == "engine":
        # What runs is listed, then the one that the message names is asked for.
        answers = [ask(1200 + number * 37 % 500), ask(80 + (number * 613) % 900)]
        return json.dumps({"running": answers[0], "state": answers[1]}).encode()
    if does == "store-fresh":
        with socket.create_connection(("127.0.0.1", 6000)) as fresh:
            return store(fresh, data)
    if does == "file":
        with open("consumed", "ab") as file:
            file.write(data)
        return b"written"
    if does in ("fetch", "fetch-lan", "fetch-unix"):
        return fetch(number, {"fetch": "127.0.0.1", "fetch-lan": "10.78.0.2", "fetch-unix": given.get("target")}[does])
    if does == "curl":
        size = 100 + (number * 389) % 2000
        url = f"http://127.0.0.1:8000/bytes/{size}"
        return hashlib.sha1(subprocess.run(["curl", "-sf", url], check=True, capture_output=True).stdout).digest()
    if does == "job":
        steps = "set -e; ls / > /dev/null; sleep 0.05; uname -r; echo built"
        return subprocess.run(["sh", "-c", steps], check=True, capture_output=True).stdout
    if does == "notify":
        for listener in listeners:
            listener.sendall(json.dumps({"event": number, "size": len(data)}).encode() + b"\n")
    time.sleep(0.01)
    return b"seen"


def serve_listeners():
    """Programs of this host that want to know: they connect here."""
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        with socket.create_connection(server.getsockname()) as connection:
            while connection.recv(4096):
                pass

    for _ in range(2):
        threading.Thread(target=listen, daemon=True).start()
        listeners.append(server.accept()[0])


def report(number):
    connection = socket.create_connection((address, port + 1))
    turn = 0
    while True:
        turn += 1
        connection.sendall(b"m" * (80 + (turn * 53 + number * 11) % 700))
        connection.recv(4096)
        time.sleep(0.1 + (turn * 7 % 10) / 50)


if does == "notify":
    serve_listeners()
for number in range(int(given.get("reports", 0))):
    threading.Thread(target=report, args=(number,), daemon=True).start()
link = dial_link(given.get("carrier", "tcp"), given.get("framing", "plain"), address, port)
link.send(1, json.dumps({"subscribe": "events", "group": "workers"}).encode())
while True:
    try:
        number, data = link.receive()
    except (EOFError, OSError):
        break
    if data == b"end":
        link.send(1, b"bye")
        time.sleep(0.3)
        break
    result = act(number, data)
    if answers == "ack":
        link.send(number, b"ok")
    elif answers == "status":
        link.send(number, json.dumps({"id": number, "state": "done" * (1 + number % 4), "took": time.monotonic()}).encode())
    elif answers == "digest":
        link.send(number, hashlib.sha256(result).hexdigest().encode())
