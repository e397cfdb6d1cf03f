"""The forwarding that follows from a call: exact plans."""

from typing import Any

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB, CAROL = "198.51.100.1", "198.51.100.2", "198.51.100.3"
MUX = "a=rtcp-mux"


def latch(*plausible: str, **fields: Any) -> Latch:
    return Latch(plausible=frozenset(plausible), **fields)


def socket(number: int, address: str | None, port: int = 0, rule: Latch | None = None, **fields: Any) -> Socket:
    """A socket; `address` None is a peer that is not known or must not be sent to."""
    if address is None:
        return Socket(SocketId(number), None, rule or latch(generation=2), **fields)
    return Socket(SocketId(number), Endpoint(address, port), rule or latch(address, generation=2), **fields)


def rtp(source: int, sink: int, **fields: Any) -> Route:
    return Route(SocketId(source), SocketId(sink), Carries.RTP, **fields)


def rtcp(source: int, sink: int, **fields: Any) -> Route:
    return Route(SocketId(source), SocketId(sink), Carries.RTCP, mirror=True, **fields)


def blind(source: int, sink: int) -> Route:
    return Route(SocketId(source), SocketId(sink), Carries.ANY)


def call_of(offer: str, answer: str, offer_keys: dict[str, Any] | None = None) -> Daemon:
    daemon = Daemon()
    daemon.offer(offer, **(offer_keys or {}))
    daemon.answer(answer)
    return daemon


PLAIN_SOCKETS = (
    socket(1, ALICE, 4000),
    socket(2, ALICE, 4001, rtcp=True),
    socket(3, BOB, 5000),
    socket(4, BOB, 5001, rtcp=True),
)
PLAIN = Plan(
    PLAIN_SOCKETS,
    (rtp(3, 1), rtcp(3, 2), rtcp(4, 2), rtp(1, 3), rtcp(1, 4), rtcp(2, 4)),
)
"""A call between Alice at port 4000 and Bob at port 5000: RTCP that comes on the RTP port leaves on the other one."""


def test_before_the_answer_the_far_side_is_not_known() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    rule = latch(ALICE, generation=1)
    nobody = latch(generation=1)
    assert daemon.plan() == Plan(
        (
            socket(1, ALICE, 4000, rule),
            socket(2, ALICE, 4001, rule, rtcp=True),
            socket(3, None, rule=nobody),
            socket(4, None, rule=nobody, rtcp=True),
        ),
        PLAIN.routes,
    )


def test_a_plain_call() -> None:
    assert call_of(audio(ALICE, 4000), audio(BOB, 5000)).plan() == PLAIN


def test_the_source_of_the_sip_message_is_plausible_too() -> None:
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000), {"received_from": ["IP4", "203.0.113.77"]})
    rule = latch(ALICE, "203.0.113.77", generation=2)
    assert daemon.plan().sockets[:2] == (socket(1, ALICE, 4000, rule), socket(2, ALICE, 4001, rule, rtcp=True))
    assert daemon.plan().sockets[2:] == PLAIN_SOCKETS[2:]


def test_mux_on_both_sides() -> None:
    assert call_of(audio(ALICE, 4000, MUX), audio(BOB, 5000, MUX)).plan() == Plan(
        (socket(1, ALICE, 4000, muxed=True), socket(3, BOB, 5000, muxed=True), socket(4, BOB, 5001, rtcp=True)),
        (rtp(3, 1), rtcp(3, 1), rtcp(4, 1), rtp(1, 3), rtcp(1, 3)),
    )


def test_demux_has_rtcp_change_ports() -> None:
    daemon = call_of(audio(ALICE, 4000, MUX), audio(BOB, 5000), {"rtcp_mux": ["demux"]})
    assert daemon.plan() == Plan(
        (socket(1, ALICE, 4000, muxed=True), socket(2, BOB, 5000), socket(3, BOB, 5001, rtcp=True)),
        (rtp(2, 1), rtcp(2, 1), rtcp(3, 1), rtp(1, 2), rtcp(1, 3)),
    )


def test_mux_that_is_required_of_the_callee() -> None:
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000, MUX), {"rtcp_mux": ["require"]})
    assert daemon.plan() == Plan(
        (socket(1, ALICE, 4000), socket(2, ALICE, 4001, rtcp=True), socket(3, BOB, 5000, muxed=True)),
        (rtp(3, 1), rtcp(3, 2), rtp(1, 3), rtcp(1, 3), rtcp(2, 3)),
    )


