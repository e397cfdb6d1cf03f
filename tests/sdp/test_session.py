"""Session descriptions: what is accepted and refused (ng-protocol.md §2.3, §4.1), and that nothing is lost."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Family
from ngdaemon.base.errors import RequestError
from ngdaemon.sdp.session import FAILED, Attribute, Bounds, Connection, Origin, parse, parse_connection
from tests.sdp.descriptions import likely_texts
from tests.support.sdp import audio, joined, sdp

HEAD = ("v=0", "o=- 1 1 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0")
AUDIO = "m=audio 4000 RTP/AVP 0"


def test_the_parts_of_a_description() -> None:
    text = joined(
        (
            "v=0",
            "o=alice 53 7 IN IP4 10.0.0.7",
            "s=a call",
            "i=one",
            "i=two",
            "c=IN IP4 10.0.0.7",
            "b=AS:64",
            "t=0 0",
            "a=tool:phone",
            "m=audio 16384 RTP/AVP 8 101",
            "a=rtpmap:101 telephone-event/8000",
            "a=sendonly",
            "m=video 16386/2 RTP/AVPF 96",
            "c=IN IP6 2001:db8::7",
            "a=rtcp-mux",
        )
    )
    description = parse(text)
    assert description.origin == Origin("alice", "53", "7", "IN", "IP4", "10.0.0.7")
    assert str(description.origin) == "alice 53 7 IN IP4 10.0.0.7"
    assert description.session_name == "a call"
    session = description.session
    assert session.connection == Connection(Family.IP4, "10.0.0.7")
    assert session.values("i") == ["one", "two"]
    assert session.values("b") == ["AS:64"]
    assert (session.last("t"), session.last("k")) == ("0 0", None)
    assert session.attributes == [Attribute("tool", "phone")]
    first, second = description.medias
    assert (first.kind, first.port, first.protocol) == ("audio", 16384, "RTP/AVP")
    assert first.formats == ("8", "101")
    assert first.attributes == [Attribute("rtpmap", "101 telephone-event/8000"), Attribute("sendonly", None)]
    assert (first.get("rtpmap"), first.get("sendonly"), first.get("mid")) == ("101 telephone-event/8000", "", None)
    assert (second.kind, second.port, second.formats) == ("video", 16386, ("96",))
    assert description.connection_of(first) == Connection(Family.IP4, "10.0.0.7")
    assert description.connection_of(second) == Connection(Family.IP6, "2001:db8::7")
    assert str(description) == text


def test_an_attribute_is_written_as_it_came() -> None:
    assert [str(Attribute(*parts)) for parts in (("a", None), ("a", ""), ("a", "b:c"))] == ["a", "a:", "a:b:c"]


ACCEPTED = {
    "LF as line end": "\n".join((*HEAD, AUDIO, "")),
    "no line end at the end": "\r\n".join((*HEAD, AUDIO)),
    "no session name": joined((*HEAD[:2], *HEAD[3:], AUDIO)),
    "no time": joined((*HEAD[:4], AUDIO)),
    "no origin": joined((HEAD[0], *HEAD[2:], AUDIO)),
    "spaces behind lines": joined((HEAD[0], HEAD[1] + " ", "s=- ", HEAD[3] + " ", "t=0 0 ", AUDIO + " ", "a=x ")),
    "an m-line without formats": joined((*HEAD, "m=audio 4000 RTP/AVP")),
    "spaces between formats": joined((*HEAD, "m=audio 4000 RTP/AVP  0  8")),
    "port zero": joined((*HEAD, "m=audio 0 RTP/AVP 0")),
    "the highest port": joined((*HEAD, "m=audio 65535 RTP/AVP 0")),
    "the highest count of ports": joined((*HEAD, "m=audio 4000/4999 RTP/AVP 0")),
    "an unknown transport": joined((*HEAD, "m=audio 4000 FOO/BAR 0")),
    "an unknown media type": joined((*HEAD, "m=smell 4000 RTP/AVP 0")),
    "lower-case connection words": joined((*HEAD[:3], "c=in ip4 198.51.100.1", HEAD[4], AUDIO)),
    "an address in another spelling": joined((*HEAD[:3], "c=IN IP6 2001:DB8:0:0:0:0:0:1", HEAD[4], AUDIO)),
    "an empty attribute": joined((*HEAD, AUDIO, "a=", "a=:")),
    "attributes of any text": joined((*HEAD, AUDIO, "a=x:\udcff \u2603 =;=", "a==")),
    "session lines behind the media": joined((*HEAD, AUDIO, "t=0 0", "s=late")),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(text: str) -> None:
    description = parse(text)
    assert len(description.medias) == 1
    assert str(description) == text


REFUSED = {
    "nothing that ends": "hello",
    "no version": joined((*HEAD[1:], AUDIO)),
    "another version": joined(("v=1", *HEAD[1:], AUDIO)),
    "a space behind the version": joined(("v=0 ", *HEAD[1:], AUDIO)),
    "a later version that is another": joined((*HEAD, AUDIO, "v=2")),
    "a line of unknown type": joined((*HEAD, "x=1", AUDIO)),
    "a line type of two letters": joined((*HEAD, "ab=1", AUDIO)),
    "a line without =": joined((*HEAD, "attribute", AUDIO)),
    "a leading space": joined((*HEAD, f" {AUDIO}")),
    "a line of a letter": joined((*HEAD, "a", AUDIO)),
    "a carriage return inside a line": joined((*HEAD, AUDIO, "a=x\ry")),
    "a NUL": joined((*HEAD, AUDIO, "a=x\0y")),
    "an origin of five words": joined((HEAD[0], "o=- 1 1 IN IP4", *HEAD[2:], AUDIO)),
    "a host name": joined((*HEAD[:3], "c=IN IP4 host.example.com", HEAD[4], AUDIO)),
    "a multicast TTL": joined((*HEAD[:3], "c=IN IP4 224.2.1.1/127", HEAD[4], AUDIO)),
    "a scope": joined((*HEAD[:3], "c=IN IP6 fe80::1%eth0", HEAD[4], AUDIO)),
    "an address of the other family": joined((*HEAD[:3], "c=IN IP6 198.51.100.1", HEAD[4], AUDIO)),
    "an unknown family": joined((*HEAD[:3], "c=IN IP5 198.51.100.1", HEAD[4], AUDIO)),
    "a network that is not the Internet": joined((*HEAD[:3], "c=ATM IP4 198.51.100.1", HEAD[4], AUDIO)),
    "a connection that is cut": joined((*HEAD[:3], "c=IN IP4", HEAD[4], AUDIO)),
    "an address that is cut": joined((*HEAD[:3], "c=IN IP4 198.51.100", HEAD[4], AUDIO)),
    "an empty connection": joined((*HEAD[:3], "c=", HEAD[4], AUDIO)),
    "two connections in a media": joined((*HEAD, AUDIO, "c=IN IP4 198.51.100.1", "c=IN IP4 198.51.100.1")),
    "two connections in the session": joined((*HEAD, "c=IN IP4 198.51.100.2", AUDIO)),
    "an m-line without transport": joined((*HEAD, "m=audio 4000")),
    "an m-line with an empty transport": joined((*HEAD, "m=audio 4000 ")),
    "an m-line without media type": joined((*HEAD, "m= 4000 RTP/AVP 0")),
    "two spaces before the port": joined((*HEAD, "m=audio  4000 RTP/AVP 0")),
    "two spaces before the transport": joined((*HEAD, "m=audio 4000  RTP/AVP 0")),
    "an empty m-line": joined((*HEAD, "m=")),
    "a port that is no number": joined((*HEAD, "m=audio port RTP/AVP 0")),
    "a negative port": joined((*HEAD, "m=audio -1 RTP/AVP 0")),
    "a port with a sign": joined((*HEAD, "m=audio +4000 RTP/AVP 0")),
    "a port in other digits": joined((*HEAD, "m=audio ٤٠٠٠ RTP/AVP 0")),
    "an empty port": joined((*HEAD, "m=audio  RTP/AVP 0")),
    "a port above 65535": joined((*HEAD, "m=audio 65536 RTP/AVP 0")),
    "a port of 2^32": joined((*HEAD, "m=audio 4294967296 RTP/AVP 0")),
    "a port of many digits": joined((*HEAD, f"m=audio {'9' * 5000} RTP/AVP 0")),
    "a count of no ports": joined((*HEAD, "m=audio 4000/0 RTP/AVP 0")),
    "a count of 5000 ports": joined((*HEAD, "m=audio 4000/5000 RTP/AVP 0")),
    "a count that is no number": joined((*HEAD, "m=audio 4000/x RTP/AVP 0")),
    "a count that is missing": joined((*HEAD, "m=audio 4000/ RTP/AVP 0")),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: str) -> None:
    """Among them D-MLINE."""
    with pytest.raises(RequestError) as caught:
        parse(text)
    assert str(caught.value) == FAILED


def test_an_empty_text_has_no_medias() -> None:
    description = parse("")
    assert (description.medias, description.origin, description.session_name) == ([], None, None)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_line_ends_parsing(blank: str) -> None:
    text = joined((*HEAD, AUDIO, blank, "not SDP at all", AUDIO))
    description = parse(text)
    assert len(description.medias) == 1
    assert str(description) == text


def test_several_descriptions_in_one_are_numbered_through() -> None:
    description = parse(audio("198.51.100.1") + audio("198.51.100.2", 5000).replace("c=", "i=", 1))
    assert [media.port for media in description.medias] == [4000, 5000]
    assert description.origin is not None
    assert description.origin.address == "198.51.100.1"


def test_the_number_of_medias_is_bounded() -> None:
    text = sdp("198.51.100.1", *[AUDIO] * 5)
    assert len(parse(text, Bounds(medias=5)).medias) == 5
    with pytest.raises(RequestError, match=r"Too many medias in SDP \(limit 4\)"):
        parse(text, Bounds(medias=4))


def test_the_number_of_candidates_of_a_media_is_bounded() -> None:
    candidate = "a=candidate:1 1 UDP 1 198.51.100.1 4000 typ host"
    text = sdp("198.51.100.1", AUDIO, *[candidate] * 3, AUDIO, *[candidate] * 2)
    assert len(parse(text, Bounds(candidates=3)).medias) == 2
    with pytest.raises(RequestError, match=r"Too many candidates in SDP \(limit 2 a media\)"):
        parse(text, Bounds(candidates=2))


@pytest.mark.parametrize("behind", ["", "\r\n", " \r\n\r\n"])
def test_blank_lines_at_the_end_are_fine_for_the_strict_too(behind: str) -> None:
    assert len(parse(audio("198.51.100.1") + behind, Bounds(strict=True)).medias) == 1


def test_the_strict_refuse_what_comes_behind_a_blank_line() -> None:
    with pytest.raises(RequestError, match=FAILED):
        parse(audio("198.51.100.1") + "\r\na=late\r\n", Bounds(strict=True))


HOSTILE = {
    "a line of 64 KiB": sdp("198.51.100.1", AUDIO, "a=" + "x" * 65536),
    "64 KiB of formats": sdp("198.51.100.1", "m=audio 4000 RTP/AVP" + " 0" * 32768),
    "64 KiB of spaces": sdp("198.51.100.1", "m=audio 4000 RTP/AVP" + " " * 65536),
    "64 KiB of colons": sdp("198.51.100.1", AUDIO, "a=rtpmap" + ":" * 65536),
    "64 KiB without a line end": "v=0" * 22000,
    "64 KiB of line ends": "\n" * 65536,
    "64 KiB of NULs": "\0" * 65536,
    "64 KiB that are not UTF-8": "v=0\n" + "\udcff" * 65536,
    "ten thousand medias": sdp("198.51.100.1", *[AUDIO] * 10_000),
    "ten thousand sessions": joined(HEAD[:3]) * 10_000,
    "ten thousand candidates": sdp(
        "198.51.100.1", AUDIO, *["a=candidate:1 1 UDP 1 198.51.100.1 4000 typ host"] * 10_000
    ),
    "ten thousand attributes": sdp("198.51.100.1", AUDIO, *["a=fmtp:0 x"] * 10_000),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_parsed_or_refused(text: str) -> None:
    try:
        description = parse(text)
    except RequestError:
        return
    assert str(description) == text


@given(st.text() | likely_texts())
def test_any_text_is_parsed_without_loss_or_refused(text: str) -> None:
    try:
        description = parse(text)
    except RequestError:
        return
    assert str(description) == text
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    given = lines[: next((number for number, line in enumerate(lines) if line in ("", " ")), len(lines))]
    parts = (description.session, *description.medias)
    fields = [f"{kind}={value}" for part in parts for kind, value in part.lines]
    assert fields == [line for line in given if line[0] != "a"]
    assert [f"a={item}" for part in parts for item in part.attributes] == [line for line in given if line[0] == "a"]
    for part in parts:
        for name in part.names:
            assert part.names[name] == [item.value or "" for item in part.attributes if item.name == name]


class _Counted(list[Attribute]):
    """A list that counts how often it is looked through."""

    rounds = 0

    def __iter__(self) -> Iterator[Attribute]:
        self.rounds += 1
        return super().__iter__()


def test_a_long_section_is_not_looked_through_for_each_question() -> None:
    """S11: what the session part says is asked for by every media."""
    described = parse("v=0\r\n" + "".join(f"a=x{number % 7}:{number}\r\n" for number in range(700)))
    section = described.session
    section.attributes = counted = _Counted(section.attributes)
    for _ in range(100):
        assert section.get("x3") == "3"
        assert section.get_all("x6")[:2] == ["6", "13"]
        assert section.get("y") is None
        assert [str(item) for item in section.named({"x1", "x0", "z"})[:3]] == ["x0:0", "x1:1", "x0:7"]
    assert counted.rounds == 1
    section.replace([Attribute("x3", "other"), *[Attribute("q", None)] * 20])
    assert section.get("x3") == "other"
    assert section.get("q") == ""
    assert not section.get_all("x6")


def test_only_short_addresses_are_remembered() -> None:
    """S06: what comes behind an address is the sender's to make long."""
    before = parse_connection.cache_info().currsize
    for number in range(20):
        parse(f"v=0\r\nc=IN IP4 192.0.2.1 {number}{'x' * 100}\r\n")
    assert parse_connection.cache_info().currsize == before
