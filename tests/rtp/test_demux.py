"""RFC 7983 §7 and RFC 5761 §4, octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.rtp.demux import Kind, classify

LONG = 40


def expected(octet: int) -> Kind:
    """The table of RFC 7983 §7, written out once more."""
    for limit, kind in (
        (3, Kind.STUN),
        (15, Kind.UNKNOWN),
        (19, Kind.ZRTP),
        (63, Kind.DTLS),
        (79, Kind.TURN),
        (127, Kind.UNKNOWN),
        (191, Kind.RTP),
    ):
        if octet <= limit:
            return kind
    return Kind.UNKNOWN


@pytest.mark.parametrize("octet", range(256))
def test_the_first_octet_decides(octet: int) -> None:
    assert classify(bytes((octet,)) + bytes(LONG)) is expected(octet)


@pytest.mark.parametrize("second", range(256))
def test_packet_types_192_to_223_are_rtcp(second: int) -> None:
    kind = Kind.RTCP if 192 <= second <= 223 else Kind.RTP
    assert classify(bytes((0x80, second)) + bytes(LONG)) is kind


@pytest.mark.parametrize(
    ("first", "second", "kind", "least"),
    [
        (0, 1, Kind.STUN, 20),
        (16, 0, Kind.ZRTP, 12),
        (22, 254, Kind.DTLS, 13),
        (47, 0, Kind.DTLS, 18),
        (64, 0, Kind.TURN, 4),
        (128, 0, Kind.RTP, 12),
        (128, 200, Kind.RTCP, 8),
    ],
)
def test_what_is_too_short_for_its_class_is_of_no_class(first: int, second: int, kind: Kind, least: int) -> None:
    whole = bytes((first, second)) + bytes(LONG)
    found = [classify(whole[:length]) for length in range(65)]
    assert found[:least] == [Kind.UNKNOWN] * least
    assert found[least:] == [kind] * (65 - least)


@given(st.binary(max_size=64))
def test_any_bytes_have_a_class(data: bytes) -> None:
    assert isinstance(classify(data), Kind)
