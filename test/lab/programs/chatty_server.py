"""Answers each message with another, and speaks by itself now and then: `chatty_server.py PORT`. Ends with its first client."""
import select
import sys

from wire import done, listen

server = listen(int(sys.argv[1]))
connection, _ = server.accept()
turn = 0
while True:
    turn += 1
    if not select.select([connection], [], [], 0.4)[0]:
        connection.sendall(b"news " * (1 + turn % 9))
        continue
    try:
        data = connection.recv(65536)
    except OSError:
        break
    if not data:
        break
    connection.sendall(b"a" * (30 + len(data) * 3 % 700))
done()
