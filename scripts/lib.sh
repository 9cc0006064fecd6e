# Sourced by the scripts beside it: where things are, and how to say what happens. Not run by itself.
# shellcheck shell=bash

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT" || exit

step() { printf '==> %s\n' "$*"; }

note() { printf '    %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# need COMMAND HOW: fails unless COMMAND can be run; HOW says where it comes from.
need() { command -v "$1" >/dev/null || fail "$1 is missing: $2"; }

# within SECONDS COMMAND...: ends COMMAND after that time, where this machine can (macOS has no timeout).
within() {
  if command -v timeout >/dev/null; then timeout "$@"; else "${@:2}"; fi
}

# not_checked TEXT: something could not be checked here. In a pipeline that is a failure: nobody reads the log of a green run.
not_checked() {
  [[ -z "${TF_BUILD:-}" ]] || fail "NOT checked: $*"
  note "NOT checked: $*"
}

need_node() {
  need node 'install Node.js 20 or newer'
  local major
  major="$(node -p 'process.versions.node.split(".")[0]')"
  ((major >= 20)) || fail "node is version $major: install Node.js 20 or newer"
}

need_rust() { need cargo 'install Rust 1.94.1 or newer, with rustup or from your system'; }

# The name that the shim looks for: node's own words for this machine.
platform() { node -p 'process.platform + "-" + process.arch'; }

task_version() { node -p 'const v = require("./task/task.json").version; [v.Major, v.Minor, v.Patch].join(".")'; }

# unchanged STAMP FILE...: whether STAMP was written for just this content of the FILEs.
unchanged() {
  local stamp="$1"
  shift
  [[ -f "$stamp" ]] && cat -- "$@" | sha256sum | cmp -s - "$stamp"
}

# remember STAMP FILE...: what `unchanged` compares with.
remember() {
  local stamp="$1"
  shift
  cat -- "$@" | sha256sum >"$stamp"
}
