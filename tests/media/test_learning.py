"""Learning over a bad network: two phones, one behind a NAT, a relay between them, and a stranger who sprays its ports.

Nothing real: the emulator of `tests/support/network.py` carries the datagrams, and the clock jumps.
"""

from collections import Counter

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.plan import LEARNING_WINDOW, Latch, Learning
from tests.media.rig import A_RTCP, ALICE, ALICE_RTCP, B_RTCP, BOB, BOB_RTCP, ROUTES, STRANGER, A, B, Rig, sockets
from tests.support import packets
from tests.support.clock import Clock
from tests.support.network import Nat, Network, Weather
from tests.support.packets import rtp

NAT = "203.0.113.77"
"""Alice's router, which is also where her SIP comes from (`received-from`)."""
FAIR = Weather(loss=0.05, doubling=0.05, delay=0.02, jitter=0.03)
TICK = 0.02
"""Seconds between two packets of a phone."""
SEEDS = range(3)


class Phone:
    """Sends RTP and RTCP to two ports of the relay, straight or through a NAT, and remembers who was heard."""

    def __init__(self, network: Network, ssrc: int, home: Endpoint, router: str | None = None) -> None:
        self.heard: Counter[int] = Counter()
        """RTP packets received, by SSRC."""
        self.reports: Counter[int] = Counter()
        """RTCP packets received, by SSRC."""
        self._network = network
        self._ssrc = ssrc
        self.home = home
        self.nats = (
            (Nat(network, router, self._receive, 60000), Nat(network, router, self._receive_report, 61000))
            if router is not None
            else None
        )
        self._attach()
        self._sequence = 0

    def _attach(self) -> None:
        self._network.attach(self.home, self._receive)
        self._network.attach(Endpoint(self.home.address, self.home.port + 1), self._receive_report)

    def move(self, home: Endpoint) -> None:
        """Send and receive elsewhere from now on."""
        self.home = home
        self._attach()

    def _receive(self, data: bytes, _source: Endpoint, _now: float) -> None:
        self.heard[int.from_bytes(data[8:12], "big")] += 1

    def _receive_report(self, data: bytes, _source: Endpoint, _now: float) -> None:
        self.reports[int.from_bytes(data[4:8], "big")] += 1

    def speak(self, media: Endpoint, reports: Endpoint) -> None:
        """One RTP packet, and now and then RTCP."""
        self._sequence += 1
        self._send(rtp(self._sequence, ssrc=self._ssrc), media, 0)
        if self._sequence % 10 == 0:
            self._send(packets.receiver_report(self._ssrc), reports, 1)

    def _send(self, data: bytes, to: Endpoint, component: int) -> None:
        if self.nats is not None:
            self.nats[component].send(data, to)
        else:
            self._network.send(data, Endpoint(self.home.address, self.home.port + component), to)


class Spray:
    """A stranger who sends to every port of the relay, again and again, and counts what comes back."""

    SSRC = 0xBAD

    def __init__(self, network: Network) -> None:
        self.got = 0
        self._network = network
        for port in (STRANGER.port, STRANGER.port + 1):
            network.attach(Endpoint(STRANGER.address, port), self._receive)

    def _receive(self, _data: bytes, _source: Endpoint, _now: float) -> None:
        self.got += 1

    def spray(self, rig: Rig) -> None:
        for number in rig.streams:
            to = rig.local(number)
            self._network.send(rtp(1, ssrc=self.SSRC), STRANGER, to)
            self._network.send(packets.receiver_report(self.SSRC), Endpoint(STRANGER.address, STRANGER.port + 1), to)


