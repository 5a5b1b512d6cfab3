"""A relay over ICMP echo: the inside end asks every 50 ms and dials the service once for each request that it is answered with.

    icmp_relay.py inside ADDRESS SERVICE_PORT | outside COUNT
"""

import os
import select
import socket
import struct
import sys
import time

REQUEST, REPLY, CHUNK = 8, 0, 1000


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(kind, data):
    head = struct.pack("!BBHHH", kind, 0, 0, 4711, 1)
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def payload(raw, kind):
    """What follows the headers of an echo of ours."""
    ip = (raw[0] & 15) * 4
    return raw[ip + 8 :] if raw[ip] == kind and raw[ip + 4 : ip + 6] == struct.pack("!H", 4711) else None


wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
if sys.argv[1] == "outside":
    print("listening", flush=True)
    asked, sizes, answer = 0, [90, 2400, 300, 5200, 700, 60, 1800, 950], b""
    while asked < int(sys.argv[2]) or answer != b"over":
        raw, (who, _) = wire.recvfrom(65536)
        data = payload(raw, REQUEST)
        if data is None:
            continue
        if data.startswith(b"end"):
            answer = b"over" if asked >= int(sys.argv[2]) else b""
        reply = b""
        if data.startswith(b"ask") and asked < int(sys.argv[2]):
            reply = b"GET /bytes/%d HTTP/1.0\r\nCookie: %s\r\n\r\n" % (sizes[asked % len(sizes)], b"x" * (37 * asked % 211))
            if asked == 0:
                print("first %d" % (time.time() * 1e6), flush=True)
            asked += 1
        wire.sendto(packet(REPLY, reply), (who, 0))
else:
    place = (sys.argv[2], 0)
    while True:
        wire.sendto(packet(REQUEST, b"ask"), place)
        ready = select.select([wire], [], [], 0.5)[0]
        request = payload(wire.recv(65536), REPLY) if ready else None
        if request:
            with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as service:
                service.sendall(request)
                while chunk := service.recv(CHUNK):
                    wire.sendto(packet(REQUEST, b"ans" + chunk), place)
            wire.sendto(packet(REQUEST, b"end"), place)
        time.sleep(0.15)
