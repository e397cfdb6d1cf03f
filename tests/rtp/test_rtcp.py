"""RTCP: values out of compounds, feedback out of compounds, and bad bytes (security case S03)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.errors import WireError
from ngdaemon.rtp import rtcp
from ngdaemon.rtp.rtcp import (
    Application,
    Description,
    Feedback,
    Goodbye,
    Other,
    ReceiverReport,
    SenderReport,
    SourceDescription,
    Type,
)
from tests.support import packets

BLOCK = packets.block(7, fraction_lost=64, lost=-3, highest=70000, jitter=80, last_report=0x12345678, delay=65536)

EACH = {
    "SR": (
        packets.sender_report(1, [BLOCK], ntp=5 << 32, timestamp=160, packets=2, octets=320),
        SenderReport(1, 5 << 32, 160, 2, 320, (BLOCK,)),
    ),
    "RR": (packets.receiver_report(1, [BLOCK, BLOCK]), ReceiverReport(1, (BLOCK, BLOCK))),
    "SDES": (packets.description(1, b"who@where"), SourceDescription((Description(1, ((1, b"who@where"),)),))),
    "SDES of a length that fills its words": (
        packets.description(1, b"abcdef"),
        SourceDescription((Description(1, ((1, b"abcdef"),)),)),
    ),
    "BYE": (packets.goodbye(1), Goodbye((1,), b"")),
    "BYE with a reason": (packets.goodbye(1, b"teardown"), Goodbye((1,), b"teardown")),
    "APP": (packets.application(1, b"TEST", b"data"), Application(0, 1, b"TEST", b"data")),
    "RTPFB": (packets.transport_feedback(1, 2), Feedback(Type.TRANSPORT_FEEDBACK, 1, 1, 2, b"\0\0\0\0")),
    "PSFB": (packets.payload_feedback(1, 2), Feedback(Type.PAYLOAD_FEEDBACK, 1, 1, 2, b"")),
    "XR, which is not known here": (b"\x81\xcf\x00\x01\x00\x00\x00\x09", Other(207, 1, b"\0\0\0\x09")),
}


@pytest.mark.parametrize("name", EACH)
def test_a_packet_becomes_its_value(name: str) -> None:
    data, value = EACH[name]
    assert rtcp.parse(data) == (value,)


def test_a_compound_becomes_its_values_in_order() -> None:
    data = b"".join(item for item, _ in EACH.values())
    assert rtcp.parse(data) == tuple(value for _, value in EACH.values())


def test_padding_is_no_content() -> None:
    data = bytearray(packets.goodbye(1) + b"\0\0\0\x04")
    data[0] |= 0x20
    data[3] += 1
    assert rtcp.parse(bytes(data)) == (Goodbye((1,), b""),)


@pytest.mark.parametrize("name", EACH)
def test_a_packet_that_is_cut_off_is_refused_at_every_length(name: str) -> None:
    data, _ = EACH[name]
    for length in range(len(data)):
        with pytest.raises(WireError):
            rtcp.parse(data[:length])
        with pytest.raises(WireError):
            rtcp.without_feedback(data[:length])


def changed(data: bytes, **octets: int) -> bytes:
    """The packet with some octets replaced: `at8=255`."""
    made = bytearray(data)
    for place, value in octets.items():
        made[int(place.removeprefix("at"))] = value
    return bytes(made)


@pytest.mark.parametrize(
    "data",
    [
        changed(packets.goodbye(1, b"bye"), at8=200),
        changed(packets.goodbye(1), at0=0x80 | 31),
        changed(packets.receiver_report(1), at0=0x80 | 31),
        changed(packets.sender_report(1), at0=0x80 | 1),
        changed(packets.description(1, b"abc"), at9=255),
        changed(packets.description(1, b"abcde"), at15=1),
        changed(packets.description(1), at0=0x80 | 2),
        changed(packets.goodbye(1), at0=0xA1, at7=0),
        changed(packets.goodbye(1), at0=0xA1, at7=5),
        changed(packets.goodbye(1), at0=0x41),
    ],
    ids=[
        "a reason longer than its BYE (CVE-2021-43804)",
        "BYE with fewer sources than it counts",
        "RR without its blocks",
        "SR without its block",
        "SDES item longer than its packet",
        "SDES without an end",
        "SDES with fewer chunks than it counts",
        "no padding where padding is announced",
        "padding longer than its packet",
        "another version",
    ],
)
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        rtcp.parse(data)


REPORT = packets.receiver_report(1) + packets.description(1)
FEEDBACK = packets.transport_feedback(1, 2) + packets.payload_feedback(1, 2)


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (REPORT, REPORT),
        (REPORT + FEEDBACK, REPORT),
        (FEEDBACK + REPORT + FEEDBACK, REPORT),
        (FEEDBACK, b""),
    ],
)
def test_feedback_is_taken_out_of_compounds(data: bytes, left: bytes) -> None:
    assert rtcp.without_feedback(data) == left


@given(st.binary(max_size=80))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        rtcp.parse(data)
    except WireError:
        return
    rtcp.without_feedback(data)


@given(st.integers(192, 223), st.integers(0, 255), st.binary(max_size=60))
def test_any_body_of_any_type_is_parsed_or_refused(kind: int, first: int, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    data = bytes((0x80 | first & 0x3F, kind, 0, len(body) // 4)) + body
    try:
        assert len(rtcp.parse(data)) == 1
    except WireError:
        return
    left = rtcp.without_feedback(data)
    assert left == (b"" if kind in (205, 206) else data)
