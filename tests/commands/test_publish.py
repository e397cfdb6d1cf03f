"""`publish`, `create`, `create answer`: parties that speak with the daemon only (§2.9)."""

import logging
from typing import Any

import pytest

from ngdaemon.media.plan import Carries
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB, RECORDER = "198.51.100.1", "198.51.100.2", "198.51.100.9"
EVENTS = "a=rtpmap:101 telephone-event/8000"


def told(daemon: Daemon, command: str, **keys: Any) -> str:
    reply = daemon.command(command, **{"from_tag": "p", **keys})
    assert reply["result"] == "ok", reply
    return str(reply["sdp"])


def test_a_publisher_is_answered_with_one_codec() -> None:
    daemon = Daemon()
    answer = told(daemon, "publish", sdp=audio(ALICE, 4000, EVENTS, "a=ptime:20", "a=sendonly", formats="8 0 101"))
    assert sdp.media(answer)[0].endswith(" RTP/AVP 8 101")
    assert (sdp.direction(answer), sdp.attribute(answer, "ptime")) == ("recvonly", "20")
    assert sdp.address(answer) == "192.0.2.1"
    assert daemon.command("query")["tags"]["p"]["medias"][0]["flags"] == ["initialized", "recv"]


def test_names_are_made_up_where_none_are_given() -> None:
    daemon = Daemon()
    for command in ("publish", "create"):
        reply = daemon.ask({"command": command, "sdp": audio(ALICE)})
        assert len(bytes.fromhex(reply["call-id"])) == len(bytes.fromhex(reply["from-tag"])) == 32
        assert reply["call-id"] in daemon.calls()


def test_a_publisher_may_move() -> None:
    daemon = Daemon()
    first = told(daemon, "publish", sdp=audio(ALICE))
    again = told(daemon, "publish", sdp=audio(ALICE, version=2))
    assert again == first, "nothing has changed, not even the version"
    moved = told(daemon, "publish", sdp=audio(BOB, 4400, "a=inactive"))
    assert sdp.ports(moved) == sdp.ports(first)
    assert sdp.direction(moved) == "inactive"
    versions = [int(sdp.parts(text)[0][1].split()[2]) for text in (first, moved)]
    assert versions[1] == versions[0] + 1
    assert daemon.plan().sockets[0].latch.plausible == frozenset((BOB,))
    assert daemon.refusal("publish", from_tag="p", sdp=sdp.sdp(ALICE)) == "Error rewriting SDP"


@pytest.mark.parametrize(
    ("lines", "keys", "port", "mux"),
    [
        (("a=rtcp-mux",), {}, 0, True),
        (("a=rtcp-mux",), {"rtcp_mux": ["reject"]}, 1, False),
        ((), {}, 1, False),
    ],
)
def test_rtcp_mux_is_accepted_where_it_is_offered(
    lines: tuple[str, ...], keys: dict[str, Any], port: int, mux: bool
) -> None:
    daemon = Daemon()
    answer = told(daemon, "publish", sdp=audio(ALICE, 4000, *lines), **keys)
    assert (sdp.attribute(answer, "rtcp-mux") is not None) is mux
    assert sdp.attribute(answer, "rtcp") == str(sdp.port(answer) + port)
    assert len(daemon.forwarder.bound) == 1 + port


def test_only_media_that_can_be_passed_on_is_taken() -> None:
    """D-COPIES."""
    daemon = Daemon()
    mixed = sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=image 4002 udptl t38", "m=audio 0 RTP/AVP 0")
    assert [bool(port) for port in sdp.ports(told(daemon, "publish", sdp=mixed))] == [True, False, False]
    unkeyed = audio(ALICE).replace("RTP/AVP", "RTP/SAVP")
    assert daemon.refusal("publish", call="two", sdp=unkeyed) == "no acceptable media security: 1:keying"
    assert daemon.calls() == ["call"]


def test_others_listen_to_a_publisher() -> None:
    daemon = Daemon()
    told(daemon, "publish", sdp=audio(ALICE, 4000, formats="8 0"))
    offer = daemon.command("subscribe request", to_tag="one", flags=["all"])
    assert sdp.media(offer["sdp"])[0].endswith(" RTP/AVP 8")
    for tag, port in (("one", 7000), ("two", 8000)):
        daemon.command("subscribe request", to_tag=tag, from_tag="p")
        daemon.command("subscribe answer", to_tag=tag, sdp=audio(RECORDER, port, formats="8"))
    signalled = {item.id: item.signalled for item in daemon.plan().sockets}
    sinks = [signalled[route.sink] for route in daemon.plan().routes if route.carries is Carries.RTP]
    assert [item.port for item in sinks if item] == [7000, 8000]
    daemon.command("delete", from_tag="one", delete_delay=0)
    assert daemon.calls() == ["call"]
    daemon.command("delete", from_tag="p", delete_delay=0)
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}


def test_a_publisher_lives_while_it_sends() -> None:
    daemon = Daemon(timeout=60)
    port = sdp.port(told(daemon, "publish", sdp=audio(ALICE)))
    for _ in range(20):
        daemon.wait(50)
        daemon.receive_media(port)
    assert daemon.calls() == ["call"]
    daemon.wait(60)
    assert daemon.calls() == []


