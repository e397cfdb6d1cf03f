"""Strangers spray the media ports (S01), and are there first (S02)."""

import itertools
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