def test_a_hold_lets_media_flow_one_way_and_rtcp_both() -> None:
    daemon = call_of(audio(ALICE, 4000, "a=sendonly"), audio(BOB, 5000, "a=recvonly"))
    assert daemon.plan() == Plan(PLAIN_SOCKETS, (rtcp(3, 2), rtcp(4, 2), rtp(1, 3), rtcp(1, 4), rtcp(2, 4)))


def test_a_zero_address_is_not_sent_to_but_heard_from_where_it_was() -> None:
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000))
    daemon.offer(audio("0.0.0.0", 4000), to_tag="b")
    alice, bob = latch(ALICE, generation=3), latch(BOB, generation=3)
    assert daemon.plan() == Plan(
        (
            socket(1, None, rule=alice),
            socket(2, None, rule=alice, rtcp=True),
            socket(3, BOB, 5000, bob),
            socket(4, BOB, 5001, bob, rtcp=True),
        ),
        (rtcp(3, 2), rtcp(4, 2), rtp(1, 3), rtcp(1, 4), rtcp(2, 4)),
    )


def test_a_fork_sends_the_callers_media_to_every_branch_until_one_answers() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000), via_branch="x")
    daemon.offer(audio(ALICE, 4000), via_branch="y")
    ways = {(route.source, route.sink) for route in daemon.plan().routes if route.carries is Carries.RTP}
    assert ways == {(1, 3), (3, 1), (1, 5), (5, 1)}
    daemon.answer(audio(BOB, 5000), via_branch="x")
    nobody = latch(generation=3)
    one, other = latch(ALICE, generation=3), latch(BOB, generation=3)
    assert daemon.plan() == Plan(
        (
            socket(1, ALICE, 4000, one),
            socket(2, ALICE, 4001, one, rtcp=True),
            socket(3, BOB, 5000, other),
            socket(4, BOB, 5001, other, rtcp=True),
            socket(5, None, rule=nobody),
            socket(6, None, rule=nobody, rtcp=True),
        ),
        PLAIN.routes,
    )


def test_what_comes_at_former_ports_is_passed_on_until_the_new_ones_are_known() -> None:
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000))
    daemon.offer(audio(ALICE, 4444), to_tag="b")
    alice, bob = latch(ALICE, generation=3), latch(BOB, generation=3)
    assert daemon.plan() == Plan(
        (
            socket(1, ALICE, 4444, alice),
            socket(2, ALICE, 4445, alice, rtcp=True),
            socket(5, BOB, 5000, bob),
            socket(6, BOB, 5001, bob, rtcp=True),
            socket(3, None, rule=bob),
            socket(4, None, rule=bob, rtcp=True),
        ),
        (
            *(rtp(5, 1), rtcp(5, 2), rtcp(6, 2)),
            *(rtp(3, 1), rtcp(3, 2), rtcp(4, 2)),
            *(rtp(1, 5), rtcp(1, 6), rtcp(2, 6)),
        ),
    )


def test_a_media_that_is_refused_keeps_its_sockets_without_routes() -> None:
    video = "m=video {} RTP/AVP 31"
    daemon = call_of(
        sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", video.format(4002)),
        sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", video.format(0)),
    )
    alice, nobody = latch(ALICE, generation=2), latch(generation=2)
    assert daemon.plan() == Plan(
        (
            *PLAIN_SOCKETS[:2],
            socket(5, None, rule=alice),
            socket(6, None, rule=alice, rtcp=True),
            *PLAIN_SOCKETS[2:],
            socket(7, None, rule=nobody),
            socket(8, None, rule=nobody, rtcp=True),
        ),
        PLAIN.routes,
    )


def test_fax_is_carried_as_bytes() -> None:
    daemon = call_of(sdp.sdp(ALICE, "m=image 4000 udptl t38"), sdp.sdp(BOB, "m=image 5000 udptl t38"))
    sockets = {item.id: item for item in daemon.plan().sockets}
    assert sockets[SocketId(1)] == socket(1, ALICE, 4000, relay_only=True)
    assert all(item.relay_only for item in sockets.values())
    assert blind(1, 3) in daemon.plan().routes
    assert blind(3, 1) in daemon.plan().routes
    assert {route.carries for route in daemon.plan().routes} == {Carries.ANY}


def test_feedback_is_dropped_on_its_way_to_a_side_without() -> None:
    offer, answer = audio(ALICE, 4000).replace("RTP/AVP", "RTP/AVPF"), audio(BOB, 5000)
    daemon = call_of(offer, answer, {"transport_protocol": "RTP/AVP"})
    assert daemon.plan() == Plan(
        PLAIN_SOCKETS,
        (
            rtp(3, 1),
            rtcp(3, 2),
            rtcp(4, 2),
            rtp(1, 3),
            rtcp(1, 4, drop_feedback=True),
            rtcp(2, 4, drop_feedback=True),
        ),
    )


