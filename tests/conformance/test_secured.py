"""Sentences 11 to 14 of `ngdaemon/media/forwarder.py`: secured sockets, with libsrtp as the phone."""

from collections import Counter
from collections.abc import Sequence

import pytest

from ngdaemon.base.ids import SocketId
from ngdaemon.media.forwarder import Event, Learned, Punted, Stranger, Tapped, Unreadable
from ngdaemon.media.plan import (
    HELD_PACKETS,
    HELD_SOURCES,
    Carries,
    Hold,
    Latch,
    Learning,
    Plan,
    Protection,
    Route,
    Selector,
    Socket,
)
from tests.conformance.rig import ALICE, CALL, STRANGER, Call, Phone, Rig
from tests.media.judge import CM_32, CM_80, GCM_128, GCM_256, Far, keys
from tests.support import packets
from tests.support.packets import rtp

REPORT = packets.receiver_report(1) + packets.description(1)
STUN = b"\x00\x01\x00\x00" + bytes(16)
DTLS = b"\x16\xfe\xfd" + bytes(20)
ZRTP = b"\x10\x00\x00\x01ZRTP" + bytes(20)
HERS, OURS = keys(1), keys(2)
LATCH = Latch(Learning.IMMEDIATE, frozenset((ALICE,)), generation=1)


class Secured:
    """A call whose Alice speaks SRTP; Bob does not."""

    def __init__(self, rig: Rig, suite: str = CM_80) -> None:
        self.call, self.rig = Call(rig), rig
        self.hers, self.ours = keys(1, suite), keys(2, suite)
        self.far = Far(self.hers, self.ours)
        self.latch = LATCH
        self.plan()

    @property
    def alice(self) -> Phone:
        return self.call.alice

    @property
    def bob(self) -> Phone:
        return self.call.bob

    def sockets(self, **changes: object) -> tuple[Socket, Socket]:
        protection = Protection((self.hers,), self.ours)._replace(**changes)  # type: ignore[arg-type]
        a, b = self.call.sockets()
        return a._replace(latch=self.latch, muxed=True, protection=protection), b._replace(muxed=True)

    def plan(self, routes: Sequence[Route] | None = None, **changes: object) -> None:
        """State the call, with a protection that differs in these fields."""
        self.call.apply(self.sockets(**changes), tuple(self.call.routes if routes is None else routes))

    def arrives(self, packet: bytes) -> None:
        """What Alice protects is what Bob gets next."""
        before = len(self.bob.got)
        self.call.say(self.far.rtp(packet))
        self.rig.until(lambda: len(self.bob.got) > before)
        assert self.bob.got[before:] == [packet]

    def returns(self, packet: bytes) -> bytes:
        """What Alice makes of what Bob sends."""
        before = len(self.alice.got)
        self.call.reply(packet)
        self.rig.until(lambda: len(self.alice.got) > before)
        [sent] = self.alice.got[before:]
        assert sent[12:] != packet[12:]
        return self.far.open_rtp(sent)

    def events(self) -> list[Event]:
        """What was reported of Alice's port."""
        return [event for event in self.rig.events if event.socket == self.call.a]

    def settle(self, count: int) -> None:
        """So many packets of Alice's port have been taken in or dropped."""

        def handled() -> bool:
            counted = self.rig.count(self.call.a)
            return counted.packets_in + counted.errors_in == count

        self.rig.until(handled)


@pytest.fixture
def secured(rig: Rig) -> Secured:
    return Secured(rig)


