"""Which codecs pass, without transcoding (ng-protocol.md §3.9)."""

from typing import Any

import pytest

from ngdaemon.call.negotiation.codec_choice import answerable
from ngdaemon.sdp.codecs import Codec
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"
MAPS = ("a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:110 telephone-event/48000")
OFFERED = audio(ALICE, 4000, *MAPS, formats="96 8 0 13 101 110")


def formats(text: str) -> str:
    return sdp.media(text)[0].split(" ", 3)[3]


@pytest.mark.parametrize(
    ("codec", "passed"),
    [
        ({}, "96 8 0 13 101 110"),
        ({"strip": ["PCMU"]}, "96 8 13 101 110"),
        ({"strip": ["pcmu", "PCMA"]}, "96 110"),
        ({"strip": ["opus"]}, "8 0 13 101"),
        ({"strip": ["opus/48000"]}, "8 0 13 101"),
        ({"strip": ["opus/48000/2"]}, "8 0 13 101"),
        ({"strip": ["opus/48000/1"]}, "96 8 0 13 101 110"),
        ({"strip": ["opus/8000"]}, "96 8 0 13 101 110"),
        ({"strip": ["telephone-event/8000"]}, "96 8 0 13 110"),
        ({"strip": ["telephone-event"]}, "96 8 0 13"),
        ({"strip": ["speex"]}, "96 8 0 13 101 110"),
        ({"strip": ["all"]}, "96 8 0 13 101 110"),
        ({"strip": ["all"], "except": ["PCMA"]}, "8"),
        ({"strip": ["all"], "except": ["telephone-event", "PCMA"]}, "8 101"),
        ({"strip": ["all"], "offer": ["PCMU", "PCMA"]}, "0 8"),
        ({"strip": ["full"], "offer": ["PCMU"]}, "0"),
        ({"except": ["PCMA"]}, "96 8 0 13 101 110"),
        ({"offer": ["PCMU"]}, "0 96 8 13 101 110"),
    ],
)
def test_codecs_of_an_offer(codec: dict[str, Any], passed: str) -> None:
    daemon = Daemon()
    assert formats(daemon.offer(OFFERED, codec=codec)) == passed


def test_attributes_of_a_codec_go_with_it() -> None:
    daemon = Daemon()
    told = daemon.offer(
        audio(ALICE, 4000, *MAPS, "a=fmtp:96 stereo=1", "a=rtcp-fb:96 nack", formats="96 8"), codec={"strip": ["opus"]}
    )
    assert [line for line in sdp.media(told)[1:] if ":96 " in line] == []


def test_a_media_without_codecs_is_refused_when_that_is_allowed() -> None:
    daemon = Daemon()
    told = daemon.offer(OFFERED, codec={"strip": ["all"]}, flags=["allow-no-codec-media"])
    assert sdp.media(told)[0].startswith("m=audio 0 RTP/AVP ")


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("8 0 101", "8 0 101"),
        ("0", "0"),
        ("101 8", "101 8"),
        ("8 18", "8"),
        ("96 8", "96 8"),
    ],
)
def test_an_answer_names_only_what_was_offered(answer: str, passed: str) -> None:
    daemon = Daemon()
    daemon.offer(OFFERED)
    assert formats(daemon.answer(audio(BOB, 5000, *MAPS, formats=answer))) == passed


def test_a_payload_type_that_means_another_codec_was_not_offered() -> None:
    daemon = Daemon()
    daemon.offer(OFFERED)
    assert formats(daemon.answer(audio(BOB, 5000, "a=rtpmap:96 speex/16000", formats="96 0"))) == "0"


def test_a_single_codec_is_the_first_with_its_events() -> None:
    daemon = Daemon()
    daemon.offer(OFFERED)
    told = daemon.answer(audio(BOB, 5000, *MAPS, formats="8 0 101"), flags=["single-codec"])
    assert formats(told) == "8 101"


PCMU, PCMA, EVENT = Codec(0, "PCMU", "8000"), Codec(8, "PCMA", "8000"), Codec(101, "telephone-event", "8000")


@pytest.mark.parametrize(
    ("answered", "offered", "common"),
    [
        ((PCMA,), (PCMU, PCMA), (PCMA,)),
        ((), (PCMU, PCMA, EVENT), (PCMU,)),
        ((EVENT,), (PCMU, PCMA, EVENT), (PCMU, EVENT)),
        ((Codec(9, "G722", "8000"),), (EVENT, PCMU), (PCMU,)),
        ((EVENT,), (EVENT,), (EVENT,)),
        ((PCMA,), (), ()),
        ((Codec(96, "PCMA", "8000"),), (PCMU, PCMA), (PCMU,)),
    ],
)
def test_what_an_answer_agrees_on(
    answered: tuple[Codec, ...], offered: tuple[Codec, ...], common: tuple[Codec, ...]
) -> None:
    assert answerable(answered, offered) == common