class Scene:
    """Alice (behind her NAT, SDP with her home address) calls Bob."""

    ALICE_SSRC, BOB_SSRC = 0xA, 0xB

    def __init__(self, latch: Latch, seed: int, weather: Weather = FAIR, *, spray: bool = True) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, seed, weather)
        self.rig = Rig(self.clock)
        for _ in range(4):
            self.rig.open()
        for number, stream in self.rig.streams.items():
            self.network.attach(self.rig.local(number), stream.receive)
        self.alice = Phone(self.network, self.ALICE_SSRC, ALICE, NAT)
        self.bob = Phone(self.network, self.BOB_SSRC, BOB)
        self.stranger = Spray(self.network) if spray else None
        self.latch = latch
        self.generation = 0
        self._delivered = 0

    def offer(self) -> None:
        """Alice's SDP is known, Bob's is not."""
        self._apply(answered=False)

    def answer(self) -> None:
        self._apply(answered=True)

    def _apply(self, *, answered: bool) -> None:
        self.generation += 1
        latch = self.latch._replace(generation=self.generation)
        a, a_rtcp, b, b_rtcp = sockets()
        alice = latch._replace(plausible=frozenset((ALICE.address, NAT)))
        bob = latch._replace(plausible=frozenset((BOB.address,)) if answered else frozenset())
        self.rig.apply(
            [
                a._replace(latch=alice),
                a_rtcp._replace(latch=alice),
                b._replace(latch=bob, signalled=self.bob.home if answered else None),
                b_rtcp._replace(latch=bob, signalled=BOB_RTCP if answered else None),
            ],
            ROUTES,
        )

    def run(self, seconds: float, *, alice: bool = True, bob: bool = True) -> None:
        """Let the parties speak for that long; who does not is silent. The relay's packets go out as they come."""
        for _ in range(round(seconds / TICK)):
            if self.stranger is not None:
                self.stranger.spray(self.rig)
            if alice:
                self.alice.speak(self.rig.local(A), self.rig.local(A_RTCP))
            if bob:
                self.bob.speak(self.rig.local(B), self.rig.local(B_RTCP))
            self.network.run(TICK)
            self._deliver()

    def _deliver(self) -> None:
        for sent in self.rig.sent[self._delivered :]:
            self.network.send(sent.data, self.rig.local(sent.socket), Endpoint(sent.to[0], sent.to[1]))
        self._delivered = len(self.rig.sent)

    def settle(self) -> None:
        """Let all that is under way arrive, and begin to count what is heard anew."""
        self.run(0.2, alice=False, bob=False)
        self.forget()

    def forget(self) -> None:
        """Begin to count what is heard anew."""
        for phone in (self.alice, self.bob):
            phone.heard.clear()
            phone.reports.clear()

    def both_hear(self, share: float = 0.7) -> bool:
        """Whether each phone heard the other since `forget`, and at least that share as often as the better one."""
        counts = (self.alice.heard[self.BOB_SSRC], self.bob.heard[self.ALICE_SSRC])
        return min(counts) > 0 and min(counts) >= share * max(counts)

    def check_stranger(self) -> None:
        """The stranger got nothing, and none of its packets got through."""
        assert self.stranger is not None
        assert self.stranger.got == 0
        for phone in (self.alice, self.bob):
            assert phone.heard[Spray.SSRC] == phone.reports[Spray.SSRC] == 0
        assert sum(self.rig.count(number).strangers for number in self.rig.streams) > 0


LEARNING = [mode for mode in Learning if mode is not Learning.OFF]


@pytest.mark.parametrize("learning", LEARNING)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_stranger_first_and_last_gets_and_gives_nothing_s01_s02(learning: Learning, strict: bool, seed: int) -> None:
    """It sprays before the offer, before the answer, during learning, after it, and during a re-INVITE."""
    scene = Scene(Latch(learning, strict=strict), seed)
    scene.run(0.5, alice=False, bob=False)
    scene.offer()
    scene.run(1.0, alice=False)
    scene.answer()
    scene.run(1.0, alice=False, bob=False)
    scene.run(LEARNING_WINDOW + 1.0)
    scene.answer()
    scene.run(LEARNING_WINDOW + 1.0)
    scene.check_stranger()
    scene.forget()
    scene.run(1.0)
    assert scene.both_hear()
    assert scene.rig.count(A).peer == scene.alice.nats[0].outside if scene.alice.nats else False
    assert scene.rig.count(A).confirmed
    assert scene.rig.count(B).peer == BOB


@pytest.mark.parametrize("learning", LEARNING)
@pytest.mark.parametrize("seed", SEEDS)
def test_rtcp_finds_its_own_way_through_a_nat(learning: Learning, seed: int) -> None:
    scene = Scene(Latch(learning), seed)
    scene.answer()
    scene.run(LEARNING_WINDOW + 1.0)
    scene.check_stranger()
    assert scene.alice.nats is not None
    assert scene.rig.count(A).peer == scene.alice.nats[0].outside
    assert scene.rig.count(A_RTCP).peer == scene.alice.nats[1].outside
    assert scene.alice.reports[Scene.BOB_SSRC] > 0
    assert scene.bob.reports[Scene.ALICE_SSRC] > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_without_learning_a_phone_behind_a_nat_is_not_reached(seed: int) -> None:
    scene = Scene(Latch(Learning.OFF), seed)
    scene.answer()
    scene.run(1.0)
    assert scene.rig.count(A).peer == ALICE
    assert scene.bob.heard[Scene.ALICE_SSRC] > 0