class TestElevenSecuredSockets:
    @pytest.mark.parametrize("suite", [CM_80, CM_32, GCM_128, GCM_256])
    def test_media_and_reports_pass_decrypted_and_encrypted(self, rig: Rig, suite: str) -> None:
        secured = Secured(rig, suite)
        for number in range(1, 5):
            secured.arrives(rtp(number, marker=number == 1))
            assert secured.returns(rtp(number, ssrc=9)) == rtp(number, ssrc=9)
        secured.call.say(secured.far.rtcp(REPORT))
        rig.until(lambda: secured.bob.got[-1] == REPORT)
        secured.call.reply(REPORT)
        rig.until(lambda: len(secured.alice.got) == 5)
        assert secured.far.open_rtcp(secured.alice.got[-1]) == REPORT

    @pytest.mark.parametrize("data", [rtp(1), REPORT, ZRTP])
    def test_nothing_clear_comes_in_mbx_04(self, secured: Secured, data: bytes) -> None:
        """MBX-04, S01."""
        moved = secured.rig.phone(ALICE)
        secured.call.say(data)
        moved.send(data, secured.rig.local[secured.call.a])
        secured.settle(2)
        counted = secured.rig.count(secured.call.a)
        assert (counted.unauthenticated, counted.packets_in, counted.last_packet) == (2, 0, None)
        assert secured.returns(rtp(5)) == rtp(5)
        assert (secured.bob.got, moved.got) == ([], [])
        assert not [event for event in secured.events() if isinstance(event, Learned)]

    def test_nothing_leaves_while_keys_are_awaited_mbx_07_mbx_08(self, secured: Secured) -> None:
        """MBX-07, MBX-08, S07: no media, no report, no packet that opens a way; it is counted as withheld."""
        a, b = secured.sockets(receive=(), send=None)
        secured.call.apply((a._replace(pierce=True), b), secured.call.routes)
        for data in (rtp(1), REPORT, ZRTP):
            secured.call.reply(data)
        secured.rig.until(lambda: secured.rig.count(secured.call.b).packets_in == 3)
        counted = secured.rig.count(secured.call.a)
        assert (counted.packets_out, counted.errors_out, counted.withheld) == (0, 0, 4)
        secured.plan()
        assert secured.returns(rtp(2)) == rtp(2)
        assert len(secured.alice.got) == 1

    def test_a_packet_that_fails_changes_a_counter_alone_srtp_10(self, secured: Secured) -> None:
        """SRTP-10, S06."""
        secured.arrives(rtp(65530))
        before = secured.rig.count(secured.call.a)
        for number in range(200):
            secured.call.say(rtp(number, payload=bytes(170)))
            if number % 50 == 49:
                secured.settle(1 + number + 1)
        counted = secured.rig.count(secured.call.a)
        assert counted.unauthenticated == counted.errors_in == 200
        assert counted == before._replace(errors_in=200, unauthenticated=200)
        for number in range(65531, 65540):
            secured.arrives(rtp(number))

    def test_a_packet_that_comes_again_is_dropped_srtp_03(self, secured: Secured) -> None:
        """SRTP-03."""
        protected, report = secured.far.rtp(rtp(1)), secured.far.rtcp(REPORT)
        for _ in range(5):
            secured.call.say(protected)
            secured.call.say(report)
        secured.settle(10)
        secured.rig.until(lambda: len(secured.bob.got) == 2)
        counted = secured.rig.count(secured.call.a)
        assert (counted.packets_in, counted.replayed, counted.unauthenticated) == (2, 8, 0)

    def test_authentic_media_teaches_once_for_each_exchange_mbx_05(self, secured: Secured) -> None:
        """MBX-05."""
        second, third = secured.rig.phone(ALICE), secured.rig.phone(ALICE)
        for count, phone in enumerate((second, third), 1):
            phone.send(secured.far.rtp(rtp(count)), secured.rig.local[secured.call.a])
            secured.settle(count)
        assert secured.rig.count(secured.call.a).peer == second.at
        secured.latch = LATCH._replace(generation=2)
        secured.plan()
        third.send(secured.far.rtp(rtp(3)), secured.rig.local[secured.call.a])
        secured.settle(3)
        assert secured.rig.count(secured.call.a).peer == third.at

    def test_with_sources_the_plan_alone_says_who_the_peer_is_s08(self, secured: Secured) -> None:
        """S08: authentic packets from another tuple are strangers."""
        secured.latch = LATCH._replace(sources=frozenset((secured.alice.at,)))
        secured.plan()
        elsewhere = secured.rig.phone(ALICE)
        elsewhere.send(secured.far.rtp(rtp(1)), secured.rig.local[secured.call.a])
        secured.settle(1)
        secured.arrives(rtp(2))
        assert secured.returns(rtp(1)) == rtp(1)
        counted = secured.rig.count(secured.call.a)
        assert (counted.strangers, counted.peer, counted.stranger) == (1, secured.alice.at, elsewhere.at)
        assert [type(event) for event in secured.events()] == [Stranger]

    def test_handshakes_and_checks_are_punted_as_ever_dmx_02(self, secured: Secured) -> None:
        """DMX-02."""
        stranger = secured.rig.phone(STRANGER)
        for data in (STUN, DTLS):
            stranger.send(data, secured.rig.local[secured.call.a])
        secured.rig.until(lambda: len(secured.rig.events) == 2)
        assert [event.data for event in secured.rig.events if isinstance(event, Punted)] == [STUN, DTLS]

    def test_taps_and_filters_see_clear_packets(self, secured: Secured) -> None:
        a, b = secured.call.a, secured.call.b
        secured.plan((Route(a, b, Carries.RTP, mirror=True, silenced=((0, 0xFF),)),))
        secured.call.say(secured.far.rtp(rtp(1)))
        secured.rig.until(lambda: secured.bob.got == [rtp(1, payload=b"\xff" * 160)])
        assert [event.packet for event in secured.rig.events if isinstance(event, Tapped)] == [rtp(1)]

    def test_packets_of_any_length_do_no_harm_s03(self, secured: Secured) -> None:
        """S03."""
        secured.arrives(rtp(1))
        sent = 1
        for packet in (secured.far.rtp(rtp(2, csrcs=[1, 2], extension=bytes(8))), secured.far.rtcp(REPORT)):
            for length in range(len(packet)):
                secured.call.say(packet[:length])
            sent += len(packet)
            secured.settle(sent)
        secured.arrives(rtp(3))


