"""`sdp-attr`: attributes of the outgoing SDP as the proxy wants them (ng-protocol.md §3.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.call.negotiation.manipulate import manipulate
from ngdaemon.ng.options import SdpAttr
from tests.support import sdp
from tests.support.daemon import Daemon

LINES = ["m=audio 4000 RTP/AVP 0", "c=IN IP4 192.0.2.1", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=sendrecv"]


@pytest.mark.parametrize(
    ("command", "attributes"),
    [
        (SdpAttr("audio", "add", ("x:1", "sendrecv")), [*LINES[2:], "a=x:1", "a=sendrecv"]),
        (SdpAttr("audio", "remove", ("rtpmap",)), ["a=sendrecv"]),
        (SdpAttr("audio", "remove", ("rtpmap:8",)), ["a=rtpmap:0 PCMU/8000", "a=sendrecv"]),
        (SdpAttr("audio", "remove", ("rtpmap:8 PCMA/8000", "sendrecv")), ["a=rtpmap:0 PCMU/8000"]),
        (SdpAttr("audio", "remove", ("rtp", "send", "a=sendrecv", "")), LINES[2:]),
        (SdpAttr("audio", "substitute", (), (("sendrecv", "inactive"),)), [*LINES[2:4], "a=inactive"]),
        (SdpAttr("audio", "substitute", (), (("send", "x"), ("rtpmap", "y"))), LINES[2:]),
        (SdpAttr("audio", "substitute", (), (("sendrecv", "x"), ("x", "y"), ("sendrecv", "z"))), [*LINES[2:4], "a=x"]),
        (SdpAttr("video", "remove", ("rtpmap", "sendrecv")), LINES[2:]),
        (SdpAttr("global", "add", ("x",)), LINES[2:]),
    ],
)
def test_what_a_command_does(command: SdpAttr, attributes: list[str]) -> None:
    assert manipulate(list(LINES), "audio", (command,)) == [*LINES[:2], *attributes]


def test_commands_follow_one_another() -> None:
    commands = (
        SdpAttr("audio", "remove", ("sendrecv",)),
        SdpAttr("audio", "add", ("x",)),
        SdpAttr("audio", "substitute", (), (("x", "y"),)),
    )
    assert manipulate(list(LINES), "audio", commands) == [*LINES[:4], "a=y"]


TEXTS = st.sampled_from(("rtpmap", "rtpmap:0", "sendrecv", "m", "c=IN IP4 192.0.2.1", "")) | st.text(max_size=8)
COMMANDS = st.lists(
    st.one_of(
        st.builds(SdpAttr, st.just("audio"), st.sampled_from(("add", "remove")), st.lists(TEXTS).map(tuple)),
        st.builds(
            SdpAttr,
            st.just("audio"),
            st.just("substitute"),
            st.just(()),
            st.lists(st.tuples(TEXTS, TEXTS)).map(tuple),
        ),
    )
)


@given(COMMANDS)
def test_lines_that_are_no_attributes_stay(commands: list[SdpAttr]) -> None:
    out = manipulate(list(LINES), "audio", commands)
    assert out[:2] == LINES[:2]
    assert all(line.startswith("a=") for line in out[2:])


def test_sections_are_the_session_and_the_types_of_media() -> None:
    daemon = Daemon()
    told = daemon.offer(
        sdp.sdp(
            "198.51.100.1", "a=tool:x", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31", "m=image 4004 udptl t38"
        ),
        sdp_attr={
            "global": {"remove": ["tool"], "add": ["session"]},
            "audio": {"substitute": [["sendrecv", "sendonly"]]},
            "video": {"remove": ["rtpmap", "rtcp"]},
            "image": {"add": ["T38FaxVersion:0"]},
        },
    )
    session, audio, video, image = sdp.parts(told)
    assert session[-1] == "a=session"
    assert audio[2:] == ["a=rtpmap:0 PCMU/8000", "a=sendonly", f"a=rtcp:{sdp.port(told) + 1}"]
    assert video[2:] == ["a=sendrecv"]
    assert image[2:] == ["a=T38FaxVersion:0"]


def test_only_the_message_that_asks_is_changed() -> None:
    daemon = Daemon()
    commands = {"audio": {"add": ["x"]}}
    assert sdp.attribute(daemon.offer(sdp.audio("198.51.100.1"), sdp_attr=commands), "x") == ""
    assert sdp.attribute(daemon.offer(sdp.audio("198.51.100.1")), "x") is None
