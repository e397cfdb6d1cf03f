"""The sentences of `ngdaemon/media/forwarder.py`, in their order."""

import socket
from itertools import pairwise

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId
from ngdaemon.media.forwarder import MAX_EVENTS, MAX_SOURCES, Learned, Punted, SocketCounters, Stranger, Tapped
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from tests.conformance.rig import ALICE, CALL, RELAY, STRANGER, Call, Rig
from tests.support import packets
from tests.support.packets import rtp
from tests.support.rng import SeededRng

REPORT = packets.receiver_report(1) + packets.description(1)
STUN = b"\x00\x01\x00\x00" + bytes(16)
DTLS = b"\x16\xfe\xfd" + bytes(20)
TURN = b"\x40\x00\x00\x00"
ZRTP = b"\x10\x00\x00\x01ZRTP" + bytes(20)

OPEN = Latch(Learning.IMMEDIATE, None, generation=1)
"""Whoever comes first is the peer."""


class TestOneApplyStatesTheWholeCall:
    def test_media_flows_both_ways(self, call: Call) -> None:
        call.arrives(rtp(1))
        call.reply(rtp(2))
        call.rig.until(lambda: call.alice.got == [rtp(2)])
        assert call.alice.sources == [call.rig.local[call.a]]
        assert call.bob.sources == [call.rig.local[call.b]]

    def test_the_same_plan_again_changes_nothing(self, call: Call) -> None:
        call.arrives(rtp(1))
        before = call.rig.count(call.a)
        call.start()
        assert call.rig.count(call.a) == before
        call.arrives(rtp(2))

    def test_a_new_plan_holds_for_the_next_packet(self, call: Call) -> None:
        call.arrives(rtp(1))
        call.apply(call.sockets(), call.routes[2:])
        call.say(rtp(2))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 2)
        call.start()
        call.arrives(rtp(3))

    def test_an_empty_plan_ends_the_call(self, call: Call) -> None:
        call.arrives(rtp(1))
        call.rig.forwarder.apply(CALL, Plan())
        assert call.rig.forwarder.counters(CALL) == {}
        call.rig.forwarder.apply(CALL, Plan())

    def test_calls_do_not_touch_each_other(self, call: Call) -> None:
        other = CallId("another call")
        foreign = call.rig.bind(other)
        call.apply((*call.sockets(), Socket(foreign, call.bob.at, OPEN)), call.routes)
        call.rig.forwarder.apply(other, Plan((Socket(foreign, None), Socket(call.a, None)), ()))
        call.rig.forwarder.apply(other, Plan())
        call.arrives(rtp(1))

    def test_a_port_is_silent_until_it_is_planned(self, rig: Rig) -> None:
        number = rig.bind()
        phone = rig.phone(ALICE)
        phone.send(STUN, rig.local[number])
        call = Call(rig)
        other = CallId("another call")
        rig.forwarder.apply(other, Plan())
        for _ in range(10):
            rig.work()
        assert rig.events == []
        assert rig.count(number) == SocketCounters()
        assert rig.count(call.a) == SocketCounters()


class TestTwoStateIsKept:
    def test_a_socket_that_is_not_named_is_closed(self, call: Call) -> None:
        call.apply(call.sockets()[:1], ())
        assert set(call.rig.forwarder.counters(CALL)) == {call.a}
        again = call.rig.forwarder.bind(CALL, call.rig.local[call.b])
        assert again not in (call.a, call.b)

    def test_also_one_that_was_bound_and_never_named(self, call: Call) -> None:
        extra = call.rig.bind()
        call.start()
        call.rig.forwarder.bind(CALL, call.rig.local[extra])

    def test_one_that_was_never_named_can_be_closed_alone(self, call: Call) -> None:
        extra = call.rig.bind()
        call.rig.forwarder.unbind(extra)
        call.rig.forwarder.unbind(extra)
        call.rig.forwarder.unbind(call.a)
        call.rig.forwarder.bind(CALL, call.rig.local[extra])
        call.arrives(rtp(1))

    def test_the_learned_peer_stays_with_its_generation(self, rig: Rig) -> None:
        call = Call(rig).start(OPEN)
        elsewhere = rig.phone(STRANGER)
        elsewhere.send(rtp(1), rig.local[call.a])
        rig.until(lambda: rig.count(call.a).peer == elsewhere.at)
        call.start(OPEN._replace(asymmetric=False))
        assert (rig.count(call.a).peer, rig.count(call.a).confirmed) == (elsewhere.at, True)
        call.start(OPEN._replace(generation=2))
        assert (rig.count(call.a).peer, rig.count(call.a).confirmed) == (elsewhere.at, False)
        call.apply((Socket(call.a, Endpoint(ALICE, 9), OPEN._replace(generation=3)), call.sockets()[1]), ())
        assert rig.count(call.a).peer == Endpoint(ALICE, 9)

    def test_counters_never_go_back(self, call: Call) -> None:
        seen = []
        for generation in range(1, 6):
            call.start(Latch(generation=generation, strict=generation % 2 == 0))
            call.arrives(rtp(generation))
            counted = call.rig.count(call.a)
            seen.append((counted.packets_in, counted.bytes_in, counted.sources[0].packets))
        assert seen == [(number, 172 * number, number) for number in range(1, 6)]


