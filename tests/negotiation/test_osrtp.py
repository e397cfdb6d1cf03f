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