@pytest.mark.parametrize(
    ("latch", "reached"),
    [
        (Latch(Learning.DELAYED), False),
        (Latch(Learning.HEURISTIC), False),
        (Latch(Learning.HEURISTIC, strict=True), False),
        (Latch(Learning.HEURISTIC, handover=True), True),
        (Latch(Learning.HEURISTIC, strict=True, handover=True), True),
    ],
)
def test_a_nat_that_rebinds_in_the_call_is_followed_at_once_only_with_handover(latch: Latch, reached: bool) -> None:
    scene = Scene(latch, 1)
    scene.answer()
    scene.run(LEARNING_WINDOW + 1.0)
    assert scene.alice.nats is not None
    scene.settle()
    scene.alice.nats[0].rebind()
    scene.run(1.0)
    assert (scene.alice.heard[Scene.BOB_SSRC] > 0) is reached
    assert (scene.bob.heard[Scene.ALICE_SSRC] > 0) is (reached or not latch.strict)
    scene.answer()
    scene.forget()
    scene.run(LEARNING_WINDOW + 1.0)
    assert scene.both_hear()
    scene.check_stranger()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_new_exchange_keeps_the_old_way_open_until_a_new_one_is_found(seed: int) -> None:
    """A re-INVITE with the same SDP must not cut a phone behind a NAT off, even while it is silent."""
    scene = Scene(Latch(Learning.HEURISTIC), seed)
    scene.answer()
    scene.run(LEARNING_WINDOW + 1.0)
    scene.forget()
    scene.answer()
    scene.run(1.0, alice=False)
    assert scene.alice.heard[Scene.BOB_SSRC] > 0


@pytest.mark.parametrize("learning", Learning)
def test_a_moved_phone_is_reached_where_its_new_sdp_says(learning: Learning) -> None:
    scene = Scene(Latch(learning), 1)
    scene.answer()
    scene.run(LEARNING_WINDOW + 1.0)
    scene.settle()
    scene.bob.move(Endpoint(BOB.address, 5600))
    scene.answer()
    scene.run(1.0, bob=False)
    assert scene.bob.heard[Scene.ALICE_SSRC] > 0
    assert scene.rig.count(B).peer == scene.bob.home


def test_asymmetric_media_goes_where_the_sdp_says_wherever_it_comes_from() -> None:
    """Bob sends from another port than he receives at."""
    scene = Scene(Latch(Learning.IMMEDIATE, asymmetric=True), 1)
    scene.answer()
    elsewhere = Endpoint(BOB.address, 5800)
    for number in range(100):
        scene.alice.speak(scene.rig.local(A), scene.rig.local(A_RTCP))
        scene.network.send(rtp(number, ssrc=Scene.BOB_SSRC), elsewhere, scene.rig.local(B))
        scene.network.run(TICK)
        scene._deliver()
    assert (elsewhere, True) in scene.rig.learned()
    assert scene.rig.count(B).peer == BOB
    assert scene.bob.heard[Scene.ALICE_SSRC] > 0


def test_the_same_seed_gives_the_same_call() -> None:
    def play() -> object:
        scene = Scene(Latch(Learning.DELAYED), 5, Weather(loss=0.2, doubling=0.2, delay=0.01, jitter=0.2))
        scene.answer()
        scene.run(2.0)
        return scene.rig.sent, scene.alice.heard, scene.bob.heard

    assert play() == play()


@pytest.mark.parametrize("seed", SEEDS)
def test_losses_and_disorder_of_the_network_are_counted(seed: int) -> None:
    scene = Scene(Latch(), seed, Weather(loss=0.1, delay=0.02, jitter=0.1), spray=False)
    scene.answer()
    scene.run(10.0)
    scene.network.run(1.0)
    [source] = scene.rig.count(B).sources
    sent = scene.bob._sequence
    assert source.packets < sent
    assert abs(source.packets + source.lost - sent) <= 5


def test_the_emulator_loses_doubles_and_delays_as_told() -> None:
    clock = Clock()
    network = Network(clock, 1, Weather(loss=0.25, doubling=0.1, delay=0.05, jitter=0.05))
    arrivals: list[tuple[bytes, float]] = []
    network.attach(BOB, lambda data, _source, now: arrivals.append((data, now)))
    start = clock.now
    for number in range(1000):
        network.send(number.to_bytes(2, "big"), ALICE, BOB)
        network.send(b"lost", ALICE, ALICE_RTCP)
    network.run(1.0)
    assert clock.now == start + 1.0
    assert 700 < len({data for data, _ in arrivals}) < 800
    assert 790 < len(arrivals) < 870
    assert all(start + 0.05 <= at <= start + 0.1 for _, at in arrivals)
    assert [data for data, _ in arrivals] != sorted(data for data, _ in arrivals)
