"""No way from secured to clear that nobody asked for: by ICE, groups, profiles, parameters, fax or relays."""

from typing import Any

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio, media, ports
from tests.support.secured import PRINT, SUITE, browser, crypto, ice, keys, lines, over, savp

ALICE, BOB = "198.51.100.1", "198.51.100.2"
PLAIN = {"transport_protocol": "RTP/AVP"}
SAVP = {"transport_protocol": "RTP/SAVP", "DTLS": "off"}
REFUSED = "no acceptable media security: 1:keying"
BACK = {"from_tag": "b", "to_tag": "a"}


def protocol(told: str, place: int = 0) -> str:
    return media(told, place)[0].split()[2]


def clear_sockets(daemon: Daemon) -> set[str]:
    """The peers with which media would be exchanged in the clear."""
    return {item.signalled.address for item in daemon.plan().sockets if item.signalled and item.protection is None}


def secured_to_plain() -> Daemon:
    """A call between a phone with SDES and a plain one."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto()), **PLAIN)
    daemon.answer(audio(BOB, 5000))
    return daemon


def tag_of(told: str) -> int:
    return next(int(line.split()[0]) for line in lines(told, "crypto") if line.split()[1] == SUITE)


@pytest.mark.parametrize("way", ["optional", "force-relay"])
def test_keys_pass_by_us_only_where_the_profile_stays(way: str) -> None:
    """OSR-08, E2AE-02, SDES-05: what cannot pass is ended here, with keys and ICE of ours."""
    daemon = Daemon()
    told = daemon.offer(savp(ALICE, crypto("A"), *ice(ALICE)), ICE=way, **PLAIN)
    assert (protocol(told), keys(told)) == ("RTP/AVP", [])
    answer = daemon.answer(over("RTP/AVP", BOB, *ice(BOB, 5000), port=5000), ICE=way)
    assert protocol(answer) == "RTP/SAVP"
    assert len(keys(answer)) == 1
    assert ALICE not in clear_sockets(daemon)
    assert not any(item.relay_only for item in daemon.plan().sockets)
    same = Daemon()
    told = same.offer(savp(ALICE, crypto("A"), *ice(ALICE)), ICE=way)
    assert keys(told) == ["A" * 40]


@pytest.mark.parametrize("way", ["optional", "force-relay"])
def test_a_leg_with_keys_of_ours_keeps_them_whatever_is_asked_of_ice(way: str) -> None:
    """OSR-08, E2AE-02: the plain side re-offers, and says that its attributes may pass."""
    daemon = secured_to_plain()
    told = daemon.offer(over("RTP/AVP", BOB, *ice(BOB, 5000), port=5000), ICE=way, **BACK)
    assert protocol(told) == "RTP/SAVP"
    assert keys(told)
    assert clear_sockets(daemon) <= {BOB}
    told = daemon.offer(savp(ALICE, crypto("A"), *ice(ALICE)), ICE=way, to_tag="b", transport_protocol="RTP/SAVP")
    assert "A" * 40 not in told


def test_an_answer_whose_keys_would_pass_by_us_is_in_the_profile_that_was_offered() -> None:
    """S16: a clear answer to a secured offer, of which we have no keys."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto("A"), *ice(ALICE)), ICE="optional")
    clear = over("RTP/AVP", BOB, *ice(BOB, 5000), port=5000)
    assert daemon.refusal("answer", sdp=clear, from_tag="a", to_tag="b", ICE="optional") == REFUSED
    kept = savp(BOB, crypto("B"), *ice(BOB, 5000), port=5000)
    assert keys(daemon.answer(kept, ICE="optional")) == ["B" * 40]


