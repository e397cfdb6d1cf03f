"""BUNDLE groups: broken up, accepted, offered, required, refused (RFC 8843)."""

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import attribute, ports
from tests.support.secured import PRINT, dtls, lines

ALICE, BOB = "198.51.100.1", "198.51.100.2"
GROUP = "a=group:BUNDLE 0 1"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"


def two(address: str, *session: str, port: int = 4000, mids: bool = True, first: int = 0) -> str:
    """Audio and video, in a group if the session part says so."""
    parts = []
    for place, kind in enumerate(("audio", "video")):
        named = [f"a=mid:{first + place}"] if mids else []
        parts += [f"m={kind} {port + 2 * place} RTP/AVP {96 + place}", f"a=rtpmap:{96 + place} X/90000", *named]
    return sdp.sdp(address, *session, *parts)


def group(text: str) -> list[str]:
    return [line.partition(" ")[2] for line in sdp.parts(text)[0] if line.startswith("a=group:BUNDLE")]


def test_groups_are_broken_up_unless_asked_for() -> None:
    daemon = Daemon()
    told = daemon.offer(two(ALICE, GROUP))
    assert (group(told), len(set(ports(told)))) == ([], 2)
    answer = daemon.answer(two(BOB, mids=False, port=5000))
    assert (group(answer), len(set(ports(answer)))) == ([], 2)


def test_an_accepted_group_is_answered_with_one_transport() -> None:
    daemon = Daemon()
    told = daemon.offer(two(ALICE, GROUP), bundle="accept")
    assert group(told) == []
    answer = daemon.answer(two(BOB, mids=False, port=5000))
    assert group(answer) == ["0 1"]
    assert len(set(ports(answer))) == 1
    again = daemon.offer(two(BOB, port=5000), from_tag="b", to_tag="a")
    assert group(again) == ["0 1"]
    assert set(ports(again)) == set(ports(answer))
    assert attribute(again, "bundle-only", 1) == ""


def test_what_the_other_side_refuses_leaves_the_group() -> None:
    daemon = Daemon()
    daemon.offer(two(ALICE, GROUP), bundle="accept")
    answer = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 96", "m=video 0 RTP/AVP 97"))
    assert group(answer) == ["0"]
    other = Daemon()
    other.offer(two(ALICE, GROUP), bundle="accept")
    answer = other.answer(sdp.sdp(BOB, "m=audio 0 RTP/AVP 96", "m=video 5000 RTP/AVP 97", "a=rtpmap:97 X/90000"))
    assert group(answer) == []
    assert [bool(port) for port in ports(answer)] == [False, True]


@pytest.mark.parametrize(("word", "count", "only"), [("offer", 2, False), ("require", 1, True), ("strict", 2, True)])
def test_offered_groups(word: str, count: int, only: bool) -> None:
    daemon = Daemon()
    told = daemon.offer(two(ALICE, mids=False), bundle=word)
    assert group(told) == ["1 2"]
    assert len(set(ports(told))) == count
    assert (attribute(told, "bundle-only", 1) == "") is only
    assert (ports(told)[1] == 0) is (word == "strict")
    assert [lines(told, "extmap", place) for place in (0, 1)] == [[f"1 {MID}"]] * 2
    answer = daemon.answer(two(BOB, "a=group:BUNDLE 1 2", port=5000, first=1))
    assert (group(answer), attribute(answer, "mid")) == ([], None)
    again = daemon.offer(two(ALICE, mids=False), bundle="offer")
    assert len(set(ports(again))) == 1


def test_a_shared_transport_that_is_not_taken_is_no_transport() -> None:
    """A media that was offered nothing but the group's port is refused where the group is (RFC 8843 §7.3)."""
    daemon = Daemon()
    daemon.offer(two(ALICE, mids=False), bundle="require")
    answer = daemon.answer(two(BOB, mids=False, port=5000))
    assert [bool(port) for port in ports(answer)] == [True, False]


def test_reject_dissolves_a_group() -> None:
    daemon = Daemon()
    daemon.offer(two(ALICE, GROUP), bundle="accept")
    daemon.answer(two(BOB, mids=False, port=5000))
    daemon.offer(two(ALICE, GROUP), bundle="reject")
    answer = daemon.answer(two(BOB, mids=False, port=5000))
    assert (group(answer), len(set(ports(answer)))) == ([], 2)


def test_medias_that_contradict_each_other_keep_their_own_transports() -> None:
    """SET-05: another role or fingerprint is another association."""
    for setup, fingerprint, count in (("actpass", PRINT, 1), ("active", PRINT, 2), ("actpass", PRINT[::-1], 2)):
        daemon = Daemon()
        audio = ["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=mid:0", *dtls("actpass")]
        video = ["m=video 4000 UDP/TLS/RTP/SAVPF 34", "a=mid:1", *dtls(setup, fingerprint=fingerprint)]
        daemon.offer(sdp.sdp(ALICE, GROUP, *audio, *video), bundle="accept", transport_protocol="RTP/AVP")
        answer = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=video 5002 RTP/AVP 34"))
        assert len(set(ports(answer))) == count
        assert group(answer) == (["0 1"] if count == 1 else ["0"])
        assert (attribute(answer, "fingerprint") == attribute(answer, "fingerprint", 1)) is True


def test_a_group_has_one_ice_session_and_one_association() -> None:
    """MOD-02: keys, credentials and candidates of the medias of a group are those of the first one."""
    daemon = Daemon()
    told = daemon.offer(
        two(ALICE, mids=False), bundle="require", ice="force", transport_protocol="UDP/TLS/RTP/SAVPF", sdes="off"
    )
    for name in ("ice-ufrag", "ice-pwd", "candidate", "fingerprint", "setup", "tls-id"):
        assert lines(told, name, 0) == lines(told, name, 1) != []
    assert len(daemon.plan().sockets) == 2 + 4


def test_a_group_is_not_told_with_payload_types_that_the_leg_never_named() -> None:
    daemon = Daemon()
    daemon.offer(two(ALICE, GROUP), bundle="accept")
    daemon.answer(two(BOB, mids=False, port=5000))
    more = two(BOB, port=5000).replace("RTP/AVP 96", "RTP/AVP 96 8")
    assert group(daemon.offer(more, from_tag="b", to_tag="a")) == ["1"]


def test_identifiers_of_ours_are_none_that_the_sender_uses() -> None:
    """RFC 5888 §4: each names one media, whether we make them for a group or because we were told to."""
    parts = ("m=audio 4000 RTP/AVP 0", "a=mid:2", "m=video 4002 RTP/AVP 31")
    told = Daemon().offer(sdp.sdp(ALICE, *parts), bundle="offer")
    assert group(told) == ["2 3"]
    told = Daemon().offer(sdp.sdp(ALICE, *parts), flags=["generate-mid"])
    assert [attribute(told, "mid", place) for place in (0, 1)] == ["2", "3"]
