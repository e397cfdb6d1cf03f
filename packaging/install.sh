#!/bin/sh
# Install ngdaemon on Debian 12 or newer, from the source tree that this script belongs to.
#
#   packaging/install.sh            all of it: programs, user, settings, unit file
#   packaging/install.sh build      only /opt/ngdaemon, with what is needed to build it (first stage of the image)
#   packaging/install.sh runtime    all but that (second stage, which is handed /opt/ngdaemon)
#
# It may be run again, to upgrade: settings that are there already stay. Where there is a Rust toolchain (has-rust.sh), the
# native forwarder is built and installed too.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
prefix=/opt/ngdaemon
export DEBIAN_FRONTEND=noninteractive

packages() {
    apt-get update -q
    apt-get install -q -y --no-install-recommends "$@"
    rm -rf /var/lib/apt/lists/*
}

build() {
    packages python3 python3-venv ca-certificates
    python3 -m venv "$prefix"
    "$prefix/bin/pip" install -q --no-cache-dir --disable-pip-version-check --upgrade "$source"
    if "$source/packaging/has-rust.sh"; then
        "$prefix/bin/pip" install -q --no-cache-dir --disable-pip-version-check --upgrade "$source/native"
    fi
}

runtime() {
    command -v python3 >/dev/null || packages python3
    if ! getent passwd ngdaemon >/dev/null; then
        groupadd --system ngdaemon
        useradd --system --gid ngdaemon --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ngdaemon
    fi
    ln -sf "$prefix/bin/ngdaemon" /usr/local/bin/ngdaemon
    mkdir -p /etc/ngdaemon
    [ -e /etc/ngdaemon/ngdaemon.conf ] || install -m 644 "$source/packaging/ngdaemon.conf" /etc/ngdaemon/ngdaemon.conf
    if [ -d /run/systemd/system ]; then
        install -m 644 "$source/packaging/ngdaemon.service" /etc/systemd/system/ngdaemon.service
        systemctl daemon-reload
        echo "start it with: systemctl enable --now ngdaemon"
    fi
}

case "${1:-all}" in
    all) build; runtime ;;  # not "build && runtime": a failure inside would pass unseen
    build) build ;;
    runtime) runtime ;;
    *) echo "usage: install.sh [build | runtime]" >&2 && exit 1 ;;
esac