class TestTwelveEqualKeysShareState:
    def test_another_port_goes_on_where_the_first_was(self, secured: Secured) -> None:
        for number in range(65533, 65538):
            secured.arrives(rtp(number))
            assert secured.returns(rtp(number)) == rtp(number)
        old, secured.call.a = secured.call.a, secured.rig.bind()
        secured.plan()
        assert old not in secured.rig.forwarder.counters(CALL)
        for number in range(65538, 65542):
            secured.arrives(rtp(number))
            assert secured.returns(rtp(number)) == rtp(number)

    def test_stated_again_nothing_changes_s15(self, secured: Secured) -> None:
        """S15: through the wrap of the sequence number, with a plan between each two packets."""
        for number in range(65533, 65540):
            secured.plan()
            secured.arrives(rtp(number))
            assert secured.returns(rtp(number)) == rtp(number)

    def test_a_second_source_behind_an_ssrc_is_renumbered_srtp_05(self, secured: Secured) -> None:
        """SRTP-05."""
        carol, c = secured.rig.phone(STRANGER), secured.rig.bind()
        routes = (*secured.call.routes, Route(c, secured.call.a, Carries.RTP))
        secured.call.apply((*secured.sockets(), Socket(c, carol.at, Latch(generation=1))), routes)
        for number in range(100, 105):
            secured.returns(rtp(number))
        for number in range(100, 105):
            carol.send(rtp(number, payload=b"carol"), secured.rig.local[c])
        secured.rig.until(lambda: len(secured.alice.got) == 10)
        heard = [secured.far.open_rtp(packet) for packet in secured.alice.got[5:]]
        assert [int.from_bytes(packet[2:4], "big") for packet in heard] == list(range(105, 110))
        assert {packet[12:] for packet in heard} == {b"carol"}

    def test_a_repeated_packet_is_dropped(self, secured: Secured) -> None:
        for _ in range(3):
            secured.call.reply(rtp(1))
        secured.rig.until(lambda: secured.rig.count(secured.call.b).packets_in == 3)
        secured.rig.until(lambda: len(secured.alice.got) == 1)
        assert secured.rig.count(secured.call.a).errors_out == 2

    def test_a_high_start_is_moved_down_where_the_plan_says_so_srtp_04(self, secured: Secured) -> None:
        """SRTP-04."""
        secured.plan(low_start=True)
        for number in range(65500, 65580):
            secured.call.reply(rtp(number))
        secured.rig.until(lambda: len(secured.alice.got) == 80)
        heard = [secured.far.open_rtp(packet) for packet in secured.alice.got[40:]]
        assert [int.from_bytes(packet[2:4], "big") for packet in heard] == list(range(32772, 32812))
        report = packets.receiver_report(1, [packets.block(0x1234, highest=32811)])
        secured.call.say(secured.far.rtcp(report))
        expected = packets.receiver_report(1, [packets.block(0x1234, highest=65579)])
        secured.rig.until(lambda: secured.bob.got == [expected])

    def test_old_and_new_keys_are_tried_dmx_04(self, secured: Secured) -> None:
        """DMX-04."""
        renewed = keys(3)
        other = Far(renewed, OURS)
        secured.plan(receive=(secured.hers, renewed))
        for number in range(1, 4):
            secured.arrives(rtp(number, ssrc=1))
            secured.call.say(other.rtp(rtp(number, ssrc=2)))
            secured.rig.until(lambda number=number: len(secured.bob.got) == 2 * number)  # type: ignore[misc]
            assert secured.bob.got[-1] == rtp(number, ssrc=2)
        secured.plan(receive=(renewed,))
        secured.call.say(secured.far.rtp(rtp(9, ssrc=1)))
        secured.settle(7)
        assert secured.rig.count(secured.call.a).unauthenticated == 1


