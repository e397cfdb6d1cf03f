"""Forged, replayed and misdirected media on secured legs (S06, S08), and what becomes of keystreams (S15)."""

import itertools
import os
from collections.abc import Iterator

import pytest

from ngdaemon.base.endpoint import Endpoint

from .dtls import DtlsPeer
from .lab import Call, Lab
from .peer import Peer
from .srtp import SdesPeer
from .stranger import Stranger, bye
from .verdict import Verdicts

pytestmark = pytest.mark.interop

FLOOD_VARIABLE = "ATTACKS_FLOOD"
_FLOOD = int(os.environ.get(FLOOD_VARIABLE, "20000"))
_LOG_LINES = 20  # that a flood may cost
_SECURED: dict[str, type[SdesPeer] | type[DtlsPeer]] = {"SDES": SdesPeer, "DTLS": DtlsPeer}


def _call(lab: Lab, media: str) -> Call:
    """A call that has media."""
    call = lab.call(_SECURED[media]("alice", lab.alice_host), _SECURED[media]("bob", lab.bob_host))
    call.set_up()
    assert call.heard()
    return call


@pytest.mark.parametrize("media", _SECURED)
def test_a_flood_of_forged_packets_costs_nothing_but_itself_s06(lab: Lab, verdict: Verdicts, media: str) -> None:
    """S06, SRTP-09, SRTP-10: media and goodbyes, from elsewhere and in the peer's name, with its SSRC and others."""
    call, stranger = _call(lab, media), lab.stranger()
    lines = lab.log().count("\n")
    _flood(lab, call, stranger)
    talk = call.heard(seconds=30)
    more = lab.log().count("\n") - lines
    alive = "result" in call.query()
    measured = f"{'media both ways' if talk else 'no media'}, {_amount(more)} in the log"
    verdict("S06", f"forged SRTP: {media}", talk and alive and more <= _LOG_LINES, measured)


