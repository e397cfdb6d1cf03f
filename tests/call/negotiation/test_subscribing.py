"""Copies of media: what subscribers are offered, and which packets they get (ng-protocol.md §2.9)."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.plan import Carries, Route
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB, RECORDER = "198.51.100.1", "198.51.100.2", "198.51.100.9"
EVENTS = "a=rtpmap:101 telephone-event/8000"


def call_of(offer: str = "", answer: str = "") -> Daemon:
    """A call between `a` and `b`, of PCMA and DTMF events where nothing else is said."""
    daemon = Daemon()
    daemon.offer(offer or audio(ALICE, 4000, EVENTS, formats="0 8 101"))
    daemon.answer(answer or audio(BOB, 5000, EVENTS, formats="8 101"))
    return daemon


def subscribe(daemon: Daemon, **keys: Any) -> str:
    """The offer for the subscriber `rec`."""
    reply = daemon.command("subscribe request", **{"to_tag": "rec", **keys})
    assert reply["result"] == "ok", reply
    return str(reply["sdp"])


def recorder(*formats: str, ports: tuple[int, ...] = (7000, 7002), lines: tuple[str, ...] = ()) -> str:
    """The answer of a recorder, one audio media for each of the formats."""
    medias: list[str] = []
    for port, text in zip(ports, formats, strict=False):
        medias += [f"m=audio {port} RTP/AVP {text}", EVENTS, *lines, "a=recvonly"]
    return sdp.sdp(RECORDER, *medias)


def copies(daemon: Daemon) -> list[Route]:
    """The routes that lead to peers at the recorder's address."""
    sinks = {item.id for item in daemon.plan().sockets if item.signalled and item.signalled.address == RECORDER}
    return [route for route in daemon.plan().routes if route.sink in sinks]


def peers(daemon: Daemon, carries: Carries) -> set[tuple[str, int]]:
    """From which peer to which port of the recorder packets of a kind are copied."""
    signalled = {item.id: item.signalled for item in daemon.plan().sockets}
    found = set()
    for route in copies(daemon):
        source, sink = signalled[route.source], signalled[route.sink]
        assert sink is not None
        if route.carries is carries and source is not None:
            found.add((source.address, sink.port))
    return found


def test_each_media_of_each_source_is_offered_in_the_codecs_that_it_sends() -> None:
    daemon = call_of()
    told = subscribe(daemon, flags=["all"])
    for place in range(2):
        assert sdp.media(told, place)[0].endswith(" RTP/AVP 8 101")
        assert sdp.direction(told, place) == "sendonly"
        assert sdp.attribute(told, "label", place) is None
    assert len(set(sdp.ports(told))) == 2
    assert set(sdp.ports(told)) <= {local.port for _, local in daemon.forwarder.bound.values()}


def test_what_is_copied_goes_where_the_subscriber_says_and_nowhere_before() -> None:
    daemon = call_of()
    before = daemon.plan().routes
    subscribe(daemon, flags=["all"])
    assert copies(daemon) == []
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    assert peers(daemon, Carries.RTP) == {(ALICE, 7000), (BOB, 7002)}
    assert peers(daemon, Carries.RTCP) == {(ALICE, 7001), (BOB, 7003)}
    assert set(before) <= set(daemon.plan().routes), "the call itself goes on as it was"


def test_nothing_flows_from_a_subscriber_into_the_call() -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101").replace("recvonly", "sendrecv"))
    facing = {item.id for item in daemon.plan().sockets if item.signalled and item.signalled.address == RECORDER}
    assert len(facing) == 4
    assert [route for route in daemon.plan().routes if route.source in facing] == []


