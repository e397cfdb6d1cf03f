"""Index estimation and replay lists: tables of RFC 3711 §3.3, and a model that remembers everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.srtp.window import EARLY, LARGEST, SMALLEST, USED, Window, estimate

CYCLE = 1 << 16


def rfc_3711_index(roc: int, last: int, sequence: int) -> int:
    """The pseudocode of RFC 3711 appendix A, word by word."""
    if last < 32768:
        v = roc - 1 if sequence - last > 32768 else roc
    else:
        v = roc + 1 if last - 32768 > sequence else roc
    return sequence + v * 65536


@given(st.integers(0, (1 << 48) - 1), st.integers(0, 65535))
def test_the_estimate_is_that_of_rfc_3711(highest: int, sequence: int) -> None:
    """SRTP-02: over all 48 bits of index."""
    assert estimate(highest, sequence) == rfc_3711_index(highest >> 16, highest & 0xFFFF, sequence)


@pytest.mark.parametrize(
    ("highest", "sequence", "index"),
    [
        (65530, 65531, 65531),
        (65530, 5, CYCLE + 5),
        (CYCLE + 5, 65530, 65530),
        (CYCLE + 5, 6, CYCLE + 6),
        (0, 32768, 32768),
        (0, 32769, 32769 - CYCLE),
        (CYCLE - 1, 32767, 32767),
        (CYCLE - 1, 32766, CYCLE + 32766),
        (CYCLE + 32768, 0, CYCLE),
    ],
)
def test_the_rollover_counter_moves_at_half_a_cycle(highest: int, sequence: int, index: int) -> None:
    """SRTP-02: forward over the wrap, and back for a late packet."""
    assert estimate(highest, sequence) == index


@given(st.lists(st.integers(0, 65535), max_size=60), st.integers(0, 65535))
def test_a_sequence_number_is_placed_where_the_estimate_says(sequences: list[int], first: int) -> None:
    """SRTP-02: the shortcut for packets that come in order changes nothing."""
    window = Window(SMALLEST)
    assert window.place(first) == first
    window.use(first)
    for sequence in sequences:
        wanted = estimate(window.highest, sequence)
        placed = window.place(sequence)
        if wanted < 0:
            assert placed == EARLY
        elif window.used(wanted):
            assert placed == USED
        else:
            assert placed == wanted
            window.use(placed)


@given(
    st.sampled_from([SMALLEST, 100, 1024]),
    st.lists(st.one_of(st.integers(0, 400), st.integers(0, 5000), st.integers(0, (1 << 31) - 1)), max_size=200),
)
def test_each_index_is_used_once_and_old_ones_never(size: int, indices: list[int]) -> None:
    """SRTP-03: compared with a set that forgets nothing."""
    window, seen = Window(size), set[int]()
    for index in indices:
        too_old = bool(seen) and index <= max(seen) - size
        assert window.used(index) == (index in seen or too_old)
        if not window.used(index):
            window.use(index)
            seen.add(index)
        assert window.highest == max(seen)


@pytest.mark.parametrize("size", [SMALLEST, 1024])
def test_a_full_window_goes_on_to_remember(size: int) -> None:
    """SRTP-03: in order without a gap, then one gap, then the missing one."""
    window = Window(size)
    for index in range(3 * size):
        window.use(index)
        assert window.used(index)
    window.use(3 * size + 1)
    assert not window.used(3 * size)
    window.use(3 * size)
    assert all(window.used(index) for index in range(3 * size + 2))
    assert not window.used(3 * size + 2)


@pytest.mark.parametrize(("asked", "size"), [(0, SMALLEST), (63, SMALLEST), (65, 65), (1 << 40, LARGEST)])
def test_the_width_is_kept_within_bounds(asked: int, size: int) -> None:
    """SRTP-03: at least 64, and a peer that wants a huge one does not get the memory."""
    window = Window(asked)
    window.use(0)
    window.use(size)
    assert window.used(0)
    assert not window.used(1)


def test_a_closed_window_takes_nothing_from_behind() -> None:
    """SRTP-05: after a restore all that may have been sent counts as sent."""
    window = Window(SMALLEST)
    window.close()
    assert not window.used(0)
    window.use(10)
    window.close()
    assert window.used(9)
    assert not window.used(11)
