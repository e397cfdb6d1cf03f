#!/bin/sh
# Whether the native forwarder can be built: this tree has it, and there are a C linker and a Rust new enough. Says nothing.
set -eu
cd "$(dirname "$0")/.."
[ -e native/Cargo.toml ] && command -v cargo >/dev/null && command -v cc >/dev/null || exit 1
needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' native/Cargo.toml)
there=$(rustc --version 2>/dev/null | cut -d ' ' -f 2)
[ -n "$there" ] && [ "$(printf '%s\n' "$needed" "$there" | sort -V | head -n 1)" = "$needed" ]
