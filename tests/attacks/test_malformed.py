"""Packets of every length and with every lie about lengths (S03), from the phones themselves."""

import itertools
import struct
from collections.abc import Iterator

import pytest

from .dtls import DtlsPeer
from .lab import Lab
from .peer import Peer
from .srtp import SdesPeer
from .verdict import Verdicts

pytestmark = pytest.mark.interop

_RTCP_TYPES = range(192, 224)
_BURST = 10  # no more at a time: this is not about floods


def malformed() -> Iterator[bytes]:
    """RTP and RTCP of every length from 0 to 64 and of all types, and such as lie about their length."""
    for length in range(65):
        for first in (0x80, 0x81, 0x8F, 0x90, 0xA0, 0xBF):
            yield _cut(struct.pack("!BBHII", first, 0, 1, 2, 3), length)
        for kind in _RTCP_TYPES:
            for words in (0, 1, length // 4, 0xFFFF):
                yield _cut(struct.pack("!BBHI", 0x81, kind, words, 4), length)
    yield from _rtp_lies()
    yield from _rtcp_lies()


def _cut(head: bytes, length: int) -> bytes:
    return head.ljust(length, b"\xff")[:length]


def _rtp_lies() -> Iterator[bytes]:
    """Sources, extensions and padding that go beyond the end."""
    head = struct.pack("!BHII", 0, 1, 2, 3)
    for first, rest in itertools.product((0x8F, 0x9F, 0xBF), (b"", b"\0" * 4, b"\xbe\xde\xff\xff", b"\xff" * 40)):
        yield bytes([first]) + head + rest
    for padding in (0, 1, 4, 5, 200, 255):
        yield b"\xa0" + head + bytes(3) + bytes([padding])


def _rtcp_lies() -> Iterator[bytes]:
    """Compounds whose parts do not fit together, reasons and items that are too long, counts that are too high."""
    report = struct.pack("!BBHI", 0x80, 201, 1, 7)
    for count in range(32):
        yield report + struct.pack("!BBHI", 0x80 | count, 203, 2, 7) + bytes([255]) + b"abc"  # BYE
        yield struct.pack("!BBHI", 0x80 | count, 200, 6, 7) + bytes(20)  # SR
        yield report + struct.pack("!BBHI", 0x80 | count, 202, 2, 7) + bytes([1, 255, 65, 65])  # SDES
        yield report + struct.pack("!BBHI", 0x80 | count, 205, 2, 7) + bytes(4)  # RTPFB
        yield report + struct.pack("!BBHI", 0x80 | count, 206, 0xFFFF, 7) + bytes(4)  # PSFB
    yield report + b"\x80"
    yield report * 300


@pytest.mark.parametrize("kind", [Peer, SdesPeer, DtlsPeer])
def test_malformed_packets_harm_nothing_s03(lab: Lab, verdict: Verdicts, kind: type[Peer]) -> None:
    """S03, DMX-05: the daemon runs on, and the call has media, on clear and on secured legs."""
    caller, callee = kind("alice", lab.alice_host), kind("bob", lab.bob_host)
    call = lab.call(caller, callee)
    call.set_up()
    assert call.heard()
    count = 0
    for packet in malformed():
        for peer in (caller, callee):
            peer.send(packet)
            count += 1
        if count % _BURST == 0:
            lab.stage.play(0.002)
    talk = call.heard()
    process = lab.gateway.process
    assert process
    runs = process.exit_code is None
    measured = f"{'runs on' if runs else 'ended'}, {'media as before' if talk else 'no media'}"
    verdict("S03", f"malformed RTP and RTCP: {kind.protocol}", runs and talk, measured)
