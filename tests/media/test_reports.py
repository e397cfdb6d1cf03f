"""Reports about a source that was renumbered, put back into the numbers of its sender."""

from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.media.reports import without_shift
from tests.support import packets

SHIFTED, SHIFT = 9, 30000


def shift_of(ssrc: int) -> int:
    return SHIFT if ssrc == SHIFTED else 0


def test_report_blocks_of_either_kind_are_put_back() -> None:
    """SRTP-04: only those about the source, with all else as it was."""
    for make in (packets.sender_report, packets.receiver_report):
        before = [packets.block(5, highest=7), packets.block(SHIFTED, highest=SHIFT + 70000, lost=-1, jitter=3)]
        after = [packets.block(5, highest=7), packets.block(SHIFTED, highest=70000, lost=-1, jitter=3)]
        tail = packets.description(1) + packets.goodbye(1)
        assert without_shift(make(1, before) + tail, shift_of) == make(1, after) + tail


def test_numbers_are_put_back_below_zero_and_beyond_the_end() -> None:
    low = packets.receiver_report(1, [packets.block(SHIFTED, highest=SHIFT - 1)])
    assert without_shift(low, shift_of) == packets.receiver_report(1, [packets.block(SHIFTED, highest=2**32 - 1)])
    assert without_shift(low, lambda _: -SHIFT) == packets.receiver_report(
        1, [packets.block(SHIFTED, highest=2 * SHIFT - 1)]
    )


def test_what_a_nack_asks_for_is_put_back() -> None:
    asked = b"".join((SHIFT + number).to_bytes(2, "big") + b"\x80\x01" for number in (0, 17))
    meant = b"".join(number.to_bytes(2, "big") + b"\x80\x01" for number in (0, 17))
    before = packets.receiver_report(1) + packets.transport_feedback(1, SHIFTED, asked)
    assert without_shift(before, shift_of) == packets.receiver_report(1) + packets.transport_feedback(1, SHIFTED, meant)


def test_other_feedback_and_other_sources_are_left_alone() -> None:
    compound = packets.transport_feedback(1, 5, b"\x00\x01\x00\x00") + packets.payload_feedback(1, SHIFTED)
    assert without_shift(compound, shift_of) is compound


@given(st.binary(max_size=90), st.integers(-(2**20), 2**20))
def test_any_bytes_keep_their_length_s03(data: bytes, shift: int) -> None:
    """S03. And they come back when the shift is undone."""
    changed = without_shift(data, lambda _: shift)
    assert len(changed) == len(data)
    assert data[:8] == changed[:8]


@given(st.binary(max_size=60), st.integers(0, 31))
def test_counts_that_are_longer_than_their_packet_are_survived(tail: bytes, count: int) -> None:
    data = bytes((0x80 | count, 201, 0, (4 + len(tail)) // 4)) + b"\x00\x00\x00\x01" + tail
    assert len(without_shift(data, shift_of)) == len(data)
