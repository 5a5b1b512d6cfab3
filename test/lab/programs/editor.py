"""
An editor with a terminal pane: `editor.py ADDRESS PORT`. It talks to a server outside all the time (completion, telemetry),
while a person types into a shell on a pty of the same process.
"""
import os
import pty
import socket
import sys
import threading
import time

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def complete():
    turn = 0
    while True:
        turn += 1
        connection.sendall(b"c" * (200 + turn * 97 % 900))
        if not connection.recv(8192):
            return
        time.sleep(0.15)


child, master = pty.fork()
if child == 0:
    os.execvp("bash", ["bash", "--norc"])
threading.Thread(target=complete, daemon=True).start()
seen = b""


def drain():
    global seen
    try:
        while True:
            seen += os.read(master, 65536)
    except OSError:
        pass


threading.Thread(target=drain, daemon=True).start()
for line in ["ls /", "uname -a", "echo from the $((40 + 2)) pane", "cat /etc/hostname"]:
    for key in line + "\n":
        os.write(master, key.encode())
        time.sleep(0.06)
os.write(master, b"exit\n")
os.waitpid(child, 0)
assert b"from the 42 pane" in seen, seen
