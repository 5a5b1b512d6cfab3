#!/bin/sh
# Installs what is missing, then builds. One line for each thing installed; silent when nothing is missing.
#   run   what the collector and the analyzer are built from
#   demo  also what the demonstration runs
#   test  also what the lab runs and the Rust lint
set -eu
cd "$(dirname "$0")"

purpose=${1:-}
case "$purpose" in
  run | demo | test) ;;
  *) echo "usage: sh setup.sh run|demo|test" >&2; exit 64 ;;
esac

log=
policy=/usr/sbin/policy-rc.d
made_policy=
clean_up() {
  [ -z "$made_policy" ] || rm -f "$policy"
  [ -z "$log" ] || rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "setup: $*" >&2
  exit 1
}

# Runs a command with its output kept back; shows it only where the command failed.
quietly() {
  [ -n "$log" ] || log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || {
    status=$?
    tail -n 60 "$log" >&2
    echo "setup: failed (exit $status): $*" >&2
    exit 1
  }
}

packages=
reasons=
want() { # Debian package, what it is for
  packages="$packages $1"
  reasons="$reasons  $1: $2
"
}
want_unless() { # Debian package, what it is for, a command that succeeds where it is not needed
  sh -c "$3" >/dev/null 2>&1 || want "$1" "$2"
}

want_unless clang "compiles the kernel programs" "command -v clang"
want_unless gcc "links the collector" "command -v cc"
want_unless libc6-dev "C headers for the collector" "echo '#include <stdio.h>' | cc -E -"
want_unless make "builds libbpf" "command -v make"
want_unless pkg-config "finds libelf and zlib" "command -v pkg-config"
want_unless libelf-dev "libbpf reads ELF objects with it" "pkg-config --exists libelf"
want_unless zlib1g-dev "libelf needs it" "pkg-config --exists zlib"
want_unless protobuf-compiler "generates the collector's side of the wire contract" "command -v protoc"
case "$purpose" in demo | test)
  want_unless iproute2 "makes the network namespaces" "command -v ip"
  want_unless openssh-client "opens the tunnel that is to be found" "command -v ssh"
  want_unless openssh-server "is the outside end of the tunnel" "test -x /usr/sbin/sshd"
  ;;
esac
if [ "$purpose" = test ]; then
  want_unless default-jre-headless "runs the Kafka broker of the tests" "command -v java"
  want_unless maven "fetches that broker" "command -v mvn"
  want_unless chromium "shows the page to its tests" "command -v chromium"
fi
if [ "$purpose" = test ] && [ -f test/packages.txt ]; then
  present=$(sed 's/ *#.*//; /^$/d' test/packages.txt |
    xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' || true)
  while IFS= read -r line; do
    name=${line%%[ #]*}
    case "$name" in '') continue ;; esac
    case "
$present
" in *"
$name
"*) ;; *) want "$name" "${line#*# }" ;; esac
  done <test/packages.txt
fi

if [ -n "$packages" ]; then
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing packages that only a Debian system gets by itself; install what corresponds to:$packages"
  [ "$(id -u)" = 0 ] || fail "missing packages and not root; run as root: apt-get install$packages"
  echo "installing Debian packages:"
  printf %s "$reasons"
  if [ ! -e "$policy" ]; then
    # A package that brings a service must not start it: exit code 101 is "not allowed" to invoke-rc.d.
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update -q
  # shellcheck disable=SC2086 # one word for each package
  quietly apt-get install -y -q --no-install-recommends $packages
fi

command -v node >/dev/null 2>&1 || fail "node is missing: install Node 20 or newer"
node -e 'process.exit(parseInt(process.versions.node, 10) >= 20 ? 0 : 1)' ||
  fail "node $(node -p process.versions.node) is too old: install Node 20 or newer"
if ! command -v cargo >/dev/null 2>&1; then
  [ ! -x "$HOME/.cargo/bin/cargo" ] || fail "cargo is installed but not on the PATH: run '. ~/.cargo/env', then this again"
  fail "cargo is missing: install Rust with rustup (its default profile is enough), then run this again"
fi
if [ "$purpose" = test ]; then
  for part in clippy fmt; do
    cargo "$part" --version >/dev/null 2>&1 || {
      component=$(echo "$part" | sed 's/^fmt$/rustfmt/')
      echo "installing Rust component $component: checks the collector's source"
      quietly rustup component add "$component"
    }
  done
fi

# npm writes what it installed to node_modules/.package-lock.json; platform packages of other systems are never in it.
node -e '
  const read = (path) => JSON.parse(require("fs").readFileSync(path, "utf8")).packages
  let installed
  try { installed = read("node_modules/.package-lock.json") } catch { process.exit(1) }
  for (const [path, wanted] of Object.entries(read("package-lock.json"))) {
    if (path === "" || !path.includes("node_modules/")) continue
    const found = installed[path]
    if (found ? found.version !== wanted.version : !wanted.optional) process.exit(1)
  }
' || {
  echo "installing npm packages: the versions in package-lock.json"
  quietly npm ci --no-audit --no-fund
}

[ -x agent-bridge/target/release/backflow-collector ] ||
  echo "building the collector and the analyzer: some minutes the first time"
export TURBO_TELEMETRY_DISABLED=1
quietly node_modules/.bin/turbo run build --output-logs=errors-only
