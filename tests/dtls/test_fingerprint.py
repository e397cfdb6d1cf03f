"""Fingerprints: what is understood, what is written, and which of several decides."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.dtls.fingerprint import (
    HASHES,
    ROWS,
    Fingerprint,
    deciding_hash,
    matches,
    of,
    parse,
    parse_all,
)

CERTIFICATE, OTHER = b"a certificate", b"another certificate"


def wrong(name: str) -> Fingerprint:
    return of(OTHER, name)


def test_fp_01_written_in_upper_case_hex_under_a_lower_case_hash() -> None:
    text = of(CERTIFICATE).text()
    digest = hashlib.sha256(CERTIFICATE).hexdigest().upper()
    assert text == "sha-256 " + ":".join(digest[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fp_01_read_in_any_case(row: object) -> None:
    assert isinstance(row, tuple)
    fingerprint = of(CERTIFICATE, row[0])
    for text in (fingerprint.text(), fingerprint.text().lower(), fingerprint.text().upper()):
        assert parse(text) == fingerprint


@pytest.mark.parametrize(
    "value",
    [
        "",
        "sha-256",
        "md5 " + ":".join(["AA"] * 16),
        "md2 " + ":".join(["AA"] * 16),
        "sha-256 " + ":".join(["AA"] * 31),
        "sha-256 " + ":".join(["AA"] * 33),
        "sha-256 " + "AA" * 32,
        "sha-256 " + ":".join(["GG"] * 32),
        "sha-256 " + ":".join(["+1"] * 32),
        "sha-256 " + ":".join(["١١"] * 32),
        "sha-256 " + ":".join(["A"] * 64),
        "sha-256 " + ":".join(["AA"] * 32) + " more",
        "sha-256:" + ":".join(["AA"] * 32),
    ],
)
def test_fp_05_what_cannot_be_used_is_no_fingerprint(value: str) -> None:
    assert parse(value) is None


@given(st.text(max_size=120))
def test_no_text_makes_the_parser_raise(value: str) -> None:
    found = parse(value)
    assert found is None or len(found.digest) == HASHES[found.hash].length


def test_fp_03_any_of_several_digests_of_the_deciding_hash_will_do() -> None:
    lines = parse_all([wrong("sha-256").text(), of(CERTIFICATE).text(), "md5 AA"])
    assert lines == {wrong("sha-256"), of(CERTIFICATE)}
    assert matches(CERTIFICATE, lines)
    assert matches(OTHER, lines)
    assert not matches(b"a third", lines)


def test_fp_04_a_weaker_hash_does_not_rescue_a_stronger_one() -> None:
    assert not matches(CERTIFICATE, frozenset({of(CERTIFICATE, "sha-1"), wrong("sha-256")}), allow_sha1=True)
    assert matches(CERTIFICATE, frozenset({wrong("sha-1"), of(CERTIFICATE)}), allow_sha1=True)


@pytest.mark.parametrize(("stronger", "weaker"), [(a.name, b.name) for i, a in enumerate(ROWS) for b in ROWS[i + 1 :]])
def test_fp_04_the_stronger_of_two_hashes_decides(stronger: str, weaker: str) -> None:
    assert deciding_hash([wrong(weaker), wrong(stronger)], allow_sha1=True) == stronger
    assert matches(CERTIFICATE, frozenset({of(CERTIFICATE, stronger), wrong(weaker)}), allow_sha1=True)
    assert not matches(CERTIFICATE, frozenset({wrong(stronger), of(CERTIFICATE, weaker)}), allow_sha1=True)


def test_fp_05_sha_1_counts_only_where_it_is_allowed() -> None:
    only = frozenset({of(CERTIFICATE, "sha-1")})
    assert matches(CERTIFICATE, only, allow_sha1=True)
    assert not matches(CERTIFICATE, only)
    assert deciding_hash(only) is None


def test_fp_06_nothing_usable_matches_nothing() -> None:
    assert parse_all(["md5 AA:BB", "nonsense"]) == frozenset()
    assert not matches(CERTIFICATE, frozenset(), allow_sha1=True)