class TestThreeTheFirstOctetDecides:
    @pytest.mark.parametrize("data", [rtp(1), REPORT, ZRTP])
    def test_media_follows_the_routes(self, call: Call, data: bytes) -> None:
        call.arrives(data)

    @pytest.mark.parametrize("data", [STUN, DTLS, TURN])
    def test_what_is_not_media_is_punted_whoever_sent_it(self, call: Call, data: bytes) -> None:
        stranger = call.rig.phone(STRANGER)
        stranger.send(data, call.rig.local[call.a])
        call.say(data)
        call.flush()
        punted = [event for event in call.rig.events if isinstance(event, Punted)]
        assert [(event.call, event.socket, event.source, event.data) for event in punted] == [
            (CALL, call.a, stranger.at, data),
            (CALL, call.a, call.alice.at, data),
        ]
        assert call.bob.got == []
        assert (call.rig.count(call.a).packets_in, call.rig.count(call.a).errors_in) == (1, 0)

    @pytest.mark.parametrize("octet", [4, 15, 80, 127, 192, 255])
    def test_what_is_of_no_class_is_dropped_and_counted(self, call: Call, octet: int) -> None:
        call.say(bytes((octet,)) * 40)
        call.flush()
        assert call.bob.got == []
        assert [event for event in call.rig.events if isinstance(event, Punted)] == []
        assert (call.rig.count(call.a).packets_in, call.rig.count(call.a).errors_in) == (1, 1)

    def test_rtp_and_rtcp_go_their_own_ways(self, call: Call) -> None:
        call.apply(call.sockets(), (Route(call.a, call.b, Carries.RTP), Route(call.a, call.a, Carries.RTCP)))
        call.say(REPORT)
        call.arrives(rtp(1))
        call.rig.until(lambda: call.alice.got == [REPORT])

    @pytest.mark.parametrize("data", [b"", b"\x00", STUN, DTLS, REPORT, rtp(1), bytes(60000)])
    def test_on_a_relay_only_socket_nothing_is_looked_at(self, call: Call, data: bytes) -> None:
        planned = tuple(item._replace(relay_only=True) for item in call.sockets())
        call.apply(planned, (Route(call.a, call.b, Carries.ANY),))
        call.arrives(data)