def _flood(lab: Lab, call: Call, stranger: Stranger) -> None:
    phones = list(zip(call.ports(), (call.caller, call.callee), strict=True))
    for number in range(_FLOOD // 4):
        for port, peer in phones:
            ssrc = peer.ssrc if number % 2 else number
            packet = bye(ssrc) if number % 10 < 2 else stranger.rtp(ssrc)
            stranger.spoof(peer.endpoint, port, packet)
            stranger.send(packet, port)
        if number % 10 == 0:
            lab.stage.play(0.002)


def _amount(lines: int) -> str:
    return "few lines" if lines <= _LOG_LINES else f"{lines} lines"


@pytest.mark.parametrize("media", _SECURED)
def test_replayed_packets_are_passed_on_once_srtp_03(lab: Lab, verdict: Verdicts, media: str) -> None:
    """SRTP-03, S06, MBX-04: captured packets come again, five times in the peer's name and once from elsewhere."""
    call, stranger = _call(lab, media), lab.stranger()
    alice, bob = call.caller, call.callee
    assert bob.to
    captured = [item.data for item in lab.wire.datagrams() if item.source == bob.endpoint and item.data[0] >> 6 == 2]
    assert len(captured) >= 25
    for data in captured * 5:
        stranger.spoof(bob.endpoint, bob.to, data)
    for data in captured:
        stranger.send(data, bob.to)
    assert call.heard()
    numbers = [heard.sequence for heard in alice.heard]
    again = len(numbers) - len(set(numbers))
    moved = len(stranger.received)
    measured = f"{again} passed on again, {moved} packets to the stranger"
    verdict("S06", f"replayed SRTP: {media}", not again and not moved, measured)


def test_media_from_elsewhere_does_not_move_the_pair_of_ice_s08(lab: Lab, verdict: Verdicts) -> None:
    """S08, STUN-02, MBX-04: clear, forged, and even authentic packets from another port of the peer's own host."""
    call = lab.call(DtlsPeer("alice", lab.alice_host, ice=True), DtlsPeer("bob", lab.bob_host, ice=True))
    call.set_up()
    assert call.heard()
    bob, elsewhere = call.callee, Stranger(lab.bob_host)
    lab.stage.enter(elsewhere)
    assert isinstance(bob, DtlsPeer)
    assert bob.ice
    assert bob.ice.selected
    for _ in range(50):
        for data in (elsewhere.rtp(), elsewhere.rtp(bob.ssrc), bob.protect(bob.packet())):
            elsewhere.send(data, bob.ice.selected)
        lab.stage.play(0.02)
    moved = sum(data[0] >> 6 == 2 for _, data in elsewhere.received)
    talk = call.heard()
    measured = f"{moved} packets to the other port, {'media both ways' if talk else 'no media'}"
    verdict("S08", "media from another port beside ICE", not moved and talk, measured)


# -- rollover and keystreams (S15)


class Listener(SdesPeer):
    """A phone that looks whether two packets were ever encrypted with the same keystream (RFC 3711 §9.1)."""

    def reused(self) -> int:
        """Pairs of different packets under one key, SSRC and sequence number that differ in a few octets only."""
        packets: dict[tuple[bytes, bytes], set[bytes]] = {}
        for _, data in self.received:
            if len(data) > 12 and data[0] >> 6 == 2 and not 192 <= data[1] <= 223:
                packets.setdefault((data[8:12], data[2:4]), set()).add(data[12:])
        pairs = (pair for bodies in packets.values() for pair in itertools.combinations(bodies, 2))
        return sum(_differing(*pair) < _ALIKE for pair in pairs)


_ALIKE = 60  # octets of 160: frames of a phone differ in a dozen, those of two phones in some twenty


def _differing(one: bytes, other: bytes) -> int:
    return sum(a != b for a, b in zip(one[:160], other[:160], strict=False))


@pytest.mark.parametrize(
    ("source", "story"),
    [
        *itertools.product(("RTP", "SDES"), ("re-INVITE", "hold", "late start")),
        ("RTP", "another talker"),  # with SDES nobody can begin anew under the same key …
        ("RTP", "long silence"),  # … nor be silent for more than 2^15 packets and be understood (RFC 3711 §3.3.1)
    ],
)
def test_rollover_survives_what_happens_in_a_call_s15(lab: Lab, verdict: Verdicts, source: str, story: str) -> None:
    """S15, SRTP-02, SRTP-05, SDES-11, SDES-13: the sequence number rolls over, and something happens just then."""
    alice = Peer("alice", lab.alice_host) if source == "RTP" else SdesPeer("alice", lab.alice_host)
    bob = Listener("bob", lab.bob_host)
    call = lab.call(alice, bob)
    alice.sequence = 65500
    call.offer(transport_protocol="RTP/SAVP")
    call.answer()
    if story == "late start":  # the first packets are lost, so that bob hears the rollover first
        alice.sequence = 65534
        for _ in range(2):
            alice.packet()
    call.talk()
    for _ in _acts(lab, call, alice, story):
        lab.stage.until(lambda: alice.sequence < 1000 or story == "late start", "the rollover")
    deaf, talk = bob.deaf, call.heard()
    measured = f"{'all media' if talk and not deaf else f'{deaf} undecipherable'}, {bob.reused()} keystreams used twice"
    verdict("S15", f"rollover and {story}: {source}", talk and not deaf and not bob.reused(), measured)


def _acts(lab: Lab, call: Call, alice: Peer, story: str) -> Iterator[None]:
    """What happens, with a yield where the sequence number is to roll over."""
    lab.stage.until(lambda: alice.sent >= 25, "half a second of talk")
    if story == "re-INVITE":
        call.offer(transport_protocol="RTP/SAVP")
        call.answer()
    yield
    if story == "hold":
        held = call.caller.describe(2) + "a=inactive\r\n"
        call.offer(held, transport_protocol="RTP/SAVP")
        call.answer(call.callee.describe(2) + "a=inactive\r\n")
        call.offer(transport_protocol="RTP/SAVP")
        call.answer()
    if story == "another talker":
        alice.sequence = 65510  # the same SSRC begins anew, as a music server does
    if story == "long silence":
        alice.sequence = alice.sequence + 40000 & 0xFFFF  # thirteen minutes on hold, counted on
    lab.stage.play(0.5)


def test_the_detector_finds_keystreams_that_are_used_twice() -> None:
    """What `Listener.reused` counts: two packets under the same octets, and not two under different ones."""
    one, two = b"alice says 000001 ".ljust(160, b"~"), b"alice says 000002 ".ljust(160, b"~")
    stream, other = os.urandom(160), os.urandom(160)
    assert _differing(_xor(one, stream), _xor(two, stream)) < _ALIKE
    assert _differing(_xor(one, stream), _xor(two, other)) > _ALIKE


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def test_nobody_is_sent_to_who_was_not_named(lab: Lab) -> None:
    """The lab sees packets to a port that nobody listens at: a phone that moved without a word loses its media."""
    call = lab.call(Peer("alice", lab.alice_host), Peer("bob", lab.bob_host))
    call.set_up()
    assert call.heard()
    former = call.callee.endpoint
    call.callee.talking = False
    call.callee.move()
    begin = lab.wire.mark()
    lab.stage.play(0.3)
    assert [item for item in lab.wire.datagrams(begin) if item.destination == Endpoint(*former)]
