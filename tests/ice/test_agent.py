"""Two agents find a path to each other: plain, behind NATs, with losses, with two components and families."""

from itertools import pairwise

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import stun
from ngdaemon.ice.report import Failed, Pair, Progress, Remote, Selected, Tried, Usable
from tests.ice.rig import Party, World, forge, introduce, requests
from tests.support.network import Weather

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"


def meet(weather: Weather | None = None, components: int = 1, seed: int = 1) -> tuple[World, Party, Party]:
    """Two full agents that do not know each other yet."""
    world = World(weather, seed)
    offerer = Party(world, OFFERER, components=components, controlling=True, seed=seed)
    answerer = Party(world, ANSWERER, components=components, seed=seed + 1)
    return world, offerer, answerer


def chosen(party: Party, component: int = 1) -> Pair:
    pair = party.agent.selected(component)
    assert pair is not None
    return pair


def test_two_full_agents_agree_on_a_pair() -> None:
    world, offerer, answerer = meet()
    introduce(offerer, answerer)
    assert world.until(offerer) < 1.0
    assert world.until(answerer) < 1.0
    pair = chosen(offerer)
    assert pair == Pair(SocketId(1), Endpoint(OFFERER, 5000), Endpoint(ANSWERER, 5000), Endpoint(OFFERER, 5000))
    assert (chosen(answerer).local, chosen(answerer).remote) == (pair.remote, pair.local)
    assert offerer.heard(Selected) == [Selected(1, pair)]
    assert offerer.agent.may_send(1) == pair
    assert offerer.agent.complete
    assert offerer.agent.accepts(SocketId(1), Endpoint(ANSWERER, 5000))


def test_a_path_is_usable_before_it_is_nominated() -> None:
    """HS-12, S05: DTLS may start one round trip after the SDP is known."""
    world, offerer, answerer = meet(Weather(delay=0.005))
    introduce(offerer, answerer)
    world.run(0.03, step=0.001)
    assert [event for event in answerer.events if isinstance(event, Usable)]
    assert answerer.agent.may_send(1) is not None


def test_nothing_may_be_sent_before_a_check_of_ours_succeeded() -> None:
    """STUN-02, HS-10: neither an SDP nor a check of the peer is enough."""
    world, offerer, answerer = meet()
    answerer.hear(offerer.description())
    assert answerer.agent.may_send(1) is None
    peer = offerer.agent.local.ufrag
    answerer.receive(SocketId(1), forge(answerer, peer=peer), Endpoint(OFFERER, 5000), world.clock.now)
    assert answerer.agent.accepts(SocketId(1), Endpoint(OFFERER, 5000))
    assert answerer.agent.may_send(1) is None


@pytest.mark.parametrize("seed", range(12))
def test_loss_and_disorder_delay_but_do_not_prevent(seed: int) -> None:
    world, offerer, answerer = meet(Weather(loss=0.3, doubling=0.2, delay=0.05, jitter=0.2), components=2, seed=seed)
    introduce(offerer, answerer)
    for component in (1, 2):
        world.until(offerer, component, limit=40.0)
        world.until(answerer, component, limit=40.0)
    for component in (1, 2):
        assert chosen(offerer, component).remote == chosen(answerer, component).local


@pytest.mark.parametrize("symmetric", [False, True], ids=["full cone", "symmetric"])
@pytest.mark.parametrize("behind", ["controlling", "controlled"])
def test_a_peer_behind_a_nat_is_found_by_its_checks(symmetric: bool, behind: str) -> None:
    """S05: the peer-reflexive candidate of a NATed client connects in less than a second."""
    world = World()
    gateway = Party(world, OFFERER, controlling=behind == "controlled", seed=1)
    client = Party(world, "10.0.0.7", controlling=behind == "controlling", seed=2)
    router = client.behind("203.0.113.99", symmetric=symmetric)
    introduce(gateway, client)
    assert world.until(gateway) < 1.0
    assert world.until(client) < 1.0
    seen = router.outside(Endpoint(OFFERER, 5000))
    assert chosen(gateway).remote == seen
    assert chosen(client).mapped == seen
    assert gateway.agent.accepts(SocketId(1), seen)


