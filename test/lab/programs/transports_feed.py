"""The outside of ordinary programs that speak UDP: `transports_feed.py servers PORT` answers "N ..." with N bytes on twelve
ports until nobody asks any more; `transports_feed.py strangers PORT ADDRESS` asks a server from twelve sockets."""
import select
import socket
import sys
import time

from wire import done, first_use

kind, port = sys.argv[1], int(sys.argv[2])


def bound(number):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("", number))
    return server


if kind == "servers":
    servers = [bound(port + number) for number in range(12)]
    print("listening", flush=True)
    first = True
    while ready := select.select(servers, [], [], 20 if first else 2)[0]:
        for server in ready:
            query, client = server.recvfrom(4096)
            if first:
                first_use()
                first = False
            server.sendto(b"a" * int(query.split()[0]), client)
else:
    place = (sys.argv[3], port)
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(12)]
    first_use()
    for turn in range(8):
        for number, client in enumerate(clients):
            client.sendto(f"{50 + 70 * number + turn} rows".encode(), place)
        for number, client in enumerate(clients):
            client.settimeout(10)
            assert len(client.recv(4096)) == 50 + 70 * number + turn
        time.sleep(0.1)
    for client in clients:
        client.sendto(b"end", place)
done()
