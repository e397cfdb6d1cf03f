"""What becomes of a datagram: classes, routes, counters, events."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import MAX_EVENTS, Learned, Punted, SocketCounters, Tapped
from ngdaemon.media.plan import Carries, Latch, Learning, Route, Socket
from tests.media.rig import (
    A_RTCP,
    ALICE,
    ALICE_RTCP,
    B_RTCP,
    BOB,
    BOB_RTCP,
    CALL,
    ROUTES,
    STRANGER,
    A,
    B,
    Rig,
    Sent,
    plain_call,
    sockets,
)
from tests.support import packets
from tests.support.packets import rtp

REPORT = packets.receiver_report(1) + packets.description(1)
STUN = b"\x00\x01\x00\x00" + bytes(16)
DTLS = b"\x16\xfe\xfd" + bytes(20)
TURN = b"\x40\x00\x00\x00"
ZRTP = b"\x10\x00\x00\x01ZRTP" + bytes(20)


class TestRoutes:
    def test_rtp_and_rtcp_of_either_leg_reach_the_other(self) -> None:
        rig = plain_call()
        packet = rtp()
        assert rig.receive(A, packet, ALICE) == [Sent(B, packet, BOB)]
        assert rig.receive(B, packet, BOB) == [Sent(A, packet, ALICE)]
        assert rig.receive(A_RTCP, REPORT, ALICE_RTCP) == [Sent(B_RTCP, REPORT, BOB_RTCP)]
        assert rig.receive(B_RTCP, REPORT, BOB_RTCP) == [Sent(A_RTCP, REPORT, ALICE_RTCP)]

    def test_a_packet_without_a_route_counts_as_received_and_is_no_error(self) -> None:
        rig = plain_call(routes=())
        assert rig.receive(A, rtp(), ALICE) == []
        assert (rig.count(A).packets_in, rig.count(A).errors_in) == (1, 0)

    def test_on_hold_rtcp_flows_on_without_rtp(self) -> None:
        rig = plain_call(routes=ROUTES[2:])
        assert rig.receive(A, rtp(), ALICE) == []
        assert rig.receive(A_RTCP, REPORT, ALICE_RTCP) == [Sent(B_RTCP, REPORT, BOB_RTCP)]

    def test_a_sink_that_may_not_be_sent_to_gets_nothing_and_counts_no_error(self) -> None:
        rig = plain_call()
        planned = sockets()
        planned[2] = planned[2]._replace(signalled=None)
        rig.apply(planned, ROUTES)
        assert rig.receive(A, rtp(), ALICE) == []
        assert rig.count(A).packets_in == 1
        assert (rig.count(B).packets_out, rig.count(B).errors_out) == (0, 0)

    def test_several_sinks_get_a_copy_each(self) -> None:
        rig = plain_call(routes=(*ROUTES, Route(A, B_RTCP, Carries.RTP)))
        for number in range(3):
            packet = rtp(number)
            assert rig.receive(A, packet, ALICE) == [Sent(B, packet, BOB), Sent(B_RTCP, packet, BOB_RTCP)]

    def test_rtcp_on_the_rtp_port_goes_where_the_routes_say(self) -> None:
        rig = plain_call(routes=(*ROUTES, Route(A, B_RTCP, Carries.RTCP)))
        assert rig.receive(A, REPORT, ALICE) == [Sent(B_RTCP, REPORT, BOB_RTCP)]
        assert rig.receive(A, rtp(), ALICE) == [Sent(B, rtp(), BOB)]

    def test_a_leg_with_mux_gets_rtcp_from_the_rtp_port(self) -> None:
        rig = plain_call(routes=(*ROUTES[:2], Route(A_RTCP, B, Carries.RTCP)))
        assert rig.receive(A_RTCP, REPORT, ALICE_RTCP) == [Sent(B, REPORT, BOB)]

    def test_zrtp_follows_rtp(self) -> None:
        rig = plain_call()
        assert rig.receive(A, ZRTP, ALICE) == [Sent(B, ZRTP, BOB)]
        assert rig.count(A).sources == ()

    @pytest.mark.parametrize("data", [b"", b"\x00", STUN, DTLS, REPORT, rtp(), bytes(1400)])
    def test_relay_only_carries_any_bytes_as_they_are(self, data: bytes) -> None:
        rig = plain_call()
        planned = [item._replace(relay_only=True) for item in sockets()]
        rig.apply(planned, (Route(A, B, Carries.ANY),))
        assert rig.receive(A, data, ALICE) == [Sent(B, data, BOB)]
        assert rig.events() == [Learned(CALL, A, ALICE, True)]
        assert rig.count(A).packets_in == 1


class TestClasses:
    @pytest.mark.parametrize("source", [ALICE, STRANGER])
    @pytest.mark.parametrize("data", [STUN, DTLS, TURN])
    def test_what_is_not_media_is_punted_whoever_sent_it(self, data: bytes, source: Endpoint) -> None:
        rig = plain_call()
        assert rig.receive(A, data, source) == []
        assert rig.events() == [Punted(CALL, A, source, data, rig.clock.now)]
        assert rig.count(A) == SocketCounters(peer=ALICE)

    @pytest.mark.parametrize("octet", [4, 15, 80, 127, 192, 255])
    def test_what_is_of_no_class_is_dropped_and_counted(self, octet: int) -> None:
        rig = plain_call()
        assert rig.receive(A, bytes((octet,)) * 40, ALICE) == []
        assert rig.events() == []
        assert rig.count(A) == SocketCounters(errors_in=1, peer=ALICE)

    @pytest.mark.parametrize("packet", [rtp(csrcs=range(15), payload=b""), REPORT, STUN, DTLS])
    def test_no_length_does_harm_s03(self, packet: bytes) -> None:
        for length in range(65):
            rig = plain_call()
            rig.receive(A, rtp(), ALICE)
            rig.receive(A, packet[:length], ALICE)
            rig.receive(A_RTCP, packet[:length], ALICE_RTCP)
            counted = rig.count(A)
            punted = sum(isinstance(event, Punted) for event in rig.events())
            assert counted.packets_in + counted.errors_in + rig.count(A_RTCP).errors_in + punted >= 2

    @pytest.mark.parametrize("cut", range(1, 64))
    def test_rtp_that_is_cut_off_in_its_header_is_dropped(self, cut: int) -> None:
        rig = plain_call()
        rig.receive(A, rtp(1), ALICE)
        whole = rtp(2, csrcs=[1, 2], extension=bytes(40), payload=b"")
        assert rig.receive(A, whole[:-cut], ALICE) == []
        assert (rig.count(A).packets_in, rig.count(A).errors_in) == (1, 1)


class TestStrangers:
    @pytest.mark.parametrize("data", [rtp(), REPORT, ZRTP, b"\x80"])
    def test_they_reach_nobody_and_are_counted(self, data: bytes) -> None:
        rig = plain_call()
        for socket in (A, A_RTCP, B, B_RTCP):
            assert rig.receive(socket, data, STRANGER) == []
            counted = rig.count(socket)
            assert (counted.strangers, counted.errors_in, counted.packets_in) == (1, 1, 0)
            assert counted.last_packet is None

    def test_they_reach_nobody_before_the_answer_s01(self) -> None:
        rig = plain_call()
        offered = [*sockets()[:2], Socket(B, None), Socket(B_RTCP, None, rtcp=True)]
        rig.apply(offered, ROUTES)
        assert rig.receive(B, rtp(), STRANGER) == []
        assert rig.receive(B, rtp(), BOB) == []
        assert rig.count(B).strangers == 2

    def test_refused_sources_are_errors_but_no_strangers(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE, strict=True))
        rig.receive(A, rtp(), ALICE)
        assert rig.receive(A, rtp(2), Endpoint(ALICE.address, 9)) == []
        assert (rig.count(A).errors_in, rig.count(A).strangers) == (1, 0)


class TestLearning:
    MOVED = Endpoint(ALICE.address, 4444)

    def test_a_new_peer_is_sent_to_and_reported_once(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE))
        for number in range(3):
            rig.receive(A, rtp(number), self.MOVED)
        assert rig.learned() == [(self.MOVED, True)]
        assert rig.receive(B, rtp(), BOB) == [Sent(A, rtp(), self.MOVED)]
        assert (rig.count(A).peer, rig.count(A).confirmed) == (self.MOVED, True)

    def test_each_change_is_reported_in_order(self) -> None:
        rig = plain_call(Latch(Learning.DELAYED))
        for source in (ALICE, ALICE, self.MOVED):
            rig.receive(A, rtp(), source)
        rig.clock.advance(3.0)
        rig.receive(A, rtp(), self.MOVED)
        assert rig.learned() == [(ALICE, False), (self.MOVED, False), (self.MOVED, True)]

    def test_rtp_and_rtcp_are_learned_separately(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE))
        rig.receive(A, rtp(), self.MOVED)
        assert rig.count(A).peer == self.MOVED
        assert rig.count(A_RTCP).peer == ALICE_RTCP
        rig.receive(A_RTCP, REPORT, Endpoint(ALICE.address, 4445))
        assert rig.count(A_RTCP).peer == Endpoint(ALICE.address, 4445)

    def test_stray_packets_of_the_other_kind_teach_nothing(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE))
        rig.receive(A, REPORT, self.MOVED)
        rig.receive(A, ZRTP, self.MOVED)
        rig.receive(A_RTCP, rtp(), self.MOVED)
        assert rig.learned() == []
        assert rig.count(A).packets_in == 2

    def test_with_mux_both_kinds_teach(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE))
        planned = sockets(Latch(Learning.IMMEDIATE))
        rig.apply([planned[0]._replace(muxed=True), *planned[1:]], ROUTES)
        rig.receive(A, REPORT, self.MOVED)
        assert rig.learned() == [(self.MOVED, True)]

    def test_what_was_learned_is_reported_but_not_sent_to_with_asymmetric(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE, asymmetric=True))
        rig.receive(A, rtp(), self.MOVED)
        assert rig.learned() == [(self.MOVED, True)]
        assert rig.receive(B, rtp(), BOB) == [Sent(A, rtp(), ALICE)]
        assert rig.count(A).peer == ALICE

    def test_a_new_peer_also_ends_the_short_way_of_the_old_one(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE, handover=True))
        rig.receive(A, rtp(1), ALICE)
        rig.receive(A, rtp(2), self.MOVED)
        rig.receive(A, rtp(3), ALICE)
        assert rig.learned() == [(ALICE, True), (self.MOVED, True), (ALICE, True)]

    def test_also_when_it_was_learned_from_a_packet_of_the_other_kind(self) -> None:
        rig = plain_call()
        latch = Latch(Learning.IMMEDIATE, handover=True, generation=1)
        rig.apply([sockets(latch)[0]._replace(muxed=True), *sockets()[1:]], ROUTES)
        rig.receive(A, rtp(1), ALICE)
        rig.receive(A, REPORT, self.MOVED)
        rig.receive(A, rtp(2), ALICE)
        assert rig.learned() == [(ALICE, True), (self.MOVED, True), (ALICE, True)]

    def test_scope_of_link_local_peers_is_kept(self) -> None:
        rig = plain_call()
        latch = Latch(Learning.IMMEDIATE, frozenset(("fe80::1",)))
        rig.apply([Socket(A, Endpoint("fe80::1", 9), latch), *sockets()[1:]], ROUTES)
        rig.receive(A, rtp(), ("fe80::1", 9, 0, 3))
        assert rig.receive(B, rtp(), BOB)[0].to == ("fe80::1", 9, 0, 3)
        rig.apply([Socket(A, Endpoint("2001:db8::1", 9), latch._replace(generation=2)), *sockets()[1:]], ROUTES)
        rig.receive(A, rtp(), ("2001:db8::1", 10, 0, 0))
        assert rig.receive(B, rtp(), BOB)[0].to == ("2001:db8::1", 10)


class TestCounters:
    def test_packets_octets_and_time(self) -> None:
        rig = plain_call()
        for number in range(3):
            rig.receive(A, rtp(number), ALICE)
            rig.clock.advance(0.02)
        rig.receive(A, REPORT, ALICE)
        assert (rig.count(A).packets_in, rig.count(A).bytes_in) == (4, 3 * 172 + len(REPORT))
        assert rig.count(A).last_packet == rig.clock.now
        assert (rig.count(B).packets_out, rig.count(B).bytes_out) == (3, 3 * 172)
        [source] = rig.count(A).sources
        assert (source.ssrc, source.packets, source.bytes, source.last_sequence) == (0x1234, 3, 3 * 172, 2)

    def test_losses_are_counted_on_the_short_way_too(self) -> None:
        rig = plain_call()
        for number in (65533, 65534, 1, 2, 4, 3):
            rig.receive(A, rtp(number), ALICE)
        [source] = rig.count(A).sources
        assert (source.packets, source.lost, source.last_sequence, source.last_timestamp) == (6, 2, 4, 640)

    def test_a_new_source_is_counted_apart(self) -> None:
        rig = plain_call()
        for number, ssrc in enumerate((1, 1, 2, 1, 2)):
            rig.receive(A, rtp(number, ssrc=ssrc), ALICE)
        assert [(item.ssrc, item.packets) for item in rig.count(A).sources] == [(1, 3), (2, 2)]

    def test_what_the_system_refuses_is_an_error_of_the_sending_side(self) -> None:
        rig = plain_call()
        rig.refuse.add(BOB)
        assert rig.receive(A, rtp(1), ALICE) == []
        assert rig.receive(A, rtp(2), ALICE) == []
        assert (rig.count(B).errors_out, rig.count(B).packets_out, rig.count(A).errors_in) == (2, 0, 0)
        rig.refuse.clear()
        assert len(rig.receive(A, rtp(3), ALICE)) == 1


class TestFeedback:
    FEEDBACK = packets.transport_feedback(1, 2)
    STRIPPING = (Route(A_RTCP, B_RTCP, Carries.RTCP, drop_feedback=True),)

    def test_it_is_taken_out_for_a_peer_without_avpf(self) -> None:
        rig = plain_call(routes=self.STRIPPING)
        assert rig.receive(A_RTCP, REPORT + self.FEEDBACK, ALICE_RTCP) == [Sent(B_RTCP, REPORT, BOB_RTCP)]

    def test_a_packet_that_is_left_empty_goes_nowhere_and_is_no_error(self) -> None:
        rig = plain_call(routes=self.STRIPPING)
        assert rig.receive(A_RTCP, self.FEEDBACK, ALICE_RTCP) == []
        assert (rig.count(A_RTCP).packets_in, rig.count(A_RTCP).errors_in) == (1, 0)

    def test_what_cannot_be_taken_apart_is_dropped_and_teaches_nothing(self) -> None:
        rig = plain_call(Latch(Learning.IMMEDIATE), routes=self.STRIPPING)
        assert rig.receive(A_RTCP, REPORT + b"\x80", Endpoint(ALICE.address, 9)) == []
        assert (rig.count(A_RTCP).packets_in, rig.count(A_RTCP).errors_in) == (0, 1)
        assert rig.learned() == []

    def test_another_route_gets_it_whole(self) -> None:
        rig = plain_call(routes=(*self.STRIPPING, Route(A_RTCP, B, Carries.RTCP)))
        sent = rig.receive(A_RTCP, REPORT + self.FEEDBACK, ALICE_RTCP)
        assert [item.data for item in sent] == [REPORT, REPORT + self.FEEDBACK]


class TestFilters:
    @pytest.mark.parametrize(
        ("route", "passing"),
        [
            (Route(A, B, Carries.RTP), [0, 8, 101]),
            (Route(A, B, Carries.RTP, only=frozenset((101,))), [101]),
            (Route(A, B, Carries.RTP, only=frozenset()), []),
            (Route(A, B, Carries.RTP, dropped=frozenset((101,))), [0, 8]),
        ],
    )
    def test_payload_types_pass_or_do_not(self, route: Route, passing: list[int]) -> None:
        rig = plain_call(routes=(route,))
        seen = []
        for number, payload_type in enumerate((0, 8, 101, 0, 8, 101)):
            packet = rtp(number, payload_type=payload_type, marker=number == 2)
            seen += [item.data[1] & 0x7F for item in rig.receive(A, packet, ALICE)]
        assert seen == passing * 2
        assert (rig.count(A).packets_in, rig.count(A).errors_in) == (6, 0)

    def test_media_is_silenced(self) -> None:
        rig = plain_call(routes=(Route(A, B, Carries.RTP, silenced=((0, 0xFF), (8, 0xD5))),))
        for number, (payload_type, octet) in enumerate(((0, 0xFF), (8, 0xD5), (9, 0x55))):
            [sent] = rig.receive(A, rtp(number, payload_type=payload_type), ALICE)
            assert sent.data == rtp(number, payload_type=payload_type, payload=bytes((octet,)) * 160)


class TestTaps:
    def test_a_copy_is_reported_as_received(self) -> None:
        rig = plain_call(routes=(Route(A_RTCP, B_RTCP, Carries.RTCP, drop_feedback=True, mirror=True),))
        data = REPORT + packets.transport_feedback(1, 2)
        rig.receive(A_RTCP, data, ALICE_RTCP)
        assert Tapped(CALL, A_RTCP, Carries.RTCP, data, rig.clock.now) in rig.events()

    @pytest.mark.parametrize("sinks", [(B,), (B, B_RTCP)])
    def test_every_packet_is_reported_once(self, sinks: tuple[SocketId, ...]) -> None:
        rig = plain_call(routes=[Route(A, sink, Carries.RTP, mirror=True) for sink in sinks])
        for number in range(3):
            assert len(rig.receive(A, rtp(number), ALICE)) == len(sinks)
        taps = [event.packet for event in rig.events() if isinstance(event, Tapped)]
        assert taps == [rtp(number) for number in range(3)]

    def test_also_when_the_sink_may_not_be_sent_to(self) -> None:
        rig = plain_call()
        planned = [*sockets()[:3], Socket(B_RTCP, None, rtcp=True)]
        rig.apply(planned, (Route(A_RTCP, B_RTCP, Carries.RTCP, mirror=True),))
        assert rig.receive(A_RTCP, REPORT, ALICE_RTCP) == []
        assert any(isinstance(event, Tapped) for event in rig.events())

    def test_strangers_are_not_tapped(self) -> None:
        rig = plain_call(routes=(Route(A_RTCP, B_RTCP, Carries.RTCP, mirror=True),))
        rig.receive(A_RTCP, REPORT, STRANGER)
        assert not [event for event in rig.events() if isinstance(event, Tapped)]


def test_events_do_not_grow_without_end() -> None:
    rig = plain_call()
    for _ in range(MAX_EVENTS + 10):
        rig.receive(A, STUN, STRANGER)
    assert rig.count(A).errors_in == 10
    assert len(rig.events()) == MAX_EVENTS
    rig.receive(A, STUN, STRANGER)
    assert len(rig.events()) == 1


class TestNat:
    def test_nothing_is_sent_to_a_peer_that_has_to_send_first(self) -> None:
        rig = plain_call()
        planned = sockets()
        planned[2] = planned[2]._replace(nat_wait=True)
        rig.apply(planned, ROUTES)
        assert rig.receive(A, rtp(1), ALICE) == []
        assert rig.receive(B, rtp(1), STRANGER) == []
        assert rig.receive(A, rtp(2), ALICE) == []
        rig.receive(B, rtp(1), BOB)
        assert rig.receive(A, rtp(3), ALICE) == [Sent(B, rtp(3), BOB)]
        rig.apply(planned, ROUTES)
        assert len(rig.receive(A, rtp(4), ALICE)) == 1

    def test_another_endpoint_has_to_send_first_again(self) -> None:
        rig = plain_call()
        planned = sockets()
        planned[2] = planned[2]._replace(nat_wait=True)
        rig.apply(planned, ROUTES)
        rig.receive(B, rtp(1), BOB)
        moved = Endpoint(BOB.address, 7000)
        latch = planned[2].latch._replace(generation=2)
        rig.apply([*planned[:2], planned[2]._replace(signalled=moved, latch=latch), planned[3]], ROUTES)
        assert rig.receive(A, rtp(1), ALICE) == []

    def test_a_way_is_opened_every_second_until_the_peer_sends(self) -> None:
        rig = plain_call()
        planned = sockets()
        planned[0] = planned[0]._replace(pierce=True)
        rig.apply(planned, ROUTES)
        empty = bytes.fromhex("807fffff0000000000000000")
        assert rig.sent == [Sent(A, empty, ALICE)]
        rig.apply(planned, ROUTES)
        assert len(rig.sent) == 1
        for _ in range(3):
            due = rig.pipeline.next_timeout()
            assert due == rig.clock.now + 1.0
            rig.pipeline.handle_timer(rig.clock.advance(0.5))
            rig.pipeline.handle_timer(rig.clock.advance(0.5))
        assert rig.sent == [Sent(A, empty, ALICE)] * 4
        assert rig.count(A).packets_out == 4
        rig.receive(A, rtp(), ALICE)
        rig.pipeline.handle_timer(rig.clock.advance(1.0))
        assert rig.pipeline.next_timeout() is None
        assert len(rig.sent) == 5

    def test_a_call_that_ends_opens_no_ways(self) -> None:
        rig = plain_call()
        rig.apply([sockets()[0]._replace(pierce=True)])
        rig.apply([])
        assert rig.pipeline.next_timeout() is None


class TestLoops:
    def looped(self) -> Rig:
        """A call whose both peers are our own ports: A's packets go to B's port, and B's to A's (security case S14)."""
        rig = plain_call()
        here = frozenset((rig.local(A).address,))
        rig.apply(
            [
                Socket(A, rig.local(B), Latch(Learning.OFF, here)),
                Socket(B, rig.local(A), Latch(Learning.OFF, here)),
            ],
            ROUTES[:2],
        )
        return rig

    def run(self, rig: Rig, data: bytes) -> int:
        """How often the packet was sent before it came to rest; the network takes each packet to the port it is for."""
        pending = rig.receive(A, data, rig.local(B))
        count = 0
        while pending and count < 100:
            sent = pending.pop()
            count += 1
            owner = next(number for number in rig.streams if rig.local(number) == sent.to)
            pending += rig.receive(owner, sent.data, rig.local(sent.socket))
        return count

    def test_a_loop_is_cut_s14(self) -> None:
        rig = self.looped()
        assert [self.run(rig, rtp(number)) for number in range(20)] == [1] * 20
        assert rig.count(B).errors_out == 20

    def test_calls_that_are_chained_through_us_are_no_loop(self) -> None:
        rig = plain_call()
        other = CallId("another call")
        next_a, next_b = rig.open(other), rig.open(other)
        chained = sockets()
        chained[2] = chained[2]._replace(signalled=rig.local(next_a))
        rig.apply(chained, ROUTES)
        rig.apply(
            [
                Socket(next_a, rig.local(B), Latch(Learning.OFF, frozenset((rig.local(B).address,)))),
                Socket(next_b, BOB, Latch(Learning.OFF)),
            ],
            (Route(next_a, next_b, Carries.RTP),),
            other,
        )
        for number in range(50):
            [hop] = rig.receive(A, rtp(number), ALICE)
            assert hop.to == rig.local(next_a)
            assert rig.receive(next_a, hop.data, rig.local(B)) == [Sent(next_b, rtp(number), BOB)]

    def test_a_port_that_is_opened_later_is_our_own_too(self) -> None:
        rig = plain_call()
        planned = sockets()
        later = SocketId(5)
        planned[2] = planned[2]._replace(signalled=rig.local(later))
        rig.apply(planned, ROUTES)
        assert len(rig.receive(A, rtp(1), ALICE)) == 1
        assert rig.open() == later
        assert len(rig.receive(A, rtp(2), ALICE)) == 1
        assert rig.receive(A, rtp(2), ALICE) == []

    def test_a_port_that_was_closed_is_not_our_own_any_more(self) -> None:
        rig = plain_call()
        other = CallId("another call")
        later = rig.open(other)
        planned = sockets()
        planned[2] = planned[2]._replace(signalled=rig.local(later))
        rig.apply(planned, ROUTES)
        assert [len(rig.receive(A, rtp(1), ALICE)) for _ in range(2)] == [1, 0]
        rig.apply([], (), other)
        assert len(rig.receive(A, rtp(1), ALICE)) == 1

    def test_elsewhere_doubled_packets_pass(self) -> None:
        rig = plain_call()
        assert len(rig.receive(A, rtp(1), ALICE)) == 1
        assert len(rig.receive(A, rtp(1), ALICE)) == 1
