"""Services inside. `http PORT`: /bytes/N answers N bytes. `db PORT`: "SET n\\n" + n bytes -> "+OK\\n"; "ROWS n\\n" -> n bytes."""
import http.server
import socketserver
import sys


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.path.rsplit("/", 1)[-1])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"x" * size)

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


kind, port = sys.argv[1], int(sys.argv[2])
if kind == "http":
    server = http.server.ThreadingHTTPServer(("", port), Http)
else:
    server = Server(("", port), Db)
print("listening", flush=True)
server.serve_forever()