def test_a_browser_that_hides_its_address_is_found() -> None:
    """S05: mDNS names are of no use, its checks are."""
    world, offerer, answerer = meet()
    hidden = [candidate._replace(address="0a1b.local") for candidate in offerer.candidates]
    answerer.hear(offerer.description(only=hidden))
    offerer.hear(answerer.description())
    assert world.until(answerer) < 1.0
    assert chosen(answerer).remote == Endpoint(OFFERER, 5000)


def test_ip6_connects() -> None:
    """S05."""
    world = World()
    offerer = Party(world, "2001:db8::1", controlling=True, seed=1)
    answerer = Party(world, "2001:db8:1::1", seed=2)
    introduce(offerer, answerer)
    assert world.until(answerer) < 1.0
    assert chosen(answerer).remote == Endpoint("2001:db8::1", 5000)


def test_addresses_of_two_families_are_paired_within_their_family() -> None:
    world = World()
    offerer = Party(world, OFFERER, "2001:db8::1", controlling=True, seed=1)
    answerer = Party(world, "2001:db8:1::1", ANSWERER, seed=2)
    world.network.detach(Endpoint("2001:db8:1::1", 5000))
    introduce(offerer, answerer)
    world.until(offerer)
    assert chosen(offerer).remote == Endpoint(ANSWERER, 5002)
    assert all((":" in to.address) == (":" in offerer.bases[socket].address) for _, socket, _, to in offerer.sent)


def test_the_best_of_several_paths_is_nominated() -> None:
    world = World()
    offerer = Party(world, OFFERER, "198.51.100.2", controlling=True, seed=1)
    answerer = Party(world, ANSWERER, "203.0.113.2", seed=2)
    introduce(offerer, answerer)
    world.run(3.0)
    assert chosen(offerer).local == Endpoint(OFFERER, 5000)
    assert chosen(offerer).remote == Endpoint(ANSWERER, 5000)
    assert chosen(answerer).remote == Endpoint(OFFERER, 5000)


def test_components_need_a_path_each_until_rtcp_is_multiplexed() -> None:
    world, offerer, answerer = meet(components=2)
    introduce(offerer, answerer)
    world.until(offerer, 1)
    world.until(offerer, 2)
    assert chosen(offerer, 2).remote == Endpoint(ANSWERER, 5001)
    assert offerer.agent.complete


def test_a_dropped_component_is_neither_checked_nor_missed() -> None:
    world, offerer, answerer = meet(components=2)
    offerer.agent.drop_component(2)
    answerer.agent.drop_component(2)
    introduce(offerer, answerer)
    world.until(offerer)
    world.run(1.0)
    assert offerer.agent.complete
    assert {to.port for _, _, to in requests(offerer)} == {5000}
    assert not offerer.agent.receive(SocketId(2), forge(offerer), Endpoint(ANSWERER, 5001), world.clock.now)


def test_checks_before_the_answer_are_answered_and_remembered() -> None:
    """ICE-06: integrity needs our password alone; when the SDP comes, they have triggered checks."""
    world, offerer, answerer = meet()
    answerer.hear(offerer.description())
    world.run(0.2)
    assert answerer.agent.usable(1) is not None, "the offerer did not answer"
    assert offerer.agent.accepts(SocketId(1), Endpoint(ANSWERER, 5000))
    assert requests(offerer) == []
    offerer.hear(answerer.description(only=[]))
    assert [to for _, _, to in requests(offerer)] == [Endpoint(ANSWERER, 5000)]
    assert world.until(offerer) < 1.0


def test_early_checks_of_another_fork_are_not_accepted_once_one_has_answered() -> None:
    """ICE-06, S08: which of the early sources is the peer, the SDP decides."""
    world, offerer, answerer = meet()
    stranger = Endpoint("192.0.2.66", 6666)
    offerer.receive(SocketId(1), forge(offerer, peer="forkedway", controlling=False), stranger, world.clock.now)
    answerer.hear(offerer.description())
    world.run(0.2)
    assert offerer.agent.accepted(SocketId(1)) == {stranger, Endpoint(ANSWERER, 5000)}
    offerer.hear(answerer.description())
    world.until(offerer)
    assert offerer.agent.accepted(SocketId(1)) == {Endpoint(ANSWERER, 5000)}


