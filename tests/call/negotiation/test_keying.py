"""Offer and answer of keys: each leg has its own, strictly by the rules, or none at all."""

import re

import pytest

from ngdaemon.call.model import Media
from ngdaemon.call.negotiation import causes
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import attribute, audio, port
from tests.support.secured import (
    OTHER_PRINT,
    PRINT,
    SUITE,
    TLS_ID,
    browser,
    crypto,
    dtls,
    keys,
    lines,
    over,
    savp,
)

ALICE, BOB = "198.51.100.1", "198.51.100.2"
STRONG = ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", SUITE]
PLAIN = {"transport_protocol": "RTP/AVP"}
SDES = {"transport_protocol": "RTP/SAVP", "dtls": "off"}
DTLS = {"transport_protocol": "UDP/TLS/RTP/SAVPF", "sdes": "off"}


def chosen(told: str, letter: str = "B", suite: str = SUITE) -> str:
    """An answer that takes a suite from what was told."""
    tag = next(int(line.split()[0]) for line in lines(told, "crypto") if line.split()[1] == suite)
    return savp(BOB, crypto(letter, tag, suite), port=5000)


def suites(told: str) -> list[str]:
    return [line.split()[1] for line in lines(told, "crypto")]


# ------------------------------------------------------------------------------------------------------- setup (§4)


@pytest.mark.parametrize(
    ("setup", "answered"),
    [("actpass", "active"), ("active", "passive"), ("passive", "active"), ("holdconn", None), (None, "passive")],
)
@pytest.mark.parametrize("again", [False, True], ids=["first", "re-offer"])
def test_answers_to_each_setup(setup: str | None, answered: str | None, again: bool) -> None:
    """SET-01, ERR-04: what the gateway answers; a re-offer without change keeps the role."""
    daemon = Daemon()
    offer = over("UDP/TLS/RTP/SAVPF", ALICE, *dtls(setup))
    if answered is None:
        assert daemon.refusal("offer", from_tag="a", sdp=offer, **PLAIN) == "no acceptable media security: 1:setup"
        return
    for _ in range(1 + again):
        daemon.offer(offer, **PLAIN)
        assert attribute(daemon.answer(audio(BOB, 5000)), "setup") == answered


@pytest.mark.parametrize(
    ("setup", "role"),
    [("active", "passive"), ("passive", "active"), ("actpass", None), ("holdconn", None), (None, "active")],
)
@pytest.mark.parametrize("again", [False, True], ids=["first", "re-offer"])
def test_roles_after_each_answer(setup: str | None, role: str | None, again: bool) -> None:
    """SET-01, ERR-08: we always offer actpass; answers of actpass and holdconn are none."""
    daemon = Daemon()
    answer = over("UDP/TLS/RTP/SAVPF", BOB, *dtls(setup), port=5000)
    for _ in range(1 + again):
        assert attribute(daemon.offer(audio(ALICE), **DTLS), "setup") == "actpass"
        if role is None:
            reason = daemon.refusal("answer", from_tag="a", to_tag="b", sdp=answer)
            assert reason == "no acceptable media security: 1:setup"
            return
        daemon.answer(answer)
        flags = daemon.command("query")["tags"]["b"]["medias"][0]["flags"]
        assert f"DTLS role {role}" in flags


def test_the_role_stays_when_the_other_side_re_offers() -> None:
    """SET-01, TID-08, MOD-01: what the far leg does leaves the association of this one alone."""
    daemon = Daemon()
    first = daemon.offer(browser(ALICE, "passive", f"a=tls-id:{TLS_ID}"), **DTLS)
    told = daemon.answer(browser(BOB, "active", port=5000))
    again = daemon.offer(browser(BOB, "actpass", port=5000), from_tag="b", to_tag="a")
    assert attribute(again, "tls-id") == attribute(told, "tls-id")
    assert attribute(again, "fingerprint") == attribute(told, "fingerprint") != attribute(first, "fingerprint")
    daemon.answer(browser(ALICE, "passive"), from_tag="b", to_tag="a")
    assert "DTLS role active" in daemon.command("query")["tags"]["a"]["medias"][0]["flags"]


