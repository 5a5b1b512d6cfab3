#!/bin/sh
# Builds the tunnel tools that no Debian package has, for the cases of the lab that need them: about 15 minutes on two cores.
# They go where the lab looks: $LAB_TOOLS, or ~/.cache/backflow-lab/bin. What cannot be built is named, and its cases are skipped.
set -u
bin=${LAB_TOOLS:-$HOME/.cache/backflow-lab/bin}
mkdir -p "$bin"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

build() { # program, what to run
  [ ! -x "$bin/$1" ] || return 0
  echo "building $1"
  name=$1
  shift
  "$@" >"$folder/log" 2>&1 || {
    tail -n 5 "$folder/log"
    echo "$name could not be built: its cases are skipped"
  }
}

rust() { # crate, version
  CARGO_TARGET_DIR="$folder/target" cargo install --root "$folder/cargo" "$1@$2" && mv "$folder/cargo/bin/"* "$bin/"
}

# frp's modules need the replacement that its own go.mod has, which `go install` does not take.
frp() {
  mkdir -p "$folder/frp" && cd "$folder/frp" || return 1
  [ -f go.mod ] || go mod init lab/frp || return 1
  go mod edit -replace github.com/hashicorp/yamux=github.com/fatedier/yamux@v0.0.0-20230628132301-7aca4898904d || return 1
  printf '//go:build tools\n\npackage tools\n\nimport (\n\t_ "github.com/fatedier/frp/cmd/frpc"\n\t_ "github.com/fatedier/frp/cmd/frps"\n)\n' >tools.go
  go get github.com/fatedier/frp@v0.61.2 && go mod tidy && CGO_ENABLED=0 go build -o "$bin/$1" "github.com/fatedier/frp/cmd/$1"
}

build bore rust bore-cli 0.6.0
build rathole rust rathole 0.5.0
build chisel env GOBIN="$bin" CGO_ENABLED=0 go install github.com/jpillora/chisel@v1.10.1
build frpc frp frpc
build frps frp frps
ls "$bin"
