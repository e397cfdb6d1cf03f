"""ICE in offers and answers: what each word of `ICE` makes of it."""

import pytest

from ngdaemon.base.endpoint import Interface
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import attribute, audio, port
from tests.support.secured import PWD, UFRAG, crypto, dtls, ice, keys, lines

ALICE, BOB = "198.51.100.1", "198.51.100.2"
OFFER, ANSWER = audio(ALICE, 4000, *ice(ALICE)), audio(BOB, 5000, *ice(BOB, 5000, "bbbb", "q" * 22))
PLAIN_OFFER, PLAIN_ANSWER = audio(ALICE), audio(BOB, 5000)


def has_ice(text: str) -> bool:
    return attribute(text, "ice-ufrag") is not None


@pytest.mark.parametrize(
    ("way", "offer", "told", "answer", "back"),
    [
        (None, OFFER, True, ANSWER, True),
        (None, OFFER, True, PLAIN_ANSWER, True),
        (None, PLAIN_OFFER, False, PLAIN_ANSWER, False),
        ("force", OFFER, True, ANSWER, True),
        ("force", PLAIN_OFFER, True, ANSWER, False),
        ("remove", OFFER, False, PLAIN_ANSWER, False),
        ("optional", PLAIN_OFFER, True, ANSWER, False),
        ("force-relay", PLAIN_OFFER, False, PLAIN_ANSWER, False),
    ],
)
def test_who_is_told_of_ice(way: str | None, offer: str, told: bool, answer: str, back: bool) -> None:
    daemon = Daemon()
    assert has_ice(daemon.offer(offer, ice=way)) is told
    assert has_ice(daemon.answer(answer, ice=way)) is back


def test_credentials_are_ours_random_and_of_the_right_length() -> None:
    """ICE-02: 8 and 26 characters of base64 are 48 and 156 bits."""
    told = Daemon().offer(OFFER)
    ufrag, pwd = attribute(told, "ice-ufrag"), attribute(told, "ice-pwd")
    assert ufrag is not None
    assert pwd is not None
    assert (len(ufrag), len(pwd)) == (8, 26)
    assert ufrag != UFRAG
    assert pwd != PWD


@pytest.mark.parametrize(("length", "usable"), [(3, False), (4, True), (256, True), (257, False)])
def test_lengths_of_a_peers_ufrag(length: int, usable: bool) -> None:
    """ICE-02: media level beats session level; what may not be sent is not used for checks."""
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, *ice(ALICE, ufrag="u" * length)))
    (call,) = daemon.controller._service.registry
    said = call.legs[0].medias[0].ice_said
    assert said is not None
    assert (said.credentials is not None) is usable


def test_a_restart_is_answered_with_other_credentials_and_keeps_keys() -> None:
    """ICE-08, TID-02: both sides' credentials change, tls-id and fingerprint do not."""
    daemon = Daemon()

    def exchange(ufrag: str) -> str:
        more = (*dtls("actpass"), "a=tls-id:peer0123456789abcdef0123", *ice(ALICE, ufrag=ufrag))
        offer = sdp.sdp(ALICE, "m=audio 4000 UDP/TLS/RTP/SAVPF 0", *more)
        daemon.offer(offer, transport_protocol="RTP/AVP", ice="remove")
        return daemon.answer(PLAIN_ANSWER)

    first, same, other = exchange("aaaa"), exchange("aaaa"), exchange("cccc")
    assert attribute(same, "ice-ufrag") == attribute(first, "ice-ufrag") != attribute(other, "ice-ufrag")
    assert attribute(first, "ice-pwd") != attribute(other, "ice-pwd")
    for name in ("tls-id", "fingerprint", "setup"):
        assert attribute(other, name) == attribute(first, name) is not None


def test_hold_is_said_by_the_direction_never_by_a_zero_address() -> None:
    """ICE-09."""
    daemon = Daemon()
    daemon.offer(OFFER)
    daemon.answer(ANSWER)
    told = daemon.offer(audio("0.0.0.0", 4000, *ice(ALICE)))
    assert (sdp.address(told), sdp.direction(told)) == ("192.0.2.1", "sendonly")


@pytest.mark.parametrize(
    ("address", "number", "mismatched"),
    [(ALICE, 4000, False), (ALICE, 4444, True), ("198.51.100.9", 4000, True), ("0.0.0.0", 9, False), (ALICE, 9, False)],
)
def test_mismatch(address: str, number: int, mismatched: bool) -> None:
    """ICE-10: the default destination is among the candidates, or it is not ICE. Port 9 and zero addresses are none."""
    daemon = Daemon()
    daemon.offer(audio(address, number, *ice(ALICE)))
    answer = daemon.answer(ANSWER)
    assert (attribute(answer, "ice-mismatch") == "") is mismatched
    assert has_ice(answer) is not mismatched


