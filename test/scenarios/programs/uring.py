"""Sends and receives with io_uring alone: `uring.py ADDRESS PORT SIZE`. Exit code 3 where this kernel refuses io_uring.

Layouts and numbers are those of linux/io_uring.h; the call numbers are the same on every architecture.
"""
import ctypes
import errno
import mmap
import os
import socket
import struct
import sys

SETUP, ENTER = 425, 426
SQ_RING, SQES = 0, 0x10000000
GETEVENTS, FEATURE_SINGLE_MMAP = 1, 1
OP_SEND, OP_RECV = 26, 27
SQE_BYTES, CQE_BYTES, PARAMS_BYTES = 64, 16, 120

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Ring:
    """One request at a time: the submission and completion rings have a single entry in use."""

    def __init__(self):
        params = ctypes.create_string_buffer(PARAMS_BYTES)
        self.fd = call(SETUP, 1, params)
        sq_entries, cq_entries, _, _, _, features = struct.unpack_from("6I", params)
        assert features & FEATURE_SINGLE_MMAP
        self.sq = struct.unpack_from("7I", params, 40)
        self.cq = struct.unpack_from("7I", params, 80)
        size = max(self.sq[6] + 4 * sq_entries, self.cq[5] + CQE_BYTES * cq_entries)
        self.rings = mmap.mmap(self.fd, size, offset=SQ_RING)
        self.entries = mmap.mmap(self.fd, SQE_BYTES * sq_entries, offset=SQES)

    def word(self, offset):
        return struct.unpack_from("I", self.rings, offset)[0]

    def run(self, operation, fd, address, size):
        tail, mask = self.word(self.sq[1]), self.word(self.sq[2])
        entry = struct.pack("BBHiQQIIQ", operation, 0, 0, fd, 0, address, size, 0, 1)
        self.entries[:SQE_BYTES] = entry.ljust(SQE_BYTES, b"\0")
        struct.pack_into("I", self.rings, self.sq[6] + 4 * (tail & mask), 0)
        struct.pack_into("I", self.rings, self.sq[1], tail + 1)
        call(ENTER, self.fd, 1, 1, GETEVENTS, None, 0)
        head, mask = self.word(self.cq[0]), self.word(self.cq[2])
        _, result, _ = struct.unpack_from("QiI", self.rings, self.cq[5] + CQE_BYTES * (head & mask))
        struct.pack_into("I", self.rings, self.cq[0], head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result


address, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
    ring = Ring()
except OSError as refused:
    if refused.errno not in (errno.ENOSYS, errno.EPERM):
        raise
    print(f"io_uring_setup: {refused}", file=sys.stderr)
    sys.exit(3)
room = ctypes.create_string_buffer(min(size, 65536))
with socket.create_connection((address, port)) as connection:
    done = 0
    while done < size:
        step = min(len(room), size - done)
        sent = ring.run(OP_SEND, connection.fileno(), ctypes.addressof(room), step)
        # The far side sends back what it gets.
        back = sent
        while back:
            got = ring.run(OP_RECV, connection.fileno(), ctypes.addressof(room), back)
            if got == 0:
                raise EOFError("the far side closed")
            back -= got
        done += sent
