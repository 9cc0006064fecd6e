# Sourced by scripts/build: what it takes to build for other machines, and so that two builds give the same bytes.
# Zig (from PyPI) is C compiler and linker for every platform; cargo-zigbuild puts it between cargo and rustc.
# shellcheck shell=bash

CARGO_ZIGBUILD_VERSION=0.24.0
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/causeway"
ZIGBUILD="$CACHE/cargo-zigbuild-$CARGO_ZIGBUILD_VERSION"
ZIG="$CACHE/zig"

# Everything that the build was given by the place where it ran is named alike on every machine. Of several names that fit a
# path the last one counts.
reproducible() {
  local home="${CARGO_HOME:-$HOME/.cargo}" target commit index
  target="$(target_directory)"
  commit="$(rustc -vV | sed -n 's/^commit-hash: //p')"
  local places=("$target=/target" "$ROOT=/causeway" "$home=/cargo") flags=() c_flags=() place
  # Cargo names a registry's folder by a hash of the address that it was reached at.
  cargo fetch --locked --quiet || return
  for index in "$home"/registry/src/*/; do
    [[ ! -d "$index" ]] || places+=("${index%/}=/cargo/registry/src/index")
  done
  # Where rust-src is installed, rustc writes the standard library's paths as they are there.
  places+=("$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$commit")
  for place in "${places[@]}"; do
    flags+=("--remap-path-prefix=$place")
    c_flags+=("$(printf '%q' "-ffile-prefix-map=$place")")
  done
  # A folder may have a space in its name: hence Cargo's separator, and a shell's quotes for the cc crate.
  CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f' && printf '%s' "${flags[*]}")"
  CFLAGS="${c_flags[*]}"
  SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
  export CARGO_ENCODED_RUSTFLAGS CFLAGS CC_SHELL_ESCAPED_FLAGS=1 SOURCE_DATE_EPOCH MACOSX_DEPLOYMENT_TARGET=11.0
  unset RUSTFLAGS
}

target_directory() { cargo metadata --format-version 1 --no-deps | node -p 'JSON.parse(require("fs").readFileSync(0)).target_directory'; }

# have_target TARGET: whether rustc has, or can be given, the standard library for TARGET.
have_target() {
  [[ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]] && return
  command -v rustup >/dev/null && within 300 rustup target add "$1" >/dev/null 2>&1 && [[ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]]
}

# have_zig: brings Zig and cargo-zigbuild, once; fails when they cannot be had.
have_zig() {
  if [[ ! -x "$ZIGBUILD/bin/cargo-zigbuild" ]]; then
    note "building cargo-zigbuild $CARGO_ZIGBUILD_VERSION into $ZIGBUILD"
    cargo install cargo-zigbuild --quiet --locked --version "$CARGO_ZIGBUILD_VERSION" --root "$ZIGBUILD" || return
  fi
  if ! unchanged "$ZIG/causeway-stamp" scripts/zig.txt; then
    note "installing Zig into $ZIG"
    python3 -m venv --clear "$ZIG" || return
    "$ZIG/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/zig.txt || return
    remember "$ZIG/causeway-stamp" scripts/zig.txt
  fi
  CARGO_ZIGBUILD_ZIG_PATH="$("$ZIG/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')" || return
  export CARGO_ZIGBUILD_ZIG_PATH PATH="$ZIGBUILD/bin:$PATH"
}

# The linker runs in the folder of the workspace: paths below it are written from there, so that they are the same everywhere.
no_unwind_tables() { CARGO_ENCODED_RUSTFLAGS+=$'\x1f-Clink-arg=-Wl,-T,scripts/no-unwind.ld'; }

# Apple's frameworks are not on this machine. To link, their names are enough: stubs that list what the Rust bindings
# declare. On a Mac the real ones are used.
apple_stubs() {
  local folder
  folder="$(target_directory)/apple-stubs"
  scripts/apple-stubs "$folder" || return
  CARGO_ENCODED_RUSTFLAGS+=$'\x1f'"-Clink-arg=-F${folder#"$ROOT"/}"
}
