"""The trees of `query` and `delete` (ng-protocol.md §6.1, §6.2)."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.forwarder import SocketCounters, SsrcCounters
from tests.support import sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"
START = 1_700_000_000
NOTHING = {"packets": 0, "bytes": 0, "errors": 0}


def endpoint(address: str, port: int) -> dict[str, Any]:
    return {"family": "IPv6" if ":" in address else "IPv4", "address": address, "port": port}


def stream(local: int, peer: dict[str, Any], flags: list[str], **more: Any) -> dict[str, Any]:
    """A stream on 192.0.2.1 that has seen nothing."""
    tree = {
        "local port": local,
        "local address": "192.0.2.1",
        "family": "IPv4",
        "endpoint": peer,
        "advertised endpoint": peer,
        "last packet": START,
        "last kernel packet": 0,
        "last user packet": START,
        "flags": flags,
        "stats": NOTHING,
        "stats_out": NOTHING,
    }
    return tree | more


def call_of(daemon: Daemon, **keys: Any) -> tuple[int, int]:
    """A call that is set up; the ports that the callee and the caller send to."""
    offer = daemon.offer(audio(ALICE, 4000), **keys)
    return sdp.port(offer), sdp.port(daemon.answer(audio(BOB, 5000)))


def test_the_whole_tree_of_a_call() -> None:
    daemon = Daemon()
    callee, caller = call_of(daemon, label="A", metadata="tenant", via_branch="x")
    daemon.wait(5)
    daemon.receive_media(caller, 3, ssrc=4660)
    seen = START + 5
    source = {"bytes": 516, "packets": 3, "last RTP timestamp": 480, "last RTP seq": 3}
    assert daemon.command("query") == {
        "created": START,
        "created_us": 0,
        "created_ts": START * 1_000_000,
        "last signal": START,
        "last redis update": 0,
        "metadata": "tenant",
        "SSRC": {"4660": source},
        "tags": {
            "a": {
                "tag": "a",
                "label": "A",
                "created": START,
                "metadata": "tenant",
                "subscriptions": [{"tag": "b", "type": "offer/answer"}],
                "subscribers": [{"tag": "b", "type": "offer/answer"}],
                "medias": [
                    {
                        "index": 1,
                        "type": "audio",
                        "protocol": "RTP/AVP",
                        "codec": "PCMU/8000",
                        "streams": [
                            stream(
                                caller,
                                endpoint(ALICE, 4000),
                                ["RTP", "filled"],
                                SSRC=4660,
                                stats={"packets": 3, "bytes": 516, "errors": 0},
                                **{"last packet": seen, "last user packet": seen},
                            ),
                            stream(caller + 1, endpoint(ALICE, 4001), ["RTCP", "filled"]),
                        ],
                        "flags": ["initialized", "send", "recv"],
                        "ingress SSRCs": [{"SSRC": 4660, **source}],
                        "egress SSRCs": [],
                    }
                ],
                "VSC": [],
            },
            "b": {
                "tag": "b",
                "via-branch": "x",
                "created": START,
                "subscriptions": [{"tag": "a", "type": "offer/answer"}],
                "subscribers": [{"tag": "a", "type": "offer/answer"}],
                "medias": [
                    {
                        "index": 1,
                        "type": "audio",
                        "protocol": "RTP/AVP",
                        "streams": [
                            stream(callee, endpoint(BOB, 5000), ["RTP", "filled"]),
                            stream(callee + 1, endpoint(BOB, 5001), ["RTCP", "filled"]),
                        ],
                        "flags": ["initialized", "send", "recv", "ICE controlling"],
                        "ingress SSRCs": [],
                        "egress SSRCs": [{"SSRC": 4660, "bytes": 516, "packets": 3}],
                    }
                ],
                "VSC": [],
            },
        },
        "totals": {"RTP": {"packets": 3, "bytes": 516, "errors": 0}, "RTCP": NOTHING},
        "result": "ok",
    }


def test_times() -> None:
    daemon = Daemon()
    daemon.wait(1.25)
    call_of(daemon)
    daemon.wait(10)
    daemon.offer(audio(ALICE, 4000), to_tag="b")
    tree = daemon.command("query")
    assert (tree["created"], tree["created_us"]) == (START + 1, 250_000)
    assert tree["created_ts"] == (START + 1) * 1_000_000 + 250_000
    assert tree["last signal"] == START + 11


def medias(tree: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    return list(tree["tags"][tag]["medias"])


def test_totals_are_the_sums_of_what_was_received() -> None:
    daemon = Daemon()
    callee, caller = call_of(daemon)
    for number, port in enumerate((callee, callee + 1, caller, caller + 1), 1):
        daemon.forwarder.counted[daemon.socket_at(port)] = SocketCounters(number, 10 * number, 100 * number)
    totals = daemon.command("query")["totals"]
    assert totals["RTP"] == {"packets": 4, "bytes": 40, "errors": 400}
    assert totals["RTCP"] == {"packets": 6, "bytes": 60, "errors": 600}


def test_what_was_sent_is_told_beside() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    daemon.forwarder.counted[daemon.socket_at(caller)] = SocketCounters(packets_out=7, bytes_out=70, errors_out=1)
    streams = medias(daemon.command("query"), "a")[0]["streams"]
    assert streams[0]["stats_out"] == {"packets": 7, "bytes": 70, "errors": 1}
    assert streams[0]["stats"] == NOTHING


def test_a_learned_endpoint_is_told_once_it_is_sure() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    socket, peer = daemon.socket_at(caller), Endpoint("203.0.113.5", 6000)
    for confirmed, shown in ((False, endpoint(ALICE, 4000)), (True, endpoint("203.0.113.5", 6000))):
        daemon.forwarder.counted[socket] = SocketCounters(peer=peer, confirmed=confirmed)
        told = medias(daemon.command("query"), "a")[0]["streams"][0]
        assert told["endpoint"] == shown
        assert told["advertised endpoint"] == endpoint(ALICE, 4000)
        assert ("confirmed" in told["flags"]) is confirmed


def test_the_codec_is_the_one_that_was_received_last() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, "a=rtpmap:96 opus/48000/2", formats="0 96"))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    assert "codec" not in medias(daemon.command("query"), "a")[0]
    for payload_type, codec in ((0, "PCMU/8000"), (96, "opus/48000/2"), (99, None)):
        daemon.receive_media(caller, payload_type=payload_type)
        assert medias(daemon.command("query"), "a")[0].get("codec") == codec


def test_sources_are_listed_in_order_and_named_in_decimal() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    sources = tuple(SsrcCounters(ssrc, 1, 2, 3, 4, 0, 0) for ssrc in (0xFFFFFFFF, 1))
    daemon.forwarder.counted[daemon.socket_at(caller)] = SocketCounters(packets_in=2, sources=sources)
    tree = daemon.command("query")
    assert list(tree["SSRC"]) == ["4294967295", "1"]
    media = medias(tree, "a")[0]
    assert [item["SSRC"] for item in media["ingress SSRCs"]] == [4294967295, 1]
    assert media["streams"][0]["SSRC"] == 1


@pytest.mark.parametrize(
    ("offer", "keys", "flags", "streams"),
    [
        (audio(ALICE), {}, ["initialized", "send", "recv"], (["RTP", "filled"], ["RTCP", "filled"])),
        (audio(ALICE, 4000, "a=sendonly"), {}, ["initialized", "recv"], (["RTP", "filled"], ["RTCP", "filled"])),
        (audio(ALICE, 4000, "a=recvonly"), {}, ["initialized", "send"], (["RTP", "filled"], ["RTCP", "filled"])),
        (audio(ALICE, 4000, "a=inactive"), {}, ["initialized"], (["RTP", "filled"], ["RTCP", "filled"])),
        (
            audio(ALICE, 4000, "a=rtcp-mux"),
            {},
            ["initialized", "send", "recv", "rtcp-mux"],
            (["RTP", "RTCP", "filled"], ["RTCP", "fallback RTCP", "filled"]),
        ),
        (
            audio(ALICE),
            {"flags": ["asymmetric", "strict-source", "media-handover"]},
            ["initialized", "asymmetric", "send", "recv"],
            (
                ["RTP", "filled", "strict source address", "media handover"],
                ["RTCP", "filled", "strict source address", "media handover"],
            ),
        ),
        (
            audio(ALICE, 4000, "a=rtcp-fb:0 nack"),
            {},
            ["initialized", "send", "recv", "RTCP feedback"],
            (["RTP", "filled"], ["RTCP", "filled"]),
        ),
    ],
)
def test_the_state_of_a_media_in_words(
    offer: str, keys: dict[str, Any], flags: list[str], streams: tuple[list[str], list[str]]
) -> None:
    daemon = Daemon()
    daemon.offer(offer, **keys)
    media = medias(daemon.command("query"), "a")[0]
    assert media["flags"] == flags
    assert tuple(item["flags"] for item in media["streams"]) == streams


def test_a_party_that_has_said_nothing() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    tree = daemon.command("query")
    assert list(tree["tags"]) == ["a", "<untagged 1>"]
    media = medias(tree, "<untagged 1>")[0]
    assert media["flags"] == ["send", "recv", "ICE controlling"]
    assert [item["flags"] for item in media["streams"]] == [["RTP"], ["RTCP"]]
    assert media["streams"][0]["endpoint"] == {}
    assert "local port" in media["streams"][0]


def test_branches_and_aliases() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), via_branch="x")
    daemon.offer(audio(ALICE), via_branch="y")
    tree = daemon.command("query")["tags"]
    assert list(tree) == ["a", "<untagged 1>", "<untagged 2>"]
    assert [tree[name].get("via-branch") for name in tree] == [None, "x", "y"]
    assert tree["a"]["subscriptions"] == [{"tag": "", "type": "offer/answer"}] * 2
    daemon.answer(audio(BOB), to_tag="b1", via_branch="y")
    daemon.answer(audio(BOB), to_tag="b2")
    tree = daemon.command("query")["tags"]
    assert (tree["b2"]["tag-aliases"], tree["b2"]["via-branch"]) == (["b1"], "y")


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({}, ["a", "b", "c"]),
        ({"from_tag": "a"}, ["a", "c"]),
        ({"from_tag": "b"}, ["b"]),
        ({"from_tag": "a", "to_tag": "b"}, ["b"]),
        ({"from_tag": "nobody"}, []),
        ({"to_tag": "c"}, ["c", "a"]),
    ],
)
def test_a_query_about_one_party(keys: dict[str, Any], shown: list[str]) -> None:
    daemon = Daemon()
    for tag in ("b", "c"):
        daemon.offer(audio(ALICE), via_branch=tag)
        daemon.answer(audio(BOB), to_tag=tag, via_branch=tag)
    assert list(daemon.command("query", **keys)["tags"]) == shown


def test_other_media_than_rtp() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=image 4000 udptl t38", "m=application 4002 UDP/BFCP *", "m=audio 0 RTP/AVP 0"))
    shown = medias(daemon.command("query"), "a")
    assert [(item["index"], item["type"], item.get("protocol")) for item in shown] == [
        (1, "image", "udptl"),
        (2, "application", None),
        (3, "audio", "RTP/AVP"),
    ]
    assert "local port" not in shown[2]["streams"][0]


def test_an_address_of_the_other_family() -> None:
    daemon = Daemon()
    daemon.offer(audio("2001:db8::a"))
    told = medias(daemon.command("query"), "a")[0]["streams"][0]
    assert (told["local address"], told["family"]) == ("2001:db8::1", "IPv6")
    assert told["endpoint"] == endpoint("2001:db8::a", 4000)


def test_a_media_that_was_withheld_is_not_counted_among_those_of_the_far_side() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=video 4002 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"), sdp_media_remove=["video"])
    tree = daemon.command("query")
    assert [(item["index"], item["type"]) for item in medias(tree, "a")] == [(1, "video"), (2, "audio")]
    assert [(item["index"], item["type"]) for item in medias(tree, "<untagged 1>")] == [(1, "audio")]
    assert medias(tree, "a")[0]["flags"] == []


def test_the_tree_is_made_of_plain_types_in_either_format() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    daemon.receive_media(caller)
    reply = daemon.exchange(b'c {"command": "query", "call-id": "%b"}' % CALL.encode(), "c")
    assert reply is not None
    assert reply.startswith(b'{"created":')
    assert b'"packets":1' in reply.replace(b" ", b"")
