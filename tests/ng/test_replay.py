"""The cookie cache (ng-protocol.md §1.6)."""

from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.ng.replay import ReplayCache


def test_a_new_cookie_is_not_known() -> None:
    assert ReplayCache().lookup(b"c", 0.0) is None


def test_a_reply_is_given_again() -> None:
    cache = ReplayCache()
    cache.finish(b"c", b"c reply", 5.0)
    assert cache.lookup(b"c", 5.1) == b"c reply"
    assert cache.lookup(b"c", 34.0) == b"c reply"
    assert cache.lookup(b"d", 34.0) is None


@given(
    st.floats(0, 1e6),
    st.lists(st.floats(0.01, 40), max_size=30),
    st.floats(0, 100),
)
def test_a_reply_lives_30_to_60_seconds(start: float, idle: list[float], asked: float) -> None:
    cache = ReplayCache()
    cache.finish(b"first", b"reply", start)
    made = start + 12.5
    cache.finish(b"c", b"reply", made)
    now = made
    for pause in idle:
        if now + pause >= made + asked:
            break
        now += pause
        cache.lookup(b"other", now)
    known = cache.lookup(b"c", made + asked)
    if asked < 29.99:
        assert known == b"reply"
    elif asked > 60.01:
        assert known is None


def test_old_replies_go_even_when_nobody_asks() -> None:
    cache = ReplayCache()
    cache.finish(b"c", b"reply", 0.0)
    cache.finish(b"d", b"reply", 1000.0)
    assert len(cache) == 1


@given(st.lists(st.integers(0, 100), max_size=200), st.integers(2, 20))
def test_the_number_of_replies_is_bounded(numbers: list[int], limit: int) -> None:
    cache = ReplayCache(max_replies=limit)
    recent: list[bytes] = []
    for number in numbers:
        cookie = b"%d" % number
        if cache.lookup(cookie, 0.0) is None:
            cache.finish(cookie, b"reply " + cookie, 0.0)
            recent.append(cookie)
        assert len(cache) <= limit
    for cookie in recent[-(limit // 2) :]:
        assert cache.lookup(cookie, 0.0) == b"reply " + cookie


def test_the_size_of_replies_is_bounded_and_the_oldest_go_first() -> None:
    cache = ReplayCache(max_octets=100_000)
    for number in range(1000):
        cache.finish(b"%d" % number, b"x" * 1000, 0.0)
    assert 40 <= len(cache) <= 100
    assert cache.lookup(b"999", 0.0) is not None
    assert cache.lookup(b"960", 0.0) is not None
    assert cache.lookup(b"1", 0.0) is None


def test_a_reply_that_is_too_large_is_not_kept() -> None:
    cache = ReplayCache(max_octets=10_000)
    cache.finish(b"c", b"x" * 20_000, 0.0)
    assert cache.lookup(b"c", 0.0) is None
    assert len(cache) == 0
