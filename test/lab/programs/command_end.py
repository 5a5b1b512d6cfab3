"""The outside end of a program that runs each command by itself: `command_end.py raw|poll PORT`. Hands out commands, holds the answers."""
import http.server
import sys
import threading
import time

from wire import done, first_use, listen

commands = ["id", "ls /", "uname -a", "cat /etc/hostname", "head -3 /etc/passwd"]


def raw(port):
    shell, _ = listen(port).accept()
    shell.settimeout(10)
    time.sleep(1)
    first_use()
    answers = []
    for command in commands:
        shell.sendall(command.encode() + b"\n")
        answers.append(shell.recv(1 << 16))
        time.sleep(0.5)
    assert b"uid=" in answers[0] and b"root:" in answers[-1], answers
    shell.close()


def poll(port):
    waiting, answers, over = commands[:], [], threading.Event()

    class Web(http.server.BaseHTTPRequestHandler):
        def reply(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if len(waiting) == len(commands):
                first_use()
            self.reply(waiting.pop(0).encode() if waiting else b"")

        def do_POST(self):
            answers.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(b"")
            if len(answers) == len(commands):
                over.set()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", port), Web)
    print("listening", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert over.wait(30), answers
    assert b"uid=" in answers[0] and b"root:" in answers[-1], answers


raw(int(sys.argv[2])) if sys.argv[1] == "raw" else poll(int(sys.argv[2]))
done()
