"""A place in the native forwarder belongs to who wrote it, whatever is inlined there."""

import os

from benchmarks.cycles import Cycles, Mapping, attributed, located, mappings, table
from benchmarks.shapes import PLAIN

REGISTRY = "/home/x/.cargo/registry/src/index.crates.io-6f17d22bba15001f"


def test_what_a_crate_of_ciphers_inlines_is_cryptography() -> None:
    chain = (
        f"/rustc/1/library/stdarch/aes.rs:52\n{REGISTRY}/aes-0.9.0/src/ni.rs:30\n/x/native/engine/src/srtp/aead.rs:7\n"
    )
    assert attributed(chain) == ("crypto", "aes")


def test_what_the_standard_library_does_for_us_is_ours() -> None:
    chain = "/rustc/1/library/core/src/ptr/mod.rs:1\n/x/native/engine/src/stream.rs:9\n/x/native/net/src/worker.rs:1\n"
    assert attributed(chain) == ("ours", "engine/src/stream.rs")


def test_what_nobody_is_named_for_is_ours() -> None:
    assert attributed("??:0\n") == ("ours", "ngdaemon_native")


def test_addresses_are_found_in_the_files_of_a_process() -> None:
    where = [Mapping(0x1000, 0x2000, 0, "/usr/lib/libc.so.6"), Mapping(0x2000, 0x3000, 0, "/usr/bin/python3.11")]
    places = located([0x1800, 0x1800, 0x2000, 0x9000, 1 << 63 | 5], where)
    assert places == {("ours", "libc.so.6"): 2, ("python", "python3.11"): 1, ("ours", "?"): 1, ("kernel", ""): 1}
    assert any("python" in mapping.path for mapping in mappings(os.getpid()))


def test_parts_are_shown_in_time_per_packet() -> None:
    shares = {"kernel": 0.9, "crypto": 0.0, "ours": 0.1, "python": 0.0}
    text = table([Cycles(PLAIN, 100_000, 5.0, shares, {"engine/src/stream.rs": 0.06, "engine/src/rare.rs": 0.001})])
    assert "| plain, 100 kpps | 5.00 µs | 4.50 µs (90 %) | 0.00 µs (0 %) | 0.50 µs (10 %) | 0.00 µs (0 %) |" in text
    assert "| engine/src/stream.rs | 0.300 µs |" in text
    assert "rare.rs" not in text
