"""How secured legs are faced: what protects their sockets, from the first offer to the last re-offer."""

from base64 import b64encode

import pytest

from ngdaemon.base.ids import CallId
from ngdaemon.media.plan import Carries, Hold, Protection, Socket
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES
from tests.call.test_planner import ALICE, BOB, call_of
from tests.support import sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

SUITE = SUITES["AES_CM_128_HMAC_SHA1_80"]


def line(tag: int, letter: str) -> str:
    """An `a=crypto` line whose key is that letter over and over."""
    key = b64encode(letter.encode() * 30).decode()
    return f"a=crypto:{tag} {SUITE.name} inline:{key}"


def keys(letter: str) -> Keys:
    return Keys(SUITE, letter.encode() * 16, letter.encode() * 14)


def secured(address: str, port: int, *lines: str) -> str:
    return audio(address, port, *lines).replace("RTP/AVP", "RTP/SAVP")


def protections(daemon: Daemon) -> dict[int, Protection | None]:
    """By socket: 1 and 2 face the offerer, 3 and 4 the answerer."""
    return {int(socket.id): socket.protection for socket in daemon.plan().sockets}


def told(reply: str) -> list[str]:
    """The values of `a=crypto` that a leg was told."""
    return [text.removeprefix("a=crypto:") for text in reply.split("\r\n") if text.startswith("a=crypto:")]


TO_PLAIN = {"transport_protocol": "RTP/AVP"}


def test_a_secured_leg_sends_nothing_and_takes_nothing_before_it_has_keys() -> None:
    """S07, MBX-08: its sockets are protected from the first plan on."""
    daemon = Daemon()
    daemon.offer(secured(ALICE, 4000, line(1, "a")), **TO_PLAIN)
    assert protections(daemon)[1] == Protection(hold=Hold())
    assert protections(daemon)[3] is None


def test_each_side_is_decrypted_with_its_own_key_and_encrypted_with_ours() -> None:
    """SDES-05, SDES-09, E2AE-02."""
    daemon = Daemon()
    offered = told(daemon.offer(secured(ALICE, 4000, line(1, "a")), DTLS="off"))
    answered = told(daemon.answer(secured(BOB, 5000, line(1, "b"))))
    alice, bob = protections(daemon)[1], protections(daemon)[3]
    assert alice is not None
    assert bob is not None
    assert (alice.receive, bob.receive) == ((keys("a"),), (keys("b"),))
    assert alice.send is not None
    assert bob.send is not None
    assert alice.send.suite == bob.send.suite == SUITE
    assert len({alice.send.key, bob.send.key, keys("a").key, keys("b").key}) == 4
    assert b64encode(bob.send.key + bob.send.salt).decode() in offered[0]
    assert b64encode(alice.send.key + alice.send.salt).decode() in answered[0]
    assert {route.carries for route in daemon.plan().routes} == {Carries.RTP, Carries.RTCP}


def test_around_a_reoffer_both_keys_decrypt_and_the_old_one_encrypts() -> None:
    """SDES-10: whether the re-offer is answered or refused, there is no gap."""
    daemon = call_of(secured(ALICE, 4000, line(1, "a")), audio(BOB, 5000), TO_PLAIN)
    before = protections(daemon)[1]
    assert before is not None
    daemon.offer(secured(ALICE, 4000, line(1, "c")), to_tag="b", **TO_PLAIN)
    during = protections(daemon)[1]
    assert during is not None
    assert (during.receive, during.send) == ((keys("a"), keys("c")), before.send)
    daemon.answer(audio(BOB, 5000))
    after = protections(daemon)[1]
    assert after is not None
    assert (after.receive, after.send) == ((keys("c"), keys("a")), before.send)


def test_a_hold_keeps_the_keys_of_both_legs() -> None:
    """SDES-11, MOD-01: contexts, rollover counters and replay lists go on with equal keys."""
    alice, bob = secured(ALICE, 4000, line(1, "a")), secured(BOB, 5000, line(1, "b"))
    daemon = call_of(alice, bob)
    before = protections(daemon)
    daemon.offer(alice + "a=sendonly\r\n", to_tag="b")
    daemon.answer(bob + "a=recvonly\r\n")
    assert protections(daemon) == before


def test_an_answer_without_keys_to_a_secure_offer_is_refused_and_changes_nothing() -> None:
    """SDES-04, S16, ERR-08: no silent return to clear."""
    daemon = Daemon()
    daemon.offer(secured(ALICE, 4000, line(1, "a")))
    before = daemon.plan()
    assert daemon.refusal("answer", from_tag="a", to_tag="b", sdp=secured(BOB, 5000)) == (
        "no acceptable media security: 1:keying"
    )
    assert daemon.plan() == before
    assert all(socket.protection is not None for socket in facing_alice(daemon))


