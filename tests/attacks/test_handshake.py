"""Strangers disturb the handshake (S04), and the defence does not disturb the genuine peer (S05, S23)."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from tests.interop.network import Host

from .dtls import DtlsPeer, Handshake, Identity
from .hello import alert, in_pieces, is_client_hello, null_hello
from .lab import PORTS, Call, Lab
from .peer import Peer
from .srtp import SdesPeer
from .stranger import Stranger
from .verdict import Verdicts

pytestmark = pytest.mark.interop

_NAT = 20  # the number of the router
_LEGS = pytest.mark.parametrize("ice", [False, True], ids=["without ICE", "ICE"])


def _call(lab: Lab, ice: bool, ipv6: bool = False) -> Call:
    """Both phones have DTLS: the daemon is client towards one of them and server towards the other."""
    return lab.call(DtlsPeer("alice", lab.alice_host, ice, ipv6=ipv6), DtlsPeer("bob", lab.bob_host, ice, ipv6=ipv6))


def _other_hello() -> bytes:
    """A ClientHello that is in order, of somebody with a certificate of his own."""
    handshake = Handshake(Identity(), client=True)
    handshake.step()
    return b"".join(handshake.outgoing())


_FROM_ELSEWHERE: dict[str, Callable[[], bytes]] = {
    "hello with NULL ciphers": null_hello,
    "alert": alert,
}
_IN_HIS_NAME = _FROM_ELSEWHERE | {"hello of somebody else": _other_hello}


@_LEGS
@pytest.mark.parametrize("attack", _FROM_ELSEWHERE)
def test_records_from_elsewhere_do_not_hurt_the_handshake_s04(
    lab: Lab, verdict: Verdicts, attack: str, ice: bool
) -> None:
    """S04, HS-11, MBX-10: sprayed over all ports from before the offer until there is media."""
    stranger, make = lab.stranger(), _FROM_ELSEWHERE[attack]
    call = _call(lab, ice)
    _spray(lab, stranger, make, 0.1)
    call.offer()
    _spray(lab, stranger, make, 0.3)
    call.answer()
    call.talk()
    for _ in range(100):
        _spray(lab, stranger, make, 0.05)
        if _hears(call):
            break
    _judge(verdict, "S04", f"{attack} from elsewhere, {_name(ice)}", call)


@_LEGS
def test_a_handshake_of_somebody_else_does_not_take_the_place_of_the_peer_s04(
    lab: Lab, verdict: Verdicts, ice: bool
) -> None:
    """S04, FP-11, MOD-03, MBX-10: a stranger shakes hands in earnest, before the answer and before the peer."""
    call = _call(lab, ice)
    call.offer()
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    bob.holds_back = True
    assert bob.to
    intruder = lab.stage.enter(DtlsPeer("intruder", lab.stranger_host))
    intruder.setup, intruder.to = "active", bob.to
    lab.stage.play(0.5)
    call.answer()
    lab.stage.play(0.5)
    bob.holds_back = False
    call.talk()
    _judge(verdict, "S04", f"handshake from elsewhere first, {_name(ice)}", call)
    assert not intruder.heard


@_LEGS
@pytest.mark.parametrize("attack", _IN_HIS_NAME)
def test_records_in_the_name_of_the_peer_do_not_hurt_a_call_s04(
    lab: Lab, verdict: Verdicts, attack: str, ice: bool
) -> None:
    """S04, HS-20, HS-11: forged source address and port, while media flows."""
    make = _IN_HIS_NAME[attack]
    stranger = lab.stranger()
    call = _call(lab, ice)
    call.set_up()
    lab.stage.until(lambda: _hears(call), "media", 20)
    for _ in range(20):
        for port, peer in zip(call.ports(), (call.caller, call.callee), strict=True):
            stranger.spoof(peer.endpoint, port, make())
        lab.stage.play(0.02)
    _judge(verdict, "S04", f"{attack} in the peer's name during the call, {_name(ice)}", call)


@pytest.mark.parametrize("attack", _FROM_ELSEWHERE)
def test_records_in_the_name_of_the_peer_do_not_hurt_the_handshake(lab: Lab, verdict: Verdicts, attack: str) -> None:
    """HS-11: an alert that nothing authenticates is not obeyed, whoever seems to have sent it."""
    make = _FROM_ELSEWHERE[attack]
    stranger = lab.stranger()
    call = _call(lab, ice=False)
    call.offer()
    bob = call.callee
    assert bob.to
    for _ in range(10):
        stranger.spoof(bob.endpoint, bob.to, make())
        lab.stage.play(0.01)
    call.answer()
    call.talk()
    _judge(verdict, "S04", f"{attack} in the peer's name during the handshake, without ICE", call)


@pytest.mark.parametrize("way", ["unknown address", "IPv6", "ICE restart", "new address", "early checks"])
def test_genuine_peers_connect_in_spite_of_strangers_s05(lab: Lab, verdict: Verdicts, way: str) -> None:
    """S05, ICE-06, ICE-08, HS-10: peer-reflexive address, IPv6, restart and move, under a spray of bad hellos."""
    stranger = lab.stranger()
    call = _call(lab, ice=True, ipv6=way == "IPv6")
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    assert bob.ice
    if way == "unknown address":
        bob.ice.told = Endpoint("192.0.2.250", 9999)
    call.offer()
    if way == "early checks":
        _spray(lab, stranger, null_hello, 0.5)
    call.answer()
    call.talk()
    if way in ("ICE restart", "new address"):
        lab.stage.until(lambda: _hears(call), "media", 20)
        if way == "new address":
            bob.move()
        bob.ice.restart()
        call.offer()
        call.answer()
    for _ in range(100):
        _spray(lab, stranger, null_hello, 0.05)
        if _hears(call):
            break
    _judge(verdict, "S05", f"{way}, under a spray of hellos", call)


_BEHIND_NAT: dict[str, Callable[[Host], Peer]] = {
    "RTP": lambda host: Peer("bob", host),
    "SDES": lambda host: SdesPeer("bob", host),
    "DTLS without ICE": lambda host: DtlsPeer("bob", host),
    "ICE": lambda host: DtlsPeer("bob", host, ice=True),
}


@pytest.mark.parametrize("media", _BEHIND_NAT)
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_phones_behind_nat_connect_in_spite_of_strangers_s05(lab: Lab, verdict: Verdicts, media: str, who: str) -> None:
    """S05, MBX-05: an address that SIP came from and an unknown port, while a stranger sprays hellos and media."""
    if (media, who) == ("DTLS without ICE", "caller") and not lab.is_ours:
        pytest.skip("has no media there without strangers either")
    stranger = lab.stranger()
    bob, alice = _BEHIND_NAT[media](lab.network.nat("nat", _NAT)), Peer("alice", lab.alice_host)
    call = lab.call(bob, alice) if who == "caller" else lab.call(alice, bob)
    outside: dict[str, Any] = {"received_from": ["IP4", f"192.0.2.{_NAT}"], "flags": ["SIP-source-address"]}
    plain: dict[str, Any] = {"transport_protocol": "RTP/AVP", "ICE": "remove", "DTLS": "passive"}  # he has to begin
    offered = plain if who == "caller" else _asked(bob)
    call.talk()
    call.offer(**offered | (outside if who == "caller" else {}))
    _spray(lab, stranger, null_hello, 0.2)
    call.answer(**(outside if who == "callee" else {}))
    for _ in range(100):
        stranger.spray(lab.relay.address, PORTS)
        _spray(lab, stranger, null_hello, 0.05)
        if _hears(call):
            break
    talk, got = call.heard(), sum(data[0] >> 6 == 2 for _, data in stranger.received)
    measured = f"{'media both ways' if talk else 'no media'}, {got} packets to the stranger"
    verdict("S05", f"{media} behind NAT, {who}, under a spray", talk and not got, measured)


def _asked(peer: Peer) -> dict[str, Any]:
    ice = isinstance(peer, DtlsPeer) and peer.ice
    return {"transport_protocol": peer.protocol, "ICE": "force" if ice else "remove"}


_CUTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "in order": lambda datagram: in_pieces(datagram, 60),
    "backwards": lambda datagram: in_pieces(datagram, 60)[::-1],
    "shuffled": lambda datagram: random.Random(23).sample(pieces := in_pieces(datagram, 40), len(pieces)),
    "overlapping": lambda datagram: in_pieces(datagram, 60, overlap=20),
    "doubled": lambda datagram: [piece for piece in in_pieces(datagram, 60) for _ in range(2)],
}


@pytest.mark.parametrize("cut", _CUTS)
@_LEGS
def test_a_hello_in_pieces_connects_s23(lab: Lab, verdict: Verdicts, cut: str, ice: bool) -> None:
    """S23, HS-06, HS-08: fragments of a ClientHello, each in a datagram of its own."""
    call = _call(lab, ice)
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    bob.mangle = lambda datagram: _CUTS[cut](datagram) if is_client_hello(datagram) else [datagram]
    call.set_up()
    _judge(verdict, "S23", f"ClientHello in pieces, {cut}, {_name(ice)}", call)


@_LEGS
def test_a_large_hello_connects_s23(lab: Lab, verdict: Verdicts, ice: bool) -> None:
    """S23, HS-08: a ClientHello of two datagrams, as key shares against quantum computers make them."""
    call = _call(lab, ice)
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    bob.protocols = [bytes([65 + number]) * 200 for number in range(8)]
    call.set_up()
    _judge(verdict, "S23", f"ClientHello of 1.8 kB, {_name(ice)}", call)


def test_a_narrow_path_connects_s23(lab: Lab, verdict: Verdicts) -> None:
    """S23, HS-07: nothing above 576 octets passes between the daemon and the phone."""
    lab.bob_host.run("ip", "link", "set", "eth0", "mtu", "576")
    call = _call(lab, ice=False)
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    bob.mtu = 500
    call.set_up()
    _judge(verdict, "S23", "path of 576 octets", call, 20)


def _spray(lab: Lab, stranger: Stranger, make: Callable[[], bytes], seconds: float) -> None:
    for _ in range(int(seconds * 20)):
        stranger.spray(lab.relay.address, PORTS, make())
        lab.stage.play(1 / 25)


def _hears(call: Call) -> bool:
    return call.caller.hears(call.callee) >= 5 and call.callee.hears(call.caller) >= 5


def _judge(verdict: Verdicts, case: str, attack: str, call: Call, seconds: float = 10.0) -> None:
    talk = call.heard(seconds=seconds)
    verdict(case, attack, talk, "media both ways" if talk else "no media")


def _name(ice: bool) -> str:
    return "ICE" if ice else "without ICE"
