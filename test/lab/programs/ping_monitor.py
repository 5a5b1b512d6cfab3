"""Pings a place and has a service inside keep each answer, on a connection of its own: `ping_monitor.py PLACE`."""
import http.client
import socket
import struct
import sys
import time

REQUEST, REPLY, MINE = 8, 0, 4712


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
wire.settimeout(2)
for number in range(25):
    body = struct.pack("!HH", MINE, number) + b"x" * 48
    head = struct.pack("!BBH", REQUEST, 0, 0)
    began = time.time()
    wire.sendto(struct.pack("!BBH", REQUEST, 0, checksum(head + body)) + body, (sys.argv[1], 0))
    while True:
        answer = wire.recv(2048)[20:]
        if answer[0] == REPLY and answer[4:8] == body[:4]:
            break
    service = http.client.HTTPConnection("127.0.0.1", 8000)
    service.request("GET", "/bytes/%d" % (20 + number % 3), headers={"X-Seconds": "%f" % (time.time() - began)})
    service.getresponse().read()
    service.close()
    time.sleep(0.2)
