"""Services inside. `http PORT` and `unix PATH`: /bytes/N answers N bytes. `db PORT` and `unix-db PATH`: "SET n\\n" + n bytes -> "+OK\\n"; "ROWS n\\n" -> n bytes."""
import http.server
import random
import socketserver
import sys


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.path.split("?")[0].rsplit("/", 1)[-1])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        # The same in every run, and compressible to about half, as texts are.
        self.wfile.write(random.Random(size).randbytes(size // 2 + 1).hex().encode()[:size])

    def do_PUT(self):
        """An upload: it is read, and forgotten."""
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Db(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            verb, size = line.split()
            if verb == b"SET":
                self.rfile.read(int(size))
                self.wfile.write(b"+OK\n")
            else:
                self.wfile.write(b"r" * int(size))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self):
        # A peer without a name; the handler shows addresses as (host, port).
        return super().get_request()[0], ("unix", 0)


kind, place = sys.argv[1], sys.argv[2]
if kind == "http":
    server = http.server.ThreadingHTTPServer(("", int(place)), Http)
elif kind == "unix":
    server = UnixServer(place, Http)
elif kind == "unix-db":
    server = UnixServer(place, Db)
else:
    server = Server(("", int(place)), Db)
print("listening", flush=True)
server.serve_forever()
