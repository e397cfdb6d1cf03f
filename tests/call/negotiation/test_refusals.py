"""What cannot be secured is refused, and the reply says what and why."""

import logging
from typing import Any

import pytest

from ngdaemon.call.negotiation import causes
from ngdaemon.call.negotiation.causes import Cause
from tests.support.daemon import Daemon
from tests.support.sdp import ports

from .described import FINGERPRINT, A, B, crypto, dtls, phone

_MD5 = "md5 " + ":".join(["AA"] * 16)
_UNUSABLE = {
    "ERR-05 no keys": (phone(A, "RTP/SAVP"), "keying"),
    "ERR-05 MIKEY alone": (phone(A, "RTP/SAVP", "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyO"), "keying"),
    "ERR-03 MD5 alone": (dtls(A, fingerprint=_MD5), "fingerprint"),
    "ERR-03 SHA-1 alone": (dtls(A, fingerprint="sha-1 " + ":".join(["AA"] * 20)), "fingerprint"),
    "ERR-03 cut short": (dtls(A, fingerprint="sha-256 AA:BB"), "fingerprint"),
    "ERR-04 holdconn": (dtls(A, setup="holdconn"), "setup"),
}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in _UNUSABLE])
def test_an_offer_with_nothing_usable_is_an_error(case: str) -> None:
    """ERR-01, ERR-03, ERR-04, ERR-05: line and cause, and the code that the proxy may send."""
    offer, why = _UNUSABLE[case]
    reply = Daemon().command("offer", sdp=offer, from_tag="a")
    assert reply["error-reason"] == f"no acceptable media security: 1:{why}"
    assert reply["sip-code"] == 488


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in _UNUSABLE])
def test_of_several_lines_the_unusable_one_is_refused(case: str) -> None:
    """ERR-02, FP-06: port 0 for it in what both sides are told, and a warning."""
    offer, why = _UNUSABLE[case]
    good = f"m=video 4002 RTP/SAVP 31\r\n{crypto()}\r\n"
    daemon = Daemon()
    reply = daemon.command("offer", sdp=offer + good, from_tag="a", transport_protocol="RTP/AVP")
    assert reply["result"] == "ok"
    (warning,) = reply["warnings"]
    assert warning.startswith(f"no acceptable media security: 1:{why} (")
    assert [bool(number) for number in ports(reply["sdp"])] == [False, True]
    answer = daemon.answer(phone(B, "RTP/AVP", port=0) + "m=video 4002 RTP/AVP 31\r\n")
    assert [bool(number) for number in ports(answer)] == [False, True]


def test_an_unusable_kind_beside_a_usable_one_is_no_reason_to_refuse() -> None:
    """ERR-03 the other way round."""
    daemon = Daemon()
    daemon.offer(dtls(A, crypto(), fingerprint=_MD5), transport_protocol="RTP/AVP")
    assert "a=crypto:" in daemon.answer(phone(B, "RTP/AVP"))
    assert FINGERPRINT not in daemon.answer(phone(B, "RTP/AVP"))


_SAVP = {"transport_protocol": "RTP/SAVP"}
_CAUSES: dict[str, tuple[Cause, str, dict[str, Any]]] = {
    "both off": (causes.SWITCHED_OFF, phone(A, "RTP/AVP"), {**_SAVP, "SDES": "off", "DTLS": "off"}),
    "mistyped only": (causes.UNKNOWN_ONLY, phone(A, "RTP/AVP"), {**_SAVP, "SDES": ["only-AES_CM_128_HMAC_SHA1_08"]}),
    "no suite left": (
        causes.NO_SUITE,
        phone(A, "RTP/AVP"),
        {**_SAVP, "SDES": ["only-NULL_HMAC_SHA1_80"], "DTLS": "off"},
    ),
    "no keys": (causes.NO_KEYS, phone(A, "RTP/SAVP"), {}),
    "short key": (causes.UNREADABLE, phone(A, "RTP/SAVP", crypto(inline="AAAA")), {}),
    "F8": (causes.F8, phone(A, "RTP/SAVP", crypto(suite="F8_128_HMAC_SHA1_80")), {}),
    "NULL": (causes.NULL, phone(A, "RTP/SAVP", crypto(suite="NULL_HMAC_SHA1_80")), {}),
    "in the clear": (causes.UNPROTECTED, phone(A, "RTP/SAVP", crypto(parameters=" UNENCRYPTED_SRTP")), {}),
    "MD5": (causes.FINGERPRINT, dtls(A, fingerprint=_MD5), {}),
    "SHA-1": (causes.ONLY_SHA1, dtls(A, fingerprint="sha-1 " + ":".join(["AA"] * 20)), {}),
    "holdconn": (causes.SETUP, dtls(A, setup="holdconn"), {}),
    "mux only": (causes.MUX_ONLY, phone(A, "RTP/AVP", "a=rtcp-mux-only"), {}),
}


@pytest.mark.parametrize("case", _CAUSES)
def test_each_refusal_of_an_offer_names_its_cause_in_the_reply_and_in_the_log(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """ERR-01, ERR-03 to ERR-06: the word of the protocol stays, the cause is beside it."""
    cause, offer, keys = _CAUSES[case]
    with caplog.at_level(logging.WARNING):
        reply = Daemon().command("offer", sdp=offer, from_tag="a", **keys)
    assert reply["error-reason"] == f"no acceptable media security: 1:{cause.word}"
    assert reply["warnings"] == [f"no acceptable media security: 1:{cause.word} ({cause.text})"]
    assert f"1:{cause.word} ({cause.text})" in caplog.text


_ANSWERS: dict[str, tuple[Cause, str]] = {
    "in the clear": (causes.CLEAR, phone(B, "RTP/AVP")),
    "another tag": (causes.OTHER_LINE, phone(B, "RTP/SAVP", crypto(17))),
    "another kind": (causes.NOT_OFFERED, dtls(B, setup="active", protocol="RTP/SAVP")),
    "no key": (causes.UNREADABLE, phone(B, "RTP/SAVP", crypto(1, inline="AAAA"))),
    "another transport": (causes.OTHER_TRANSPORT, phone(B, "udptl", formats="t38")),
}


@pytest.mark.parametrize("case", _ANSWERS)
def test_each_refusal_of_an_answer_names_its_cause(case: str) -> None:
    """ERR-08."""
    cause, answer = _ANSWERS[case]
    daemon = Daemon()
    daemon.offer(phone(A, "RTP/AVP"), DTLS="off", **_SAVP)
    reply = daemon.command("answer", sdp=answer, from_tag="a", to_tag="b")
    assert reply["error-reason"] == f"no acceptable media security: 1:{cause.word}"
    assert reply["warnings"] == [f"no acceptable media security: 1:{cause.word} ({cause.text})"]
