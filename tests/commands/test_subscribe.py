"""`subscribe request`, `subscribe answer`, `unsubscribe`: who is meant, and what each does to the call (§2.9)."""

from typing import Any

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB, RECORDER = "198.51.100.1", "198.51.100.2", "198.51.100.9"
ALL: dict[str, Any] = {"flags": ["all"]}


def call_of(**settings: Any) -> Daemon:
    daemon = Daemon(**settings)
    daemon.offer(audio(ALICE, 4000), label="caller")
    daemon.answer(audio(BOB, 5000), label="callee")
    return daemon


def recorded(**settings: Any) -> Daemon:
    """A call that `rec` listens to."""
    daemon = call_of(**settings)
    assert daemon.command("subscribe request", to_tag="rec", **ALL)["result"] == "ok"
    medias = ("m=audio 7000 RTP/AVP 0", "m=audio 7002 RTP/AVP 0", "a=recvonly")
    assert daemon.command("subscribe answer", to_tag="rec", sdp=sdp.sdp(RECORDER, *medias)) == {"result": "ok"}
    return daemon


@pytest.mark.parametrize(
    ("keys", "tags"),
    [
        ({"from_tag": "a"}, ["a"]),
        ({"from_tag": "b"}, ["b"]),
        ({"label": "callee"}, ["b"]),
        ({"address": ALICE}, ["a"]),
        ({"from_tags": ["b", "a"]}, ["b", "a"]),
        ({"from_tags": ["b", "nobody", "b"]}, ["b"]),
        ({**ALL, "from_tag": "b"}, ["a", "b"]),
        ({"all": "all"}, ["a", "b"]),
    ],
)
def test_who_is_listened_to(keys: dict[str, Any], tags: list[str]) -> None:
    reply = call_of().command("subscribe request", to_tag="rec", **keys)
    assert reply["from-tags"] == tags
    assert reply.get("from-tag") == (tags[0] if len(tags) == 1 else None)
    assert reply["to-tag"] == "rec"
    assert len(sdp.ports(reply["sdp"])) == len(tags)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"call": "other", **ALL}, "Unknown call-ID(s)"),
        ({}, "No medias found (no monologues matched)"),
        ({"from_tags": ["nobody"]}, "No medias found (no monologues matched)"),
        ({"from_tag": "nobody"}, "From-tag given, but no such tag exists"),
        ({"label": "nobody"}, "No monologue matching the given label"),
        ({"from_tag": "a", "to_tag": "b"}, 'Failed to request subscription: to-tag "b" is that of a party'),
        ({"from_tag": "rec", "to_tag": "other"}, "No medias found (no monologues matched)"),
    ],
)
def test_requests_that_name_nobody(keys: dict[str, Any], reason: str) -> None:
    """D-COPIES."""
    daemon = recorded()
    plan, query = daemon.plan(), daemon.command("query")
    assert daemon.refusal("subscribe request", **keys) == reason
    assert (daemon.plan(), daemon.command("query")) == (plan, query)


@pytest.mark.parametrize(
    ("keys", "honoured"),
    [({}, True), ({"rtpp_flags": "all"}, False), ({"rtpp_flags": "all to-tag"}, True), ({"to_tag": None}, False)],
)
def test_a_tag_is_made_up_where_none_is_given(keys: dict[str, Any], honoured: bool) -> None:
    tag = call_of().command("subscribe request", **{"to_tag": "rec", **ALL, **keys})["to-tag"]
    if honoured:
        assert tag == "rec"
    else:
        assert len(bytes.fromhex(tag)) == 32


def test_a_subscriber_can_be_given_a_label() -> None:
    daemon = call_of()
    daemon.command("subscribe request", to_tag="rec", set_label="recorder", **ALL)
    assert daemon.command("query")["tags"]["rec"]["label"] == "recorder"


