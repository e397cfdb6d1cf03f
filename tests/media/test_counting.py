"""Counters by source, and losses by sequence number (RFC 3550 A.1, A.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.media.counting import MAX_DROPOUT, SourceCounter, Sources
from ngdaemon.media.forwarder import MAX_SOURCES, SsrcCounters


def counted(sequences: list[int]) -> SsrcCounters:
    """The counters after packets with these sequence numbers, each of 10 octets, its timestamp ten times its number."""
    counter = SourceCounter(sequences[0])
    for sequence in sequences:
        counter.count(sequence, 10 * sequence, 0x80 | 8, 10)
    return counter.report(7)


@pytest.mark.parametrize(
    ("sequences", "lost"),
    [
        ([5], 0),
        ([0], 0),
        (list(range(100)), 0),
        ([1, 2, 4, 5], 1),
        ([1, 10], 8),
        ([1, 3, 2, 4], 0),
        ([1, 2, 2, 3], 0),
        ([65534, 65535, 0, 1], 0),
        ([65534, 1, 2], 2),
        ([65535, 1], 1),
        ([0, 65535, 1], 0),
        ([1, 1 + MAX_DROPOUT, 2], 0),
        ([*range(10), 30000, 30001, 30003], 1),
        ([1, 4, 30000, 30001, 30002], 2),
        ([*range(10), 65535 - 5000, 65536 - 5000], 0),
    ],
    ids=[
        "one packet",
        "one packet numbered 0",
        "none lost",
        "one lost",
        "several lost",
        "out of order",
        "doubled",
        "around the end of the numbers",
        "lost around the end",
        "the first number lost",
        "an older one after the first",
        "a single wild number is not believed",
        "a new numbering begins",
        "losses before a new numbering stay",
        "a new numbering begins further back",
    ],
)
def test_losses_are_numbers_that_were_never_seen(sequences: list[int], lost: int) -> None:
    report = counted(sequences)
    assert report.lost == lost
    assert report.packets == len(sequences)
    assert report.bytes == 10 * len(sequences)


def test_losses_add_up_over_many_cycles() -> None:
    sequences = [number % 65536 for number in range(1000, 200_000) if number % 100]
    assert counted(sequences).lost == pytest.approx(1990, abs=1)


def test_the_newest_packet_is_the_one_with_the_highest_number() -> None:
    report = counted([10, 12, 11])
    assert (report.last_sequence, report.last_timestamp, report.payload_type) == (12, 120, 8)


def test_sources_are_listed_in_order_of_appearance() -> None:
    sources = Sources()
    for ssrc in (9, 3, 7, 3, 9):
        sources.of(ssrc, 1).count(1, 0, 0, 10)
    assert [item.ssrc for item in sources.report()] == [9, 3, 7]
    assert sources.totals() == (5, 50)


def test_the_oldest_source_gives_way_but_its_packets_stay_counted() -> None:
    sources = Sources()
    for ssrc in range(3 * MAX_SOURCES):
        sources.of(ssrc, 1).count(1, 0, 0, 10)
    assert [item.ssrc for item in sources.report()] == list(range(2 * MAX_SOURCES, 3 * MAX_SOURCES))
    assert sources.totals() == (3 * MAX_SOURCES, 30 * MAX_SOURCES)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=200))
def test_losses_never_go_back_to_less_than_nothing(sequences: list[int]) -> None:
    report = counted(sequences)
    assert report.lost >= 0
    assert report.packets == len(sequences)


@given(st.integers(0, 65535), st.sets(st.integers(1, 2000), max_size=300))
def test_short_disorder_makes_no_losses(start: int, missing: set[int]) -> None:
    numbers = [0, *(number for number in range(1, 2001) if number not in missing), 2001]
    for place in range(1, len(numbers) - 2, 3):
        numbers[place], numbers[place + 1] = numbers[place + 1], numbers[place]
    assert counted([(start + number) % 65536 for number in numbers]).lost == len(missing)
