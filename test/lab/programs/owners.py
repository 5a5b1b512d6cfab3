"""
Who holds which socket of one network namespace, looked at again and again: `owners.py FILE PAUSE_MS`. One JSON line for each
socket and process, when they are first seen together: protocol, both ends, pid, program. What lives shorter than the pause can
be missed: then nobody is named.
"""
import glob
import json
import os
import signal
import socket
import struct
import sys
import time

file, pause = open(sys.argv[1], "w"), int(sys.argv[2]) / 1000
stopping = False
signal.signal(signal.SIGTERM, lambda *_: globals().update(stopping=True))
own = os.stat("/proc/self/ns/net").st_ino


def address(text):
    host, port = text.split(":")
    words = struct.pack(f"={len(host) // 8}I", *(int(host[i:i + 8], 16) for i in range(0, len(host), 8)))
    name = socket.inet_ntop(socket.AF_INET if len(words) == 4 else socket.AF_INET6, words)
    return name.removeprefix("::ffff:"), int(port, 16)


def sockets():
    """By inode: protocol and ends."""
    found = {}
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/net/{protocol}") as table:
            for line in list(table)[1:]:
                words = line.split()
                found[words[9]] = (protocol.rstrip("6"), address(words[1]), address(words[2]))
    return found


def holders():
    for folder in glob.iglob("/proc/[0-9]*"):
        try:
            if os.stat(f"{folder}/ns/net").st_ino != own:
                continue
            for descriptor in os.scandir(f"{folder}/fd"):
                target = os.readlink(descriptor.path)
                if target.startswith("socket:["):
                    yield target[8:-1], int(folder[6:]), os.readlink(f"{folder}/exe")
        except OSError:
            continue


seen = set()
print("listening", flush=True)
while not stopping:
    table = sockets()
    for inode, pid, exe in holders():
        if inode in table and (inode, pid) not in seen:
            seen.add((inode, pid))
            protocol, local, remote = table[inode]
            line = {"protocol": protocol, "local": local, "remote": remote, "pid": pid, "exe": exe, "at_us": time.time_ns() // 1000}
            file.write(json.dumps(line) + "\n")
    file.flush()
    time.sleep(pause)
