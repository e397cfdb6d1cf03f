"""Malformed and hostile STUN (S09), and consent that ends (S10)."""

import secrets
import struct
from collections.abc import Iterator

import pytest

from tests.interop.tap import Datagram

from . import stun
from .dtls import DtlsPeer
from .lab import Call, Lab
from .peer import Peer
from .stranger import Stranger
from .verdict import Verdict, Verdicts

pytestmark = pytest.mark.interop

_CONSENT = 45.0  # seconds in which media must have stopped
_QUIET = 4.0
_DTLS = "UDP/TLS/RTP/SAVPF"


def _call(lab: Lab) -> Call:
    return lab.call(Peer("alice", lab.alice_host), DtlsPeer("bob", lab.bob_host, ice=True))


def _bob(call: Call) -> tuple[DtlsPeer, stun.Checks]:
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    assert bob.ice
    return bob, bob.ice


def malformed(ufrags: bytes, password: bytes) -> Iterator[bytes]:
    """STUN that is wrong in one way each; credentials of the leg where that makes it worse."""

    def request(*attributes: tuple[int, bytes], kind: int = stun.REQUEST, key: bytes = password) -> bytes:
        return stun.message(kind, secrets.token_bytes(12), list(attributes), key)

    name, priority = (stun.USERNAME, ufrags), (stun.PRIORITY, bytes(4))
    for length in (0, 1, 2, 3, 256, 513, 763, 5000):
        yield request((stun.USERNAME, b"u" * length), priority)
        yield request((stun.USERNAME, ufrags + b":" * length), priority)
    for number in (0x0001, 0x0003, 0x7FFF, 0x8000, 0xFFFF):
        yield request(name, priority, (number, b"x" * 40))
    for length in (0, 1, 3, 5, 9):
        yield request(name, (stun.PRIORITY, bytes(length)))
        yield request(name, priority, (stun.CONTROLLING, bytes(length)))
    yield request(name, priority, (stun.CONTROLLED, b"\xff" * 8))
    yield request(name, priority, (stun.CONTROLLING, b"\xff" * 8), (stun.CONTROLLED, bytes(8)))
    yield request(name, priority, (stun.USE_CANDIDATE, b"x" * 100))
    yield request(name, priority, *[(stun.USE_CANDIDATE, b"")] * 300)
    for kind in (*range(0, 0x0200, 0x0010), 0x3FFF, 0x0111, 0x0101, 0x0011, 0x0003):
        yield request(name, priority, kind=kind)
    good = request(name, priority)
    for at in range(len(good)):
        yield good[:at]
        yield good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
    for length in (0, 4, 1000, 0xFFFC, 0xFFFF):
        yield good[:2] + struct.pack("!H", length) + good[4:]
    yield good + bytes(1000)
    yield good * 10


def test_malformed_stun_harms_nothing_s09(lab: Lab, verdict: Verdicts) -> None:
    """S09, ICE-02, STUN-01: from a stranger and in the peer's name, before media and during it."""
    call, stranger = _call(lab), lab.stranger()
    bob, checks = _bob(call)
    call.offer(transport_protocol=_DTLS, ICE="force")
    _pester(lab, bob, checks, stranger)
    call.answer()
    call.talk()
    talk = call.heard()
    _pester(lab, bob, checks, stranger)
    talk = call.heard() and talk
    process = lab.gateway.process
    assert process
    runs = process.exit_code is None
    measured = f"{'runs on' if runs else 'ended'}, {'media both ways' if talk else 'no media'}"
    verdict("S09", "malformed STUN", runs and talk, measured)


def _pester(lab: Lab, bob: DtlsPeer, checks: stun.Checks, stranger: Stranger) -> None:
    assert bob.to
    ufrags = f"{checks.their_ufrag}:{checks.ufrag}".encode()
    for number, data in enumerate(malformed(ufrags, checks.their_password.encode())):
        stranger.send(data, bob.to)
        stranger.spoof(bob.endpoint, bob.to, data[:1400])
        if number % 20 == 0:
            lab.stage.play(0.01)


def test_calls_may_end_during_checks_s09(lab: Lab, verdict: Verdicts) -> None:
    """S09: the call is deleted before, between and after checks, and the phones go on checking."""
    for number in range(20):
        call = _call(lab)
        call.offer(transport_protocol=_DTLS, ICE="force")
        lab.stage.play(0.02 * (number % 5))
        if number % 2:
            call.answer()
            lab.stage.play(0.03 * (number % 7))
        call.delete()
        _bob(call)[0].holds_back = bool(number % 3)
    lab.stage.play(1.0)
    last = _call(lab)
    last.set_up(transport_protocol=_DTLS, ICE="force")
    talk = last.heard()
    verdict("S09", "calls deleted during checks", talk, "the next call has media" if talk else "no media afterwards")


