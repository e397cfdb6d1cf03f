"""Phones that encrypt, each in its own way, and phones that do not: all call each other through the shipped proxy."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from .baresip import DTLS, PLAIN, SDES, BaresipPhone, Security
from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "secured@example.com"
KINDS = {"plain": PLAIN, "sdes": SDES, "dtls": DTLS}


class Party(NamedTuple):
    """A phone with its ears."""

    phone: Phone
    baresip: BaresipPhone
    security: Security


@pytest.mark.parametrize("callee_kind", KINDS)
@pytest.mark.parametrize("caller_kind", KINDS)
def test_phones_hear_each_other(secure_site: Site, caller_kind: str, callee_kind: str) -> None:
    caller, callee = _party(secure_site, caller_kind, "manual"), _party(secure_site, callee_kind, "auto")
    caller.baresip.command("dial", f"sip:{callee.phone.user}@{secure_site.core.address}")
    _check_talk(caller, callee)
    caller.baresip.command("hangup")
    callee.baresip.wait_for_event("CALL_CLOSED")


@pytest.mark.parametrize("kind", ["sdes", "dtls"])
def test_phone_that_encrypts_holds_and_resumes(secure_site: Site, kind: str) -> None:
    bob = secure_site.phone("bob")
    bob.register()
    alice = _party(secure_site, kind, "manual")
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound)
        .accept_reinvite(sdp("a=recvonly", version=2)).hush()
        .accept_reinvite(sdp(version=3)).talk_on().hung_up(),
        CALL,
    )  # fmt: skip
    alice.baresip.command("dial", f"sip:bob@{secure_site.core.address}")
    bob.hear(alice.phone)
    alice.baresip.command("hold")
    bob.wait_for_request("ACK", 2)
    alice.baresip.command("resume")
    bob.wait_for_request("ACK", 3)
    bob.hear(alice.phone)
    _check_ears(alice, bob)
    alice.baresip.command("hangup")
    callee.finish()


@pytest.mark.parametrize("kind", ["sdes", "dtls"])
def test_phone_that_encrypts_is_held_and_resumed(secure_site: Site, kind: str) -> None:
    alice, bob = secure_site.phone("alice"), _party(secure_site, kind, "auto")
    caller = Caller("alice", bob.phone.user).invite(sdp()).answered(180, 183).talk(alice.sound).gate()
    caller.hush().reinvite(sdp("a=sendonly", version=2)).gate().reinvite(sdp(version=3)).talk_on().gate().bye()
    call = alice.play(caller, CALL)
    alice.hear(bob.phone)
    _check_ears(bob, alice)
    call.go()
    call.wait_at_gate()
    call.go()
    alice.hear(bob.phone)
    _check_ears(bob, alice)
    call.go()
    call.finish()


def test_user_whose_phone_speaks_sdes_without_tls(new_site: Site) -> None:
    new_site.start_webrtc(SDES_USERS='"^bob$"')
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    baresip = bob.baresip("auto", Security(SDES.encryption, PLAIN.port, PLAIN.parameters))
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180, 183).talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    _check_ears(Party(bob, baresip, SDES), alice)
    _check_nothing_clear(bob, [alice, bob])
    assert re.search(r"(?m)^m=audio \d+ RTP/SAVP ", bob.wait_for_request("INVITE").sdp)
    caller.go()
    caller.finish()


def _party(site: Site, kind: str, answer: str) -> Party:
    phone = site.phone(f"{kind}-{answer}")
    return Party(phone, phone.baresip(answer, KINDS[kind]), KINDS[kind])


def _check_talk(one: Party, other: Party) -> None:
    _check_ears(one, other.phone)
    _check_ears(other, one.phone)
    for party, peer in ((one, other), (other, one)):
        if party.security is PLAIN:
            party.phone.hear(peer.phone)
        else:
            _check_nothing_clear(party.phone, [one.phone, other.phone])


def _check_ears(party: Party, other: Phone) -> None:
    wait_for(lambda: other.voice.is_heard_in(party.baresip.heard()), f"{other.user} on {party.phone.user}'s tape")


def _check_nothing_clear(phone: Phone, talkers: Sequence[Phone]) -> None:
    """Nobody on the wire of this phone could listen, not even to the first packet."""
    packets = [packet for outgoing in (False, True) for packet in phone.tap.rtp(outgoing)]
    assert len(packets) >= 20
    for packet in packets:
        for talker in talkers:
            heard = talker.voice.position(packet.payload[:160])
            assert heard is None, f"{talker.user} can be overheard at {phone.user}"