def test_the_answer_of_another_fork_replaces_the_first() -> None:
    """MOD-03: same credentials of ours, others of the peer."""
    world, offerer, first = meet()
    second = Party(world, "203.0.113.2", seed=9)
    for party in (first, second):
        party.hear(offerer.description())
    offerer.hear(first.description())
    world.until(offerer)
    offerer.hear(second.description())
    assert chosen(offerer).remote == Endpoint(ANSWERER, 5000), "no gap: the first serves until the second is there"
    world.run(1.0)
    assert chosen(offerer).remote == Endpoint("203.0.113.2", 5000)
    assert offerer.agent.accepted(SocketId(1)) == {Endpoint("203.0.113.2", 5000)}


def test_early_checks_of_a_fork_wait_for_its_answer() -> None:
    """ICE-06, MOD-03: also when another fork answers first."""
    world, offerer, first = meet()
    early = Endpoint("192.0.2.7", 7777)
    offerer.receive(SocketId(1), forge(offerer, peer="second", controlling=False), early, world.clock.now)
    offerer.hear(first.description())
    world.run(0.2)
    assert not [to for _, _, to in requests(offerer) if to == early]
    offerer.hear(Remote("second", "p" * 22))
    world.run(0.2)
    assert [to for _, _, to in requests(offerer) if to == early]


def test_checks_of_other_pairs_end_with_the_nomination() -> None:
    """RFC 8445 §8.1.2: nothing is sent to addresses that are not needed any more."""
    world, offerer, answerer = meet()
    deaf = answerer.candidates[0]._replace(port=7000, foundation="deaf", priority=2**31 - 1)
    answerer.hear(offerer.description())
    offerer.hear(answerer.description(only=[*answerer.candidates, deaf]))
    world.until(offerer)
    assert [to for _, _, to in requests(offerer) if to.port == 7000]
    after = world.clock.now
    world.run(20.0)
    assert not [to for at, _, to in requests(offerer, after) if to.port == 7000]


def test_a_check_names_both_sides_and_its_role() -> None:
    """ICE-04: username `theirs:ours`, password of the receiver, PRIORITY of the peer-reflexive type, FINGERPRINT."""
    world, offerer, answerer = meet()
    introduce(offerer, answerer)
    world.until(offerer)
    for party, other, role in (
        (offerer, answerer, stun.ICE_CONTROLLING),
        (answerer, offerer, stun.ICE_CONTROLLED),
    ):
        for _, message, _ in requests(party):
            assert message.username == f"{other.agent.local.ufrag}:{party.agent.local.ufrag}"
            assert message.authentic(other.agent.local.pwd.encode())
            assert message.number(stun.PRIORITY) == (110 << 24) + (65535 << 8) + 255
            assert role in message.attributes
            assert message.data[-8:-4] == b"\x80\x28\0\4"
    assert [stun.USE_CANDIDATE in message.attributes for _, message, _ in requests(offerer)].count(True) == 1
    assert not any(stun.USE_CANDIDATE in message.attributes for _, message, _ in requests(answerer))


def test_checks_start_50_ms_apart_and_repeat_after_500() -> None:
    """ICE-07, TIM-07: Ta and RTO; the first check leaves at once."""
    world, offerer, answerer = meet()
    answerer.mute = True
    candidates = [
        answerer.candidates[0]._replace(port=port, priority=port, foundation=str(port)) for port in range(5000, 5008)
    ]
    began = world.clock.now
    offerer.hear(answerer.description(only=candidates))
    world.run(45.0)
    first: dict[bytes, float] = {}
    again: dict[bytes, list[float]] = {}
    for at, message, _ in requests(offerer):
        if message.transaction in first:
            again.setdefault(message.transaction, []).append(at - first[message.transaction])
        else:
            first[message.transaction] = at
    starts = sorted(first.values())
    assert starts[0] == began
    assert len(starts) == len(candidates)
    assert all(later - sooner >= 0.05 - 1e-6 for sooner, later in pairwise(starts))
    for times in again.values():
        assert times[0] >= 0.5
        assert len(times) == 6
        assert all(later >= 2 * sooner for sooner, later in pairwise(times))


