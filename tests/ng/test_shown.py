"""Messages as the log shows them."""

import json

import pytest

from ngdaemon.ng.shown import MOST, shown, word_shown


def test_a_message_is_shown_as_json() -> None:
    message = {"command": "offer", "flags": ["a", "b"], "x": {"n": 1}, "bytes": "\udcff"}
    assert json.loads(shown(message)) == message


@pytest.mark.parametrize(
    "line",
    [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^20",
        "A=CRYPTO:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET",
        "a=key-mgmt:mikey SECRET",
        "a=ice-pwd:SECRET",
        "k=base64:SECRET",
        "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET",
        "m=a=ice-pwd:SECRET",
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_keys_are_hidden_wherever_they_stand(line: str, end: str) -> None:
    text = end.join(("v=0", line, "a=sendrecv", ""))
    for message in ({"sdp": text}, {"tags": [{"sdp": text}]}, {"x": (text,)}):
        assert "SECRET" not in shown(message)
        assert "(hidden)" in shown(message)
        assert "a=sendrecv" in shown(message)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_what_is_no_line_of_a_description_is_hidden(end: str) -> None:
    """S17: the rest of a line that was wrapped, which is a key."""
    told = shown({"sdp": end.join(("v=0", "a=crypto:1 X", "SECRET", "a=sendrecv", ""))})
    assert "SECRET" not in told
    assert "v=0" in told
    assert "a=sendrecv" in told


def test_a_key_outside_a_description_is_hidden_too() -> None:
    assert "SECRET" not in shown({"sdp-attr": {"audio": {"add": ["crypto:1 X inline:SECRET"]}}})


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("inline:SECRET", "inline:(hidden)"),
        ("x=crypto:1", "x=crypto:(hidden)"),
        ("A" * 38, "(hidden)"),
        (f"{'A' * 38}==|2^20|1:4", "(hidden)"),
        ("trust-adress", "trust-adress"),
    ],
)
def test_a_word_that_may_be_a_key_is_hidden(word: str, seen: str) -> None:
    """S17: keys with blanks before them in flags fall apart into words."""
    assert word_shown(word) == seen


def test_it_is_bounded() -> None:
    text = shown({"sdp": "s=" + "x" * 10_000})
    assert len(text) < MOST + 30
    assert text.endswith("more)")