class TestThirteenHeldMedia:
    def test_what_came_early_is_taken_in_in_order_when_keys_come_mbx_06_mbx_09(self, secured: Secured) -> None:
        """MBX-06, MBX-09."""
        secured.plan(receive=(), send=None, hold=Hold())
        for packet in (rtp(1), rtp(1, ssrc=5), rtp(2)):
            secured.call.say(secured.far.rtp(packet))
        secured.call.say(secured.far.rtcp(REPORT))
        secured.call.say(b"\xff" * 40)
        secured.settle(1)
        assert secured.bob.got == []
        secured.plan()
        secured.rig.until(lambda: len(secured.bob.got) == 4)
        assert secured.bob.got == [rtp(1), rtp(1, ssrc=5), rtp(2), REPORT]

    def test_what_is_held_has_bounds(self, secured: Secured) -> None:
        secured.plan(receive=(), send=None, hold=Hold())
        few, many = 10, HELD_PACKETS + 30
        for ssrc in range(1, HELD_SOURCES + 3):
            for number in range(many if ssrc == 1 else few):
                secured.call.say(secured.far.rtp(rtp(number, ssrc=ssrc)))
        given_up = 30 + 2 * few
        secured.rig.until(lambda: secured.rig.count(secured.call.a).errors_in >= given_up)
        secured.plan()
        last = rtp(1, ssrc=99)
        secured.call.say(secured.far.rtp(last))
        secured.rig.until(lambda: last in secured.bob.got)
        by_ssrc = Counter(packet[8:12] for packet in secured.bob.got[:-1])
        assert len(by_ssrc) <= HELD_SOURCES
        assert max(by_ssrc.values(), default=0) <= HELD_PACKETS

    def test_when_keys_do_not_come_it_is_forgotten(self, secured: Secured) -> None:
        secured.plan(receive=(), send=None, hold=Hold())
        secured.call.say(secured.far.rtp(rtp(1)))
        secured.call.say(b"\xff" * 40)
        secured.settle(1)
        secured.plan(receive=(), send=None)
        assert secured.rig.count(secured.call.a).unauthenticated == 1
        secured.plan()
        secured.arrives(rtp(2))


class TestFourteenBundles:
    AUDIO = Selector(b"a", 1, frozenset((1,)), frozenset((0,)))
    VIDEO = Selector(b"v", 1, frozenset(), frozenset((96,)))

    def plan(self, secured: Secured, c: SocketId) -> None:
        a, b = secured.call.a, secured.call.b
        carol = Socket(c, secured.bob.at, Latch(generation=1), muxed=True)
        medias = ((b, self.AUDIO), (carol.id, self.VIDEO))
        routes = [Route(a, sink, carries, selector=media) for sink, media in medias for carries in Carries]
        routes += [Route(sink, a, carries) for sink, _ in medias for carries in Carries]
        secured.rig.forwarder.apply(CALL, Plan((*secured.sockets(), carol), tuple(routes)))

    def test_each_packet_follows_the_routes_of_its_media(self, secured: Secured) -> None:
        c = secured.rig.bind()
        self.plan(secured, c)
        video = rtp(1, ssrc=7, payload_type=50, extension=b"\x10v\x00\x00")
        said = [rtp(1, ssrc=1), video, rtp(2, ssrc=7, payload_type=50), rtp(1, ssrc=8, payload_type=96)]
        for packet in (*said, rtp(3, ssrc=1)):
            secured.call.say(secured.far.rtp(packet))
        for report in (packets.sender_report(7), packets.sender_report(1)):
            secured.call.say(secured.far.rtcp(report))
        secured.rig.until(lambda: len(secured.bob.got) == 7)
        places = [secured.rig.local[secured.call.b], secured.rig.local[c]]
        assert [places.index(source) for source in secured.bob.sources] == [0, 1, 1, 1, 0, 1, 0]
        assert secured.bob.got[:4] == said

    def test_what_belongs_to_no_media_is_received_and_goes_nowhere(self, secured: Secured) -> None:
        self.plan(secured, secured.rig.bind())
        secured.call.say(secured.far.rtp(rtp(1, ssrc=9, payload_type=50)))
        secured.settle(1)
        secured.arrives(rtp(1, ssrc=1))
        assert secured.rig.count(secured.call.a).errors_in == 0


class TestFifteenNothingAuthentic:
    def test_it_is_reported_once_for_each_set_of_keys_and_not_after_a_good_packet(self, secured: Secured) -> None:
        wrong = Far(keys(9), OURS)
        for number in range(60):
            secured.call.say(wrong.rtp(rtp(number, ssrc=9)))
            if number % 20 == 19:
                secured.settle(number + 1)
        (event,) = secured.events()
        assert isinstance(event, Unreadable)
        assert (event.source, event.packets) == (secured.alice.at, 20)
        secured.arrives(rtp(1))
        secured.plan(receive=(secured.hers, keys(8)))
        secured.arrives(rtp(2))
        for number in range(60, 100):
            secured.call.say(wrong.rtp(rtp(number, ssrc=9)))
        secured.settle(102)
        assert [item for item in secured.events() if isinstance(item, Unreadable)] == [event]
