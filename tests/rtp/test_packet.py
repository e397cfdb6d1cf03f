"""RTP headers (RFC 3550 §5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.errors import WireError
from ngdaemon.rtp.demux import Kind, classify
from ngdaemon.rtp.packet import EMPTY, Header, parse, silenced
from tests.support.packets import rtp


def test_the_fields_of_a_header() -> None:
    packet = rtp(65535, ssrc=0xDEADBEEF, timestamp=0xFFFFFFFF, payload_type=101, marker=True)
    assert parse(packet) == Header(True, 101, 65535, 0xFFFFFFFF, 0xDEADBEEF, 12)


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
    assert parse(packet).length == length


@pytest.mark.parametrize("packet", [rtp(csrcs=range(15), payload=b""), rtp(extension=b"\0" * 64, payload=b"")])
def test_a_header_that_is_cut_off_is_refused_at_every_length(packet: bytes) -> None:
    for length in range(len(packet)):
        with pytest.raises(WireError):
            parse(packet[:length])
    assert parse(packet).length == len(packet)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_another_version_is_refused(version: int) -> None:
    packet = rtp()
    with pytest.raises(WireError):
        parse(bytes([version << 6 | packet[0] & 0x3F]) + packet[1:])


@given(st.binary(max_size=80))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        header = parse(data)
    except WireError:
        return
    assert 12 <= header.length <= len(data)


def test_the_packet_that_opens_a_nat_is_rtp_that_nobody_plays() -> None:
    assert classify(EMPTY) is Kind.RTP
    assert parse(EMPTY) == Header(False, 127, 65535, 0, 0, 12)


@pytest.mark.parametrize("padding", [0, 4])
def test_silence_replaces_the_payload_and_nothing_else(padding: int) -> None:
    packet = rtp(7, csrcs=[1], extension=b"abcd", payload=b"secret", padding=padding)
    assert silenced(packet, 0xD5) == rtp(7, csrcs=[1], extension=b"abcd", payload=b"\xd5" * 6, padding=padding)


def test_padding_that_claims_the_whole_packet_hides_nothing_from_silence() -> None:
    packet = bytearray(rtp(payload=b"secret"))
    packet[0] |= 0x20
    packet[-1] = 255
    assert silenced(bytes(packet), 0xFF)[12:] == b"\xff" * 6
