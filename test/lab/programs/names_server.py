"""A DNS server for any name: `names_server.py`. It answers questions for addresses and texts, and nothing else."""
import socket
import struct

TEXT, ADDRESS = 16, 1

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
print("listening", flush=True)
while True:
    question, client = server.recvfrom(4096)
    end = 12
    while question[end]:
        end += question[end] + 1
    kind = struct.unpack("!H", question[end + 1 : end + 3])[0]
    answer = {TEXT: b"\x07verdict", ADDRESS: bytes([127, 0, 0, 2])}.get(kind, b"")
    header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 30, len(answer)) + answer if answer else b""
    server.sendto(header + question[12 : end + 5] + record, client)
