"""A person at a terminal: `terminal.py SECONDS COMMAND...` runs the command on a pty and types into it, a key at a time."""
import os
import pty
import select
import sys
import time

TYPED = "echo hello from the keyboard\nls /\nuname -a\n"
seconds = float(sys.argv[1])
child, master = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])


def drain(wait):
    end = time.monotonic() + wait
    while (left := end - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            try:
                if not os.read(master, 65536):
                    return
            except OSError:
                return


drain(1.5)
typing = time.monotonic() + seconds
while time.monotonic() < typing:
    for key in TYPED:
        os.write(master, key.encode())
        drain(0.06)
os.write(master, b"exit\n")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
