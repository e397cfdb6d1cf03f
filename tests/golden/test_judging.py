"""The rules by which expectations are changed, and the steps at which two calls part (`judging.py`)."""

from typing import Any

import pytest

from tests.golden.judging import adjusted
from tests.support.secured import PRINT

OURS = "<KEY1: 30>"
KEY = "A" * 40
SUITE = "AES_CM_128_HMAC_SHA1_80"
C = "c=IN IP4 192.0.2.7"


def message(*lines: str, protocol: str = "RTP/SAVP", port: int = 4000) -> list[str]:
    return ["v=0", C, f"m=audio {port} {protocol} 0", *lines]


def step(command: str, sent: list[str], expected: list[str]) -> dict[str, Any]:
    return {"send": {"command": command, "sdp": sent}, "expect": {"result": "ok", "sdp": expected}}


def agree(*steps: dict[str, Any], replies: list[list[str]]) -> list[bool]:
    """Whether each step agrees."""
    answered: list[dict[str, Any] | None] = [{"result": "ok", "sdp": reply} for reply in replies]
    scenario, found = adjusted({"steps": list(steps)}, answered)
    return [item["expect"] == reply for item, reply in zip(scenario["steps"], found, strict=True)]


def crypto(key: str = OURS, rest: str = "", tag: int = 1, suite: str = SUITE) -> str:
    return f"a=crypto:{tag} {suite} inline:{key}{rest}"


PLAIN = message(protocol="RTP/AVP")


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ([crypto(KEY)], [crypto()], True),
        ([crypto(KEY, "|1:4")], [crypto()], True),
        ([crypto(KEY)], [crypto(tag=2)], False),
        ([crypto(KEY)], [crypto(suite="AES_256_CM_HMAC_SHA1_80")], False),
        ([crypto(KEY)], [], False),
        ([crypto(KEY), crypto(tag=2, suite="F8_128_HMAC_SHA1_80")], [crypto()], True),
        ([crypto(KEY), crypto(tag=2, suite="AES_256_CM_HMAC_SHA1_80")], [crypto()], False),
        ([crypto(KEY), "a=rtcp-mux-only"], [crypto()], True),
        ([crypto(KEY), "a=sendrecv"], [crypto()], False),
    ],
    ids=["other key", "no MKI", "tag", "suite", "none", "F8 left out", "strong left out", "mux-only", "other lines"],
)
def test_keys_are_not_compared_but_everything_else_is(expected: list[str], got: list[str], same: bool) -> None:
    assert agree(step("offer", PLAIN, message(*expected)), replies=[message(*got)]) == [same]


def test_sha_256_is_passed_over_beside_another_hash_only() -> None:
    expected = message("a=setup:actpass", "a=fingerprint:sha-1 <FINGERPRINT1>")
    both = message("a=setup:actpass", "a=fingerprint:sha-1 <FINGERPRINT1>", "a=fingerprint:sha-256 <FINGERPRINT2>")
    other = message("a=setup:actpass", "a=fingerprint:sha-256 <FINGERPRINT2>")
    assert agree(step("offer", PLAIN, expected), replies=[both]) == [True]
    assert agree(step("offer", PLAIN, expected), replies=[other]) == [False]


def test_tls_id_may_be_left_out_of_answers_only() -> None:
    lines = ("a=setup:active", "a=fingerprint:sha-256 <FINGERPRINT1>")
    with_id, without = message(*lines, "a=tls-id:<TLSID1>"), message(*lines)
    offered = message("a=setup:actpass", f"a=fingerprint:sha-256 {PRINT}")
    told = message("a=setup:actpass", "a=fingerprint:sha-256 <FINGERPRINT1>", protocol="RTP/AVP")
    offer = step("offer", offered, told)
    assert agree(offer, step("answer", PLAIN, with_id), replies=[told, without]) == [True, True]
    assert agree(step("offer", PLAIN, with_id), replies=[without]) == [False]


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ([], True),
        ([crypto(KEY[:-4])], True),
        ([crypto(KEY), crypto(KEY)], True),
        ([crypto(KEY, suite="F8_128_HMAC_SHA1_80")], True),
        ([crypto(KEY)], False),
        ([f"a=fingerprint:sha-256 {PRINT}"], True),
        ([f"a=fingerprint:sha-256 {PRINT[:-3]}", "a=setup:active"], True),
        ([f"a=fingerprint:sha-256 {PRINT}", "a=setup:holdconn"], True),
        ([f"a=fingerprint:sha-256 {PRINT}", "a=setup:active"], False),
    ],
)
def test_what_cannot_be_keyed_is_compared_no_further(lines: list[str], parts: bool) -> None:
    """The steps from there on count as agreeing."""
    wrong = message("a=other", protocol="RTP/AVP")
    steps = (step("offer", message(*lines), PLAIN), step("answer", PLAIN, message(crypto())))
    assert agree(*steps, replies=[wrong, wrong]) == [parts, parts]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (message(crypto(KEY)), False),
        (message(crypto(KEY, tag=2)), True),
        (PLAIN, True),
        (message(port=0), False),
    ],
    ids=["chosen", "not offered", "in the clear", "refused"],
)
def test_answers_to_secure_offers(answer: list[str], parts: bool) -> None:
    wrong = message("a=other", protocol="RTP/AVP")
    steps = (step("offer", PLAIN, message(crypto())), step("answer", answer, PLAIN))
    assert agree(*steps, replies=[message(crypto()), wrong]) == [True, parts]


def test_what_is_judged_is_not_changed() -> None:
    one = step("offer", PLAIN, message(crypto(KEY)))
    adjusted({"steps": [one]}, [{"result": "ok", "sdp": message(crypto())}])
    assert one == step("offer", PLAIN, message(crypto(KEY)))


def test_what_query_says_of_keys_that_are_not_there_is_left_out() -> None:
    """As is what only we say."""
    streams: list[dict[str, Any]] = [{"stats_out": {"errors": 3}}]
    theirs = {"flags": ["send", "SDES", "DTLS role active"], "streams": streams}
    ours = {"flags": ["send"], "streams": [{"stats_out": {}}], "security": {"RTP": {}}}
    query = {"send": {"command": "query"}, "expect": {"tags": {"a": {"medias": [theirs]}}}}
    scenario, (found,) = adjusted({"steps": [query]}, [{"tags": {"a": {"medias": [ours]}}}])
    assert scenario["steps"][0]["expect"] == found