def test_session_level_setup_and_fingerprint_apply_to_medias_without_their_own() -> None:
    """SET-04, FP-02."""
    daemon = Daemon()
    head = ("a=setup:active", f"a=fingerprint:sha-256 {PRINT}")
    daemon.offer(sdp.sdp(ALICE, *head, "m=audio 4000 UDP/TLS/RTP/SAVPF 0"), **PLAIN)
    assert attribute(daemon.answer(audio(BOB, 5000)), "setup") == "passive"
    other = Daemon()
    own = ("m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=setup:passive", "a=fingerprint:md5 00")
    reason = other.refusal("offer", from_tag="a", sdp=sdp.sdp(ALICE, *head, *own), **PLAIN)
    assert reason == "no acceptable media security: 1:fingerprint"


# ------------------------------------------------------------------------------------------------- fingerprints (§3)


@pytest.mark.parametrize(
    ("hash_name", "octets"),
    [("sha-1", 20), ("md5", 16), ("md2", 16), ("sha-256", 31), ("sha-256", 0), ("nonsense", 32)],
)
def test_unsupported_fingerprints_refuse_the_media(hash_name: str, octets: int) -> None:
    """FP-05, FP-06, ERR-03: never answered without keys."""
    daemon = Daemon()
    offer = over("UDP/TLS/RTP/SAVPF", ALICE, *dtls(fingerprint=":".join(["AB"] * octets), hash_name=hash_name))
    reply = daemon.command("offer", from_tag="a", sdp=offer, **PLAIN)
    assert reply["error-reason"] == "no acceptable media security: 1:fingerprint"
    assert reply["sip-code"] == 488
    assert daemon.forwarder.bound == {}


@pytest.mark.parametrize("octets", [(32, "sha-256"), (48, "sha-384"), (64, "sha-512")])
def test_supported_hashes_and_ours_is_always_among_them(octets: tuple[int, str]) -> None:
    """FP-05, FP-07: the answer shows the peer's hash, and SHA-256."""
    daemon = Daemon()
    count, name = octets
    daemon.offer(over("UDP/TLS/RTP/SAVPF", ALICE, *dtls(fingerprint=":".join(["AB"] * count), hash_name=name)), **PLAIN)
    hashes = [line.split()[0] for line in lines(daemon.answer(audio(BOB, 5000)), "fingerprint")]
    assert hashes == list(dict.fromkeys((name, "sha-256")))


def test_all_fingerprints_of_a_media_are_taken() -> None:
    """FP-03: another set is another association, the same one in another order is not."""
    daemon = Daemon()

    def offer(*prints: str) -> str | None:
        more = [f"a=fingerprint:sha-256 {item}" for item in prints[1:]]
        daemon.offer(browser(ALICE, "actpass", *more, f"a=tls-id:{TLS_ID}", fingerprint=prints[0]), **PLAIN)
        return attribute(daemon.answer(audio(BOB, 5000)), "tls-id")

    both = offer(PRINT, OTHER_PRINT)
    assert offer(OTHER_PRINT, PRINT) == both
    assert offer(PRINT) != both


# --------------------------------------------------------------------------------------------------------- tls-id (§5)


def test_tls_id_of_offers_stays_while_the_association_does() -> None:
    """TID-01, TID-02, TID-07: hold, unhold and an ICE restart keep it; it is of the right size."""
    daemon = Daemon()
    first = attribute(daemon.offer(audio(ALICE), **DTLS), "tls-id")
    assert first is not None
    assert re.fullmatch(r"[A-Za-z0-9+/_-]{20,255}", first)
    daemon.answer(browser(BOB, "active", port=5000))
    for direction in ("a=sendonly", "a=sendrecv"):
        assert attribute(daemon.offer(audio(ALICE, 4000, direction), **DTLS), "tls-id") == first
        daemon.answer(browser(BOB, "active", port=5000))
    assert attribute(Daemon().offer(audio(ALICE), flags=["no-tls-id"], **DTLS), "tls-id") is None