def test_subscribers_and_publishers_get_no_attributes_of_others() -> None:
    """OSR-08, SDES-05: they speak with us alone, whatever is asked of ICE."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto("A"), *ice(ALICE)), **PLAIN)
    daemon.answer(audio(BOB, 5000))
    reply = daemon.command("subscribe request", from_tag="a", ICE="force-relay")
    assert reply["result"] == "ok"
    assert "A" * 40 not in reply["sdp"]
    told = daemon.command("publish", from_tag="p", call="other", sdp=savp(ALICE, crypto("A")), ICE="force-relay")["sdp"]
    assert len(keys(told)) == 1
    assert keys(told) != ["A" * 40]


@pytest.mark.parametrize("word", ["unencrypted_srtp", "unencrypted_srtcp", "unauthenticated_srtp"])
def test_what_weakens_is_offered_only_if_the_operator_allows_it_and_binds_both(word: str) -> None:
    """SDES-06: a script does not override the policy; where it may, the answer must say the same."""
    strict, lax = Daemon(), Daemon(allow_weak=("unprotected",))
    told = strict.offer(audio(ALICE), SDES=[word], **SAVP)
    assert keys(told)
    assert word.upper() not in told
    told = lax.offer(audio(ALICE), SDES=[word], **SAVP)
    assert word.upper() in told
    tag = tag_of(told)
    names: dict[str, Any] = {"from_tag": "a", "to_tag": "b"}
    assert lax.refusal("answer", sdp=savp(BOB, crypto("B", tag), port=5000), **names) == REFUSED
    said = savp(BOB, crypto("B", tag, rest=f" {word.upper()}"), port=5000)
    assert lax.command("answer", sdp=said, **names)["result"] == "ok"


def test_parameters_that_a_script_takes_back_are_gone_in_both_directions() -> None:
    """SDES-06: what is answered as encrypted is taken as encrypted only."""
    daemon = Daemon(allow_weak=("unprotected",))
    said = savp(ALICE, crypto("A", rest=" UNENCRYPTED_SRTP"))
    daemon.offer(said, SDES=["encrypted_srtp"], **PLAIN)
    answer = daemon.answer(audio(BOB, 5000))
    assert keys(answer)
    assert "UNENCRYPTED" not in answer
    (protection,) = {item.protection for item in daemon.plan().sockets if item.protection}
    assert protection.send is not None
    assert {item.encrypted for item in (*protection.receive, protection.send)} == {True}


@pytest.mark.parametrize("heads", [("RTP/AVP", "RTP/SAVP"), ("RTP/SAVP", "RTP/AVP")])
def test_secured_and_clear_medias_share_no_transport(heads: tuple[str, str]) -> None:
    """SET-05: neither where the offerer groups them nor where we are to offer a group."""
    parts = []
    for place, name in enumerate(heads):
        attributes = [crypto()] if name == "RTP/SAVP" else []
        kind = ("audio", "video")[place]
        parts += [f"m={kind} {4000 + 2 * place} {name} {96 + place}", f"a=rtpmap:{96 + place} X/90000", *attributes]
        parts += [f"a=mid:{place}", "a=rtcp-mux"]
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "a=group:BUNDLE 0 1", *parts), bundle="accept", **PLAIN)
    bob = sdp.sdp(
        BOB, "m=audio 5000 RTP/AVP 96", "a=rtpmap:96 X/90000", "m=video 5002 RTP/AVP 97", "a=rtpmap:97 X/90000"
    )
    answer = daemon.answer(bob)
    secured = heads.index("RTP/SAVP")
    assert [protocol(answer, place) for place in (0, 1)] == list(heads)
    assert [bool(lines(answer, "crypto", place)) for place in (0, 1)] == [place == secured for place in (0, 1)]
    assert len(set(ports(answer))) == 2
    other = Daemon()
    told = other.offer(sdp.sdp(ALICE, *parts), bundle="require")
    assert "a=group:BUNDLE 0" in sdp.parts(told)[0]
    assert [bool(lines(told, "crypto", place)) for place in (0, 1)] == [place == secured for place in (0, 1)]
    assert len(set(ports(told))) == 2


@pytest.mark.parametrize("word", ["offer", "offer-legacy"])
def test_a_clear_answer_to_opportunistic_keys_is_a_clear_call_that_works(word: str) -> None:
    """OSR-01: declined, and media flows; a later answer of the same leg may still take the keys."""
    daemon = Daemon()
    keys_of = {"transport_protocol": "RTP/SAVP"} if word == "offer-legacy" else {}
    told = daemon.offer(audio(ALICE), OSRTP=[word], **keys_of)
    assert daemon.command("answer", sdp=audio(BOB, 5000), from_tag="a", to_tag="b")["result"] == "ok"
    assert clear_sockets(daemon) == {ALICE, BOB}
    assert daemon.plan().routes
    place = 1 if word == "offer-legacy" else 0
    tag = next(int(line.split()[0]) for line in lines(told, "crypto", place) if line.split()[1] == SUITE)
    profile = protocol(told, place)
    daemon.answer(over(profile, BOB, crypto("B", tag), port=5000))
    assert clear_sockets(daemon) == {ALICE}


def test_an_answer_with_keys_that_cannot_be_used_is_no_clear_answer() -> None:
    """OSR-02: who answers so takes its media for secured."""
    daemon = Daemon()
    daemon.offer(audio(ALICE), OSRTP=["offer"])
    said = over("RTP/AVP", BOB, crypto("B", tag=99), port=5000)
    assert daemon.refusal("answer", sdp=said, from_tag="a", to_tag="b") == REFUSED


@pytest.mark.parametrize(
    ("secured", "kept"),
    [(savp(ALICE, crypto()), "RTP/SAVP"), (browser(ALICE), "UDP/TLS/RTP/SAVP")],
    ids=["SDES", "DTLS"],
)
@pytest.mark.parametrize("through_fax", [False, True])
def test_a_secured_leg_stays_in_a_secured_profile_when_the_plain_one_changes_its_own(
    secured: str, kept: str, through_fax: bool
) -> None:
    """OSR-04: also on the way back from fax. A request that names a profile has it."""
    daemon = Daemon()
    daemon.offer(secured, **PLAIN)
    daemon.answer(audio(BOB, 5000))
    if through_fax:
        daemon.offer(sdp.sdp(BOB, "m=image 5000 udptl t38"), **BACK)
        daemon.answer(sdp.sdp(ALICE, "m=image 4000 udptl t38"), **BACK)
        told = daemon.offer(audio(BOB, 5000), **BACK)
        assert protocol(told) == kept
    told = daemon.offer(over("RTP/AVPF", BOB, port=5000), **BACK)
    assert protocol(told) == f"{kept}F"
    assert keys(told) or lines(told, "fingerprint")
    assert daemon.refusal("answer", sdp=audio(ALICE), **BACK).startswith("no acceptable media security: 1:")
    assert ALICE not in clear_sockets(daemon)
    assert protocol(daemon.offer(over("RTP/AVPF", BOB, port=5000), **PLAIN, **BACK)) == "RTP/AVP"


def test_an_offerer_in_a_secured_profile_is_not_answered_in_a_clear_one_that_the_answerer_chose() -> None:
    """S16: `transport-protocol=accept` takes over its feedback, not its lack of keys."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto()), **PLAIN)
    answer = daemon.answer(over("RTP/AVPF", BOB, port=5000), transport_protocol="accept")
    assert protocol(answer) == "RTP/SAVPF"
    assert len(keys(answer)) == 1


