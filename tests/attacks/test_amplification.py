"""Replies to strangers are no weapon: never larger than the request, never many (S21, HS-09)."""

import functools
import secrets
from collections.abc import Callable

import pytest

from . import stun
from .dtls import DtlsPeer, Handshake, Identity
from .lab import Lab
from .peer import Peer
from .srtp import SdesPeer
from .verdict import Verdicts

pytestmark = pytest.mark.interop

_ROUNDS = 100


@functools.cache
def _identity() -> Identity:
    return Identity()


def _client_hello() -> bytes:
    handshake = Handshake(_identity(), client=True)
    handshake.step()
    return b"".join(handshake.outgoing())


def _check(username: bytes = b"") -> bytes:
    attributes = [(stun.USERNAME, username), (stun.PRIORITY, bytes(4))] if username else []
    return stun.message(stun.REQUEST, secrets.token_bytes(12), attributes, b"wrong-password" if username else b"")


_REQUESTS: dict[str, Callable[[], bytes]] = {
    "STUN without credentials": _check,
    "bare STUN": lambda: stun.message(stun.REQUEST, secrets.token_bytes(12), [], fingerprint=False),
    "STUN with wrong credentials": lambda: _check(b"some:body"),
    "ClientHello": _client_hello,
    "RTP": lambda: bytes.fromhex("800000010000000112345678") + bytes(160),
    "noise": lambda: secrets.token_bytes(100),
}
_LEGS: dict[str, Callable[[Lab], tuple[Peer, Peer]]] = {
    "plain leg": lambda lab: (Peer("alice", lab.alice_host), Peer("bob", lab.bob_host)),
    "SDES leg": lambda lab: (SdesPeer("alice", lab.alice_host), SdesPeer("bob", lab.bob_host)),
    "DTLS leg": lambda lab: (DtlsPeer("alice", lab.alice_host), DtlsPeer("bob", lab.bob_host)),
    "ICE leg": lambda lab: (DtlsPeer("alice", lab.alice_host, ice=True), DtlsPeer("bob", lab.bob_host, ice=True)),
}


@pytest.mark.parametrize("leg", _LEGS)
@pytest.mark.parametrize("moment", ["before the answer", "during the call"])
def test_replies_to_strangers_are_small_s21(lab: Lab, verdict: Verdicts, leg: str, moment: str) -> None:
    """S21, HS-09, MBX-02, STUN-01: fewer octets out than in, for each kind of request, for both ports of the call."""
    call = lab.call(*_LEGS[leg](lab))
    call.offer()
    if moment == "during the call":
        call.answer()
        call.talk()
        assert call.heard()
    targets = [endpoint for endpoint in (call.callee.to, call.caller.to) if endpoint]
    strangers = {name: lab.stranger() for name in _REQUESTS}
    for number in range(_ROUNDS):
        for name, make in _REQUESTS.items():
            for target in targets:
                strangers[name].send(make(), target)
        if number % 10 == 0:
            lab.stage.play(0.01)
    lab.stage.play(1.0)
    ratios = {
        name: sum(len(data) for _, data in stranger.received) / stranger.sent_octets
        for name, stranger in strangers.items()
    }
    worst = max(ratios, key=lambda name: ratios[name])
    much = f"{ratios[worst]:.1f} octets back for each octet of {worst}" if ratios[worst] else "nothing back"
    verdict("S21", f"requests of {len(_REQUESTS)} kinds to a {leg} {moment}", ratios[worst] <= 1, much)


@pytest.mark.parametrize("sources", ["many forged sources", "the signalled address"])
def test_forged_hellos_bring_little_upon_others_hs_09(lab: Lab, verdict: Verdicts, sources: str) -> None:
    """HS-09, MOD-03, TIM-13, S21: at most three times as much for whoever seems to have sent ClientHellos."""
    stranger = lab.stranger()
    alice, victim = DtlsPeer("alice", lab.alice_host), DtlsPeer("victim", lab.bob_host)
    victim.holds_back = True
    call = lab.call(alice, victim)
    call.offer()
    if sources == "the signalled address":
        victim.setup = "active"
        call.answer()
    lab.stage.play(0.2)
    assert victim.to
    before = _octets_to(lab)
    ports = range(1024, 1024 + _HELLOS) if sources == "many forged sources" else [victim.endpoint.port] * _OF_ONE
    sent = 0
    for port in ports:
        hello = _client_hello()
        stranger.spoof(victim.endpoint._replace(port=port), victim.to, hello)
        sent += len(hello)
        lab.stage.play(0.002)
    lab.stage.play(3.0)
    got = _octets_to(lab) - before
    victim.holds_back = False
    call.answer()
    call.talk()
    talk = call.heard()
    words = "the phone itself connects" if talk else "the phone itself has no media"
    held = got <= 3 * sent and talk
    verdict("S21", f"ClientHello in the name of {sources}", held, f"{got / sent:.1f} octets for each, {words}")


_HELLOS = 1000
_OF_ONE = 30


def _octets_to(lab: Lab) -> int:
    return sum(len(item.data) for item in lab.sent_to(lab.bob_host))