class TestFourPeersAreLearned:
    def test_each_change_is_reported_once(self, rig: Rig) -> None:
        call = Call(rig).start(OPEN._replace(handover=True))
        elsewhere = rig.phone(STRANGER)
        for number in range(3):
            call.arrives(rtp(number))
        for number in range(3):
            elsewhere.send(rtp(number), rig.local[call.a])
        rig.flush(elsewhere, call.a, call.bob)
        assert [event for event in rig.events if isinstance(event, Learned)] == [
            Learned(CALL, call.a, call.alice.at, True),
            Learned(CALL, call.a, elsewhere.at, True),
        ]
        call.reply(rtp(9))
        rig.until(lambda: elsewhere.got == [rtp(9)])
        assert call.alice.got == []

    @pytest.mark.parametrize("learning", Learning)
    @pytest.mark.parametrize("answered", [False, True])
    def test_a_stranger_gets_and_gives_nothing(self, rig: Rig, learning: Learning, answered: bool) -> None:
        call = Call(rig)
        latch = Latch(learning, generation=1)
        a, b = call.sockets(latch)
        call.apply((a, b if answered else b._replace(signalled=None)), call.routes)
        stranger = rig.phone(STRANGER)
        for number in (call.a, call.b):
            for data in (rtp(1), REPORT):
                stranger.send(data, rig.local[number])
        rig.until(lambda: rig.count(call.a).strangers == rig.count(call.b).strangers == 2)
        call.start(latch._replace(generation=2))
        call.arrives(rtp(1))
        call.reply(rtp(2))
        rig.until(lambda: call.alice.got != [])
        assert (call.alice.got, call.bob.got, stranger.got) == ([rtp(2)], [rtp(1)], [])

    def test_strict_source_refuses_others_after_confirmation(self, rig: Rig) -> None:
        call = Call(rig).start(OPEN._replace(strict=True))
        elsewhere = rig.phone(STRANGER)
        call.arrives(rtp(1))
        elsewhere.send(rtp(2), rig.local[call.a])
        call.flush()
        assert call.bob.got == [rtp(1)]
        assert (rig.count(call.a).errors_in, rig.count(call.a).strangers) == (1, 0)

    def test_control_is_woken_for_events(self, call: Call) -> None:
        call.say(STUN)
        call.rig.until(lambda: call.rig.backend.woken > 0)

    def test_control_is_woken_once_until_it_drains(self, call: Call) -> None:
        call.rig.drains = False
        for _ in range(5):
            call.say(STUN)
        call.arrives(rtp(1))
        call.rig.until(lambda: call.rig.backend.woken > 0)
        assert call.rig.backend.woken == 1
        assert len(call.rig.forwarder.drain()) == 6
        assert call.rig.forwarder.drain() == ()

    def test_taps_report_a_copy(self, call: Call) -> None:
        call.apply(call.sockets(), (Route(call.a, call.b, Carries.RTCP, drop_feedback=True, mirror=True),))
        data = REPORT + packets.transport_feedback(1, 2)
        call.say(data)
        call.rig.until(lambda: call.bob.got == [REPORT])
        taps = [event for event in call.rig.events if isinstance(event, Tapped)]
        assert [(tap.socket, tap.carries, tap.packet) for tap in taps] == [(call.a, Carries.RTCP, data)]


class TestFiveOrderAndOverload:
    def test_packets_leave_in_the_order_in_which_they_came(self, call: Call) -> None:
        sent = [rtp(number) for number in range(100)]
        for data in sent:
            call.say(data)
        call.rig.until(lambda: len(call.bob.got) == 100)
        assert call.bob.got == sent

    def test_the_newest_are_dropped_and_counted_when_there_are_too_many(self, rig: Rig) -> None:
        """They come before the port is listened at, so that no forwarder can keep up."""
        call, total = Call(rig), 3000
        for number in range(total):
            call.say(rtp(number))
        call.start()

        def all_counted() -> bool:
            counted = rig.count(call.a)
            return counted.packets_in + counted.errors_in == total and counted.packets_in == len(call.bob.got)

        rig.until(all_counted)
        assert 0 < len(call.bob.got) < total
        assert call.bob.got == [rtp(number) for number in range(len(call.bob.got))]
        assert rig.count(call.a).strangers == 0
        call.arrives(rtp(1))

    def test_events_do_not_grow_without_end(self, call: Call) -> None:
        call.flush()
        call.rig.drains = False
        for number in range(MAX_EVENTS + 100):
            call.say(STUN)
            if number % 50 == 0:
                call.flush()
        call.flush()
        assert len(call.rig.forwarder.drain()) == MAX_EVENTS
        assert call.rig.count(call.a).errors_in == 100

    def test_sources_do_not_grow_without_end(self, call: Call) -> None:
        for number in range(3 * MAX_SOURCES):
            call.say(rtp(number, ssrc=number))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 3 * MAX_SOURCES)
        sources = [item.ssrc for item in call.rig.count(call.a).sources]
        assert sources == list(range(2 * MAX_SOURCES, 3 * MAX_SOURCES))


class TestSixWithoutARoute:
    def test_a_packet_counts_as_received(self, call: Call) -> None:
        call.apply(call.sockets(), ())
        call.say(rtp(1))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 1)
        assert call.rig.count(call.a).errors_in == 0

    def test_so_does_one_whose_sink_has_nobody_to_send_to(self, call: Call) -> None:
        a, b = call.sockets()
        call.apply((a, b._replace(signalled=None)), call.routes)
        call.say(rtp(1))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 1)
        assert (call.rig.count(call.a).errors_in, call.rig.count(call.b)) == (0, SocketCounters())


