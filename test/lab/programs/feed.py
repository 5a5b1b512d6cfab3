"""Outside ends of ordinary clients: `feed.py KIND PORT CERT`. All speak TLS; messages are JSON."""
import json
import sys
import time

from wire import done, first_use, listen, websocket_accept, websocket_receive, websocket_send

kind, port, cert = sys.argv[1], int(sys.argv[2]), sys.argv[3]
server = listen(port, cert)
TURNS = 12


def say(connection, message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def sizes():
    """Message sizes that vary from tens of bytes to kilobytes."""
    return [40 + (i * 977) % 4000 for i in range(TURNS)]


def push():
    """WebSocket messages when there is news; the client stores and acknowledges each."""
    client, _ = server.accept()
    first_use()
    websocket_accept(client)
    websocket_receive(client)
    for number, size in enumerate(sizes()):
        websocket_send(client, json.dumps({"id": number, "data": "m" * size}), masked=False)
        websocket_receive(client)
        time.sleep(0.25)


def query():
    """Asks the client for rows of its database."""
    client, _ = server.accept()
    first_use()
    lines = client.makefile("r")
    lines.readline()
    for number, size in enumerate(sizes()):
        say(client, {"id": number, "report": "weekly", "rows": size, "options": "o" * (200 + 37 * number % 300)})
        lines.readline()
        time.sleep(0.25)


def jobs():
    """Long poll: a request is always waiting, a job answers it after a while."""
    client, _ = server.accept()
    first_use()
    lines = client.makefile("r")
    for number in range(TURNS):
        assert lines.readline()
        time.sleep(0.4)
        say(client, {"job": number, "fetch": 100 + (number * 613) % 3000})
    lines.readline()
    say(client, {"job": None})


def model():
    """An API that an agent posts its growing context to; the answer says what to fetch or to run."""
    client, _ = server.accept()
    first_use()
    lines = client.makefile("r")
    for number in range(TURNS):
        context = json.loads(lines.readline())
        assert len(context["messages"]) > number
        time.sleep(0.3)
        thought = "t" * (100 + (number * 389) % 900)
        say(client, {"thought": thought, "fetch": 200 + (number * 821) % 5000, "run": f"echo step {number}; ls /"})
    lines.readline()
    say(client, {"thought": "finished", "fetch": None, "run": None})


{"push": push, "query": query, "jobs": jobs, "model": model}[kind]()
done()
