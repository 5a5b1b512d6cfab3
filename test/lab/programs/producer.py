"""
The outside end of consumer.py: `producer.py PORT CERTIFICATE [option=value]...`: sends messages, and reads what is answered.
sizes    varied, constant, large
count    how many; pause: seconds between them
"""
import queue
import socket
import sys
import threading
import time

from link import accept_link, options
from wire import chatter, done, first_use, listen

port, certificate = int(sys.argv[1]), sys.argv[2]
given = options(sys.argv[3:])
count, pause = int(given.get("count", 12)), float(given.get("pause", 0.15))


def size(number):
    if given.get("sizes") == "constant":
        return 120
    return 60_000 if given.get("sizes") == "large" else 40 + (number * 977) % 4000


if int(given.get("reports", 0)):
    chatter(port + 1)
if given.get("carrier") == "udp":
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", port))
    server.settimeout(20)
    print("listening", flush=True)
else:
    server = listen(port, certificate if given.get("carrier") == "tls" else None)
link = accept_link(given.get("carrier", "tcp"), given.get("framing", "plain"), server)
answers = queue.Queue()


def receive():
    try:
        while True:
            answers.put(link.receive())
    except (EOFError, OSError):
        answers.put(None)


threading.Thread(target=receive, daemon=True).start()
assert b"subscribe" in answers.get(timeout=20)[1]
first_use()
for number in range(1, count + 1):
    link.send(number, bytes(65 + (number * 7 + i * 13) % 26 for i in range(size(number))))
    if given.get("answers") != "none":
        assert answers.get(timeout=20)[0] == number
    time.sleep(pause)
link.send(0, b"end")
assert answers.get(timeout=20)[1] == b"bye"
done()
