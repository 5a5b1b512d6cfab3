"""
Looks names up and has a service inside keep each answer: `names_client.py RESOLVER KIND...`, a thread for each KIND, of name
and of connection to the service: short, hash or long, then -fresh or -kept. As mail filters and scanners of files do.
"""
import hashlib
import http.client
import random
import socket
import struct
import sys
import threading
import time

TEXT, ADDRESS, LOOKUPS = 16, 1, 120


def name_of(kind, number):
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    if kind == "short":
        return "%d.list.example" % number
    return digest[:40] + ".hashes.example" if kind == "hash" else "%s.%s.files.example" % (digest[:60], digest[::-1][:60])


def question(number, kind):
    labels = name_of(kind, number).encode().split(b".")
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + wire + struct.pack("!HH", TEXT if kind == "long" else ADDRESS, 1)


def work(resolver, words):
    kind, how = words.split("-")
    chance = random.Random(words)
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.connect((resolver, 53))
    asked.settimeout(5)
    service = None
    for number in range(LOOKUPS):
        asked.send(question(number, kind))
        asked.recv(4096)
        if service is None or how == "fresh":
            service = http.client.HTTPConnection("127.0.0.1", 8000)
        service.request("GET", "/bytes/%d" % chance.choice((20, 120, 130, 400)), headers={"X-Name": name_of(kind, number)})
        service.getresponse().read()
        if how == "fresh":
            service.close()
        time.sleep(chance.uniform(0.01, 0.05))


threads = [threading.Thread(target=work, args=(sys.argv[1], words)) for words in sys.argv[2:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
