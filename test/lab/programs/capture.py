"""
Everything that one network namespace sends and receives, loopback included, as pcap: `capture.py FILE`. Nanosecond time stamps
of the kernel, link type LINUX_SLL2, so that devices of every kind go into one file. What the kernel dropped is printed at the end.
"""
import signal
import socket
import struct
import sys

ETH_P_ALL, SO_TIMESTAMPNS, SOL_PACKET, PACKET_STATISTICS = 3, 35, 263, 6
LINKTYPE_LINUX_SLL2 = 276
stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
capture.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
capture.settimeout(0.1)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, LINKTYPE_LINUX_SLL2))
    print("listening", flush=True)
    while True:
        try:
            data, extra, _, (device, protocol, kind, hardware, address) = capture.recvmsg(262144, 64)
        except TimeoutError:
            if stopping:
                break
            continue
        # Loopback shows each packet on its way out and on its way in: once is enough.
        if hardware == 772 and kind == socket.PACKET_OUTGOING:
            continue
        seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
        index = socket.if_nametoindex(device)
        head = struct.pack(">HHIHBB", protocol, 0, index, hardware, kind, len(address)) + address[:8].ljust(8, b"\0")
        file.write(struct.pack("<IIII", seconds, nanoseconds, len(head) + len(data), len(head) + len(data)) + head + data)
_, dropped = struct.unpack("II", capture.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
print("dropped", dropped, flush=True)
