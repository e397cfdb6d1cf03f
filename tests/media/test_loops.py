"""The memory of what was sent to ourselves."""

from ngdaemon.media.loops import MAX_REMEMBERED, MEMORY, LoopGuard


def test_a_datagram_passes_once_within_a_second() -> None:
    guard = LoopGuard()
    assert guard.passes(b"a", 0.0)
    assert guard.passes(b"b", 0.0)
    assert not guard.passes(b"a", 0.0)
    assert not guard.passes(b"a", MEMORY - 0.01)


def test_it_is_remembered_for_a_second_at_least_also_when_others_come_later() -> None:
    guard = LoopGuard()
    for number in range(100):
        at = number * MEMORY / 10
        assert guard.passes(b"%d" % number, at)
        assert not guard.passes(b"%d" % max(0, number - 9), at)


def test_it_may_pass_again_later() -> None:
    guard = LoopGuard()
    assert guard.passes(b"a", 0.0)
    assert guard.passes(b"a", 2 * MEMORY)


def test_the_memory_is_bounded_and_still_knows_the_newest() -> None:
    guard = LoopGuard()
    for number in range(10 * MAX_REMEMBERED):
        assert guard.passes(b"%d" % number, 0.0)
    assert len(guard._recent) + len(guard._before) <= 2 * MAX_REMEMBERED
    for number in range(9 * MAX_REMEMBERED, 10 * MAX_REMEMBERED):
        assert not guard.passes(b"%d" % number, 0.0)
