"""The SDP that leaves: order and content of its lines (ng-protocol.md §4.2, §4.3, §4.4)."""

from typing import Any

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"

FULL = (
    "v=0",
    "o=alice 53 7 IN IP4 198.51.100.1",
    "s=a call",
    "i=about",
    "u=http://example.com/",
    "e=a@example.com",
    "p=+1 555",
    "c=IN IP4 198.51.100.1",
    "b=TIAS:64000",
    "b=X-OWN:1",
    "b=AS:64",
    "b=RS:0",
    "t=2873397496 2873404696",
    "r=7d 1h 0 25h",
    "z=0 0",
    "k=prompt",
    "a=tool:phone 1.0",
    "a=sendonly",
    "a=group:BUNDLE 1 2",
    "a=ice-lite",
    "a=msid-semantic: WMS",
    "m=audio 4000 RTP/AVPF 111 8 101",
    "a=maxptime:60",
    "a=private:one  two ",
    "a=mid:1",
    "a=fmtp:101 0-15",
    "a=rtpmap:101 telephone-event/8000/1",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 useinbandfec=1;stereo=1",
    "a=rtcp-fb:111 nack",
    "a=rtcp-fb:* transport-cc",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=ptime:20",
    "a=label:7",
    "a=extmap:1 urn:x",
    "a=extmap-allow-mixed",
    "a=ssrc:1 cname:a",
    "b=CT:1",
    "b=AS:32",
    "i=voice",
    "a=rtcp:4001",
    "a=recvonly",
)


def test_the_order_of_lines() -> None:
    daemon = Daemon()
    told = daemon.offer(sdp.joined(FULL))
    port = sdp.port(told)
    assert sdp.parts(told)[0] == [
        "v=0",
        "o=alice 53 7 IN IP4 198.51.100.1",
        "s=a call",
        "i=about",
        "u=http://example.com/",
        "e=a@example.com",
        "p=+1 555",
        "b=AS:64",
        "b=RS:0",
        "b=TIAS:64000",
        "t=2873397496 2873404696",
        "a=tool:phone 1.0",
        "a=msid-semantic: WMS",
    ]
    assert sdp.media(told) == [
        f"m=audio {port} RTP/AVPF 111 8 101",
        "i=voice",
        "c=IN IP4 192.0.2.1",
        "b=AS:32",
        "b=CT:1",
        "a=mid:1",
        "a=label:7",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 stereo=1; useinbandfec=1",
        "a=rtcp-fb:111 nack",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=extmap-allow-mixed",
        "a=extmap:1 urn:x",
        "a=rtcp-fb:* transport-cc",
        "a=private:one  two ",
        "a=rtcp-rsize",
        "a=ssrc:1 cname:a",
        "a=recvonly",
        f"a=rtcp:{port + 1}",
        "a=rtcp-mux",
        "a=ptime:20",
        "a=maxptime:60",
    ]


def test_lines_end_in_crlf_whatever_those_of_the_sender_end_in() -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE).replace("\r\n", "\n"))
    assert told.count("\n") == told.count("\r\n") == len(told.splitlines())


@pytest.mark.parametrize(
    "value", ["x", "x:", "x:y", "x: y ", "x:\udcff\udcfe", "x:\u2603", "*", "=", "x:" + "y" * 5000], ids=ascii
)
def test_an_attribute_that_no_rule_knows_leaves_as_it_came(value: str) -> None:
    daemon = Daemon()
    told = daemon.offer(sdp.sdp(ALICE, f"a={value}", "m=audio 4000 RTP/AVP 0", f"a={value}"))
    assert [f"a={value}" in part for part in sdp.parts(told)] == [True, True]


def test_times_that_are_missing_are_zero() -> None:
    daemon = Daemon()
    assert sdp.parts(daemon.offer(audio(ALICE).replace("t=0 0\r\n", "")))[0][-1] == "t=0 0"


@pytest.mark.parametrize(
    ("flags", "value"),
    [
        ([], "{}"),
        (["full-rtcp-attribute"], "{} IN IP4 192.0.2.1"),
        (["no-rtcp-attribute"], None),
        (["no-rtcp-attribute", "full-rtcp-attribute"], None),
    ],
)
def test_where_rtcp_goes(flags: list[str], value: str | None) -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), flags=flags)
    assert sdp.attribute(told, "rtcp") == (value and value.format(sdp.port(told) + 1))


