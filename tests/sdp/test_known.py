"""Codecs by name."""

import pytest

from ngdaemon.base.errors import RequestError
from ngdaemon.sdp.known import codecs_named, kind_of


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (("PCMU", "pcma"), ["0 PCMU/8000", "8 pcma/8000"]),
        (("opus", "telephone-event"), ["96 opus/48000/2", "97 telephone-event/8000"]),
        (("opus/48000/2", "opus", "OPUS"), ["96 opus/48000/2"]),
        (("telephone-event/48000", "speex/16000"), ["96 telephone-event/48000", "97 speex/16000"]),
        (("PCMA/16000", "PCMA/8000/1"), ["96 PCMA/16000", "8 PCMA/8000"]),
        (("L16/44100/2", "L16/44100"), ["10 L16/44100/2", "11 L16/44100"]),
        (("VP8",), ["96 VP8/90000"]),
    ],
)
def test_payload_types(names: tuple[str, ...], lines: list[str]) -> None:
    assert [f"{codec.payload_type} {codec.encoding}" for codec in codecs_named(names)] == lines
    assert [codec.lines for codec in codecs_named(names)] == [(f"a=rtpmap:{line}",) for line in lines]


@pytest.mark.parametrize("name", ["mystery", "", "/8000", "x/y", "x/8000/two", "x/-1"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(RequestError, match=f'^Unknown codec "{name}"$'):
        codecs_named((name,))


def test_there_are_no_more_codecs_than_dynamic_payload_types() -> None:
    names = tuple(f"x{number}/8000" for number in range(33))
    assert len(codecs_named(names[:32])) == 32
    with pytest.raises(RequestError, match="Too many codecs"):
        codecs_named(names)


def test_media_types() -> None:
    assert [kind_of(name) for name in ("PCMU", "vp8/90000", "H264", "mystery")] == ["audio", "video", "video", "audio"]
