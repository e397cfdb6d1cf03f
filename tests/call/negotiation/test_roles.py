"""Roles, fingerprints and tls-ids in offers and answers."""

import re

import pytest

from ngdaemon.base.endpoint import Endpoint
from tests.support.daemon import Daemon
from tests.support.peer import TO_PLAIN, Peer, Site
from tests.support.sdp import attribute, port

from .described import DTLS, FINGERPRINT, OTHER_FINGERPRINT, TLS_ID, A, B, dtls, phone


def answered(offer: str, answer: str = "") -> tuple[Daemon, str, str]:
    """What both sides are told."""
    daemon = Daemon()
    offered = daemon.offer(offer)
    return daemon, offered, daemon.answer(answer or dtls(B, setup="active", fingerprint=OTHER_FINGERPRINT))


@pytest.mark.parametrize(("setup", "told"), [("active", "passive"), ("passive", "active"), ("actpass", "active")])
def test_the_setup_of_the_session_holds_for_medias_without_set_04(setup: str, told: str) -> None:
    session = f"t=0 0\r\na=setup:{setup}\r\n"
    _, _, answer = answered(dtls(A, setup="").replace("t=0 0\r\n", session))
    assert attribute(answer, "setup") == told


def test_the_setup_of_the_media_goes_before_that_of_the_session_set_04() -> None:
    _, _, answer = answered(dtls(A, setup="active").replace("t=0 0\r\n", "t=0 0\r\na=setup:passive\r\n"))
    assert attribute(answer, "setup") == "passive"


def test_connection_is_neither_written_nor_minded_set_02() -> None:
    _, offered, answer = answered(dtls(A, "a=connection:new"), dtls(B, "a=connection:existing", setup="active"))
    assert "a=connection" not in offered
    assert "a=connection" not in answer
    assert attribute(answer, "setup") == "active"


@pytest.mark.parametrize(
    ("session", "media", "verified"),
    [
        pytest.param("wrong", "right", True, id="FP-02 that of the media"),
        pytest.param("right", "wrong", False, id="FP-02 not that of the session"),
        pytest.param("right", "", True, id="FP-02 that of the session"),
        pytest.param("wrong", "", False, id="FP-02 a wrong one for the session"),
    ],
)
def test_fingerprints_of_the_media_replace_those_of_the_session(session: str, media: str, verified: bool) -> None:
    """FP-02: a real handshake says which of them counts."""
    site = Site()
    browser = Peer(site, Endpoint("198.51.100.1", 50000))
    text = browser.describe("actpass")
    (line,) = re.findall(r"(?m)^a=fingerprint:.*\r\n", text)
    lines = {"right": line, "wrong": f"a=fingerprint:{FINGERPRINT}\r\n", "": ""}
    text = text.replace(line, lines[media]).replace("t=0 0\r\n", f"t=0 0\r\n{lines[session]}")
    site.daemon.offer(text, **TO_PLAIN)
    browser.hear(site.daemon.answer(phone(B, "RTP/AVP")))
    assert site.run(3.0, until=lambda: site.is_open(browser)) is verified


def test_an_offer_of_ours_has_a_tls_id_that_stays_tid_01() -> None:
    """TID-01, TID-08: through hold and retrieval; another call has another one."""
    daemon, offered, _ = answered(dtls(A))
    first = attribute(offered, "tls-id")
    assert first
    assert 20 <= len(first) <= 255
    held = daemon.offer(dtls(A, "a=sendonly", version=2))
    daemon.answer(dtls(B, "a=recvonly", setup="active", fingerprint=OTHER_FINGERPRINT, version=2))
    again = daemon.offer(dtls(A, version=3))
    assert attribute(held, "tls-id") == attribute(again, "tls-id") == first
    assert attribute(daemon.offer(dtls(A), call="another"), "tls-id") != first


@pytest.mark.parametrize("theirs", ["", TLS_ID])
def test_an_answer_has_a_tls_id_only_if_the_offer_had_one_tid_03(theirs: str) -> None:
    _, _, answer = answered(dtls(A, tls_id=theirs))
    ours = attribute(answer, "tls-id")
    assert bool(ours) is bool(theirs)
    assert ours != TLS_ID


def test_an_offer_without_a_preceding_one_repeats_what_there_is_tid_07() -> None:
    """TID-07: the callee offers again in an established call, and the caller is told what it was told before."""
    daemon, _, answer = answered(dtls(A, tls_id=TLS_ID))
    callee = dtls(B, setup="actpass", fingerprint=OTHER_FINGERPRINT, version=2)
    again = daemon.offer(callee, from_tag="b", to_tag="a")
    for name in ("tls-id", "fingerprint"):
        assert attribute(again, name) == attribute(answer, name)
    assert attribute(again, "setup") == "actpass"


def test_a_new_association_on_the_old_transport_is_refused_or_begun_tid_04() -> None:
    """TID-04, TID-02: another tls-id in a later offer is another association; the answer has another tls-id as well."""
    daemon, _, before = answered(dtls(A, tls_id=TLS_ID))
    daemon.offer(dtls(A, tls_id=TLS_ID[::-1], version=2, fingerprint=OTHER_FINGERPRINT))
    after = daemon.answer(dtls(B, setup="active", fingerprint=OTHER_FINGERPRINT, version=2))
    assert port(after) == 0 or attribute(after, "tls-id") != attribute(before, "tls-id")


def test_the_medias_of_a_bundle_have_one_role_set_05() -> None:
    offer = dtls(A, "a=mid:0").replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE 0 1\r\n")
    video = f"m=video 4000 {DTLS} 96\r\na=rtpmap:96 VP8/90000\r\na=mid:1\r\na=rtcp-mux\r\na=setup:actpass\r\n"
    daemon = Daemon()
    daemon.offer(offer + video + f"a=fingerprint:{FINGERPRINT}\r\n", **TO_PLAIN)
    plain = phone(B, "RTP/AVP") + "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
    answer = daemon.answer(plain)
    assert attribute(answer, "setup") == attribute(answer, "setup", 1)


def test_a_bundle_that_contradicts_itself_is_refused_set_05() -> None:
    offer = dtls(A, "a=mid:0", setup="active").replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE 0 1\r\n")
    video = f"m=video 4000 {DTLS} 96\r\na=rtpmap:96 VP8/90000\r\na=mid:1\r\na=rtcp-mux\r\na=setup:passive\r\n"
    daemon = Daemon()
    text = offer + video + f"a=fingerprint:{FINGERPRINT}\r\n"
    reply = daemon.command("offer", sdp=text, from_tag="a", **TO_PLAIN)
    if reply["result"] == "ok":
        answer = daemon.answer(phone(B, "RTP/AVP") + "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n")
        assert 0 in (port(answer), port(answer, 1)) or attribute(answer, "group") is None