@pytest.mark.parametrize(
    ("keys", "address"),
    [
        ({}, "192.0.2.1"),
        ({"direction": ["int", "ext"]}, "192.0.2.2"),
        ({"direction": ["ext", "int"]}, "192.0.2.1"),
        ({"direction": ["int", "nat"]}, "203.0.113.9"),
        ({"direction": ["int", "nowhere"]}, "192.0.2.1"),
        ({"direction": ["int", "six"]}, "2001:db8::1"),
        ({"direction": ["ext"]}, "192.0.2.1"),
        ({"from_interface": "ext", "to_interface": "nat"}, "203.0.113.9"),
        ({"address_family": "IP6"}, "2001:db8::1"),
        ({"address_family": "IP6", "direction": ["int", "ext"]}, "192.0.2.2"),
        ({"direction": ["internal", "external"]}, "2001:db8::1"),
        ({"media_address": "198.51.100.99"}, "198.51.100.99"),
        ({"media_address": "2001:db8::99", "direction": ["int", "nat"]}, "2001:db8::99"),
    ],
)
def test_the_address_that_is_told(keys: dict[str, Any], address: str) -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), flags=["full-rtcp-attribute"], **keys)
    assert sdp.address(told) == address
    family = "IP6" if ":" in address else "IP4"
    assert sdp.attribute(told, "rtcp") == f"{sdp.port(told) + 1} IN {family} {address}"


def test_an_interface_is_remembered_for_the_dialogue() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), direction=["ext", "nat"])
    assert sdp.address(daemon.answer(audio(BOB))) == "192.0.2.2"
    assert sdp.address(daemon.offer(audio(ALICE), to_tag="b")) == "203.0.113.9"
    assert sdp.address(daemon.offer(audio(BOB), from_tag="b", to_tag="a")) == "192.0.2.2"


def test_between_families_each_side_is_told_its_own() -> None:
    daemon = Daemon()
    assert sdp.address(daemon.offer(audio(ALICE), address_family="IP6")) == "2001:db8::1"
    assert sdp.address(daemon.answer(audio("2001:db8::b", 5000))) == "192.0.2.1"
    assert sdp.address(daemon.offer(audio(ALICE), to_tag="b")) == "2001:db8::1"


@pytest.mark.parametrize(
    ("sender", "keys", "told"),
    [
        (["a=ptime:20", "a=maxptime:40"], {}, ["a=ptime:20", "a=maxptime:40"]),
        (["a=ptime:20"], {"ptime": 30}, ["a=ptime:30"]),
        ([], {"ptime": "30"}, ["a=ptime:30"]),
        ([], {}, []),
    ],
)
def test_packet_times_of_an_offer(sender: list[str], keys: dict[str, Any], told: list[str]) -> None:
    daemon = Daemon()
    assert [line for line in sdp.media(daemon.offer(audio(ALICE, 4000, *sender), **keys)) if "ptime" in line] == told


def test_an_answer_repeats_the_packet_time_of_the_offerer() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, "a=ptime:30"))
    assert sdp.attribute(daemon.answer(audio(BOB)), "ptime") == "30"
    assert sdp.attribute(daemon.answer(audio(BOB, 4000, "a=ptime:20")), "ptime") == "20"


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ({}, ["a=extmap:1 urn:x", "a=extmap:2 urn:y"]),
        ({"flags": ["strip-extmap"]}, []),
        ({"extmap": {"strip": ["urn:x"]}}, ["a=extmap:2 urn:y"]),
        ({"extmap": {"strip": ["all"]}}, []),
        ({"extmap": {"mask": ["urn:y"]}}, ["a=extmap:1 urn:x"]),
    ],
)
def test_header_extensions(keys: dict[str, Any], left: list[str]) -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE, 4000, "a=extmap:1 urn:x", "a=extmap:2/sendonly urn:y"), **keys)
    assert [line for line in sdp.media(told) if line.startswith("a=extmap:")] == left


def test_header_extensions_of_the_session_are_those_of_medias_without() -> None:
    daemon = Daemon()
    told = daemon.offer(
        sdp.sdp(ALICE, "a=extmap:1 urn:s", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "a=extmap:2 urn:m")
    )
    assert [sdp.attribute(told, "extmap", place) for place in (0, 1)] == ["1 urn:s", "2 urn:m"]


@pytest.mark.parametrize(("allows", "told"), [([], None), (["a=extmap-allow-mixed"], "")])
def test_extensions_are_mixed_unless_the_receiver_has_some_and_does_not_say_so(
    allows: list[str], told: str | None
) -> None:
    daemon = Daemon()
    extension = "a=extmap:1 urn:x"
    assert sdp.attribute(daemon.offer(audio(ALICE, 4000, extension)), "extmap-allow-mixed") == ""
    daemon.answer(audio(BOB, 5000, extension, *allows))
    assert sdp.attribute(daemon.offer(audio(ALICE, 4000, extension), to_tag="b"), "extmap-allow-mixed") == told


@pytest.mark.parametrize(("flags", "mids"), [([], [None, "v"]), (["generate-mid"], ["1", "v"])])
def test_media_ids_are_copied_or_made(flags: list[str], mids: list[str | None]) -> None:
    daemon = Daemon()
    told = daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "a=mid:v"), flags=flags)
    assert [sdp.attribute(told, "mid", place) for place in (0, 1)] == mids


