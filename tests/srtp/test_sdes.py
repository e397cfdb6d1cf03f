"""Reading and writing `a=crypto`."""

import pytest

from ngdaemon.srtp import sdes
from ngdaemon.srtp.keys import REPLAY_WINDOW

SUITE = "AES_CM_128_HMAC_SHA1_80"
KEY = "A" * 40
"""30 octets without padding."""


@pytest.mark.parametrize(
    ("suite", "length", "padding"),
    [
        ("AES_CM_128_HMAC_SHA1_80", 40, ""),
        ("AES_CM_128_HMAC_SHA1_32", 40, ""),
        ("AES_192_CM_HMAC_SHA1_80", 51, "="),
        ("AES_256_CM_HMAC_SHA1_80", 62, "=="),
        ("AEAD_AES_128_GCM", 38, "=="),
        ("AEAD_AES_256_GCM", 59, "="),
    ],
)
def test_each_suite_has_one_length_and_padding_is_read_but_not_written(suite: str, length: int, padding: str) -> None:
    """SDES-01, SDES-02."""
    bare = f"1 {suite} inline:{'A' * length}"
    for value in (bare, bare + padding):
        crypto = sdes.parse(value)
        assert crypto is not None
        assert crypto.text() == bare
        assert crypto.text(pad=True) == bare + padding
    assert sdes.parse(f"1 {suite} inline:{'A' * (length + 4)}") is None
    assert sdes.parse(f"1 {suite} inline:{'A' * (length - 4)}") is None


@pytest.mark.parametrize("tag", ["0", "1", "999999999"])
def test_tags(tag: str) -> None:
    """SDES-01."""
    crypto = sdes.parse(f"{tag} {SUITE} inline:{KEY}")
    assert crypto is not None
    assert crypto.tag == int(tag)


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"1 {SUITE}",
        f"01 {SUITE} inline:{KEY}",
        f"-1 {SUITE} inline:{KEY}",
        f"1000000000 {SUITE} inline:{KEY}",
        f"1 AES_CM_512 inline:{KEY}",
        f"1 {SUITE} {KEY}",
        f"1 {SUITE} uri:{KEY}",
        f"1 {SUITE} inline:{KEY[:-1]}*",
        f"1 {SUITE} inline:{KEY}|0",
        f"1 {SUITE} inline:{KEY}|2^0",
        f"1 {SUITE} inline:{KEY}|2^49",
        f"1 {SUITE} inline:{KEY}|{2**48 + 1}",
        f"1 {SUITE} inline:{KEY}|1:4|2^20",
        f"1 {SUITE} inline:{KEY}|2^20|2^20",
        f"1 {SUITE} inline:{KEY}|256:1",
        f"1 {SUITE} inline:{KEY}|1:129",
        f"1 {SUITE} inline:{KEY}|2^20|1:4|x",
    ],
)
def test_what_is_not_by_the_grammar_is_no_line(value: str) -> None:
    """SDES-01, SDES-02."""
    assert sdes.parse(value) is None


def test_a_tag_that_comes_twice_stands_for_the_first_line() -> None:
    """SDES-01."""
    found = sdes.parse_all([f"1 {SUITE} inline:{KEY}", f"1 AEAD_AES_128_GCM inline:{'A' * 38}", "x"])
    assert [(crypto.tag, crypto.suite.name) for crypto in found] == [(1, SUITE)]


@pytest.mark.parametrize(
    "parameter", ["KDR=25", "KDR=", "KDR=-1", "WSH=63", "WSH=x", "FEC_ORDER=SRTP_FEC", "FEC_KEY=x"]
)
def test_parameters_that_cannot_be_kept_leave_the_line_out(parameter: str) -> None:
    """SDES-07."""
    assert sdes.parse(f"1 {SUITE} inline:{KEY} {parameter}") is None


def test_parameters_that_are_kept() -> None:
    """SDES-07: an unknown one that begins with a hyphen may be passed over."""
    crypto = sdes.parse(f"1 {SUITE} inline:{KEY} KDR=7 WSH=64 FEC_ORDER=FEC_SRTP -NEW=1")
    assert crypto is not None
    assert crypto.parameters == ("KDR=7", "WSH=64", "FEC_ORDER=FEC_SRTP")
    (keys,) = crypto.all_keys()
    assert (keys.kdr, keys.window) == (7, 64)
    wide = sdes.parse(f"1 {SUITE} inline:{KEY} WSH=999999")
    assert wide is not None
    assert wide.all_keys()[0].window == REPLAY_WINDOW


def test_a_key_derivation_rate_is_of_counter_mode_only() -> None:
    """SDES-07."""
    assert sdes.parse(f"1 AEAD_AES_128_GCM inline:{'A' * 38} KDR=1") is None


def test_several_keys_need_identifiers_of_one_length() -> None:
    """SDES-08: the first is sent with, all are received with."""
    other = "B" * 40
    crypto = sdes.parse(f"1 {SUITE} inline:{KEY}|1:2;inline:{other}|2^20|2:2")
    assert crypto is not None
    assert [keys.mki for keys in crypto.all_keys()] == [b"\0\1", b"\0\2"]
    for several in (
        f"inline:{KEY};inline:{other}",
        f"inline:{KEY}|1:2;inline:{other}",
        f"inline:{KEY}|1:2;inline:{other}|2:1",
        ";".join(f"inline:{KEY}|{number}:1" for number in range(sdes.MAX_KEYS + 1)),
        f"inline:{KEY}|1:2;",
    ):
        assert sdes.parse(f"1 {SUITE} {several}") is None


def test_parameters_that_weaken_and_suites_that_nobody_speaks() -> None:
    """SDES-06, SDES-04."""
    weak = sdes.parse(f"1 {SUITE} inline:{KEY} UNENCRYPTED_SRTCP")
    null = sdes.parse(f"1 NULL_HMAC_SHA1_80 inline:{KEY}")
    f8 = sdes.parse(f"1 F8_128_HMAC_SHA1_80 inline:{KEY}")
    assert weak is not None
    assert null is not None
    assert f8 is not None
    assert (weak.is_usable(), weak.is_usable(weakened=True)) == (False, True)
    assert (null.is_usable(), null.is_usable(null=True)) == (False, True)
    assert not f8.is_usable(null=True, weakened=True)
    assert (weak.all_keys()[0].encrypted, weak.all_keys()[0].rtcp_encrypted) == (True, False)


def test_keys_are_not_shown() -> None:
    """SDES-17."""
    crypto = sdes.parse(f"1 {SUITE} inline:{'Q' * 40}")
    assert crypto is not None
    shown = f"{crypto!r} {crypto.keys!r} {crypto.all_keys()!r}"
    assert "Q" * 8 not in shown
    assert repr(crypto.keys[0].secret) not in shown
    assert repr(crypto.all_keys()[0].key) not in shown