def test_failure_is_declared_when_all_checks_failed_and_patience_is_over() -> None:
    """ICE-12, RFC 8863."""
    world, offerer, answerer = meet()
    answerer.mute = True
    offerer.hear(answerer.description())
    world.run(38.0, step=0.1)
    assert not offerer.heard(Failed)
    world.run(5.0, step=0.1)
    assert offerer.heard(Failed) == [Failed(1, Tried(candidates=1, unusable=0, heard=False))]
    assert offerer.agent.progress(1) is Progress.FAILED
    assert offerer.agent.may_send(1) is None
    world.run(60.0, step=1.0)
    assert len(offerer.heard(Failed)) == 1


def test_a_failed_component_still_connects_when_the_peer_turns_up() -> None:
    world, offerer, answerer = meet()
    offerer.hear(answerer.description(only=[]))
    world.run(45.0, step=0.1)
    assert offerer.heard(Failed)
    answerer.hear(offerer.description())
    assert world.until(offerer) < 1.0


def test_unused_sockets_are_released_three_seconds_after_completion() -> None:
    """ICE-07, TIM-07: the peer may not be done yet when we are."""
    world = World()
    offerer = Party(world, OFFERER, "198.51.100.2", controlling=True, seed=1)
    answerer = Party(world, ANSWERER, seed=2)
    introduce(offerer, answerer)
    world.until(offerer)
    assert offerer.agent.releasable(world.clock.now) == frozenset()
    world.run(2.9)
    assert offerer.agent.releasable(world.clock.now) == frozenset()
    world.run(0.2)
    assert offerer.agent.releasable(world.clock.now) == {SocketId(2)}


def test_hearing_the_same_description_again_changes_nothing() -> None:
    world, offerer, answerer = meet()
    introduce(offerer, answerer)
    world.until(offerer)
    offerer.events.clear()
    sent = len(offerer.sent)
    offerer.hear(answerer.description())
    assert offerer.events == []
    assert len(offerer.sent) == sent


def test_progress_and_round_trip_are_told() -> None:
    """TIM-02: the first DTLS timer may rest on the round trip that a check took."""
    world, offerer, answerer = meet(Weather(delay=0.03))
    assert offerer.agent.progress(1) is Progress.WAITING
    assert offerer.agent.rtt(1) is None
    answerer.hear(offerer.description())
    offerer.hear(answerer.description())
    assert offerer.agent.progress(1) is Progress.CHECKING
    while offerer.agent.may_send(1) is None:
        world.run(0.01)
    assert offerer.agent.progress(1) is Progress.USABLE
    world.until(offerer)
    assert offerer.agent.progress(1) is Progress.SELECTED
    assert offerer.agent.rtt(1) == pytest.approx(0.06)
    answerer.mute = True
    world.run(37.0, step=0.1)
    assert offerer.agent.progress(1) is Progress.CONSENT_LOST


def test_an_idle_agent_wants_no_timer() -> None:
    _, offerer, _ = meet()
    assert offerer.agent.next_timeout() is None


def test_timers_never_spin() -> None:
    """Each call at its time does something, or the next one is later."""
    world, offerer, answerer = meet(components=2)
    introduce(offerer, answerer)
    for _ in range(2000):
        dues = [due for party in (offerer, answerer) if (due := party.agent.next_timeout()) is not None]
        assert dues
        world.network.run(max(0.0, min(dues) - world.clock.now))
        for party in (offerer, answerer):
            due = party.agent.next_timeout()
            if due is not None and due <= world.clock.now:
                party.agent.handle_timer(world.clock.now)
                party.settle()
                later = party.agent.next_timeout()
                assert later is None or later > world.clock.now
    assert world.clock.now > 1060.0


def test_a_base_that_comes_late_is_checked_from() -> None:
    world, offerer, answerer = meet()
    world.network.detach(Endpoint(OFFERER, 5000))
    introduce(offerer, answerer)
    world.run(0.3)
    late = offerer.add(1, "198.51.100.9", 1)
    assert world.until(offerer) < 2.0
    assert chosen(offerer).socket == late


def test_a_dropped_base_takes_its_pairs_along() -> None:
    world = World()
    offerer = Party(world, OFFERER, "198.51.100.2", controlling=True, seed=1)
    answerer = Party(world, ANSWERER, seed=2)
    introduce(offerer, answerer)
    world.until(offerer)
    offerer.agent.drop_base(SocketId(1))
    assert offerer.agent.selected(1) is None
    assert offerer.agent.accepted(SocketId(1)) == frozenset()
    assert world.until(offerer) < 2.0
    assert chosen(offerer).socket == SocketId(2)