class TestSevenNoInputRaises:
    def test_any_bytes_of_any_length(self, call: Call) -> None:
        rng = SeededRng(7)
        firsts = (0x00, 0x10, 0x16, 0x40, 0x7F, 0x80, 0x90, 0xBF, 0xFF)
        count = 0
        for length in range(65):
            for first in firsts:
                data = (bytes((first,)) + rng.bytes(64))[:length]
                call.say(data)
                count += 1
            call.flush()
        counted = call.rig.count(call.a)
        punted = sum(isinstance(event, Punted) for event in call.rig.events)
        assert counted.packets_in - 65 + counted.errors_in + punted == count
        call.say(rtp(1))
        call.flush()
        assert rtp(1) in call.bob.got

    def test_a_malformed_compound_is_dropped_where_it_has_to_be_taken_apart(self, call: Call) -> None:
        call.apply(call.sockets(), (call.routes[0], Route(call.a, call.b, Carries.RTCP, drop_feedback=True)))
        call.say(REPORT + b"\x80")
        call.flush()
        assert call.bob.got == []
        assert call.rig.count(call.a).errors_in == 1


class TestEightSocketErrors:
    @pytest.mark.parametrize("nowhere", [("127.0.0.3", 0), ("255.255.255.255", 9), ("2001:db8::1", 9)])
    def test_they_are_counted_at_the_sender_and_end_nothing(self, call: Call, nowhere: tuple[str, int]) -> None:
        a, b = call.sockets()
        call.apply((a, b._replace(signalled=Endpoint(*nowhere))), call.routes)
        for number in range(3):
            call.say(rtp(number))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 3)
        counted = call.rig.count(call.b)
        assert (counted.packets_out, counted.errors_out) == (0, 3)
        call.start(Latch(generation=2))
        call.arrives(rtp(9))

    def test_a_peer_that_is_gone_ends_nothing(self, call: Call) -> None:
        call.arrives(rtp(1))
        call.bob.close()
        call.bob.read = lambda: None  # type: ignore[method-assign]
        for number in range(2, 5):
            call.say(rtp(number))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 4)

    def test_a_name_is_never_looked_up(self, call: Call) -> None:
        a, b = call.sockets()
        call.apply((a, b._replace(signalled=Endpoint("phone.example.com", 9))), call.routes)
        call.say(rtp(1))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 1)
        assert call.rig.count(call.b).packets_out == 0


class TestNineLoops:
    def test_a_loop_is_cut_s14(self, rig: Rig) -> None:
        """Both peers are told to be at our own ports: what comes in goes round once."""
        call = Call(rig)
        own = Latch(Learning.OFF, frozenset((RELAY, ALICE)))
        call.apply((Socket(call.a, rig.local[call.b], own), Socket(call.b, rig.local[call.a], own)), call.routes)
        for number in range(20):
            call.say(rtp(number))
        rig.until(lambda: rig.count(call.b).errors_out == 20)
        assert rig.count(call.b).packets_out == 20
        assert rig.count(call.a).packets_out == 0

    def test_a_chain_through_us_is_no_loop(self, rig: Rig) -> None:
        first, second = Call(rig), Call(rig)
        latch = Latch(generation=1)
        rig.forwarder.apply(
            CALL,
            Plan(
                (
                    Socket(first.a, first.alice.at, latch),
                    Socket(first.b, rig.local[second.a], latch),
                    Socket(second.a, rig.local[first.b], latch),
                    Socket(second.b, second.bob.at, latch),
                ),
                (
                    Route(first.a, first.b, Carries.RTP),
                    Route(first.b, first.a, Carries.RTP),
                    Route(second.a, second.b, Carries.RTP),
                    Route(second.b, second.a, Carries.RTP),
                ),
            ),
        )
        for number in range(20):
            first.say(rtp(number))
            second.reply(rtp(number))
        rig.until(lambda: len(first.alice.got) == len(second.bob.got) == 20)


