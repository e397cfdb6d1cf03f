"""`sdp-attr` and `sdp-media-remove` (ng-protocol.md §1.2, §3.8)."""

import pytest

from ngdaemon.base.errors import RequestError
from ngdaemon.ng.sdp_attr import SdpAttr, from_flag, read, read_removed


def test_all_commands() -> None:
    assert read(
        {
            "global": {"add": ["x-call:12"]},
            "audio": {"remove": ["ptime", "fmtp:18 annexb=no"], "substitute": [["sendrecv", "inactive"], "a>b>c"]},
        }
    ) == [
        SdpAttr("global", "add", ("x-call:12",)),
        SdpAttr("audio", "remove", ("ptime", "fmtp:18 annexb=no")),
        SdpAttr("audio", "substitute", pairs=(("sendrecv", "inactive"), ("a", "b>c"))),
    ]


def test_none_is_the_session() -> None:
    assert read({"none": {"add": ["x"]}}) == read({"global": {"add": ["x"]}})


@pytest.mark.parametrize("section", ["audio", "video", "text", "application", "message", "image"])
def test_sections_of_media_types(section: str) -> None:
    assert read({section: {"add": ["x"]}}) == [SdpAttr(section, "add", ("x",))]


def test_escapes() -> None:
    assert read({"audio": {"add": ["x-eq--1..two"], "substitute": ["a--1>b..2"]}}) == [
        SdpAttr("audio", "add", ("x-eq=1 two",)),
        SdpAttr("audio", "substitute", pairs=(("a=1", "b 2"),)),
    ]


def test_texts_may_be_one_string() -> None:
    assert read({"audio": {"add": "x-text,y"}}) == [SdpAttr("audio", "add", ("x-text", "y"))]


def test_texts_that_are_no_strings_are_passed_over() -> None:
    assert read({"audio": {"add": [5, "x"], "remove": 7}}) == [
        SdpAttr("audio", "add", ("x",)),
        SdpAttr("audio", "remove"),
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["audio"], "wrong type used"),
        ("audio", "wrong type used"),
        (5, "wrong type used"),
        ({"audio": ["add"]}, "wrong content given"),
        ({"audio": "add"}, "wrong content given"),
        ({"sculpture": {"add": ["x"]}}, "unsupported sdp section"),
        ({"Audio": {"add": ["x"]}}, "unsupported sdp section"),
        ({"audio": {"replace": ["x"]}}, "unknown manipulation command"),
        ({"audio": {"substitute": ["x"]}}, "invalid token given"),
        ({"audio": {"substitute": [["x"]]}}, "invalid token given"),
        ({"audio": {"substitute": [["x", 5]]}}, "invalid token given"),
        ({"audio": {"substitute": [">x"]}}, "invalid token given"),
        ({"audio": {"substitute": [7]}}, "invalid token given"),
    ],
)
def test_errors(value: object, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(value)
    assert str(caught.value) == reason


def test_flags() -> None:
    assert read(from_flag("add-audio-x-one:a-b")) == [SdpAttr("audio", "add", ("x-one:a-b",))]
    assert read(from_flag("substitute-none-a>b")) == [SdpAttr("global", "substitute", pairs=(("a", "b"),))]


@pytest.mark.parametrize("text", ["", "add", "add-audio", "add-audio-", "-"])
def test_flags_that_are_cut(text: str) -> None:
    with pytest.raises(RequestError, match="invalid token given"):
        from_flag(text)


def test_medias_to_remove() -> None:
    assert read_removed(["video", "other"]) == ["video", "other"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("video", "wrong type used"),
        ({"video": 1}, "wrong type used"),
        (["hologram"], "unsupported sdp section"),
        ([5], "unsupported sdp section"),
        ([["video"]], "unsupported sdp section"),
    ],
)
def test_errors_of_medias_to_remove(value: object, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_removed(value)
    assert str(caught.value) == reason