def test_rtcp_flows_back_where_it_was_asked_for() -> None:
    daemon = call_of()
    subscribe(daemon, from_tag="a", flags=["RTCP-mirror"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101"))
    signalled = {item.id: item.signalled for item in daemon.plan().sockets}
    back = [route for route in daemon.plan().routes if signalled[route.source] == Endpoint(RECORDER, 7001)]
    assert [(route.carries, signalled[route.sink]) for route in back] == [(Carries.RTCP, Endpoint(ALICE, 4001))]


def test_codecs_that_were_refused_are_held_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    daemon = call_of(answer=audio(BOB, 5000, EVENTS, formats="0 8 101"))
    subscribe(daemon, from_tag="a")
    answer: dict[str, Any] = {"to_tag": "rec", "sdp": recorder("8")}
    assert daemon.refusal("subscribe answer", **answer) == "Failed to process subscription answer"
    assert any("media 1 refuses PCMU/8000" in record.getMessage() for record in caplog.records)
    assert copies(daemon) == []
    assert daemon.command("subscribe answer", flags=["allow-transcoding"], **answer)["result"] == "ok"
    assert [route.dropped for route in copies(daemon) if route.carries is Carries.RTP] == [frozenset((0, 101))]


@pytest.mark.parametrize(
    "answer",
    [
        recorder("0 101", "8 101"),
        recorder("8", "8", ports=(7000, 7002)).replace("m=audio 7002", "m=video 7002"),
        recorder("8", "8").replace("RTP/AVP", "RTP/SAVP"),
        sdp.sdp(RECORDER, *["m=audio 7000 RTP/AVP 8"] * 3),
        recorder("101", "101"),
    ],
    ids=["another codec", "another type", "secured", "one media more", "only events"],
)
@pytest.mark.parametrize("flags", [[], ["allow-transcoding"]])
def test_an_answer_that_does_not_fit_changes_nothing(answer: str, flags: list[str]) -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    plan, query = daemon.plan(), daemon.command("query")
    refused = daemon.refusal("subscribe answer", to_tag="rec", sdp=answer, flags=flags)
    assert refused == "Failed to process subscription answer"
    assert (daemon.plan(), daemon.command("query")) == (plan, query)


def test_a_media_may_be_refused() -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101", ports=(0, 7002)))
    assert peers(daemon, Carries.RTP) == {(BOB, 7002)}
    subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101"))
    assert peers(daemon, Carries.RTP) == {(ALICE, 7000)}, "a media without a line is refused"


def test_a_pause_keeps_the_ports_and_stops_the_copies() -> None:
    daemon = call_of()
    first = subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    paused = subscribe(daemon, flags=["all", "inactive"])
    assert sdp.ports(paused) == sdp.ports(first)
    assert [sdp.direction(paused, place) for place in range(2)] == ["inactive"] * 2
    assert copies(daemon) == []
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    assert copies(daemon) == [], "an answer does not end a pause"
    resumed = subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    assert peers(daemon, Carries.RTP) == {(ALICE, 7000), (BOB, 7002)}
    versions = [sdp.parts(text)[0][1].split()[2] for text in (first, paused, resumed)]
    assert versions == ["1", "2", "3"], "each offer that differs has a new version (RFC 3264 §8)"


def test_fewer_sources_leave_a_refused_media_behind() -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    told = subscribe(daemon, from_tag="b")
    assert len(sdp.ports(told)) == 2
    assert sdp.ports(told)[1] == 0
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101", ports=(7000, 0)))
    assert peers(daemon, Carries.RTP) == {(BOB, 7000)}


def test_copies_outlast_a_reinvite_of_the_parties() -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    daemon.offer(audio(ALICE, 4400, EVENTS, formats="8 101"), to_tag="b")
    daemon.answer(audio(BOB, 5000, EVENTS, formats="8 101"))
    assert peers(daemon, Carries.RTP) == {(ALICE, 7000), (BOB, 7002)}
    tags = daemon.command("query")["tags"]
    assert [(item["tag"], item["type"]) for item in tags["rec"]["subscriptions"]] == [
        ("a", "pub/sub"),
        ("b", "pub/sub"),
    ]
    assert [item["type"] for item in tags["a"]["subscribers"]] == ["pub/sub", "offer/answer"]


def test_a_party_that_does_not_send_is_offered_as_inactive() -> None:
    daemon = call_of(answer=audio(BOB, 5000, EVENTS, "a=sendonly", formats="8 101"))
    told = subscribe(daemon, flags=["all"])
    assert [sdp.direction(told, place) for place in range(2)] == ["inactive", "sendonly"]


def test_video_is_copied_with_its_feedback_and_extensions() -> None:
    lines = ("m=video 4002 RTP/AVPF 96", "a=mid:v", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=extmap:1 urn:x")
    daemon = call_of(sdp.sdp(ALICE, *lines), sdp.sdp(BOB, *lines))
    told = subscribe(daemon, from_tag="a")
    assert sdp.media(told)[0].endswith("RTP/AVPF 96")
    assert [sdp.attribute(told, name) for name in ("mid", "rtcp-fb", "extmap")] == ["v", "96 nack", "1 urn:x"]
    assert sdp.attribute(subscribe(daemon, to_tag="two", flags=["all"]), "mid") is None, "two sources, one identifier"


def test_other_media_than_rtp_is_copied_too() -> None:
    fax = ("m=image {} udptl t38", "a=T38FaxVersion:0")
    daemon = call_of(
        sdp.sdp(ALICE, fax[0].format(4000), fax[1]), sdp.sdp(BOB, "m=image 5000 udptl t38", "a=T38FaxVersion:0")
    )
    told = subscribe(daemon, from_tag="a")
    assert sdp.media(told)[0].split(" ", 2)[2] == "udptl t38"
    daemon.command("subscribe answer", to_tag="rec", sdp=sdp.sdp(RECORDER, "m=image 7000 udptl t38"))
    assert peers(daemon, Carries.ANY) == {(ALICE, 7000)}
    subscribe(daemon, from_tag="a", flags=["inactive"])
    assert copies(daemon) == []


LINE = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}"


@pytest.mark.parametrize(("wanted", "secured"), [(None, True), ("RTP/AVP", False), ("UDP/TLS/RTP/SAVPF", True)])
def test_a_copy_of_secured_media_is_as_secured_unless_it_is_asked_for_plain(wanted: str | None, secured: bool) -> None:
    """FUN-03, SDES-05: the recorder gets keys of its own."""
    source = audio(ALICE, 4000, LINE).replace("RTP/AVP", "RTP/SAVP")
    daemon = Daemon()
    line = sdp.attribute(daemon.offer(source, dtls="off", sdes=["only-AES_CM_128_HMAC_SHA1_80"]), "crypto")
    assert line is not None
    daemon.answer(audio(BOB, 5000, LINE).replace("RTP/AVP", "RTP/SAVP"))
    told = subscribe(daemon, from_tag="a", transport_protocol=wanted)
    assert (sdp.attribute(told, "crypto") is not None) is secured
    assert "A" * 40 not in told
    assert sdp.media(told)[0].split()[2] == (wanted or "RTP/SAVP")


def test_a_call_without_media_has_nothing_to_subscribe_to() -> None:
    daemon = call_of(audio(ALICE, 0), audio(BOB, 0))
    reason = daemon.refusal("subscribe request", flags=["all"], to_tag="rec")
    assert reason == "Failed to request subscription: there is no media to subscribe to"


def test_offer_keys_are_those_toward_the_subscriber() -> None:
    daemon = call_of()
    told = subscribe(
        daemon,
        from_tag="a",
        interface="ext",
        rtcp_mux=["require"],
        transport_protocol="RTP/AVPF",
        codec={"strip": ["telephone-event"]},
        flags=["generate-mid"],
    )
    port = sdp.port(told)
    assert sdp.address(told) == "192.0.2.2"
    assert sdp.media(told)[0] == f"m=audio {port} RTP/AVPF 8"
    assert [sdp.attribute(told, name) for name in ("rtcp-mux", "rtcp", "mid")] == ["", str(port), "1"]
    answer = recorder("8", lines=("a=rtcp-mux",)).replace("RTP/AVP", "RTP/AVPF")
    daemon.command("subscribe answer", to_tag="rec", sdp=answer)
    leaving = {(route.carries, str(daemon.forwarder.bound[route.sink][1])) for route in copies(daemon)}
    assert leaving == {(kind, f"192.0.2.2:{port}") for kind in (Carries.RTP, Carries.RTCP)}


def test_blocks_hold_for_copies_too_and_can_be_put_on_them_alone() -> None:
    daemon = call_of()
    subscribe(daemon, flags=["all"])
    daemon.command("subscribe answer", to_tag="rec", sdp=recorder("8 101", "8 101"))
    daemon.command("block DTMF")
    assert all(route.dropped == {101} for route in copies(daemon) if route.carries is Carries.RTP)
    daemon.command("unblock DTMF")
    assert daemon.command("silence media", all="except-offer-answer", from_tag="a")["result"] == "ok"
    silenced = {route.sink for route in daemon.plan().routes if route.silenced}
    assert silenced == {route.sink for route in copies(daemon) if route.silenced}
    assert len(silenced) == 1


def test_recorders_share_the_numbers_of_medias() -> None:
    daemon = call_of()
    first = daemon.command("subscribe request", from_tag="b", to_tag="one", flags=["siprec"])
    second = daemon.command("subscribe request", to_tag="two", flags=["all", "siprec"])
    assert first["tag-medias"] == [
        {"tag": "b", "medias": [{"index": 1, "type": "audio", "label": "0", "mode": "sendrecv"}]}
    ]
    assert [sdp.attribute(second["sdp"], "label", place) for place in range(2)] == ["1", "0"]
    assert second["media-labels"]["1"] == {"tag": "a", "index": 1, "type": "audio", "mode": "sendrecv"}


def test_the_mode_of_a_media_is_what_passes_between_the_party_and_the_daemon() -> None:
    daemon = call_of(answer=audio(BOB, 5000, EVENTS, "a=sendonly", formats="8 101"))
    reply = daemon.command("subscribe request", to_tag="rec", flags=["all", "siprec"])
    modes = {item["tag"]: item["medias"][0]["mode"] for item in reply["tag-medias"]}
    assert modes == {"a": "sendonly", "b": "recvonly"}


def test_query_shows_what_a_subscriber_hears() -> None:
    daemon = call_of()
    told = subscribe(daemon, from_tag="a")
    offered = sdp.port(daemon.answer(audio(BOB, 5000, EVENTS, formats="8 101")))
    daemon.receive_media(offered, 3, payload_type=8, ssrc=77)
    tags = daemon.command("query", from_tag="a")["tags"]
    assert set(tags) == {"a", "b", "rec"}
    (media,) = tags["rec"]["medias"]
    assert media["streams"][0]["local port"] == sdp.port(told)
    assert [item["SSRC"] for item in media["egress SSRCs"]] == [77]
    assert media["flags"] == ["send", "ICE controlling"]