def test_feedback_of_codecs_stays_although_the_profile_has_none() -> None:
    daemon = Daemon()
    text = audio(ALICE, 4000, "a=rtcp-fb:0 nack", "a=rtcp-fb:* nack pli").replace("RTP/AVP", "RTP/AVPF")
    told = sdp.media(daemon.offer(text, transport_protocol="RTP/AVP"))
    assert [line for line in told if "rtcp-fb" in line] == ["a=rtcp-fb:0 nack", "a=rtcp-fb:* nack pli"]


# ------------------------------------------------------------------------------------------------------ special medias


def test_a_media_with_port_zero_is_its_formats_and_what_identifies_it() -> None:
    daemon = Daemon()
    told = daemon.offer(
        sdp.sdp(
            ALICE,
            "m=audio 4000 RTP/AVP 0",
            "m=video 0 RTP/AVP 96 97",
            "a=rtpmap:96 VP8/90000",
            "a=mid:v",
            "a=label:8",
            "a=sendonly",
        )
    )
    assert sdp.media(told, 1) == ["m=video 0 RTP/AVP 96 97", "c=IN IP4 0.0.0.0", "a=mid:v", "a=label:8"]


def test_a_media_that_the_answerer_refuses_is_refused() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31"))
    answer = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=video 0 RTP/AVP 31"))
    assert sdp.media(answer, 1) == ["m=video 0 RTP/AVP 31", "c=IN IP4 0.0.0.0"]


def test_an_unknown_transport_keeps_formats_and_attributes_and_has_no_rtcp() -> None:
    daemon = Daemon()
    attributes = ["a=floorctrl:c-only", "a=confid:1", "a=sendrecv", "a=rtpmap:1 x", "a=setup:active"]
    told = daemon.offer(sdp.sdp(ALICE, "m=application 4000 UDP/BFCP *", *attributes))
    assert sdp.media(told) == [f"m=application {sdp.port(told)} UDP/BFCP *", "c=IN IP4 192.0.2.1", *attributes]
    assert sdp.port(told) != 4000


def test_fax_is_relayed_as_udptl_with_its_attributes() -> None:
    daemon = Daemon()
    attributes = ["a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxUdpEC:t38UDPRedundancy"]
    told = daemon.offer(sdp.sdp(ALICE, "m=image 4000 UDPTL t38", *attributes))
    assert sdp.media(told) == [f"m=image {sdp.port(told)} udptl t38", "c=IN IP4 192.0.2.1", *attributes]
    answer = daemon.answer(sdp.sdp(BOB, "m=image 5000 udptl t38", *attributes))
    assert sdp.media(answer) == [f"m=image {sdp.port(answer)} udptl t38", "c=IN IP4 192.0.2.1", *attributes]


def test_messages_over_tcp_are_left_alone() -> None:
    daemon = Daemon()
    attributes = ["a=path:msrp://198.51.100.1:2855/x;tcp", "a=accept-types:text/plain", "a=setup:active"]
    told = daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=message 2855 TCP/MSRP *", *attributes))
    assert sdp.media(told, 1) == ["m=message 2855 TCP/MSRP *", "c=IN IP4 198.51.100.1", *attributes]
    assert len(daemon.forwarder.bound) == 4


def test_a_media_that_is_removed_comes_back_refused() -> None:
    daemon = Daemon()
    told = daemon.offer(sdp.sdp(ALICE, "m=video 4002 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"), sdp_media_remove=["video"])
    assert [part[0].split(" ")[0] for part in sdp.parts(told)[1:]] == ["m=audio"]
    answer = daemon.answer(audio(BOB, 5000))
    assert [part[0] for part in sdp.parts(answer)[1:]] == [
        "m=video 0 RTP/AVP 31",
        f"m=audio {sdp.port(answer, 1)} RTP/AVP 0",
    ]


def test_a_sent_port_count_is_dropped() -> None:
    daemon = Daemon()
    told = daemon.offer(sdp.sdp(ALICE, "m=audio 4000/2 RTP/AVP 0"))
    assert sdp.media(told)[0] == f"m=audio {sdp.port(told)} RTP/AVP 0"


def test_loop_protection_marks_what_passed_us_and_sends_it_back_unchanged() -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE), flags=["loop-protect"])
    marks = [line for line in sdp.parts(told)[0] if line.startswith("a=rtpengine:")]
    assert len(marks) == 1
    plan = daemon.plan()
    assert daemon.offer(told, flags=["loop-protect"], call="looped") == told
    assert daemon.calls() == ["call"]
    assert daemon.plan() == plan
    assert daemon.offer(told, call="not protected") != told


def test_a_mark_of_another_daemon_is_replaced() -> None:
    daemon = Daemon()
    text = sdp.sdp(ALICE, "a=rtpengine:0123456789ab", "m=audio 4000 RTP/AVP 0")
    assert "a=rtpengine:0123456789ab" not in daemon.offer(text)
    told = daemon.offer(text, flags=["loop-protect"])
    assert told != text
    assert "a=rtpengine:0123456789ab" not in told
