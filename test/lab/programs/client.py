"""Ordinary clients that look like relays: `client.py KIND ADDRESS PORT`. None lets the outside reach inside."""
import json
import socket
import subprocess
import sys

from wire import dial, read_answer, request, websocket_connect, websocket_receive, websocket_send

kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
outside = dial(address, port, tls=True)
lines = outside.makefile("r")


def say(message):
    outside.sendall(json.dumps(message).encode() + b"\n")


def store(database, data):
    database.sendall(f"SET {len(data)}\n".encode() + data.encode())
    assert database.recv(64) == b"+OK\n"


def subscriber(fresh):
    """Writes each pushed WebSocket message to a local database, over one kept connection or a new one for each."""
    kept = None if fresh else socket.create_connection(("127.0.0.1", 6000))
    websocket_connect(outside)
    websocket_send(outside, json.dumps({"subscribe": "news"}), masked=True)
    while text := websocket_receive(outside):
        database = kept or socket.create_connection(("127.0.0.1", 6000))
        message = json.loads(text)
        store(database, message["data"])
        websocket_send(outside, json.dumps({"ack": message["id"]}), masked=True)
        if fresh:
            database.close()


def reporter():
    """Answers a pushed question with rows of a local database."""
    database = socket.create_connection(("127.0.0.1", 6000))
    say({"hello": "reporter"})
    for line in lines:
        question = json.loads(line)
        database.sendall(f"ROWS {question['rows']}\n".encode())
        rows = b""
        while len(rows) < question["rows"]:
            rows += database.recv(65536)
        say({"id": question["id"], "rows": rows.decode()})


def worker(by_child):
    """Polls for jobs; each fetches something inside, itself or by a child."""
    while True:
        say({"poll": "worker-7", "state": "idle"})
        job = json.loads(lines.readline())
        if job["job"] is None:
            return
        if by_child:
            url = f"http://127.0.0.1:8000/bytes/{job['fetch']}"
            subprocess.run(["curl", "-s", "-o", "/dev/null", url], check=True)
        else:
            fetch(job["fetch"])


def fetch(size):
    with socket.create_connection(("127.0.0.1", 8000)) as inside:
        inside.sendall(request(size))
        read_answer(inside.recv)
    return "x" * size


def agent(act):
    """Posts a context that grows by what each answer asked for."""
    messages = ["system: you fix builds"]
    while True:
        say({"model": "m", "messages": messages})
        answer = json.loads(lines.readline())
        if answer["fetch"] is None:
            return
        messages += [answer["thought"], act(answer)]


def agent_with_shell():
    shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def act(answer):
        shell.stdin.write(answer["run"] + "\necho end-of-output\n")
        shell.stdin.flush()
        output = ""
        for line in shell.stdout:
            if line == "end-of-output\n":
                return output

    agent(act)
    shell.stdin.close()
    shell.wait()


{
    "subscriber-kept": lambda: subscriber(fresh=False),
    "subscriber-fresh": lambda: subscriber(fresh=True),
    "reporter": reporter,
    "worker": lambda: worker(by_child=False),
    "worker-child": lambda: worker(by_child=True),
    "agent": lambda: agent(lambda answer: fetch(answer["fetch"])),
    "agent-shell": agent_with_shell,
}[kind]()