@pytest.mark.parametrize("line", [None, f"a=tls-id:{TLS_ID}"])
def test_answers_have_a_tls_id_only_if_the_offer_had(line: str | None) -> None:
    """TID-03, TID-05: and it stays as long as theirs does."""
    daemon = Daemon()
    offer = browser(ALICE, "actpass", *([line] if line else []))
    daemon.offer(offer, **PLAIN)
    first = attribute(daemon.answer(audio(BOB, 5000)), "tls-id")
    assert (first is not None) is (line is not None)
    daemon.offer(offer, **PLAIN)
    assert attribute(daemon.answer(audio(BOB, 5000)), "tls-id") == first


@pytest.mark.parametrize(
    "changed",
    [
        browser(ALICE, "actpass", "a=tls-id:another0123456789abcdef"),
        browser(ALICE, "actpass", f"a=tls-id:{TLS_ID}", fingerprint=OTHER_PRINT),
        browser(ALICE, "active", f"a=tls-id:{TLS_ID}"),
    ],
    ids=["tls-id", "fingerprint", "role"],
)
def test_another_tls_id_set_or_role_is_another_association(changed: str) -> None:
    """TID-02, TID-04, TID-06: and so our tls-id is another one too."""
    daemon = Daemon()
    daemon.offer(browser(ALICE, "actpass", f"a=tls-id:{TLS_ID}"), **PLAIN)
    first = attribute(daemon.answer(audio(BOB, 5000)), "tls-id")
    daemon.offer(changed, **PLAIN)
    assert attribute(daemon.answer(audio(BOB, 5000)), "tls-id") not in (None, first)


# ----------------------------------------------------------------------------------------------------------- SDES (§12)


def test_default_offer_is_the_strong_suites() -> None:
    """SDES-18, SDES-01: no NULL, no short tags, no padding; tags as if all suites were written."""
    told = Daemon().offer(audio(ALICE), **SDES)
    assert suites(told) == STRONG
    assert [line.split()[0] for line in lines(told, "crypto")] == ["1", "2", "3", "7"]
    assert not any(key.endswith("=") for key in keys(told))
    assert keys(Daemon().offer(audio(ALICE), **{**SDES, "sdes": "pad"}))[1].endswith("==")


def test_flags_add_and_filter_suites() -> None:
    """SDES-18: weaker suites by flag only."""
    weak = Daemon().offer(audio(ALICE), **SDES, sdes=["only-AES_CM_128_HMAC_SHA1_32", "only-AEAD_AES_128_GCM"])
    assert suites(weak) == ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_32"]
    assert suites(Daemon().offer(audio(ALICE), **SDES, sdes=[f"no-{SUITE}"])) == STRONG[:3]
    assert suites(Daemon().offer(audio(ALICE), **SDES, sdes=[f"order:{SUITE};"]))[0] == SUITE


@pytest.mark.parametrize(
    "line",
    [
        crypto(length=39),
        crypto(length=44),
        crypto(rest="|2^49"),
        crypto(rest="|1:0"),
        crypto(rest="|1:129"),
        crypto(rest=" XYZ=1"),
        crypto(rest=" UNENCRYPTED_SRTP"),
        crypto(rest=" UNENCRYPTED_SRTCP"),
        crypto(rest=" UNAUTHENTICATED_SRTP"),
        crypto(suite="NULL_HMAC_SHA1_80"),
        crypto(suite="F8_128_HMAC_SHA1_80"),
        crypto(suite="ARIA_CM_128_HMAC_SHA1_80"),
        "a=crypto:01 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40,
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "*" * 40,
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80",
        "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2",
    ],
)
def test_a_line_that_cannot_be_keyed_is_skipped_and_alone_it_refuses_the_media(line: str) -> None:
    """SDES-01, SDES-02, SDES-04, SDES-06, ERR-01, ERR-05, KM-01: key-mgmt alone is refused too."""
    reason = Daemon().refusal("offer", from_tag="a", sdp=savp(ALICE, line), **PLAIN)
    assert reason == "no acceptable media security: 1:keying"
    daemon = Daemon()
    daemon.offer(savp(ALICE, line, crypto("C", 2)), **PLAIN)
    told = daemon.answer(audio(BOB, 5000))
    assert [item.split()[:2] for item in lines(told, "crypto")] == [["2", SUITE]]