@pytest.mark.parametrize("answer", ["m=audio 5000 FOO/BAR 0", "m=image 5000 udptl t38"])
def test_another_kind_of_transport_in_the_answer_to_a_secured_offer_is_refused(answer: str) -> None:
    """S16, ERR-05: nothing is left open for it."""
    daemon = Daemon()
    daemon.offer(audio(ALICE), **SAVP)
    before = daemon.plan()
    assert daemon.refusal("answer", sdp=sdp.sdp(BOB, answer), from_tag="a", to_tag="b") == REFUSED
    assert daemon.plan() == before
    other = Daemon()
    other.offer(sdp.sdp(ALICE, "m=audio 4000 udptl t38"))
    assert other.refusal("answer", sdp=savp(BOB, crypto(), port=5000), from_tag="a", to_tag="b") == REFUSED


def test_relay_mode_is_refused_where_the_daemon_ends_keys() -> None:
    """REL-02, ERR-07: the call stays as it was."""
    daemon = secured_to_plain()
    before = daemon.plan()
    reply = daemon.command("offer", sdp=audio(BOB, 5000), mode="relay", **BACK)
    assert (reply["result"], reply["sip-code"]) == ("error", 500)
    assert "keys that are in force" in reply["error-reason"]
    assert daemon.plan() == before


def test_relay_mode_is_refused_where_the_profiles_differ() -> None:
    """REL-02: neither by what was asked for before nor by the answer."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto()), **PLAIN)
    reply = daemon.command("offer", sdp=savp(ALICE, crypto()), from_tag="a", mode="relay")
    assert (reply["result"], reply["sip-code"]) == ("error", 500)
    other = Daemon()
    other.offer(savp(ALICE, crypto()), mode="relay")
    reply = other.command("answer", sdp=audio(BOB, 5000), from_tag="a", to_tag="b")
    assert (reply["result"], reply["sip-code"]) == ("error", 488)


def test_relay_mode_does_not_begin_with_the_answer_to_keys_of_ours() -> None:
    """REL-02: what the answerer has are keys of ours, not the offerer's."""
    daemon = Daemon()
    told = daemon.offer(savp(ALICE, crypto()), **SAVP)
    said = savp(BOB, crypto("B", tag_of(told)), port=5000)
    reply = daemon.command("answer", sdp=said, from_tag="a", to_tag="b", mode="relay")
    assert (reply["result"], reply["sip-code"]) == ("error", 500)
    assert daemon.command("answer", sdp=said, from_tag="a", to_tag="b")["result"] == "ok"


