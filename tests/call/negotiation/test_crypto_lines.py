"""Keys in SDP: what is offered, answered and skipped."""

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import port

from .described import CM_32, CM_80, A, B, crypto, cryptos, key, phone

_TO_SAVP = {"transport_protocol": "RTP/SAVP"}
_PLAIN = phone(B, "RTP/AVP")


def answer_to(*lines: str) -> list[tuple[int, str, str, str]]:
    """The lines of the answer to an offer with these."""
    daemon = Daemon()
    daemon.offer(phone(A, "RTP/SAVP", *lines), transport_protocol="RTP/AVP")
    return cryptos(daemon.answer(_PLAIN))


def test_the_answer_has_one_line_with_tag_and_suite_of_the_offer_and_a_key_of_ours_sdes_03() -> None:
    ((tag, suite, secret, rest),) = answer_to(crypto(7, CM_32), crypto(9, CM_80))
    assert (tag, suite, rest) == (7, CM_32, "")
    assert secret != key()
    assert len(secret) == 40


def test_padding_is_read_and_not_written_sdes_01() -> None:
    inline = key(44) + "="
    ((_, suite, secret, _),) = answer_to(crypto(1, "AEAD_AES_256_GCM", inline))
    assert suite == "AEAD_AES_256_GCM"
    assert not secret.endswith("=")
    assert len(secret) == 59


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(crypto(1, CM_80, key(29)), id="short key (SDES-02)"),
        pytest.param(crypto(1, CM_80, key(31)), id="long key (SDES-02)"),
        pytest.param(crypto(1, CM_80, key() + "|2^49"), id="lifetime above the bound (SDES-02)"),
        pytest.param(crypto(1, CM_80, key() + "|2^20|1:129"), id="length of the MKI (SDES-02)"),
        pytest.param(crypto(1, CM_80, parameters=" XYZ=1"), id="unknown parameter (SDES-02)"),
        pytest.param(crypto(1, "NO_SUCH_SUITE"), id="unknown suite (SDES-18)"),
        pytest.param(crypto(1, "NULL_HMAC_SHA1_80"), id="NULL suite (SDES-18)"),
        pytest.param(crypto(1, CM_80, parameters=" UNENCRYPTED_SRTP"), id="unencrypted SRTP (SDES-06)"),
        pytest.param(crypto(1, CM_80, parameters=" UNENCRYPTED_SRTCP"), id="unencrypted SRTCP (SDES-06)"),
        pytest.param(crypto(1, CM_80, parameters=" UNAUTHENTICATED_SRTP"), id="unauthenticated SRTP (SDES-06)"),
        pytest.param(crypto(1, CM_80, f"{key()};inline:{key(seed=2)}"), id="two keys without MKI (SDES-08)"),
        pytest.param(crypto(1, CM_80, parameters=" KDR=25"), id="key derivation rate above the bound (SDES-07)"),
        pytest.param(crypto(1, CM_80, parameters=" WSH=63"), id="window below the bound (SDES-07)"),
        pytest.param(crypto(1, CM_80, parameters=f" FEC_KEY=inline:{key()}"), id="key for FEC (SDES-07)"),
        pytest.param(f"a=crypto:01 {CM_80} inline:{key()}", id="tag with a leading zero (SDES-01)"),
        pytest.param(f"a=crypto:1 {CM_80} {key()}", id="no key method (SDES-01)"),
        pytest.param(f"a=crypto:1 {CM_80} inline:{key()[:-1]}!", id="no Base64 (SDES-01)"),
        pytest.param(f"a=crypto:1 {CM_80}", id="no key (SDES-01)"),
    ],
)
def test_a_line_that_cannot_be_keyed_is_skipped(line: str) -> None:
    ((tag, *_),) = answer_to(line, crypto(3))
    assert tag == 3
    reply = Daemon().command("offer", sdp=phone(A, "RTP/SAVP", line), from_tag="a", **_TO_SAVP)
    assert (reply["result"], reply["sip-code"]) == ("error", 488)


def test_an_unknown_parameter_that_may_be_ignored_is_sdes_02() -> None:
    ((tag, *_),) = answer_to(crypto(1, CM_80, parameters=" -XYZ=1"), crypto(3))
    assert tag == 1


def test_of_two_lines_with_one_tag_the_first_counts_sdes_01() -> None:
    ((tag, suite, *_),) = answer_to(crypto(1, CM_80), crypto(1, CM_32))
    assert (tag, suite) == (1, CM_80)


def test_strong_suites_are_offered_by_default_and_never_null_sdes_18() -> None:
    offered = Daemon().offer(phone(A, "RTP/AVP"), **_TO_SAVP)
    assert [suite for _, suite, _, _ in cryptos(offered)] == [
        "AEAD_AES_256_GCM",
        "AEAD_AES_128_GCM",
        "AES_256_CM_HMAC_SHA1_80",
        CM_80,
    ]
    secrets = [secret for *_, secret, _ in cryptos(offered)]
    assert len(set(secrets)) == len(secrets)


def test_other_ports_toward_a_leg_come_with_another_key_sdes_12() -> None:
    """SDES-12, SDES-11: and the same ports with the same key."""
    daemon = Daemon()
    first = daemon.offer(phone(A, "RTP/AVP"), **_TO_SAVP)
    tag, suite = next((tag, suite) for tag, suite, _, _ in cryptos(first) if suite == CM_80)
    answer = phone(B, "RTP/SAVP", crypto(tag, suite))
    daemon.answer(answer)
    same = daemon.offer(phone(A, "RTP/AVP", version=2), **_TO_SAVP)
    daemon.answer(answer)
    moved = daemon.offer(phone(A, "RTP/AVP", port=5000, version=3), **_TO_SAVP)
    ours = [{suite: secret for _, suite, secret, _ in cryptos(text)}[CM_80] for text in (first, same, moved)]
    assert port(first) == port(same) != port(moved)
    assert ours[0] == ours[1] != ours[2]


def test_forks_have_keys_of_their_own_in_the_plan_sdes_15() -> None:
    """SDES-15: the answers of two forks come in at one port, under the key of either; nobody else's is tried."""
    daemon = Daemon()
    offered = daemon.offer(phone(A, "RTP/AVP"), **_TO_SAVP)
    tag = next(tag for tag, suite, _, _ in cryptos(offered) if suite == CM_80)
    for number, callee in enumerate(("b1", "b2"), 1):
        answer = phone(f"198.51.100.{number + 10}", "RTP/SAVP", crypto(tag, CM_80, key(seed=number)))
        daemon.answer(answer, to_tag=callee)
    keys = [
        keys.key
        for socket in daemon.plan().sockets
        if socket.protection is not None
        for keys in socket.protection.receive
    ]
    assert {bytes([1]) * 16, bytes([2]) * 16} <= set(keys)
    sent = [socket.protection.send for socket in daemon.plan().sockets if socket.protection and socket.protection.send]
    assert sent


def test_keys_of_older_times_are_dropped_sdes_19() -> None:
    """SDES-19, KM-01: `k=` lines and MIKEY go to nobody."""
    offer = phone(A, "RTP/AVP", "k=clear:secret", "a=key-mgmt:mikey AQAFgM0X")
    offered = Daemon().offer(offer)
    assert "secret" not in offered
    assert "key-mgmt" not in offered