@pytest.mark.parametrize("command", ["publish", "create"])
def test_the_tag_of_a_party_is_refused_and_the_call_stays_as_it_is(command: str) -> None:
    """D-COPIES."""
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    plan = daemon.plan()
    reason = 'From-tag "a" is that of a party in a dialogue'
    assert daemon.refusal(command, from_tag="a", sdp=audio(ALICE)) == reason
    assert daemon.plan() == plan
    told(daemon, command, sdp=audio(ALICE))
    daemon.command("delete", from_tag="p", delete_delay=0)
    assert daemon.plan() == plan, "the dialogue goes on"


def test_ports_that_run_out_leave_no_call_behind() -> None:
    daemon = Daemon(port_min=30000, port_max=30001)
    two = sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31")
    assert daemon.refusal("publish", from_tag="p", sdp=two) == "Ran out of ports"
    assert (daemon.calls(), daemon.forwarder.bound) == ([], {})


# ------------------------------------------------------------------------------------------------------------- create


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ({}, ["audio RTP/AVP 0 8"]),
        ({"codec": {"offer": ["opus", "PCMA", "telephone-event"]}}, ["audio RTP/AVP 96 8 97"]),
        ({"codec": {"offer": ["PCMA", "VP8"]}}, ["audio RTP/AVP 8", "video RTP/AVP 96"]),
        ({"medias": [{"type": "audio", "codecs": ["G722"]}, {"type": "video", "codecs": ["H264"]}]},
         ["audio RTP/AVP 9", "video RTP/AVP 96"]),
        ({"medias": [{"type": "audio"}, "nonsense"], "transport_protocol": "RTP/AVPF"}, ["audio RTP/AVPF 0 8"]),
    ],
)  # fmt: skip
def test_what_is_offered_out_of_nothing(keys: dict[str, Any], lines: list[str]) -> None:
    offer = told(Daemon(), "create", **keys)
    found = [part[0].split(" ") for part in sdp.parts(offer)[1:]]
    assert [" ".join([words[0].removeprefix("m="), *words[2:]]) for words in found] == lines
    assert sdp.direction(offer) == "sendrecv"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"codec": {"offer": ["mystery"]}}, 'Unknown codec "mystery"'),
        ({"transport_protocol": "UDPTL"}, 'Unsupported transport-protocol "udptl" of a created call'),
        ({"transport_protocol": "RTP/SAVP", "sdes": "off", "dtls": "off"}, "no acceptable media security: 1:keying"),
    ],
)
def test_what_cannot_be_offered(keys: dict[str, Any], reason: str) -> None:
    daemon = Daemon()
    assert daemon.refusal("create", **keys) == reason
    assert (daemon.calls(), daemon.forwarder.bound) == ([], {})


def test_offer_keys_are_those_toward_the_party() -> None:
    offer = told(Daemon(), "create", direction=["ext"], rtcp_mux=["offer"], ptime=30, flags=["generate-mid"], label="x")
    assert sdp.address(offer) == "192.0.2.2"
    assert [sdp.attribute(offer, name) for name in ("rtcp-mux", "ptime", "mid")] == ["", "30", "1"]


def test_the_answer_to_a_created_call() -> None:
    daemon = Daemon()
    told(daemon, "create")
    plan = daemon.plan()
    answer: dict[str, Any] = {"from_tag": "p", "sdp": audio(BOB, 5000, formats="8")}
    assert daemon.refusal("create answer", **{**answer, "call": "other"}) == "unknown call-ID"
    assert daemon.refusal("create answer", **{**answer, "from_tag": "other"}) == "From-tag not found"
    unfit = audio(BOB, 5000, formats="3")
    assert daemon.refusal("create answer", from_tag="p", sdp=unfit) == "Failed to process answer"
    assert daemon.plan() == plan
    assert daemon.command("create answer", **answer) == {"result": "ok"}
    assert [str(item.signalled) for item in daemon.plan().sockets] == [f"{BOB}:5000", f"{BOB}:5001"]


@pytest.mark.parametrize("line", ["m=SECRET 5000 RTP/AVP 8", "m=audio 5000 SECRET 8"])
def test_an_answer_that_does_not_fit_is_not_shown(line: str, caplog: pytest.LogCaptureFixture) -> None:
    """S17: what stands in the place of a media type or a transport may be a key."""
    daemon = Daemon()
    told(daemon, "create")
    with caplog.at_level(logging.INFO):
        assert daemon.refusal("create answer", from_tag="p", sdp=sdp.sdp(BOB, line)) == "Failed to process answer"
    assert ", offered was audio over RTP/AVP" in caplog.text
    assert "SECRET" not in caplog.text


def test_a_created_call_can_be_offered_anew() -> None:
    daemon = Daemon()
    first = told(daemon, "create")
    assert told(daemon, "create") == first
    more = told(daemon, "create", codec={"offer": ["PCMA", "VP8"]})
    assert sdp.ports(more)[0] == sdp.port(first)
    assert daemon.refusal("create", from_tag="p") == "Failed to create SDP: fewer medias than before"
    reason = "Failed to create SDP: media 1 was audio before"
    assert daemon.refusal("create", from_tag="p", codec={"offer": ["VP8", "PCMA"]}) == reason


def test_a_call_that_is_never_answered_ends() -> None:
    daemon = Daemon(offer_timeout=120)
    told(daemon, "create")
    daemon.wait(119)
    assert daemon.calls() == ["call"]
    daemon.wait(1)
    assert daemon.calls() == []
