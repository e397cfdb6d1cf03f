"""What cannot be secured is refused, and the reply says what and why."""

import pytest

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
    assert reply["warnings"] == [f"no acceptable media security: 1:{why}"]
    assert [bool(number) for number in ports(reply["sdp"])] == [False, True]
    answer = daemon.answer(phone(B, "RTP/AVP", port=0) + "m=video 4002 RTP/AVP 31\r\n")
    assert [bool(number) for number in ports(answer)] == [False, True]


def test_an_unusable_kind_beside_a_usable_one_is_no_reason_to_refuse() -> None:
    """ERR-03 the other way round."""
    daemon = Daemon()
    daemon.offer(dtls(A, crypto(), fingerprint=_MD5), transport_protocol="RTP/AVP")
    assert "a=crypto:" in daemon.answer(phone(B, "RTP/AVP"))
    assert FINGERPRINT not in daemon.answer(phone(B, "RTP/AVP"))
