"""Secured ports: what comes in is authenticated first, what leaves is protected or does not leave (contract 11)."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.forwarder import Learned, Punted, Stranger, Tapped, Unreadable
from ngdaemon.media.plan import Carries, Hold, Latch, Learning, Protection, Route, Socket
from ngdaemon.media.stream import Stream
from ngdaemon.rtp.demux import Kind, classify
from ngdaemon.srtp.context import Outbound
from tests.media.judge import CM_32, CM_80, GCM_128, GCM_256, Far, keys
from tests.media.rig import ALICE, B_RTCP, BOB, STRANGER, A, B, Sent
from tests.media.secured import HERS, LATCH, OURS, ROUTES, secured_call
from tests.support import packets
from tests.support.packets import rtp
from tests.support.rng import SeededRng

REPORT = packets.receiver_report(1) + packets.description(1)
STUN = b"\x00\x01\x00\x00" + bytes(16)
DTLS = b"\x16\xfe\xfd" + bytes(20)
ZRTP = b"\x10\x00\x00\x01ZRTP" + bytes(20)
MOVED = Endpoint(ALICE.address, 4444)
SUITES = (CM_80, CM_32, GCM_128, GCM_256)


class TestBothDirections:
    @pytest.mark.parametrize("suite", SUITES)
    def test_media_is_decrypted_and_encrypted(self, suite: str) -> None:
        call = secured_call(suite)
        for number in range(1, 6):
            assert call.say(rtp(number)) == [Sent(B, rtp(number), BOB)]
            assert call.hears(rtp(number, ssrc=9)) == [rtp(number, ssrc=9)]

    @pytest.mark.parametrize("suite", SUITES)
    def test_so_are_reports(self, suite: str) -> None:
        call = secured_call(suite)
        for _ in range(3):
            assert call.report(REPORT) == [Sent(B, REPORT, BOB)]
            [sent] = call.rig.receive(B, REPORT, BOB)
            assert call.alice.open_rtcp(sent.data) == REPORT

    @pytest.mark.parametrize(
        "packet",
        [
            rtp(1, marker=True, payload_type=111),
            rtp(1, csrcs=[5, 6], extension=bytes(range(8)), padding=4),
            rtp(1, payload=b""),
            rtp(65535, timestamp=2**32 - 1, ssrc=2**32 - 1),
            rtp(1, payload=bytes(1500)),
        ],
    )
    def test_srtp_11_a_hop_that_only_rekeys_changes_nothing_else(self, packet: bytes) -> None:
        """SRTP-11: marker, timestamp, extension, padding, CSRC, SSRC and sequence number pass as they are."""
        call = secured_call()
        hop = keys(7)
        call.bob_protection = Protection((keys(8),), hop)
        call.plan()
        bob = Far(keys(8), hop)
        arrived = call.alice.rtp(packet) if len(packet) < 1300 else _by_us(packet)
        [sent] = call.rig.receive(A, arrived, ALICE)
        assert sent.data not in (packet, arrived)
        if len(packet) < 1300:
            assert bob.open_rtp(sent.data) == packet
        else:
            assert sent.data[:12] == packet[:12]

    def test_counters_are_of_what_was_on_the_wire(self) -> None:
        call = secured_call()
        for number in range(1, 4):
            call.say(rtp(number))
            call.hears(rtp(number))
        counted = call.rig.count(A)
        assert (counted.packets_in, counted.bytes_in) == (3, 3 * (172 + 10))
        assert (counted.packets_out, counted.bytes_out) == (3, 3 * (172 + 10))
        [source] = counted.sources
        assert (source.packets, source.bytes, source.lost) == (3, 3 * 182, 0)

    def test_taps_blocking_silence_and_feedback_see_clear_packets(self) -> None:
        routes = (
            Route(A, B, Carries.RTP, mirror=True, dropped=frozenset((101,)), silenced=((0, 0xFF),)),
            Route(A, B, Carries.RTCP, drop_feedback=True, mirror=True),
        )
        call = secured_call(routes=routes)
        compound = REPORT + packets.transport_feedback(1, 2)
        assert call.say(rtp(1, payload_type=101)) == []
        assert call.say(rtp(2)) == [Sent(B, rtp(2, payload=b"\xff" * 160), BOB)]
        assert call.report(compound) == [Sent(B, REPORT, BOB)]
        taps = [event.packet for event in call.rig.events() if isinstance(event, Tapped)]
        assert taps == [rtp(1, payload_type=101), rtp(2), compound]

    def test_rtcp_mux_on_one_side_alone(self) -> None:
        call = secured_call()
        rig = call.rig
        rig.open()
        planned = [*call.sockets(), Socket(B_RTCP, BOB, Latch(plausible=None), rtcp=True)]
        rig.apply(planned, (Route(A, B_RTCP, Carries.RTCP), Route(B_RTCP, A, Carries.RTCP)))
        assert call.report(REPORT) == [Sent(B_RTCP, REPORT, BOB)]
        [sent] = rig.receive(B_RTCP, REPORT, BOB)
        assert call.alice.open_rtcp(sent.data) == REPORT

    def test_the_short_way_is_taken(self) -> None:
        call = secured_call()
        call.say(rtp(1))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Stream, "_receive", lambda *_: pytest.fail("the long way"))
            assert call.say(rtp(2)) == [Sent(B, rtp(2), BOB)]
            assert call.say(rtp(9, csrcs=[4], extension=b"abcd")) != []


def _by_us(packet: bytes) -> bytes:
    """Packets that are too long for libsrtp."""
    return Outbound(HERS).rtp(packet)


class TestNothingClear:
    @pytest.mark.parametrize("data", [rtp(1), REPORT, ZRTP])
    def test_clear_packets_never_come_in_and_never_move_a_latch_mbx_04(self, data: bytes) -> None:
        """MBX-04, S01: 0 packets to the sprayer."""
        call = secured_call()
        before = call.rig.count(A)
        for source in (ALICE, MOVED):
            assert call.rig.receive(A, data, source) == []
        counted = call.rig.count(A)
        assert counted == before._replace(errors_in=2, unauthenticated=2)
        assert call.rig.learned() == []
        assert call.hears(rtp(1)) == [rtp(1)]
        assert call.rig.sent[-1].to == ALICE

    def test_what_is_sent_before_there_are_keys_does_not_leave_mbx_07_mbx_08(self) -> None:
        """MBX-07, MBX-08, S07: neither media nor reports, ZRTP or the packet that opens a way; it is no error."""
        call = secured_call()
        call.plan(send=None)
        for data in (rtp(1), REPORT, ZRTP):
            assert call.rig.receive(B, data, BOB) == []
        counted = call.rig.count(A)
        assert (counted.withheld, counted.errors_out, counted.packets_out) == (3, 0, 0)
        call.plan(send=OURS)
        assert call.hears(rtp(2)) == [rtp(2)]

    def test_zrtp_of_a_clear_peer_does_not_leave_a_secured_port(self) -> None:
        call = secured_call()
        assert call.rig.receive(B, ZRTP, BOB) == []
        assert call.rig.count(A).withheld == 1

    def test_bytes_that_are_no_rtp_pass_neither_way(self) -> None:
        call = secured_call()
        a, b = call.sockets()
        call.rig.apply(
            [a._replace(relay_only=True), b._replace(relay_only=True)],
            (Route(A, B, Carries.ANY), Route(B, A, Carries.ANY)),
        )
        assert call.rig.receive(A, b"T.38", ALICE) == []
        assert call.rig.receive(B, b"T.38", BOB) == []
        assert call.rig.receive(A, call.alice.rtp(rtp(1)), ALICE) == []
        assert (call.rig.count(A).unauthenticated, call.rig.count(A).withheld) == (2, 1)

    def test_the_packet_that_opens_a_way_waits_for_keys_and_is_protected(self) -> None:
        call = secured_call()
        a, b = call.sockets()
        awaiting = a._replace(pierce=True, protection=Protection((), None))
        call.rig.apply([awaiting, b], ROUTES)
        call.rig.pipeline.handle_timer(call.rig.clock.advance(1.0))
        assert call.rig.sent == []
        call.rig.apply([awaiting._replace(protection=call.protection), b], ROUTES)
        for _ in range(3):
            call.rig.pipeline.handle_timer(call.rig.clock.advance(1.0))
        opened = [call.alice.open_rtp(item.data) for item in call.rig.sent]
        assert len(opened) == 3
        assert all(classify(data) is Kind.RTP and len(data) == 12 for data in opened)

    def test_a_leg_that_becomes_secure_takes_nothing_clear_any_more(self) -> None:
        call = secured_call()
        a, b = call.sockets()
        call.rig.apply([a._replace(protection=None), b], ROUTES)
        assert call.rig.receive(A, rtp(1), ALICE) != []
        assert call.rig.receive(A, rtp(2), ALICE) != []
        call.plan()
        assert call.rig.receive(A, rtp(3), ALICE) == []
        assert call.say(rtp(4)) == [Sent(B, rtp(4), BOB)]


class TestStrangers:
    def test_forged_packets_move_a_counter_and_nothing_else_s06(self) -> None:
        """S06, SRTP-10, GATE-03: 10^5 of them; no latch, no rollover counter, no time, no event, no growth."""
        call = secured_call()
        call.say(rtp(65000))
        call.rig.events()
        before = call.rig.count(A)
        call.rig.clock.advance(5.0)
        rng = SeededRng(6)
        forged = [bytearray(rtp(number, payload=rng.bytes(20))) for number in (0, 1, 64999, 65001, 65535, 32000)]
        for ssrc in (0x1234, 0x1234, 0x9999):
            for base in forged:
                base[8:12] = ssrc.to_bytes(4, "big")
                packet = bytes(base)
                for _ in range(5556):
                    call.rig.streams[A].receive(packet, ALICE, call.rig.clock.now)
        counted = call.rig.count(A)
        total = 3 * 6 * 5556
        assert total >= 10**5
        assert counted.unauthenticated + counted.replayed == counted.errors_in == total
        assert counted == before._replace(
            errors_in=total, unauthenticated=counted.unauthenticated, replayed=counted.replayed
        )
        assert call.rig.events() == []
        assert call.rig.sent[1:] == []
        assert call.say(rtp(65001)) == [Sent(B, rtp(65001), BOB)]
        assert call.say(rtp(3)) == [Sent(B, rtp(3), BOB)]

    def test_the_same_packet_five_times_comes_out_once_srtp_03(self) -> None:
        """SRTP-03: for RTP and for RTCP, on the short way and on the long one."""
        call = secured_call()
        for number in (1, 2):
            packet = call.alice.rtp(rtp(number))
            assert [len(call.rig.receive(A, packet, ALICE)) for _ in range(5)] == [1, 0, 0, 0, 0]
        report = call.alice.rtcp(REPORT)
        assert [len(call.rig.receive(A, report, ALICE)) for _ in range(5)] == [1, 0, 0, 0, 0]
        counted = call.rig.count(A)
        assert (counted.packets_in, counted.replayed, counted.unauthenticated, counted.errors_in) == (3, 12, 0, 12)

    def test_one_who_replays_gets_nothing_and_moves_nothing_s02(self) -> None:
        """S02, MBX-04: the first packet of the peer from elsewhere, once it has come."""
        call = secured_call()
        packet = call.alice.rtp(rtp(1))
        call.rig.receive(A, packet, ALICE)
        assert call.rig.receive(A, packet, MOVED) == []
        assert call.rig.count(A).peer == ALICE

    def test_an_implausible_source_is_a_stranger_whatever_keys_it_has(self) -> None:
        call = secured_call()
        assert call.rig.receive(A, call.alice.rtp(rtp(1)), STRANGER) == []
        counted = call.rig.count(A)
        assert (counted.strangers, counted.errors_in, counted.unauthenticated) == (1, 1, 0)
        assert [type(event) for event in call.rig.events()] == [Stranger]

    def test_authentic_media_moves_the_latch_once_for_each_exchange_mbx_05(self) -> None:
        """MBX-05: a second source is taken in, but not sent to until a re-offer."""
        call = secured_call()
        third = Endpoint(ALICE.address, 5555)
        call.rig.receive(A, call.alice.rtp(rtp(1)), MOVED)
        call.rig.receive(A, call.alice.rtp(rtp(2)), third)
        assert call.rig.learned() == [(MOVED, True)]
        assert call.rig.count(A).peer == MOVED
        call.latch = LATCH._replace(generation=2)
        call.plan()
        call.rig.receive(A, call.alice.rtp(rtp(3)), third)
        assert call.rig.learned() == [(third, True)]

    def test_a_peer_that_moves_back_and_forth_is_followed_with_handover(self) -> None:
        """Media of the one ends the short way of the other."""
        call = secured_call(latch=LATCH._replace(handover=True))
        for number in range(1, 9):
            call.rig.receive(A, call.alice.rtp(rtp(number)), MOVED if number in (3, 4, 7) else ALICE)
        assert [peer for peer, _ in call.rig.learned()] == [ALICE, MOVED, ALICE, MOVED, ALICE]
        call.rig.receive(A, call.alice.rtcp(REPORT), MOVED)
        call.rig.receive(A, call.alice.rtp(rtp(9)), ALICE)
        assert [peer for peer, _ in call.rig.learned()] == [MOVED, ALICE]

    def test_with_a_selected_pair_nothing_else_is_taken_in_or_sent_to_s08(self) -> None:
        """S08: after nomination media from another tuple changes nothing, authentic or not."""
        call = secured_call(latch=LATCH._replace(sources=frozenset((ALICE,))))
        assert call.say(rtp(1)) == [Sent(B, rtp(1), BOB)]
        assert call.rig.receive(A, call.alice.rtp(rtp(2)), MOVED) == []
        assert call.rig.receive(A, call.alice.rtp(rtp(3)), STRANGER) == []
        counted = call.rig.count(A)
        assert (counted.strangers, counted.peer, counted.confirmed) == (2, ALICE, True)
        assert [event for event in call.rig.events() if isinstance(event, Learned)] == []

    def test_a_refused_source_does_not_use_up_a_packet(self) -> None:
        """With `strict-source` a copy that comes from elsewhere first does not make the peer's own a replay."""
        call = secured_call(latch=LATCH._replace(strict=True))
        call.say(rtp(1))
        packet = call.alice.rtp(rtp(2))
        assert call.rig.receive(A, packet, MOVED) == []
        assert call.rig.receive(A, packet, ALICE) == [Sent(B, rtp(2), BOB)]

    @pytest.mark.parametrize("anyone", [False, True])
    @pytest.mark.parametrize("handover", [False, True])
    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize("learning", Learning)
    def test_a_sprayer_gets_and_gives_nothing_s01_s02(
        self, learning: Learning, strict: bool, handover: bool, anyone: bool
    ) -> None:
        """S01, S02, MBX-04: before, during and after the answer, at a re-offer, first by 0 to 3 s.

        From elsewhere and from behind the peer's own address, clear, forged and replayed; even where the operator lets
        anyone in. A packet that is replayed before its original came is the original, wherever it comes from: it can
        be taken in from a plausible source, which is then sent to what only the peer can read.
        """
        plausible = None if anyone else frozenset((ALICE.address,))
        call = secured_call(latch=Latch(learning, plausible, 0, strict, handover))
        call.protection = Protection((), None, Hold())
        sprayers = (STRANGER, MOVED)
        seen: list[bytes] = []

        def spray() -> None:
            for source in sprayers:
                for data in (rtp(1), rtp(2, payload=bytes(170)), REPORT, ZRTP, *seen[-20:]):
                    call.rig.receive(A, data, source)

        def talk(number: int) -> None:
            for item in (number, number + 1):
                seen.append(call.alice.rtp(rtp(item)))
                call.rig.receive(A, seen[-1], ALICE)
            call.rig.receive(B, rtp(number), BOB)

        a, b = call.sockets()
        call.rig.apply([a._replace(signalled=None), b], ROUTES)
        spray()
        call.rig.clock.advance(2.0)
        for generation in (1, 2):
            call.latch = call.latch._replace(generation=generation)
            call.plan(receive=(HERS,), send=OURS, hold=None)
            for step in range(5):
                spray()
                talk(10 * (5 * generation + step))
                spray()
                call.rig.clock.advance(0.9)
        said = [rtp(10 * (5 * generation + step) + add) for generation in (1, 2) for step in range(5) for add in (0, 1)]
        assert [item.data for item in call.rig.sent if item.socket == B] == said
        assert {item.to for item in call.rig.sent if item.socket == A} == {ALICE}
        assert {peer for peer, _ in call.rig.learned()} <= {ALICE, BOB}