@pytest.mark.parametrize(
    "description",
    [
        sdp.sdp(ALICE, "m=audio 4000 TCP/RTP/SAVP 0", crypto("A")),
        sdp.sdp(ALICE, "m=message 4000 RTP/SAVP 0", crypto("A")),
        sdp.sdp(ALICE, "m=image 4000 udptl t38", crypto("A")),
        sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", crypto("A").replace("crypto", "CRYPTO")),
        sdp.sdp(ALICE, crypto("A").replace("crypto", "Crypto"), "m=audio 4000 RTP/AVP 0"),
        sdp.sdp(ALICE, "m=audio 4000 FOO 0", f"a=Key-Mgmt:mikey {'A' * 40}"),
    ],
)
def test_keys_of_one_leg_reach_the_other_over_no_transport_and_in_no_spelling(description: str) -> None:
    """SDES-05, OSR-08, E2AE-02."""
    daemon = Daemon()
    told = daemon.offer(description)
    assert sdp.media(told)
    assert "A" * 40 not in told


def test_what_the_ends_of_a_relayed_transport_know_each_other_by_passes() -> None:
    """A data channel is encrypted end to end: its fingerprints are those of the ends."""
    part = ("m=application 4000 UDP/DTLS/SCTP webrtc-datachannel", "a=setup:actpass", f"a=fingerprint:sha-256 {PRINT}")
    told = Daemon().offer(sdp.sdp(ALICE, *part))
    assert lines(told, "fingerprint") == [f"sha-256 {PRINT}"]


@pytest.mark.parametrize(
    "line",
    [f"m=audio 4000 RTP/SAVP {'A' * 40}", f"m=audio 70000 RTP/SAVP {'A' * 40}", f"m=audio 70000 {'A' * 40}"],
)
def test_a_key_that_went_astray_is_not_logged(line: str, caplog: pytest.LogCaptureFixture) -> None:
    """S17: where a description cannot be read, no more of it is shown than is needed to find the line."""
    with caplog.at_level("INFO"):
        reason = Daemon().refusal("offer", sdp=sdp.sdp(ALICE, line), from_tag="a")
    assert caplog.text
    assert "A" * 40 not in caplog.text + reason


OFFERERS = {"SDES": savp(ALICE, crypto()), "DTLS": browser(ALICE)}


@pytest.mark.parametrize("flags", [[], ["provisional"]], ids=["final", "provisional"])
@pytest.mark.parametrize("offer", OFFERERS)
def test_an_answer_that_nobody_asked_for_does_not_take_the_keys_of_an_offerer(offer: str, flags: list[str]) -> None:
    """OSR-02, S16: it was answered with keys, and has got no offer since; or one that this node refused."""
    daemon = Daemon()
    daemon.offer(OFFERERS[offer], **PLAIN)
    daemon.answer(audio(BOB, 5000))
    assert clear_sockets(daemon) == {BOB}
    daemon.refusal("offer", sdp="v=0\r\nxx", from_tag="b", to_tag="a")
    assert daemon.refusal("answer", sdp=audio(ALICE, 4000), flags=flags, **BACK) == REFUSED
    assert clear_sockets(daemon) == {BOB}


@pytest.mark.parametrize("offer", OFFERERS)
def test_a_late_answer_does_not_take_the_keys_of_a_leg_whose_own_offer_is_out(offer: str) -> None:
    """OSR-02, S16: the offer of the leg itself, which is not answered yet, is not one that it could answer."""
    daemon = Daemon()
    daemon.offer(OFFERERS[offer], **PLAIN)
    daemon.answer(audio(BOB, 5000))
    daemon.offer(OFFERERS[offer], to_tag="b", **PLAIN)
    assert daemon.refusal("answer", sdp=audio(ALICE, 4000), **BACK) == REFUSED
    assert clear_sockets(daemon) == {BOB}


@pytest.mark.parametrize("offer", OFFERERS)
def test_a_leg_that_was_offered_plain_media_by_name_may_take_it(offer: str) -> None:
    """OSR-01: that is what the script asked for."""
    daemon = Daemon()
    daemon.offer(OFFERERS[offer], **PLAIN)
    daemon.answer(audio(BOB, 5000))
    assert protocol(daemon.offer(audio(BOB, 5000), **BACK, **PLAIN)) == "RTP/AVP"
    daemon.answer(audio(ALICE, 4000), **BACK)
    assert clear_sockets(daemon) == {ALICE, BOB}
