"""The checklist: which pairs there are, and which of them is checked next."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.candidate import HOST, Candidate, priority
from ngdaemon.ice.checklist import MAX_PAIRS, Base, Check, Checklist, State


def base(component: int = 1, address: str = "198.51.100.1") -> Base:
    return Base(component, SocketId(component), Endpoint(address, 5000 + component), priority(HOST, component))


def remote(number: int, component: int = 1, foundation: str = "") -> Candidate:
    return Candidate(foundation or str(number), component, 1000 + number, "203.0.113.1", 6000 + number)


def add(checklist: Checklist, ours: Base, theirs: Candidate) -> Check:
    check = checklist.add(ours, theirs)
    assert check is not None
    return check


def start(checklist: Checklist) -> Check | None:
    """The next check, under way from now on."""
    check = checklist.take_next()
    if check is not None:
        check.state = State.IN_PROGRESS
    return check


def test_pairs_are_checked_by_priority() -> None:
    checklist = Checklist(controlling=True)
    low, high, middle = (add(checklist, base(), remote(number)) for number in (1, 9, 5))
    assert [start(checklist) for _ in range(4)] == [high, middle, low, None]
    assert not checklist.pending


def test_triggered_checks_go_first() -> None:
    """RFC 8445 §6.1.4.2."""
    checklist = Checklist(controlling=True)
    low, high = add(checklist, base(), remote(1)), add(checklist, base(), remote(9))
    checklist.trigger(low)
    checklist.trigger(low)
    assert [start(checklist) for _ in range(3)] == [low, high, None]


def test_a_pair_that_works_is_not_checked_again_without_need() -> None:
    checklist = Checklist(controlling=True)
    check = add(checklist, base(), remote(1))
    checklist.trigger(check)
    checklist.succeeded(check)
    assert start(checklist) is None
    check.again = True
    checklist.trigger(check)
    assert start(checklist) is check
    assert start(checklist) is None


def test_of_a_foundation_one_pair_is_checked_first() -> None:
    """RFC 8445 §6.1.2.6: RTCP waits until the path of RTP is known to work."""
    checklist = Checklist(controlling=True)
    rtcp = add(checklist, base(2), remote(2, 2, "same"))
    rtp = add(checklist, base(1), remote(1, 1, "same"))
    other = add(checklist, base(1), remote(3, 1, "other"))
    assert {start(checklist), start(checklist)} == {rtp, other}
    assert start(checklist) is None
    assert not checklist.pending
    checklist.succeeded(rtp)
    assert rtcp.state is State.WAITING
    assert start(checklist) is rtcp


def test_a_frozen_pair_is_checked_when_those_of_its_foundation_failed() -> None:
    checklist = Checklist(controlling=True)
    rtcp = add(checklist, base(2), remote(2, 2, "same"))
    rtp = add(checklist, base(1), remote(1, 1, "same"))
    assert start(checklist) is rtp
    rtp.state = State.FAILED
    assert checklist.pending
    assert start(checklist) is rtcp


def test_the_list_is_bounded_and_keeps_the_best() -> None:
    """S09, RFC 8445 §6.1.2.5."""
    checklist = Checklist(controlling=True)
    for number in range(MAX_PAIRS):
        add(checklist, base(), remote(number))
    assert checklist.add(base(), remote(0)._replace(port=9999, priority=1)) is None
    better = add(checklist, base(), remote(500))
    assert len(checklist) == MAX_PAIRS
    assert next(iter(checklist)) is better
    assert checklist.find(SocketId(1), remote(0).endpoint) is None


def test_failed_pairs_give_way_first_and_working_ones_never() -> None:
    checklist = Checklist(controlling=True)
    checks = [add(checklist, base(), remote(number)) for number in range(MAX_PAIRS)]
    for check in checks:
        check.state = State.SUCCEEDED
    assert checklist.add(base(), remote(500)) is None
    checks[50].state = State.FAILED
    assert checklist.add(base(), remote(0)._replace(port=9999, priority=1)) is not None
    assert checks[50] not in list(checklist)
    assert len(checklist) == MAX_PAIRS


def test_a_pair_is_formed_once() -> None:
    checklist = Checklist(controlling=True)
    check = add(checklist, base(), remote(1))
    assert checklist.add(base(), remote(1)) is None
    assert checklist.find(SocketId(1), remote(1).endpoint) is check


def test_priorities_follow_the_role() -> None:
    """RFC 8445 §6.1.2.3: the two sides count alike when each knows its role."""
    ours, theirs = Checklist(controlling=True), Checklist(controlling=False)
    mine = add(ours, base(), remote(1))
    same = Base(1, SocketId(1), remote(1).endpoint, remote(1).priority)
    yours = add(theirs, same, Candidate("x", 1, base().priority, *base().local))
    assert mine.priority == yours.priority
    before = mine.priority
    ours.take_role(controlling=False)
    assert mine.priority == before - 1
