#!/bin/sh
# Make the wheels of ngdaemon and ngdaemon-native, in dist/.
#
#   packaging/wheels.sh                     for x86-64 and arm64
#   packaging/wheels.sh aarch64-unknown-linux-gnu
#
# A native wheel is for Linux with glibc 2.17 or newer, and for every Python from 3.11 on. Any Linux machine makes those of
# both architectures, without a container: Zig links. It takes Rust with the targets (rustup target add …); maturin and
# Zig come from PyPI. To install from the folder: pip install --find-links=dist 'ngdaemon[native]'
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu
packaging/has-rust.sh || { echo "wheels.sh: there is no Rust, or an old one (native/Cargo.toml)" >&2; exit 1; }
for target; do
    library=$(rustc --print target-libdir --target "$target")
    [ -d "$library" ] || { echo "wheels.sh: first, rustup target add $target" >&2; exit 1; }
done

tools=$PWD/build/wheels
python3 -m venv "$tools"
PATH=$tools/bin:$PATH
pip install -q --disable-pip-version-check 'maturin[zig]>=1.7,<2'

rm -rf build/lib  # modules that are gone would come back from there
pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .

# Where the crates were on this machine concerns nobody else.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo ${RUSTFLAGS:-}"
for target; do
    maturin build -q -m native/python/Cargo.toml --release --locked --zig --compatibility manylinux_2_17 \
        --target "$target" --out dist
done
ls dist/*.whl
