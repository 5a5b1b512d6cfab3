"""Sockets that change hands: `handover.py fork|exec|detach ...`.

`fork ADDRESS PORT SIZE`: opens a socket, forks, and only the child speaks on it. Prints `child PID`.
`exec ADDRESS PORT SIZE`: opens a socket, speaks on it, and becomes head(1), which reads the answer.
`detach COMMAND...`: runs the command as a daemon does, in a session of its own whose parent has ended. Prints `child PID`.
"""
import os
import signal
import socket
import sys

verb, rest = sys.argv[1], sys.argv[2:]


def dial():
    return socket.create_connection((rest[0], int(rest[1])), timeout=10)


if verb == "fork":
    size = int(rest[2])
    connection = dial()
    child = os.fork()
    if child == 0:
        connection.sendall(b"x" * size)
        got = 0
        while got < size:
            got += len(connection.recv(65536))
        connection.close()
        os._exit(0)
    connection.close()
    print("child", child, flush=True)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
elif verb == "exec":
    connection = dial()
    connection.settimeout(None)
    connection.sendall(b"x" * int(rest[2]))
    os.dup2(connection.fileno(), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv("/usr/bin/head", ["head", "-c", rest[2]])
elif verb == "detach":
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        child = os.fork()
        if child == 0:
            os.execvp("sh", ["sh", "-c", 'exec "$0" "$@"', *rest])
        os.write(writer, str(child).encode())
        os._exit(0)
    os.waitpid(middle, 0)
    child = int(os.read(reader, 32))


    def end(*_):
        os.kill(child, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("child", child, flush=True)
    signal.pause()
