"""One end of a VPN: packets of a tun device over a TCP connection, each after its length in two bytes.

    vpn.py DEVICE OWN PEER listen PORT | dial ADDRESS PORT
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000

device, own, peer, how, *place = sys.argv[1:]
if how == "listen":
    server = socket.create_server(("0.0.0.0", int(place[0])))
    print("listening", flush=True)
    link = server.accept()[0]
else:
    link = socket.create_connection((place[0], int(place[1])))
link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "address", "add", own, "peer", peer, "dev", device], check=True)
# Without it the kernel says things of its own on the device.
subprocess.run(["ip", "link", "set", device, "addrgenmode", "none", "mtu", "1300", "up"], check=True)
print("up", flush=True)

waiting = b""
while True:
    for readable in select.select([tun, link], [], [])[0]:
        if readable == tun:
            packet = os.read(tun, 65536)
            link.sendall(struct.pack("!H", len(packet)) + packet)
            continue
        data = link.recv(65536)
        if not data:
            sys.exit(0)
        waiting += data
        while len(waiting) >= 2 and len(waiting) >= 2 + (size := struct.unpack("!H", waiting[:2])[0]):
            os.write(tun, waiting[2 : 2 + size])
            waiting = waiting[2 + size :]