def test_all_addresses_of_the_logical_interface_are_candidates() -> None:
    """ICE-03: those of the chosen family first, each with its own ports and preference."""
    interfaces = tuple(Interface("dual", item, item) for item in ("192.0.2.1", "2001:db8::1", "192.0.2.3"))
    daemon = Daemon(interfaces)
    told = daemon.offer(OFFER)
    found = [line.split() for line in lines(told, "candidate")]
    assert [(item[1], item[4]) for item in found] == [
        *(("1", address) for address in ("192.0.2.1", "192.0.2.3", "2001:db8::1")),
        *(("2", address) for address in ("192.0.2.1", "192.0.2.3", "2001:db8::1")),
    ]
    assert [int(item[3]) for item in found[:3]] == [2130706431, 2130706175, 2130705919]
    assert len(lines(daemon.answer(ANSWER), "candidate")) == 6
    assert len(daemon.forwarder.bound) == 2 * 6
    daemon.command("delete", delete_delay=0)
    assert daemon.forwarder.bound == {}


def test_media_address_stands_in_for_ours() -> None:
    told = Daemon().offer(OFFER, media_address="203.0.113.77")
    assert {line.split()[4] for line in lines(told, "candidate")} == {"203.0.113.77"}


@pytest.mark.parametrize(("way", "typ", "rank"), [("optional", "host", 2097152255), ("force-relay", "relay", 16777215)])
def test_a_media_that_passes_us_by_keeps_its_lines(way: str, typ: str, rank: int) -> None:
    """Addresses, credentials and keys are the sender's own; we are one more candidate, and carry bytes."""
    daemon = Daemon()
    offer = audio(ALICE, 4000, crypto("A"), *ice(ALICE))
    told = daemon.offer(offer, ice=way)
    assert (sdp.address(told), port(told), keys(told)) == (ALICE, 4000, ["A" * 40])
    assert attribute(told, "ice-pwd") == PWD
    ours = lines(told, "candidate")[2].split()
    assert (ours[4], ours[7], int(ours[3])) == ("192.0.2.1", typ, rank)
    daemon.answer(audio(BOB, 5000, crypto("B"), *ice(BOB, 5000)), ice=way)
    assert all(item.relay_only and item.protection is None for item in daemon.plan().sockets)


def test_a_leg_that_refused_ice_is_not_asked_again_unless_reset() -> None:
    daemon = Daemon()
    first = daemon.offer(OFFER)
    daemon.answer(PLAIN_ANSWER)
    assert not has_ice(daemon.offer(OFFER))
    reset = daemon.offer(OFFER, flags=["reset"], ice="force")
    assert attribute(reset, "ice-ufrag") not in (None, attribute(first, "ice-ufrag"))


def test_rejected_ice_is_answered_without() -> None:
    daemon = Daemon()
    assert has_ice(daemon.offer(OFFER, flags=["reject-ICE"]))
    assert not has_ice(daemon.answer(ANSWER))
    assert not has_ice(daemon.offer(ANSWER, from_tag="b", to_tag="a"))


@pytest.mark.parametrize(
    ("word", "toward_callee", "toward_caller"),
    [("forward", True, False), ("backward", False, True), ("both", True, True)],
)
def test_lite(word: str, toward_callee: bool, toward_caller: bool) -> None:
    """ICE-01."""
    daemon = Daemon()
    assert ("a=ice-lite" in sdp.parts(daemon.offer(OFFER, ice_lite=word))[0]) is toward_callee
    assert ("a=ice-lite" in sdp.parts(daemon.answer(ANSWER))[0]) is toward_caller


def test_trickle_has_no_hold_and_fragments_add_candidates() -> None:
    """ICE-12: candidates after the last one are passed over, and so are those of another ICE session."""
    daemon = Daemon()
    trickling = audio("0.0.0.0", 9, f"a=ice-ufrag:{UFRAG}", f"a=ice-pwd:{PWD}", "a=ice-options:trickle", "a=mid:x")
    assert sdp.direction(daemon.offer(trickling)) == "sendrecv"

    def fragment(ufrag: str, number: int, *more: str) -> None:
        head = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{PWD}", "m=audio 9 RTP/AVP 0", "a=mid:x"]
        line = f"a=candidate:1 1 UDP 2130706431 {ALICE} {number} typ host"
        reply = daemon.command("offer", from_tag="a", sdp=sdp.joined([*head, line, *more]), flags=["fragment"])
        assert reply == {"result": "ok"}

    fragment(UFRAG, 4000)
    fragment("else", 4002)
    fragment(UFRAG, 4004, "a=end-of-candidates")
    fragment(UFRAG, 4006)
    (call,) = daemon.controller._service.registry
    said = call.legs[0].medias[0].ice_said
    assert said is not None
    assert ([item.port for item in said.candidates], said.ended) == ([4000, 4004], True)
    assert Daemon().command("offer", from_tag="a", sdp="a=x\r\n", flags=["fragment"]) == {"result": "ok"}


def test_ports_stay_with_ice_although_the_far_side_moves() -> None:
    daemon = Daemon()
    first = daemon.offer(OFFER)
    daemon.answer(ANSWER)
    assert port(daemon.offer(audio(ALICE, 4400, *ice(ALICE, 4400)))) == port(first)
    assert port(daemon.offer(audio(ALICE, 4800, *ice(ALICE, 4800)), flags=["no-port-latching"])) != port(first)