@pytest.mark.parametrize("rest", ["|2^20", "|2^20|1:4", "|1:4", " KDR=0", " WSH=64", " -XYZ=1", " FEC_ORDER=FEC_SRTP"])
def test_what_may_follow_a_key(rest: str) -> None:
    """SDES-01, SDES-02."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto(rest=rest)), **PLAIN)
    assert [item.split()[:2] for item in lines(daemon.answer(audio(BOB, 5000)), "crypto")] == [["1", SUITE]]


def test_an_answer_repeats_tag_and_suite_with_a_key_of_ours() -> None:
    """SDES-03, SDES-05: the first line that can be keyed, or the suite that the other side took."""
    daemon = Daemon()
    daemon.offer(savp(ALICE, crypto("A", 5, "AEAD_AES_128_GCM", length=38), crypto("C", 9)), **SDES)
    told = daemon.answer(savp(BOB, crypto("B", 9), port=5000))
    (line,) = lines(told, "crypto")
    assert line.split()[:2] == ["9", SUITE]
    other = Daemon()
    other.offer(savp(ALICE, crypto("A", 5), crypto("C", 9)), **PLAIN)
    assert [item.split()[0] for item in lines(other.answer(audio(BOB, 5000)), "crypto")] == ["5"]


def test_no_key_of_one_leg_is_told_to_the_other() -> None:
    """SDES-05, SDES-09, OSR-08, E2AE-02, MOD-01: keys declared by a leg are what it sends with, and stay there."""
    daemon = Daemon()
    offered = daemon.offer(savp(ALICE, crypto("A")), dtls="off")
    told = daemon.answer(savp(BOB, crypto("B"), port=5000))
    assert not {"A" * 40, "B" * 40} & {*keys(offered), *keys(told)}
    assert not set(keys(offered)) & set(keys(told))
    protections = [item.protection for item in daemon.plan().sockets]
    assert all(item is not None for item in protections)


def test_an_answer_must_choose_what_was_offered() -> None:
    """SDES-04, SDES-16, ERR-08, S16: no crypto, a tag or suite that was not offered: no media, the call stays."""
    daemon = Daemon()
    daemon.offer(audio(ALICE), **SDES)
    before = daemon.plan()
    for answer in (savp(BOB), savp(BOB, crypto(tag=99)), savp(BOB, crypto(tag=1)), audio(BOB)):
        reason = daemon.refusal("answer", from_tag="a", to_tag="b", sdp=answer)
        assert reason == "no acceptable media security: 1:keying"
    assert daemon.plan() == before
    daemon.answer(savp(BOB, crypto(tag=7), port=5000))


def test_keys_stay_in_a_re_offer_unless_our_port_moves() -> None:
    """SDES-11, SDES-12."""
    daemon = Daemon()
    first = daemon.offer(audio(ALICE), **SDES)
    daemon.answer(chosen(first))
    again = daemon.offer(audio(ALICE, 4000, "a=sendonly"), **SDES)
    assert [line for line in lines(first, "crypto") if SUITE in line] == lines(again, "crypto")[:1]
    daemon.answer(chosen(again))
    moved = daemon.offer(audio(ALICE, 4400), **SDES)
    assert port(moved) != port(first)
    assert lines(moved, "crypto")[0].split()[:2] == ["7", SUITE]
    assert not set(keys(moved)) & set(keys(first))


def test_old_and_new_keys_are_received_with_until_the_exchange_ends() -> None:
    """SDES-10: a peer that comes with another key is decrypted with both."""
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), **SDES)
    daemon.answer(chosen(told, "B"))
    daemon.offer(audio(ALICE), **SDES)
    daemon.answer(chosen(told, "C"))
    security = _media(daemon, "b").security
    assert security.pair is not None
    assert [item.key[:3] for item in security.former] == [b"\x04\x10A"]
    assert security.pair.theirs.all_keys()[0].key[:3] == b"\x08\x20\x82"


def test_a_refused_re_offer_leaves_the_old_keys_in_force() -> None:
    """SDES-10, ERR-01."""
    daemon = Daemon()
    daemon.answer(chosen(daemon.offer(audio(ALICE), **SDES)))
    before, plan = daemon.command("query")["tags"], daemon.plan()
    assert daemon.refusal("offer", from_tag="b", to_tag="a", sdp=savp(BOB)).startswith("no acceptable media security")
    assert (daemon.command("query")["tags"], daemon.plan()) == (before, plan)


def test_keys_are_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """SDES-17, S17: not in logs, not in query, not in repr."""
    daemon = Daemon()
    with caplog.at_level("DEBUG"):
        told = daemon.offer(savp(ALICE, crypto("A")), dtls="off")
        daemon.answer(savp(BOB, crypto("B"), port=5000))
        answer = str(daemon.command("query"))
    secrets = {"A" * 40, "B" * 40, *keys(told)}
    shown = caplog.text + answer + repr(_media(daemon, "a")) + repr(_media(daemon, "b"))
    assert [key for key in secrets if key in shown] == []


# both, and OSRTP (§13)


def test_both_kinds_are_offered_and_one_is_answered() -> None:
    """OSR-07, OSR-01: DTLS unless the script says otherwise; the other kind leaves nothing in the answer."""
    offer = over("RTP/SAVPF", ALICE, crypto("A"), *dtls())
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), transport_protocol="RTP/SAVPF")
    assert attribute(told, "crypto")
    assert attribute(told, "fingerprint")
    for options, kind, other in (({}, "fingerprint", "crypto"), ({"sdes": "prefer"}, "crypto", "fingerprint")):
        daemon = Daemon()
        daemon.offer(offer, **PLAIN, **options)
        answer = daemon.answer(audio(BOB, 5000))
        assert (attribute(answer, kind) is None, attribute(answer, other)) == (False, None)


@pytest.mark.parametrize("keying", [[crypto("A")], dtls()], ids=["sdes", "dtls"])
@pytest.mark.parametrize("accepts", [False, True])
def test_osrtp_is_accepted_with_one_kind_or_declined_with_none(keying: list[str], accepts: bool) -> None:
    """OSR-01, OSR-02, OSR-03, OSR-08: in the profile of the offer, per m-line."""
    daemon = Daemon()
    offer = audio(ALICE, 4000, *keying) + sdp.joined(["m=video 4002 RTP/AVP 34"])
    told = daemon.offer(offer)
    assert sdp.media(told)[0].split()[2] == "RTP/AVP"
    assert attribute(told, "crypto")
    assert attribute(told, "crypto", 1) is None
    answer = sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=video 5002 RTP/AVP 34")
    kept = daemon.answer(answer, **({"osrtp": "accept"} if accepts else {}))
    kinds = [name for name in ("crypto", "fingerprint") if attribute(kept, name)]
    assert kinds == ([keying[-1].partition(":")[0][2:]] if accepts else [])
    assert _media(daemon, "a").security.required is accepts


def test_a_leg_that_is_secured_stays_so() -> None:
    """OSR-04, OSR-02: keys agreed on in a plain profile are offered again although the other side has none."""
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), osrtp="offer", dtls="off")
    tag = lines(told, "crypto")[-1].split()[0]
    daemon.answer(audio(BOB, 5000, crypto("B", int(tag))))
    assert attribute(daemon.offer(audio(ALICE), dtls="off"), "crypto")


def test_doubled_lines_are_one_media() -> None:
    """OSR-06: the plain twin is refused; and a doubled offer of ours may be answered either way."""
    daemon = Daemon()
    twins = sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=audio 4000 RTP/SAVP 0", crypto("A"))
    told = daemon.offer(twins, osrtp="accept-legacy", **PLAIN)
    assert len(sdp.ports(told)) == 1
    answer = daemon.answer(audio(BOB, 5000), osrtp="accept-legacy")
    assert [bool(item) for item in sdp.ports(answer)] == [False, True]
    assert attribute(answer, "crypto", 1)
    other = Daemon()
    told = other.offer(audio(ALICE), osrtp="offer-legacy", **SDES)
    assert [part[0].split()[2] for part in sdp.parts(told)[1:]] == ["RTP/AVP", "RTP/SAVP"]
    assert attribute(told, "crypto", 0) is None
    both = sdp.sdp(BOB, "m=audio 0 RTP/AVP 0", "m=audio 5000 RTP/SAVP 0", crypto("B", 7))
    other.answer(both)
    assert _media(other, "b").security.pair is not None


def test_a_leg_that_was_offered_a_media_twice_is_answered_once_when_it_offers_itself() -> None:
    """OSR-06: its own offer has one line for it."""
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), OSRTP=["offer-legacy"], **SDES)
    assert len(sdp.parts(told)) == 3
    daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=audio 0 RTP/SAVP 0"))
    back = {"from_tag": "b", "to_tag": "a"}
    daemon.offer(audio(BOB, 5000), **back)
    assert len(sdp.parts(daemon.answer(audio(ALICE), **back))) == 2


# ----------------------------------------------------------------------------------------------------------- refusals


def test_refused_medias_have_port_0_while_others_go_on() -> None:
    """ERR-02: with a warning for the proxy."""
    daemon = Daemon()
    offer = sdp.sdp(ALICE, "m=audio 4000 RTP/SAVP 0", crypto("A"), "m=video 4002 RTP/SAVP 34")
    reply = daemon.command("offer", from_tag="a", sdp=offer, **PLAIN)
    assert [bool(item) for item in sdp.ports(reply["sdp"])] == [True, False]
    assert reply["warnings"] == [f"no acceptable media security: 2:keying ({causes.NO_KEYS.text})"]
    answer = sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=video 0 RTP/AVP 34")
    assert [bool(item) for item in sdp.ports(daemon.answer(answer))] == [True, False]


def test_a_secure_profile_without_any_way_to_keys_is_no_offer() -> None:
    """ERR-01, ERR-05."""
    reason = Daemon().refusal("offer", from_tag="a", sdp=audio(ALICE), **SDES, sdes="off")
    assert reason == "no acceptable media security: 1:keying"


# ------------------------------------------------------------------------------------------------------- rtcp-mux (§11)


@pytest.mark.parametrize(("attributes", "answered"), [((), False), (("a=rtcp-mux",), True)])
@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("policy", [None, "accept", "reject"])
def test_mux_of_each_leg(attributes: tuple[str, ...], answered: bool, far: bool, policy: str | None) -> None:
    """MUX-01: each leg has its own; what was not offered is not answered."""
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, *attributes), rtcp_mux=[policy] if policy else None)
    told = daemon.answer(audio(BOB, 5000, *(["a=rtcp-mux"] if far else [])))
    wanted = answered and policy != "reject" and (policy == "accept" or far)
    assert (attribute(told, "rtcp-mux") is not None) is wanted


def test_a_mux_offer_keeps_an_rtcp_port_until_the_answer() -> None:
    """MUX-02, MUX-04, MUX-05: and a later offer does not go back on what was agreed."""
    daemon = Daemon()
    told = daemon.offer(audio(ALICE, 4000, "a=rtcp-mux"), ice="force")
    assert attribute(told, "rtcp") == str(port(told) + 1)
    assert [line.split()[1] for line in lines(told, "candidate")] == ["1", "2"]
    daemon.answer(audio(BOB, 5000, "a=rtcp-mux", *["a=ice-ufrag:abcd", f"a=ice-pwd:{'w' * 22}"]))
    again = daemon.offer(audio(ALICE, 4000))
    assert attribute(again, "rtcp-mux") == ""
    assert attribute(again, "rtcp") == str(port(again))
    assert [line.split()[1] for line in lines(again, "candidate")] == ["1"]


@pytest.mark.parametrize(
    ("attributes", "formats", "policy", "refused"),
    [
        (["a=rtcp-mux", "a=rtcp-mux-only"], "0", None, False),
        (["a=rtcp-mux-only"], "0", None, True),
        (["a=rtcp-mux", "a=rtcp-mux-only"], "0", "reject", True),
        (["a=rtcp-mux", "a=rtcp-mux-only"], "72", None, True),
    ],
)
def test_mux_only_is_muxed_or_refused(attributes: list[str], formats: str, policy: str | None, refused: bool) -> None:
    """MUX-03, MUX-06, ERR-06, DMX-03: the answer has rtcp-mux, never rtcp-mux-only."""
    daemon = Daemon()
    more = [] if formats == "0" else [f"a=rtpmap:{formats} X/8000"]
    offer = audio(ALICE, 4000, *attributes, *more, formats=formats)
    reply = daemon.command("offer", from_tag="a", sdp=offer, rtcp_mux=[policy] if policy else None)
    assert ("rtcp-mux-only" in reply.get("error-reason", "")) is refused
    if not refused:
        assert attribute(reply["sdp"], "rtcp-mux-only") is None
        told = daemon.answer(audio(BOB, 5000))
        assert (attribute(told, "rtcp-mux"), attribute(told, "rtcp-mux-only")) == ("", None)


def test_payload_types_that_look_like_rtcp_are_not_multiplexed() -> None:
    """DMX-03."""
    daemon = Daemon()
    told = daemon.offer(audio(ALICE, 4000, "a=rtcp-mux", "a=rtpmap:72 X/8000", formats="72"))
    assert attribute(told, "rtcp-mux") is None
    answer = audio(BOB, 5000, "a=rtcp-mux", "a=rtpmap:72 X/8000", formats="72")
    assert attribute(daemon.answer(answer), "rtcp-mux") is None


# ---------------------------------------------------------------------------------------------------------- relay (§15)


def test_relay_mode_passes_keys_and_changes_addresses_only() -> None:
    """REL-01, REL-02, REL-03: it is sticky, and both ways are open before the answer."""
    daemon = Daemon()
    offer = browser(ALICE, "actpass", crypto("A"), f"a=tls-id:{TLS_ID}", "a=ice-ufrag:abcd", f"a=ice-pwd:{'w' * 22}")
    told = daemon.offer(offer, mode="relay")
    assert sdp.address(told) == "192.0.2.1"
    for name in ("fingerprint", "setup", "tls-id", "crypto", "ice-ufrag", "ice-pwd"):
        assert attribute(told, name) == attribute(offer, name)
    assert {(item.source, item.sink) for item in daemon.plan().routes} == {(1, 3), (3, 1), (2, 4), (4, 2)}
    assert all(item.protection is None for item in daemon.plan().sockets)
    answer = browser(BOB, "active", port=5000, fingerprint=OTHER_PRINT)
    assert attribute(daemon.answer(answer), "fingerprint") == attribute(answer, "fingerprint")
    assert attribute(daemon.offer(offer), "fingerprint") == attribute(offer, "fingerprint")


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"transport_protocol": "RTP/AVP"}, "transport-protocol"),
        ({"record_call": "yes"}, "record-call"),
        ({"codec": {"transcode": ["PCMA"]}}, "codec-transcode"),
        ({"flags": ["inject-DTMF"]}, "inject-dtmf"),
    ],
)
def test_relay_mode_refuses_by_name_what_would_change_media(keys: dict[str, object], word: str) -> None:
    """REL-02, ERR-07."""
    reply = Daemon().command("offer", from_tag="a", sdp=browser(ALICE), mode="relay", **keys)  # type: ignore[arg-type]
    assert reply["error-reason"] == f"mode=relay does not go together with {word}"
    assert reply["sip-code"] == 500


def _media(daemon: Daemon, tag: str) -> Media:
    """The first media of a leg."""
    (call,) = daemon.controller._service.registry
    return next(leg for leg in call.legs if leg.has_tag(tag)).medias[0]
