"""Candidates that come one after the other (RFC 8838)."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.remotes import MAX_REMOTE
from ngdaemon.ice.report import Failed, Progress, Tried, Unanswered
from tests.ice.rig import Party, World, introduce, requests

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"


def meet() -> tuple[World, Party, Party]:
    world = World()
    return world, Party(world, OFFERER, controlling=True, seed=1), Party(world, ANSWERER, seed=2)


def test_a_candidate_that_comes_later_is_checked_at_once() -> None:
    """ICE-12."""
    world, ours, peer = meet()
    ours.hear(peer.description(only=[], ended=False))
    world.run(2.0)
    assert requests(ours) == []
    ours.hear(peer.description(ended=False))
    assert [(at, to) for at, _, to in requests(ours)] == [(world.clock.now, Endpoint(ANSWERER, 5000))]


def test_candidates_after_the_end_are_ignored() -> None:
    """ICE-12."""
    world, ours, peer = meet()
    ours.hear(peer.description(only=[], ended=False))
    ours.hear(peer.description(only=[], ended=True))
    ours.hear(peer.description(ended=True))
    world.run(2.0)
    assert requests(ours) == []


def test_failure_is_not_declared_while_candidates_may_come() -> None:
    """ICE-12: the patience timer (RFC 8863), and `a=end-of-candidates`."""
    world, ours, peer = meet()
    ours.hear(peer.description(only=[], ended=False))
    world.run(120.0, step=0.5)
    assert not ours.heard(Failed)
    ours.hear(peer.description(only=[], ended=True))
    world.run(2.0)
    assert ours.heard(Failed) == [Failed(1, Tried(candidates=0, unusable=0, heard=False))]


def test_that_nobody_answers_is_told_once_although_candidates_may_come() -> None:
    """ICE-12: browsers trickle and never say that they have ended."""
    world, ours, peer = meet()
    peer.mute = True
    ours.hear(peer.description(ended=False))
    world.run(39.0, step=0.1)
    assert not ours.heard(Unanswered)
    world.run(60.0, step=0.1)
    assert ours.heard(Unanswered) == [Unanswered(1, Tried(candidates=1, unusable=0, heard=False))]
    assert ours.agent.progress(1) is Progress.CHECKING
    peer.mute = False
    peer.hear(ours.description())
    assert world.until(ours) < 1.0


def test_candidates_that_are_names_are_told_apart() -> None:
    """ICE-12: mDNS hides the addresses of browsers (draft-ietf-mmusic-mdns-ice-candidates); nothing can be checked."""
    world, ours, peer = meet()
    hidden = [item._replace(address=f"{number}.local") for item in peer.candidates for number in range(3)]
    ours.hear(peer.description(only=hidden, ended=False))
    ours.hear(peer.description(only=hidden, ended=False))
    world.run(41.0, step=0.1)
    assert ours.heard(Unanswered) == [Unanswered(1, Tried(candidates=0, unusable=3, heard=False))]


def test_checks_that_arrive_while_ours_are_lost_are_told() -> None:
    """ICE-12: the way is open in one direction only."""
    world, ours, peer = meet()
    peer.mute = True
    ours.hear(peer.description(ended=False))
    peer.hear(ours.description())
    world.run(41.0, step=0.1)
    (event,) = ours.heard(Unanswered)
    assert isinstance(event, Unanswered)
    assert event.tried.heard


def test_half_trickle_connects() -> None:
    world, ours, peer = meet()
    peer.hear(ours.description())
    ours.hear(peer.description(only=[], ended=False))
    ours.hear(peer.description(ended=True))
    assert world.until(ours) < 1.0
    assert world.until(peer) < 1.0


def test_a_candidate_that_turns_out_to_be_a_learned_one_is_not_checked_twice() -> None:
    world, ours, peer = meet()
    ours.hear(peer.description(only=[], ended=False))
    peer.hear(ours.description())
    world.until(ours)
    pair = ours.agent.selected(1)
    before = len(requests(ours))
    ours.hear(peer.description())
    world.run(1.0)
    assert len(requests(ours)) == before
    assert ours.agent.selected(1) == pair


def flood(count: int) -> list[Candidate]:
    return [Candidate(str(n), 1, 1000 + n, f"192.0.2.{1 + n % 250}", 5000 + n) for n in range(count)]


def test_at_most_a_hundred_candidates_are_taken() -> None:
    """ng-protocol.md §4.8, S09."""
    world, ours, peer = meet()
    ours.hear(peer.description(only=flood(1000)))
    world.run(60.0)
    assert MAX_REMOTE == 100
    assert len({to for _, _, to in requests(ours)}) == 100


def test_a_flood_of_candidates_does_not_lock_the_peer_out() -> None:
    """S09: peer-reflexive candidates still find room among pairs that wait."""
    world, ours, peer = meet()
    ours.hear(peer.description(only=flood(99)))
    peer.hear(ours.description())
    assert world.until(ours) < 1.0
    assert world.until(peer) < 1.0


def test_refused_addresses_are_never_checked() -> None:
    """S13: loopback, metadata, multicast, unspecified, mapped and our own addresses."""
    world, ours, peer = meet()
    addresses = ["127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", OFFERER]
    listed = [Candidate(str(n), 1, 1000 + n, address, 5000) for n, address in enumerate(addresses)]
    ours.hear(peer.description(only=listed))
    world.run(5.0)
    assert ours.sent == []


def test_the_policy_is_asked_about_each_address() -> None:
    """S13: an operator may refuse more, or less."""
    world = World()
    ours = Party(world, OFFERER, controlling=True, policy=lambda endpoint: endpoint.address == "127.0.0.1")
    peer = Party(world, ANSWERER, seed=2)
    listed = [*peer.candidates, Candidate("x", 1, 5, "127.0.0.1", 7000)]
    ours.hear(peer.description(only=listed))
    world.run(2.0)
    assert {to for _, _, to in requests(ours)} == {Endpoint("127.0.0.1", 7000)}
    introduce(ours, peer)
    world.run(2.0)
    assert ours.agent.may_send(1) is None, "a learned address is asked about as well"
