"""Checks that were heard before."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.seen import MAX_OLD, MAX_RECENT, RETRANSMISSION, Seen

HERE = (SocketId(1), Endpoint("203.0.113.1", 5000))
ELSEWHERE = (SocketId(1), Endpoint("192.0.2.66", 6666))


def identifier(number: int) -> bytes:
    return number.to_bytes(8) + bytes(4)


def test_a_check_may_be_repeated_by_its_sender_alone_and_for_a_while() -> None:
    seen = Seen()
    assert seen.admits(identifier(1), HERE, 10.0, is_known=False)
    assert seen.admits(identifier(1), HERE, 10.5, is_known=False)
    assert not seen.admits(identifier(1), ELSEWHERE, 10.5, is_known=True)
    assert not seen.admits(identifier(1), HERE, 10.0 + RETRANSMISSION, is_known=True)


def test_no_check_is_ever_forgotten() -> None:
    """S08: however many others there were since, in whatever order of their ids."""
    seen = Seen()
    numbers = [number * 7919 % 10007 for number in range(10007)]
    for number in numbers:
        assert seen.admits(identifier(number), HERE, 0.0, is_known=True)
    assert not any(seen.admits(identifier(number), ELSEWHERE, 0.0, is_known=False) for number in numbers)


def test_what_is_remembered_is_bounded_and_who_is_not_known_by_then_stays_out() -> None:
    """S08, S21: a peer that checks without end shuts out strangers only."""
    seen = Seen()
    for number in range(MAX_OLD + MAX_RECENT + 100):
        assert seen.admits(identifier(number), HERE, 0.0, is_known=True)
    assert len(seen._old) == MAX_OLD
    assert len(seen._recent) <= MAX_RECENT
    newest = identifier(MAX_OLD + 1)
    assert not seen.admits(newest, ELSEWHERE, 0.0, is_known=False)
    assert not seen.admits(identifier(2**63), ELSEWHERE, 0.0, is_known=False)
    assert seen.admits(identifier(2**63), HERE, 0.0, is_known=True)