class TestClasses:
    @pytest.mark.parametrize("secured", [False, True])
    def test_every_first_octet_and_length_is_of_its_class_dmx_01(self, secured: bool) -> None:
        """DMX-01, DMX-02, DMX-05, S03: what is dropped moves a counter; STUN, DTLS and TURN are punted."""
        call = secured_call()
        if not secured:
            a, b = call.sockets()
            call.rig.apply([a._replace(protection=None), b], ROUTES)
        rig = call.rig
        for first in range(256):
            for length in range(65):
                data = (bytes((first, 0)) + bytes(63))[:length]
                before = rig.count(A)
                sent = rig.receive(A, data, ALICE)
                after, events = rig.count(A), rig.events()
                kind = classify(data)
                if kind in (Kind.STUN, Kind.DTLS, Kind.TURN):
                    assert [event.data for event in events if isinstance(event, Punted)] == [data]
                    assert (after, sent) == (before, [])
                elif secured or kind is Kind.UNKNOWN or not after.packets_in - before.packets_in:
                    assert (after.errors_in, after.packets_in) == (before.errors_in + 1, before.packets_in)
                    assert sent == []
                    assert all(isinstance(event, Unreadable) for event in events)
                else:
                    assert sent == [Sent(B, data, BOB)]
                    assert kind in (Kind.RTP, Kind.ZRTP)

    def test_protected_reports_of_any_length_do_no_harm_s03(self) -> None:
        """S03: SRTCP shorter than tag and index, and all that is cut off somewhere."""
        call = secured_call()
        call.report(REPORT)
        call.say(rtp(1))
        for packet in (call.alice.rtcp(REPORT), call.alice.rtp(rtp(2, csrcs=range(15), extension=bytes(8)))):
            for length in range(len(packet)):
                assert call.rig.receive(A, packet[:length], ALICE) == []
            assert len(call.rig.receive(A, packet, ALICE)) == 1
        assert call.rig.count(A).packets_in == 4

    def test_a_report_that_is_authentic_and_malformed_is_dropped(self) -> None:
        call = secured_call(routes=(Route(A, B, Carries.RTCP, drop_feedback=True),))
        assert call.report(REPORT + b"\x80\xc9\x00\x63") == []
        assert (call.rig.count(A).errors_in, call.rig.count(A).packets_in) == (1, 0)

    def test_handshakes_and_checks_are_punted_while_keys_are_awaited(self) -> None:
        call = secured_call()
        call.plan(receive=(), send=None)
        for data in (STUN, DTLS):
            call.rig.receive(A, data, STRANGER)
        assert [event.data for event in call.rig.events() if isinstance(event, Punted)] == [STUN, DTLS]