class TestTenStrangersAreNamed:
    def test_the_first_one_of_a_generation_is_reported_and_the_newest_is_counted(self, rig: Rig) -> None:
        call = Call(rig).start()
        first, second = rig.phone(STRANGER), rig.phone(STRANGER)
        for generation in (1, 2):
            call.start(Latch(generation=generation))
            for data in (rtp(1), REPORT, rtp(2)):
                first.send(data, rig.local[call.a])
            second.send(rtp(3), rig.local[call.a])
            call.flush()
        named = [event for event in rig.events if isinstance(event, Stranger)]
        assert [(event.call, event.socket, event.source) for event in named] == [(CALL, call.a, first.at)] * 2
        assert named[0].at <= named[1].at
        assert (rig.count(call.a).strangers, rig.count(call.a).stranger) == (8, second.at)

    def test_the_plan_again_and_accepted_packets_do_not_make_it_report_again(self, call: Call) -> None:
        stranger = call.rig.phone(STRANGER)
        for number in range(3):
            stranger.send(rtp(number), call.rig.local[call.a])
            call.flush()
            call.start()
        assert len([event for event in call.rig.events if isinstance(event, Stranger)]) == 1

    def test_of_what_is_not_dropped_nothing_is_reported(self, call: Call) -> None:
        call.rig.phone(STRANGER).send(STUN, call.rig.local[call.a])
        call.say(b"\xff" * 40)
        call.flush()
        assert not [event for event in call.rig.events if isinstance(event, Stranger)]
        assert call.rig.count(call.a).stranger is None


class TestThePlansFields:
    @pytest.mark.parametrize(
        ("relay", "alice", "bob"),
        [("127.0.0.1", "127.0.0.2", "127.0.0.3"), ("::1", "::1", "::1")],
    )
    def test_tos_is_set_changed_and_left_alone(self, rig: Rig, relay: str, alice: str, bob: str) -> None:
        call = Call(rig, relay, alice, bob, tos=True)
        for tos in (184, 0, 136, None):
            a, b = call.sockets()
            call.apply((a, b._replace(tos=tos)), call.routes)
            call.arrives(rtp(1))
        assert call.bob.marks == [184, 0, 136, 0]

    def test_ipv6_is_relayed_in_any_spelling(self, rig: Rig) -> None:
        call = Call(rig, "::1", "::1", "::1")
        a, b = call.sockets()
        spelled = Endpoint("0:0:0:0:0:0:0:1", call.bob.at.port)
        call.apply((a, b._replace(signalled=spelled, latch=b.latch._replace(strict=True))), call.routes)
        call.arrives(rtp(1))
        call.reply(rtp(2))
        rig.until(lambda: call.alice.got == [rtp(2)])

    def test_ipv4_and_ipv6_meet(self, rig: Rig) -> None:
        call = Call(rig)
        bob = rig.phone("::1")
        b = rig.bind(CALL, "::1")
        latch = Latch(generation=1)
        routes = (Route(call.a, b, Carries.RTP), Route(b, call.a, Carries.RTP))
        call.apply((Socket(call.a, call.alice.at, latch), Socket(b, bob.at, latch)), routes)
        call.say(rtp(1))
        bob.send(rtp(2), rig.local[b])
        rig.until(lambda: bob.got == [rtp(1)] and call.alice.got == [rtp(2)])

    def test_payload_types_are_held_back_and_silenced(self, call: Call) -> None:
        route = Route(call.a, call.b, Carries.RTP, dropped=frozenset((101,)), silenced=((0, 0xFF),))
        call.apply(call.sockets(), (route,))
        call.say(rtp(1, payload_type=101))
        call.say(rtp(2, payload_type=0))
        call.say(rtp(3, payload_type=8))
        call.rig.until(lambda: len(call.bob.got) == 2)
        assert call.bob.got == [rtp(2, payload=b"\xff" * 160), rtp(3, payload_type=8)]
        call.apply(call.sockets(), (Route(call.a, call.b, Carries.RTP, only=frozenset((8,))),))
        call.say(rtp(4))
        call.arrives(rtp(5, payload_type=8))

    def test_a_peer_that_has_to_send_first_is_left_alone(self, call: Call) -> None:
        a, b = call.sockets()
        call.apply((a, b._replace(nat_wait=True)), call.routes)
        call.say(rtp(1))
        call.rig.until(lambda: call.rig.count(call.a).packets_in == 1)
        call.reply(rtp(1))
        call.rig.until(lambda: call.alice.got == [rtp(1)])
        call.arrives(rtp(2))

    def test_a_way_is_opened_to_a_peer_until_it_sends(self, call: Call) -> None:
        a, b = call.sockets()
        call.apply((a, b._replace(pierce=True)), call.routes)
        call.rig.until(lambda: len(call.bob.got) == 2)
        assert set(call.bob.got) == {bytes.fromhex("807fffff0000000000000000")}

    def test_asymmetric_peers_are_sent_to_where_they_said(self, rig: Rig) -> None:
        call = Call(rig).start(OPEN._replace(asymmetric=True))
        elsewhere = rig.phone(STRANGER)
        elsewhere.send(rtp(1), rig.local[call.a])
        call.reply(rtp(2))
        rig.until(lambda: call.alice.got == [rtp(2)])
        assert Learned(CALL, call.a, elsewhere.at, True) in rig.events

    def test_with_mux_reports_teach_and_without_they_do_not(self, rig: Rig) -> None:
        call = Call(rig)
        a, b = call.sockets(OPEN)
        call.apply((a._replace(muxed=True), b), call.routes)
        call.say(REPORT)
        call.reply(REPORT)
        rig.until(lambda: call.alice.got == call.bob.got == [REPORT])
        assert [event.socket for event in rig.events if isinstance(event, Learned)] == [call.a]