EVENTS = ("a=rtpmap:101 telephone-event/8000",)


def blocked(command: str, **keys: Any) -> Plan:
    daemon = call_of(audio(ALICE, 4000, *EVENTS, formats="0 8 101"), audio(BOB, 5000, *EVENTS, formats="8 0 101"))
    assert daemon.command(command, **keys) == {"result": "ok"}
    return daemon.plan()


def plain_with(from_callee: dict[str, Any], from_caller: dict[str, Any]) -> Plan:
    """The plan of a plain call with these properties of its two ways of RTP."""
    routes = (rtp(3, 1, **from_callee), *PLAIN.routes[1:3], rtp(1, 3, **from_caller), *PLAIN.routes[4:])
    return Plan(PLAIN_SOCKETS, routes)


def test_blocked_events_are_dropped() -> None:
    events = {"dropped": frozenset((101,))}
    assert blocked("block DTMF") == plain_with(events, events)
    assert blocked("block DTMF", from_tag="a", flags=["directional"]) == plain_with({}, events)


def test_blocked_media_lets_events_pass() -> None:
    only = {"only": frozenset((101,))}
    assert blocked("block media") == plain_with(only, only)
    assert blocked("block media", from_tag="b", flags=["directional"]) == plain_with(only, {})
    assert blocked("block media", from_tag="b", to_tag="a", flags=["directional"]) == plain_with(only, {})


def test_silenced_audio_has_the_octet_of_silence_of_its_codec() -> None:
    of_caller, of_callee = {"silenced": ((0, 0xFF), (8, 0xD5))}, {"silenced": ((8, 0xD5), (0, 0xFF))}
    assert blocked("silence media") == plain_with(of_callee, of_caller)
    assert blocked("silence media", from_tag="a") == plain_with({}, of_caller)


def test_dropped_traffic_is_rtp_only() -> None:
    daemon = call_of(audio(ALICE, 4000), audio(BOB, 5000))
    daemon.offer(audio(ALICE, 4000), to_tag="b", drop_traffic="start")
    assert {route.carries for route in daemon.plan().routes} == {Carries.RTCP}
    daemon.offer(audio(ALICE, 4000), to_tag="b", drop_traffic="stop")
    assert daemon.plan().routes == PLAIN.routes


def test_a_party_that_ended_is_not_in_the_plan() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000), via_branch="x")
    daemon.offer(audio(ALICE, 4000), via_branch="y")
    daemon.command("delete", via_branch="y", from_tag="a", delete_delay=0)
    assert {item.id for item in daemon.plan().sockets} == {1, 2, 3, 4}
    assert daemon.plan().routes == PLAIN.routes


def test_the_learning_of_the_daemon_holds_unless_a_call_asks_otherwise() -> None:
    for asked, expected in ((None, Learning.DELAYED), ("off", Learning.OFF)):
        daemon = Daemon(endpoint_learning="delayed")
        daemon.offer(audio(ALICE), endpoint_learning=asked)
        assert {item.latch.learning for item in daemon.plan().sockets} == {expected}


def test_the_tos_octet_is_that_of_the_offer_or_of_the_daemon() -> None:
    daemon = Daemon(tos=16)
    seen = []
    for asked in (None, 184, -1, 0, 256, None):
        daemon.offer(audio(ALICE), TOS=asked)
        seen.append({item.tos for item in daemon.plan().sockets})
    assert seen == [{16}, {184}, {184}, {None}, {16}, {16}]


def test_what_cannot_be_silenced_is_held_back() -> None:
    lines = ("a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000")
    formats = "0 96 101"
    daemon = call_of(audio(ALICE, 4000, *lines, formats=formats), audio(BOB, 5000, *lines, formats=formats))
    daemon.command("silence media")
    route = next(route for route in daemon.plan().routes if route.carries is Carries.RTP)
    assert (route.silenced, route.dropped) == (((0, 0xFF),), frozenset({96}))


def test_a_media_without_m_line_carries_nothing_any_more() -> None:
    two = ("m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31")
    daemon = call_of(sdp.sdp(ALICE, *two), audio(BOB, 5000))
    video = {socket.id for socket in daemon.plan().sockets if socket.id > 4}
    assert video.isdisjoint({route.source for route in daemon.plan().routes})
    daemon = call_of(sdp.sdp(ALICE, *two), sdp.sdp(BOB, *two))
    assert not video.isdisjoint({route.source for route in daemon.plan().routes})
    daemon.offer(audio(ALICE, 4000), to_tag="b")
    assert len(sdp.parts(daemon.answer(audio(BOB, 4000)))) == 2
    assert video.isdisjoint({route.source for route in daemon.plan().routes})
