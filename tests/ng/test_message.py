"""Datagrams to requests, replies to datagrams (ng-protocol.md §1.1, §1.2)."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngdaemon.ng.message import Format, Limits, MessageError, Request, decode, encode, split

from .documents import documents

LIMITS = Limits()


def refusal(document: bytes, limits: Limits = LIMITS) -> MessageError:
    """The error that a document leads to."""
    with pytest.raises(MessageError) as caught:
        decode(b"cookie", document, limits)
    return caught.value


def test_a_bencode_message() -> None:
    assert decode(b"8c2f_77_1", b"d7:command4:pinge", LIMITS) == Request(
        b"8c2f_77_1", Format.BENCODE, {"command": "ping"}
    )


def test_a_json_message() -> None:
    assert decode(b"8c2f_77_2", b'{"command":"list","limit":2}', LIMITS) == Request(
        b"8c2f_77_2", Format.JSON, {"command": "list", "limit": 2}
    )


def test_the_cookie_ends_at_the_first_space() -> None:
    assert split(b"a\x00\xffb d1:a1: e") == (b"a\x00\xffb", b"d1:a1: e")


def test_the_cookie_may_be_long() -> None:
    assert split(b"x" * 60_000 + b" d") == (b"x" * 60_000, b"d")


@pytest.mark.parametrize("datagram", [b"", b" ", b"cookie", b" d7:command4:pinge", b"d7:command4:pinge"])
def test_without_a_cookie_the_datagram_is_dropped(datagram: bytes) -> None:
    assert split(datagram) is None


def test_nothing_behind_the_cookie() -> None:
    error = refusal(b"")
    assert (str(error), error.cookie, error.format) == ("Invalid data (no payload)", b"cookie", Format.BENCODE)


@pytest.mark.parametrize(
    "document",
    [b"hello", b"[1,2]", b"5", b'"text"', b"i5e", b"l4:pinge", b"<xml/>", b" d7:command4:pinge", b'\n{"command":"x"}'],
)
def test_neither_bencode_nor_json(document: bytes) -> None:
    error = refusal(document)
    assert (str(error), error.format) == ("Invalid NG data format", Format.BENCODE)


def test_refused_bencode_is_answered_in_bencode() -> None:
    error = refusal(b"d7:commandX")
    assert (str(error), error.format) == ("Could not decode bencode dictionary", Format.BENCODE)


def test_refused_json_is_answered_in_json() -> None:
    error = refusal(b'{"command":')
    assert (str(error), error.format) == ("Failed to parse JSON document", Format.JSON)


@pytest.mark.parametrize("document", [b"d1:a20:" + b"x" * 20 + b"e", b'{"a":"' + b"x" * 20 + b'"}'])
def test_the_size_is_bounded(document: bytes) -> None:
    assert decode(b"c", document, Limits(max_size=len(document)))
    assert str(refusal(document, Limits(max_size=len(document) - 1))).startswith("Message larger than")


def test_replies_keep_their_order_and_their_format() -> None:
    reply = {"calls": ["a84b4c76e66710"], "result": "ok"}
    assert encode(b"c1", reply, Format.BENCODE) == b"c1 d5:callsl14:a84b4c76e66710e6:result2:oke"
    assert encode(b"c2", reply, Format.JSON) == b'c2 {"calls":["a84b4c76e66710"],"result":"ok"}'


@given(documents(), st.sampled_from(Format), st.binary(min_size=1).filter(lambda cookie: b" " not in cookie))
def test_a_reply_can_be_read_back(reply: dict[str, object], document_format: Format, cookie: bytes) -> None:
    parts = split(encode(cookie, reply, document_format))
    assert parts is not None
    assert decode(*parts, LIMITS) == Request(cookie, document_format, reply)


@given(st.binary(max_size=200) | st.text(alphabet="dlie:0123456789-{}[]\"', x", max_size=60).map(str.encode))
@example(b"c d1:a" + b"l" * 60_000)
@example(b"c d" + b"1:ad" * 15_000)
@example(b'c {"a":' + b"[" * 60_000)
@example(b"c " + b'{"a":' * 12_000)
@example(b"c {'" + b"\\'" * 30_000)
@example(b"c " + b"{}" * 30_000)
@example(b"c d" + b"9" * 60_000 + b":")
@example(b"c d999999999999:")
def test_any_bytes_are_a_request_or_an_error_or_dropped(data: bytes) -> None:
    for datagram in (data, b"c " + data, b"c d" + data, b"c {" + data):
        parts = split(datagram)
        if parts is None:
            continue
        with suppress(MessageError):
            request = decode(*parts, LIMITS)
            assert request.cookie == parts[0]
            assert all(isinstance(key, str) for key in request.body)
