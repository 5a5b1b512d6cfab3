"""
The flows of a capture of capture.py: `flows.py FILE`. One JSON line each: protocol, who opened it (the first SYN, or the first
datagram), both ends, first and last packet, bytes of payload each way.
"""
import json
import socket
import struct
import sys

flows = {}


def packets(data):
    at = 24
    while at + 16 <= len(data):
        seconds, nanoseconds, size, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 1_000_000 + nanoseconds // 1000, data[at + 16:at + 16 + size]
        at += 16 + size


def transport(packet):
    """(protocol number, source, destination, segment) of IPv4 and IPv6 without extension headers."""
    (protocol,) = struct.unpack_from(">H", packet)
    body = packet[20:]
    if protocol == 0x0800:
        length, (total,) = (body[0] & 15) * 4, struct.unpack_from(">H", body, 2)
        return body[9], socket.inet_ntop(socket.AF_INET, body[12:16]), socket.inet_ntop(socket.AF_INET, body[16:20]), body[length:total]
    if protocol == 0x86DD:
        (total,) = struct.unpack_from(">H", body, 4)
        ends = [socket.inet_ntop(socket.AF_INET6, body[i:i + 16]) for i in (8, 24)]
        return body[6], ends[0], ends[1], body[40:40 + total]
    return None


for at_us, packet in packets(open(sys.argv[1], "rb").read()):
    parts = transport(packet)
    if parts is None or parts[0] not in (6, 17):
        continue
    number, source, target, segment = parts
    ports = struct.unpack_from(">HH", segment)
    ends = ((source, ports[0]), (target, ports[1]))
    payload = len(segment) - ((segment[12] >> 4) * 4 if number == 6 else 8)
    starts = number == 6 and segment[13] & 0x12 == 0x02
    key = (number, *sorted(ends))
    flow = flows.get(key)
    if flow is None or starts and at_us - flow["last_us"] > 60_000_000:
        flow = flows[key] = {"protocol": "tcp" if number == 6 else "udp", "opener": ends[0], "responder": ends[1], "first_us": at_us, "sent": 0, "received": 0}
    flow["last_us"] = at_us
    flow["sent" if ends[0] == tuple(flow["opener"]) else "received"] += payload
for flow in flows.values():
    print(json.dumps(flow))