class TestCounters:
    def test_what_passed_is_counted(self, call: Call) -> None:
        for number in (1, 2, 4):
            call.arrives(rtp(number, ssrc=5, payload_type=8))
        came, left = call.rig.count(call.a), call.rig.count(call.b)
        assert (came.packets_in, came.bytes_in, left.packets_out, left.bytes_out) == (3, 516, 3, 516)
        assert (came.peer, came.confirmed) == (call.alice.at, True)
        assert came.last_packet is not None
        [source] = came.sources
        assert (source.ssrc, source.packets, source.bytes, source.lost) == (5, 3, 516, 1)
        assert (source.last_sequence, source.last_timestamp, source.payload_type) == (4, 640, 8)
        assert left.last_packet is None

    def test_an_unknown_call_has_none(self, rig: Rig) -> None:
        assert rig.forwarder.counters(CallId("never heard of")) == {}


class TestSend:
    def test_a_datagram_leaves_as_it_is_from_that_port(self, call: Call) -> None:
        stranger = call.rig.phone(STRANGER)
        call.rig.forwarder.send(call.a, STUN, stranger.at)
        call.rig.until(lambda: stranger.got == [STUN])
        assert stranger.sources == [call.rig.local[call.a]]

    def test_such_datagrams_are_counted_apart_besides(self, call: Call) -> None:
        """Who reads the counters has to tell handshakes from media."""
        call.rig.forwarder.send(call.b, STUN, call.rig.phone(STRANGER).at)
        call.arrives(rtp(1))
        counted = call.rig.count(call.b)
        assert (counted.packets_out, counted.bytes_out) == (2, len(STUN) + 172)
        assert (counted.control_packets, counted.control_bytes) == (1, len(STUN))

    def test_also_from_a_port_that_is_not_planned_yet(self, rig: Rig) -> None:
        number, stranger = rig.bind(), rig.phone(STRANGER)
        rig.forwarder.send(number, STUN, stranger.at)
        rig.until(lambda: stranger.got == [STUN])

    def test_what_cannot_be_sent_raises_nothing(self, call: Call) -> None:
        gone = call.rig.bind()
        call.rig.forwarder.unbind(gone)
        call.rig.forwarder.send(gone, STUN, call.bob.at)
        call.rig.forwarder.send(call.a, STUN, Endpoint("2001:db8::1", 9))
        call.rig.forwarder.send(call.a, STUN, Endpoint("phone.example.com", 9))
        call.rig.forwarder.send(call.a, bytes(65536), call.bob.at)
        assert call.rig.count(call.a).packets_out == 0


class TestBind:
    def test_a_port_of_another_program_is_not_to_be_had(self, rig: Rig) -> None:
        phone = rig.phone(RELAY)
        with pytest.raises(PortUnavailable) as caught:
            rig.forwarder.bind(CALL, phone.at)
        assert not caught.value.exhausted
        assert str(phone.at) in str(caught.value)
        assert rig.forwarder.counters(CALL) == {}

    def test_numbers_are_never_used_again(self, rig: Rig) -> None:
        numbers = []
        for _ in range(5):
            numbers.append(rig.bind())
            rig.forwarder.apply(CALL, Plan())
        assert all(early < late for early, late in pairwise(numbers))

    def test_an_address_that_is_not_ours_ends_the_search(self, rig: Rig) -> None:
        with pytest.raises(PortUnavailable) as caught:
            rig.forwarder.bind(CALL, Endpoint("192.0.2.1", 40000))
        assert caught.value.exhausted
        assert "192.0.2.1" in str(caught.value)

    def test_ports_of_both_families_are_apart(self, rig: Rig) -> None:
        number = rig.bind(CALL, "::1")
        port = rig.local[number].port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((RELAY, port))
