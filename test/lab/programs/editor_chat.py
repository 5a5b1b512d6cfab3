"""
An editor with a terminal of its own and a chat outside: `editor_chat.py serve PORT [CERT]`, `editor_chat.py ADDRESS PORT [tls]`. A
person types. In TLS the chat says little but that it is there: its messages have one size, and the person types key by key.
"""
import os
import pty
import random
import select
import sys
import time

from wire import dial, done, first_use, listen

MESSAGES = 30


def serve(port, cert=None):
    chat, _ = listen(port, cert).accept()
    chat.settimeout(10)
    first_use()
    for _ in range(MESSAGES * 4 if cert else MESSAGES):
        time.sleep(random.uniform(0.02, 0.2) if cert else random.uniform(0.2, 0.6))
        chat.sendall(b"m" if cert else b"m" * random.choice((3, 9, 20, 90, 400)))
        assert chat.recv(100) == b"seen"
    chat.close()


def edit(address, port, by_key):
    child, master = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "--norc"])
    chat = dial(address, port, by_key)
    keys = b""
    lines, types_at = ["id -u", "ls / > /dev/null", "cat /etc/hostname", "date +%s"], time.monotonic() + 0.7
    while True:
        ready = select.select([chat, master], [], [], 0.05)[0]
        if chat in ready:
            if not chat.recv(65536):
                break
            chat.sendall(b"seen")
        if master in ready:
            os.read(master, 65536)
        if time.monotonic() > types_at:
            keys = keys or random.choice(lines).encode() + b"\n"
            count = 1 if by_key else len(keys)
            os.write(master, keys[:count])
            keys = keys[count:]
            types_at = time.monotonic() + (random.uniform(0.03, 0.12) if keys else random.uniform(0.4, 1.1))
    os.close(master)


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]), *sys.argv[3:])
else:
    edit(sys.argv[1], int(sys.argv[2]), "tls" in sys.argv[3:])
done()
