"""RTP headers (RFC 3550 §5.1)."""

import pytest

from ngdaemon.rtp.demux import Kind, classify
from ngdaemon.rtp.packet import EMPTY, FIXED, header_length, silenced
from tests.support.packets import rtp


@pytest.mark.parametrize(
    ("packet", "length"),
    [
        (rtp(csrcs=[1, 2, 3]), 24),
        (rtp(extension=b"\0" * 8), 24),
        (rtp(csrcs=[1], extension=b""), 20),
        (rtp(payload=b""), 12),
    ],
)
def test_contributing_sources_and_extension_belong_to_the_header(packet: bytes, length: int) -> None:
    assert header_length(packet) == length


@pytest.mark.parametrize("packet", [rtp(csrcs=range(15), payload=b""), rtp(extension=b"\0" * 64, payload=b"")])
def test_a_header_that_is_cut_off_announces_more_than_there_is(packet: bytes) -> None:
    for length in range(FIXED.size, len(packet)):
        assert header_length(packet[:length]) > length
    assert header_length(packet) == len(packet)


def test_the_packet_that_opens_a_nat_is_rtp_that_nobody_plays() -> None:
    assert classify(EMPTY) is Kind.RTP
    assert FIXED.unpack(EMPTY) == (0x80, 127, 65535, 0, 0)


@pytest.mark.parametrize("padding", [0, 4])
def test_silence_replaces_the_payload_and_nothing_else(padding: int) -> None:
    packet = rtp(7, csrcs=[1], extension=b"abcd", payload=b"secret", padding=padding)
    assert silenced(packet, 0xD5) == rtp(7, csrcs=[1], extension=b"abcd", payload=b"\xd5" * 6, padding=padding)


def test_padding_that_claims_the_whole_packet_hides_nothing_from_silence() -> None:
    packet = bytearray(rtp(payload=b"secret"))
    packet[0] |= 0x20
    packet[-1] = 255
    assert silenced(bytes(packet), 0xFF)[12:] == b"\xff" * 6