def test_media_stops_when_consent_ends_s10(lab: Lab, verdict: Verdicts) -> None:
    """S10, CONS-01: one phone falls silent, and another one in whose name a stranger goes on answering."""
    calls = {"no answers to checks": _call(lab), "forged answers to checks": _call(lab)}
    stranger = lab.stranger()
    for call in calls.values():
        call.set_up(transport_protocol=_DTLS, ICE="force")
        assert call.heard()
    for call in calls.values():
        bob, checks = _bob(call)
        bob.talking, checks.mute = False, True
    forger = lab.stage.enter(Forger(lab, stranger, _bob(calls["forged answers to checks"])[0]))
    lab.stage.reached(lambda: all(forger.is_quiet(call.callee) for call in calls.values()), _CONSENT)
    stopped = {name: forger.is_quiet(call.callee) for name, call in calls.items()}
    for call in calls.values():
        _bob(call)[1].mute = False
    begin = lab.wire.mark()
    lab.stage.play(2.5)
    verdicts = []
    for name, call in calls.items():
        endpoint = call.callee.endpoint
        later = sum(
            item.outgoing and item.destination == endpoint and item.data[0] >> 6 == 2
            for item in lab.wire.datagrams(begin)
        )
        measured = f"media {'stops' if stopped[name] else 'goes on'}, {later} packets when they come again"
        verdicts.append(Verdict("S10", name, stopped[name] and not later, measured))
    verdict.together(verdicts)


def test_forged_refusals_do_not_end_consent_s10(lab: Lab, verdict: Verdicts) -> None:
    """S10, CONS-02: 403 and other errors to the checks of the daemon, in the phone's name, are not obeyed."""
    call = _call(lab)
    forger = Forger(lab, lab.stranger(), _bob(call)[0], errors=(400, 401, 403, 487))
    lab.stage.enter(forger)
    call.set_up(transport_protocol=_DTLS, ICE="force")
    talk = call.heard()
    lab.stage.until(lambda: forger.forged >= _REFUSALS or not lab.is_ours, "checks to refuse", 30)
    talk = call.heard() and talk
    verdict("S10", "forged refusals of checks", talk, "media both ways" if talk else "no media")


_REFUSALS = 24  # answers to three checks


class Forger:
    """Sees the checks to a phone, and answers them in its name without knowing its password."""

    def __init__(self, lab: Lab, stranger: Stranger, victim: DtlsPeer, errors: tuple[int, ...] = ()) -> None:
        self._errors = errors
        self.forged = 0
        """Answers that it has sent."""
        self._lab = lab
        self._stranger = stranger
        self._victim = victim
        self._seen = lab.wire.mark()
        self._last: dict[int, float] = {}
        self._now = 0.0

    def is_quiet(self, phone: Peer) -> bool:
        """Whether no media has gone to the phone for a while."""
        return self._now - self._last.setdefault(phone.endpoint.port, self._now) > _QUIET

    def turn(self, now: float) -> None:
        self._now = now
        for item in self._lab.wire.datagrams(self._seen):
            self._seen += 1
            if item.outgoing and item.destination.address == self._victim.endpoint.address:
                self._look_at(item)

    def _look_at(self, item: Datagram) -> None:
        if item.data[0] >> 6 == 2:
            self._last[item.destination.port] = self._now
        elif item.destination == self._victim.endpoint and item.data[:2] == b"\0\1":
            for answer in self._answers(item):
                self._stranger.spoof(self._victim.endpoint, item.source, answer)
                self.forged += 1

    def _answers(self, item: Datagram) -> Iterator[bytes]:
        transaction = item.data[8:20]
        for code in self._errors:
            attributes = [(stun.ERROR_CODE, bytes([0, 0, code // 100, code % 100]))]
            yield stun.message(stun.ERROR, transaction, attributes, b"guess")
            yield stun.message(stun.ERROR, transaction, attributes)
        if not self._errors:
            attributes = [(stun.MAPPED, stun.mapped(item.source, transaction))]
            for key in (b"", b"guess", self._victim.endpoint.address.encode()):
                yield stun.message(stun.RESPONSE, transaction, attributes, key)

    def close(self) -> None:
        """It has nothing of its own."""
