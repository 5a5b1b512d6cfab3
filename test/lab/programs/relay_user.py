"""The outside end of a home-made relay: `relay_user.py KIND PORT [CERT]`. Waits for it and sends requests through it."""
import struct
import sys
import time

from wire import SIZES, done, exactly, first_use, listen, read_answer, request

kind, port = sys.argv[1], int(sys.argv[2])
server = listen(port, sys.argv[3] if len(sys.argv) > 3 else None)
relay, _ = server.accept()
# A tunnel stands before it is used: the relay settles for a second.
time.sleep(1)
first_use()
if kind == "stream":
    for size in SIZES:
        relay.sendall(request(size))
        assert read_answer(relay.recv) == size
        time.sleep(0.05)
elif kind == "control":
    for size in SIZES:
        relay.sendall(b"open\n")
        channel, _ = server.accept()
        exactly(channel, len(b"open\n"))
        channel.sendall(request(size))
        assert read_answer(channel.recv) == size
        channel.close()
        time.sleep(0.05)
elif kind == "mux":
    for turn in range(3):
        for channel in range(8):
            data = request(100 * channel + SIZES[turn])
            relay.sendall(struct.pack(">HI", 8 * turn + channel, len(data)) + data)
        answered = set()
        while len(answered) < 8:
            channel, size = struct.unpack(">HI", exactly(relay, 6))
            exactly(relay, size)
            answered.add(channel)
        time.sleep(0.05)
time.sleep(0.5)
relay.close()
done()
