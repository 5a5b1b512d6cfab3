"""Known traffic.

serve PORT                               echoes
dial ADDRESS PORT COUNT SIZE [PAUSE_MS]  COUNT connections, one after the other, SIZE bytes there and back on each
hold ADDRESS PORT COUNT FILE             COUNT at once, 100 bytes there and back, and 23 more when FILE exists
relay PORT ADDRESS PORT                  carries one connection with splice(2)
send ADDRESS PORT SIZE                   SIZE bytes with sendfile(2), and reads them back
datagrams ADDRESS PORT COUNT SIZE        COUNT datagrams there and back, on an unconnected socket; serve echoes them too
"""
import os
import socket
import sys
import threading
import time


def serve(port):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("", port))
    print("listening", flush=True)

    def echo(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def echo_datagrams():
        while True:
            data, peer = datagrams.recvfrom(65536)
            datagrams.sendto(data, peer)

    threading.Thread(target=echo_datagrams, daemon=True).start()
    while True:
        threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()


def exchange(connection, size):
    sender = threading.Thread(target=connection.sendall, args=(b"x" * size,))
    sender.start()
    got = 0
    while got < size:
        got += len(connection.recv(65536))
    sender.join()


def dial(address, port, count, size, pause):
    for number in range(count):
        with socket.create_connection((address, port), timeout=10) as connection:
            exchange(connection, size)
        if number == 0:
            print("started", flush=True)
        time.sleep(pause)


def hold(address, port, count, file):
    held = [socket.create_connection((address, port)) for _ in range(count)]
    for connection in held:
        exchange(connection, 100)
    print("held", flush=True)
    while not os.path.exists(file):
        time.sleep(0.02)
    for connection in held:
        exchange(connection, 23)
        connection.close()


def relay(port, address, to):
    server = socket.create_server(("", port))
    print("listening", flush=True)
    near, _ = server.accept()
    far = socket.create_connection((address, to))

    def carry(source, target):
        reader, writer = os.pipe()
        while count := os.splice(source.fileno(), writer, 65536):
            while count:
                count -= os.splice(reader, target.fileno(), count)
        target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=carry, args=(far, near))
    back.start()
    carry(near, far)
    back.join()


def send(address, port, size):
    with socket.create_connection((address, port)) as connection, open("/dev/shm/backflow-lab-file", "w+b") as file:
        os.unlink(file.name)
        file.truncate(size)
        done = 0
        reader = threading.Thread(target=lambda: [None for _ in iter(lambda: connection.recv(65536), b"")])
        reader.start()
        while done < size:
            done += os.sendfile(connection.fileno(), file.fileno(), done, size - done)
        connection.shutdown(socket.SHUT_WR)
        reader.join()


def exchange_datagrams(address, port, count, size):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(5)
        for _ in range(count):
            connection.sendto(b"x" * size, (address, port))
            assert len(connection.recvfrom(65536)[0]) == size


verb, rest = sys.argv[1], sys.argv[2:]
if verb == "serve":
    serve(int(rest[0]))
elif verb == "dial":
    dial(rest[0], int(rest[1]), int(rest[2]), int(rest[3]), float(rest[4]) / 1000 if len(rest) > 4 else 0)
elif verb == "hold":
    hold(rest[0], int(rest[1]), int(rest[2]), rest[3])
elif verb == "relay":
    relay(int(rest[0]), rest[1], int(rest[2]))
elif verb == "datagrams":
    exchange_datagrams(rest[0], int(rest[1]), int(rest[2]), int(rest[3]))
elif verb == "send":
    send(rest[0], int(rest[1]), int(rest[2]))