def facing_alice(daemon: Daemon) -> list[Socket]:
    return [socket for socket in daemon.plan().sockets if socket.id in (1, 2)]


@pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"])
def test_a_leg_that_is_offered_a_secure_profile_is_protected_before_its_answer(profile: str) -> None:
    """S07."""
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000), transport_protocol=profile)
    found = protections(daemon)
    assert found[1] is None
    assert found[3] is not None
    assert found[3].send is None
    assert found[3].receive == ()


def test_with_ice_nobody_is_listened_to_before_a_check() -> None:
    """HS-10, STUN-02: no packet in, none out, whatever the SDP says."""
    ice = (
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=candidate:1 1 UDP 2130706431 198.51.100.1 4000 typ host",
    )
    daemon = call_of(audio(ALICE, 4000, *ice), audio(BOB, 5000), {"ICE": "remove"})
    socket = daemon.plan().sockets[0]
    assert socket.signalled is None
    assert socket.latch.sources == frozenset()


def test_an_offer_of_fax_opens_nothing_before_it_is_answered() -> None:
    """S07, S16, SDES-10: the keys protect on, both ways, whether the fax is refused or taken up later."""
    daemon = call_of(secured(ALICE, 4000, line(1, "a")), audio(BOB, 5000), TO_PLAIN)
    before = daemon.plan()
    fax = sdp.sdp(BOB, "m=image 5000 udptl t38", "a=T38FaxVersion:0")
    daemon.offer(fax, from_tag="b", to_tag="a")
    during = daemon.plan()
    assert [(item.protection, item.relay_only) for item in during.sockets] == [
        (item.protection, item.relay_only) for item in before.sockets
    ]
    assert {(item.source, item.sink) for item in during.routes} == {(item.source, item.sink) for item in before.routes}
    daemon.answer(sdp.sdp(ALICE, "m=image 4000 udptl t38"), from_tag="b", to_tag="a")
    assert all(item.relay_only and item.protection is None for item in daemon.plan().sockets)


def test_an_offer_of_keys_to_a_clear_call_leaves_it_clear_until_it_is_answered() -> None:
    """SDES-10: what was agreed on stays in force; with the answer all of it is protected."""
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000))
    before = protections(daemon)
    daemon.offer(secured(ALICE, 4000, line(1, "a")), to_tag="b", **TO_PLAIN)
    assert protections(daemon) == before
    daemon.answer(audio(BOB, 5000))
    after = protections(daemon)[1]
    assert after is not None
    assert after.receive == (keys("a"),)


def test_keys_are_not_shown_where_a_call_is_printed() -> None:
    """S17: what a leg wrote, and what it was told."""
    daemon = Daemon()
    daemon.offer(secured(ALICE, 4000, line(1, "a")), replace=["sdp-version"])
    told_lines = told(daemon.answer(secured(BOB, 5000, line(1, "b")), replace=["sdp-version"]))
    call = daemon.controller._service.registry.get(CallId(CALL))
    shown = repr(call)
    secrets = [text.split("inline:")[1].split("|")[0] for text in (line(1, "a"), line(1, "b"), *told_lines)]
    assert not [secret for secret in secrets if secret.rstrip("=") in shown]


@pytest.mark.parametrize(("source", "role"), [("203.0.113.9", "passive"), (ALICE, "active"), (None, "active")])
def test_a_phone_behind_nat_begins_the_handshake(source: str | None, role: str) -> None:
    """S05, SET-01: without ICE nothing of ours gets to it before it has sent something itself."""
    print_ = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
    offer = audio(ALICE, 4000, print_, "a=setup:actpass").replace("RTP/AVP", "UDP/TLS/RTP/SAVP")
    daemon = Daemon()
    daemon.offer(offer, received_from=source and ["IP4", source], **TO_PLAIN)
    assert f"a=setup:{role}" in daemon.answer(audio(BOB, 5000)).split("\r\n")


def test_a_re_offer_of_another_kind_of_media_opens_nothing_before_it_is_answered() -> None:
    """S07, S16: a secured leg is not relayed as bytes because the other one says `m=message`."""
    daemon = Daemon()
    daemon.offer(secured(ALICE, 4000, line(1, "a")), **TO_PLAIN)
    daemon.answer(audio(BOB, 5000))
    before = protections(daemon)[1]
    assert before is not None
    assert before.send is not None
    daemon.offer(sdp.sdp(BOB, "m=message 5000 RTP/AVP 0", version=2), from_tag="b", to_tag="a")
    assert not any(socket.relay_only for socket in daemon.plan().sockets)
    assert protections(daemon)[1] == before
