"""Strangers spray the media ports (S01), and are there first (S02)."""

import itertools
import time
from collections.abc import Callable

import pytest

from .dtls import DtlsPeer
from .lab import PORTS, Call, Lab
from .peer import Peer
from .srtp import SdesPeer
from .stranger import MARK, Stranger
from .verdict import Verdict, Verdicts

pytestmark = pytest.mark.interop

_PEERS: dict[str, Callable[[Lab], tuple[Peer, Peer]]] = {
    "RTP": lambda lab: (Peer("alice", lab.alice_host), Peer("bob", lab.bob_host)),
    "SDES": lambda lab: (SdesPeer("alice", lab.alice_host), SdesPeer("bob", lab.bob_host)),
    "DTLS": lambda lab: (DtlsPeer("alice", lab.alice_host), DtlsPeer("bob", lab.bob_host)),
    "ICE": lambda lab: (DtlsPeer("alice", lab.alice_host, ice=True), DtlsPeer("bob", lab.bob_host, ice=True)),
}
_LEARNING_SECONDS = 3.2  # the window, and a little


class Cell:
    """One call under the spray."""

    def __init__(self, lab: Lab, media: str, strict: bool) -> None:
        self.name = f"{media}{', strict source' if strict else ''}"
        self.call: Call = lab.call(*_PEERS[media](lab))
        self._flags = ["strict-source"] if strict else []

    def offer(self) -> None:
        self.call.offer(flags=self._flags)

    def answer(self) -> None:
        self.call.answer(flags=self._flags)

    def judge(self, attack: str, stranger: Stranger) -> Verdict:
        ports, peers = self.call.ports(), (self.call.caller, self.call.callee)
        got = sum(source in ports for source, _ in stranger.received)
        passed = sum(MARK in data for peer in peers for _, data in peer.received)
        passed += sum(MARK in heard.packet for peer in peers for heard in peer.heard)
        talk = self.call.heard()
        words = "" if talk else ", and the call has no media"
        held = not got and not passed and talk
        return Verdict("S01", f"{attack}: {self.name}", held, f"{got} to him, {passed} of his passed on{words}")


def _spray(lab: Lab, stranger: Stranger, seconds: float) -> None:
    """Everybody goes on, and the stranger sends to every port some thirty times a second."""
    for _ in range(int(seconds * 30)):
        stranger.spray(lab.relay.address, PORTS)
        lab.stage.play(1 / 40)


@pytest.mark.parametrize("learning", ["delayed", "immediate", "off", "heuristic"])
def test_spraying_all_ports_gets_nothing_s01(new_lab: Lab, verdict: Verdicts, learning: str) -> None:
    """S01, MBX-04: before, during and after set-up, and at a re-INVITE, with strict source and without."""
    lab = new_lab
    lab.start(f"--endpoint-learning={learning}")
    stranger = lab.stranger()
    cells = [Cell(lab, media, strict) for media, strict in itertools.product(_PEERS, (False, True))]
    _spray(lab, stranger, 0.1)
    for cell in cells:
        cell.offer()
    _spray(lab, stranger, 0.3)
    for cell in cells:
        cell.answer()
    _spray(lab, stranger, 0.2)
    for cell in cells:
        cell.call.talk()
    _spray(lab, stranger, _LEARNING_SECONDS)
    for cell in cells:
        cell.offer()
        cell.answer()
    _spray(lab, stranger, _LEARNING_SECONDS)
    verdict.together([cell.judge(f"spray, learning {learning}", stranger) for cell in cells])


_MOMENTS = {"before the answer": None, "at the answer": 0.0, "a second after it": 1.0, "just before three": 2.8}
"""When the stranger is there first: seconds after the answer."""


@pytest.mark.parametrize("media", ["RTP", "SDES"])
def test_being_first_wins_nothing_s02(lab: Lab, verdict: Verdicts, media: str) -> None:
    """S02: the phones are silent at first, and the stranger is not."""
    stranger = lab.stranger()
    calls = {moment: lab.call(*_PEERS[media](lab)) for moment in _MOMENTS}
    for call in calls.values():
        call.offer()
    _knock(stranger, calls["before the answer"])
    lab.stage.play(0.1)
    for call in calls.values():
        call.answer()
    begin = time.monotonic()
    for moment, seconds in _MOMENTS.items():
        if seconds is not None:
            lab.stage.play(begin + seconds - time.monotonic())
            _knock(stranger, calls[moment])
    lab.stage.play(begin + _LEARNING_SECONDS - time.monotonic())
    for call in calls.values():
        call.talk()
    verdicts = []
    for moment, call in calls.items():
        talk = call.heard()
        got = sum(source in call.ports() for source, _ in stranger.received)
        words = "media for the phones" if talk else "no media for the phones"
        verdicts.append(Verdict("S02", f"first packet {moment}: {media}", talk and not got, f"{words}, {got} to him"))
    verdict.together(verdicts)


def test_the_address_that_sip_came_from_is_believed(lab: Lab) -> None:
    """S02 the other way round: a phone behind NAT is learned, and whoever shares its address could be too."""
    stranger = lab.stranger()
    call = lab.call(Peer("alice", lab.alice_host), Peer("bob", lab.bob_host))
    call.offer(received_from=["IP4", stranger.host.address], flags=["SIP-source-address"])
    call.answer()
    call.callee.talking = True
    _knock(stranger, call)
    lab.stage.until(lambda: stranger.received, "media for the address that SIP came from")


def _knock(stranger: Stranger, call: Call) -> None:
    """Twenty packets to each port of the call, as far as one is known."""
    for endpoint in (call.caller.to, call.callee.to):
        if endpoint:
            for _ in range(20):
                stranger.send(stranger.rtp(), endpoint)
