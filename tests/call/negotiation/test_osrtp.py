"""Encryption if possible: keys in a plain profile (RFC 8643)."""

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import attribute, media, ports

from .described import FINGERPRINT, A, B, crypto, cryptos, dtls, phone

_KEYS = {
    "SDES": (crypto(),),
    "DTLS": ("a=setup:actpass", f"a=fingerprint:{FINGERPRINT}", "a=rtcp-mux"),
}
_NONE = ("crypto", "setup", "fingerprint", "tls-id")


def _said(text: str) -> set[str]:
    return {name for name in _NONE if attribute(text, name) is not None}


@pytest.mark.parametrize("kind", [pytest.param("SDES", id="OSR-01 SDES"), pytest.param("DTLS", id="OSR-01 DTLS")])
@pytest.mark.parametrize("accepted", [True, False])
def test_an_offer_in_a_plain_profile_is_accepted_with_one_kind_of_keys_or_declined(kind: str, accepted: bool) -> None:
    daemon = Daemon()
    daemon.offer(phone(A, "RTP/AVP", *_KEYS[kind]))
    answer = daemon.answer(phone(B, "RTP/AVP"), OSRTP=["accept"] if accepted else None)
    assert media(answer)[0].split()[2] == "RTP/AVP"
    kinds = {"SDES": {"crypto"}, "DTLS": {"setup", "fingerprint"}}
    assert _said(answer) == (kinds[kind] if accepted else set())


def test_of_both_kinds_dtls_is_taken_and_nothing_of_the_other_is_left_osr_07() -> None:
    daemon = Daemon()
    daemon.offer(dtls(A, crypto()), transport_protocol="RTP/AVP")
    answer = daemon.answer(phone(B, "RTP/AVP"))
    assert _said(answer) == {"setup", "fingerprint"}


def test_each_media_is_decided_alone_osr_03() -> None:
    daemon = Daemon()
    daemon.offer(phone(A, "RTP/AVP", crypto()) + "m=video 4002 RTP/AVP 31\r\n")
    answer = daemon.answer(phone(B, "RTP/AVP") + "m=video 4002 RTP/AVP 31\r\n", OSRTP=["accept"])
    assert 0 not in ports(answer)
    assert attribute(answer, "crypto") is not None
    assert attribute(answer, "crypto", 1) is None


def test_a_leg_that_is_secured_is_offered_a_secured_profile_again_osr_04() -> None:
    """OSR-04: without being told so in the later offer."""
    daemon = Daemon()
    offered = daemon.offer(phone(A, "RTP/AVP"), transport_protocol="RTP/SAVP")
    tag, suite, *_ = cryptos(offered)[0]
    daemon.answer(phone(B, "RTP/SAVP", crypto(tag, suite, "A" * 59)))
    again = daemon.offer(phone(A, "RTP/AVP", version=2))
    assert media(again)[0].split()[2] == "RTP/SAVP" or cryptos(again)


@pytest.mark.parametrize("profile", ["RTP/AVP", "RTP/AVPF"])
@pytest.mark.parametrize("kind", _KEYS)
def test_a_script_that_names_a_plain_profile_gets_plain_media(kind: str, profile: str) -> None:
    """OSR-08: no keys toward the receiver, and none in the answer; a word of OSRTP asks for them all the same."""
    offer = phone(A, "RTP/AVP", *_KEYS[kind])
    daemon = Daemon()
    assert _said(daemon.offer(offer, transport_protocol=profile)) == set()
    assert _said(daemon.answer(phone(B, profile))) == set()
    assert _said(Daemon().offer(offer))
    assert _said(Daemon().offer(offer, transport_protocol=profile, OSRTP=["offer"]))
    accepting = Daemon()
    accepting.offer(offer, transport_protocol=profile)
    assert _said(accepting.answer(phone(B, profile), OSRTP=["accept"], transport_protocol="RTP/AVP"))


def _in_osrtp() -> Daemon:
    """A call whose callee has keys in a plain profile."""
    daemon = Daemon()
    tag, suite, *_ = cryptos(daemon.offer(phone(A, "RTP/AVP"), OSRTP=["offer"], DTLS="off"))[0]
    daemon.answer(phone(B, "RTP/AVP", crypto(tag, suite, "A" * 59)))
    return daemon


def test_keys_in_a_plain_profile_are_not_lost_by_an_answer_in_the_clear() -> None:
    """OSR-02: a re-offer is refused as in a secured profile, and what was agreed on stays in force."""
    daemon = _in_osrtp()
    before = daemon.plan()
    assert cryptos(daemon.offer(phone(A, "RTP/AVP", version=2)))
    reason = daemon.refusal("answer", sdp=phone(B, "RTP/AVP", version=2), from_tag="a", to_tag="b")
    assert reason == "no acceptable media security: 1:keying"
    assert [item.protection for item in daemon.plan().sockets] == [item.protection for item in before.sockets]


def test_keys_in_a_plain_profile_are_given_up_where_the_script_says_so() -> None:
    """OSR-02 the other way round: it names the profile."""
    daemon = _in_osrtp()
    assert not cryptos(daemon.offer(phone(A, "RTP/AVP", version=2), transport_protocol="RTP/AVP"))
    daemon.answer(phone(B, "RTP/AVP", version=2))
    assert [item.protection for item in daemon.plan().sockets] == [None] * 4