@pytest.mark.parametrize("command", ["subscribe answer", "unsubscribe"])
def test_answers_and_ends_that_name_nobody(command: str) -> None:
    daemon = recorded()
    plan = daemon.plan()
    text = audio(RECORDER)
    assert daemon.refusal(command, call="other", to_tag="rec", sdp=text) == "Unknown call-ID"
    assert daemon.refusal(command, to_tag="nobody", sdp=text) == "To-tag not found"
    failed = {"subscribe answer": "Failed to process subscription answer", "unsubscribe": "Failed to unsubscribe"}
    assert daemon.refusal(command, to_tag="a", sdp=text) == failed[command]
    assert daemon.plan() == plan


def test_ports_that_run_out_leave_the_call_as_it_was() -> None:
    daemon = call_of(port_min=30000, port_max=30005, port_quarantine=0)
    plan, query, bound = daemon.plan(), daemon.command("query"), dict(daemon.forwarder.bound)
    for _ in range(3):
        assert daemon.refusal("subscribe request", to_tag="rec", **ALL) == "Ran out of ports"
    assert (daemon.plan(), daemon.command("query"), daemon.forwarder.bound) == (plan, query, bound)
    assert daemon.command("subscribe request", to_tag="rec", from_tag="a")["result"] == "ok"


def test_an_end_gives_the_ports_back_and_leaves_the_parties_alone() -> None:
    daemon = call_of()
    plan = daemon.plan()
    daemon.command("subscribe request", to_tag="rec", **ALL)
    assert daemon.plan() != plan
    assert daemon.command("unsubscribe", to_tag="rec") == {"result": "ok"}
    assert daemon.plan() == plan
    assert len(daemon.forwarder.bound) == 4
    assert daemon.refusal("unsubscribe", to_tag="rec") == "To-tag not found"
    assert daemon.command("subscribe request", to_tag="rec", **ALL)["result"] == "ok"


def test_one_source_of_several_can_be_left_out() -> None:
    daemon = recorded()
    only: dict[str, Any] = {"to_tag": "rec", "flags": ["directional"]}
    assert daemon.refusal("unsubscribe", from_tag="nobody", **only) == "From-tag not found"
    assert daemon.command("unsubscribe", from_tag="a", **only) == {"result": "ok"}
    assert [item["tag"] for item in daemon.command("query")["tags"]["rec"]["subscriptions"]] == ["b"]
    assert daemon.refusal("unsubscribe", from_tag="a", **only) == "Failed to unsubscribe"
    assert len(daemon.forwarder.bound) == 8
    daemon.command("unsubscribe", from_tag="b", **only)
    assert len(daemon.forwarder.bound) == 4, "the last source was the end"


def test_a_deletion_under_way_is_not_cancelled() -> None:
    daemon = recorded()
    daemon.command("delete", delete_delay=10)
    daemon.command("subscribe request", to_tag="rec", **ALL)
    daemon.command("unsubscribe", to_tag="rec")
    daemon.wait(10)
    assert daemon.calls() == []


@pytest.mark.parametrize("tag", ["a", "b"])
def test_a_call_ends_with_its_parties_although_somebody_listens(tag: str) -> None:
    daemon = recorded()
    daemon.command("delete", from_tag=tag, delete_delay=0)
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}


def test_the_end_of_a_subscriber_by_delete_is_not_that_of_the_call() -> None:
    daemon = recorded()
    daemon.command("delete", from_tag="rec", delete_delay=0)
    assert daemon.calls() == ["call"]
    assert len(daemon.forwarder.bound) == 4


def test_a_listener_who_never_answers_keeps_no_call_alive() -> None:
    daemon = call_of(timeout=60, offer_timeout=3600)
    daemon.wait(50)
    daemon.command("subscribe request", to_tag="rec", **ALL)
    daemon.wait(9)
    assert daemon.calls() == ["call"]
    daemon.wait(1)
    assert daemon.calls() == []


def test_a_listener_does_not_make_a_call_a_one_way_one() -> None:
    daemon = recorded()
    for port in sdp.ports(daemon.answer(audio(BOB, 5000))):
        daemon.receive_media(port)
    shown = daemon.command("query")["tags"]
    daemon.receive_media(shown["b"]["medias"][0]["streams"][0]["local port"])
    daemon.command("delete", delete_delay=0)
    totals = daemon.command("statistics")["statistics"]["totalstatistics"]
    assert (totals["onewaystreams"], totals["zerowaystreams"]) == (0, 0)
