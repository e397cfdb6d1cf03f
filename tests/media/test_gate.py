"""Keys of a secured port: which one an SSRC is taken in with, what is not tried any more, and what waits for keys."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.forwarder import Unreadable
from ngdaemon.media.gate import MOST_UNREADABLE, Gate
from ngdaemon.media.holding import FAILURES, IGNORED_SECONDS, MAX_FAILING, Failing, Holding
from ngdaemon.media.plan import (
    HELD_ADDRESSES,
    HELD_OCTETS,
    HELD_PACKETS,
    HELD_SECONDS,
    HELD_SOURCES,
    Hold,
    Protection,
)
from ngdaemon.rtp.demux import Kind
from ngdaemon.srtp.context import Inbound, Outbound
from tests.media.judge import Far, keys
from tests.media.rig import ALICE, BOB, CALL, STRANGER, A, B, Sent
from tests.media.secured import HERS, LATCH, OURS, ROUTES, SecuredCall, secured_call
from tests.support import packets
from tests.support.packets import rtp

REPORT = packets.receiver_report(1) + packets.description(1)
NEW_HERS = keys(11)
FORK = Endpoint("203.0.113.99", 7000)


class TestBinding:
    def test_each_ssrc_is_taken_in_with_the_key_that_it_authenticated_with_dmx_04(self) -> None:
        """DMX-04: two associations during a fork; packets of each decrypt with the right one."""
        call = secured_call()
        call.plan(receive=(HERS, NEW_HERS))
        other = Far(NEW_HERS, OURS)
        for number in range(1, 6):
            assert call.say(rtp(number)) == [Sent(B, rtp(number), BOB)]
            packet = rtp(number, ssrc=77)
            assert call.rig.receive(A, other.rtp(packet), ALICE) == [Sent(B, packet, BOB)]
        assert call.rig.receive(A, Far(keys(12), OURS).rtp(rtp(9, ssrc=78)), ALICE) == []
        assert call.rig.count(A).unauthenticated == 1

    def test_the_other_key_is_not_tried_for_a_bound_ssrc(self) -> None:
        first, second = Inbound(HERS), Inbound(NEW_HERS)
        gate, out = Gate(), Outbound(NEW_HERS)
        gate.restate((first, second), None)
        for number in range(3):
            assert gate.open(out.rtp(rtp(number)), Kind.RTP, ALICE, 0.0) == rtp(number)
        assert gate.bound_to(0x1234) is second
        assert not first.knows(0x1234)

    def test_a_sender_that_takes_a_new_key_is_followed(self) -> None:
        """An SDES re-offer: the same SSRC, a new key, its numbers going on or beginning anew."""
        for start in (6, 3, 1):
            call = secured_call()
            for number in range(1, 6):
                call.say(rtp(number))
            call.plan(receive=(NEW_HERS, HERS))
            assert call.say(rtp(6)) == [Sent(B, rtp(6), BOB)]
            renewed = Far(NEW_HERS, OURS)
            for number in range(start, start + 5):
                assert call.rig.receive(A, renewed.rtp(rtp(number)), ALICE) == [Sent(B, rtp(number), BOB)]

    def test_and_bound_to_it_from_then_on(self) -> None:
        old, new = Inbound(HERS), Inbound(NEW_HERS)
        gate = Gate()
        gate.restate((old, new), None)
        assert gate.open(Outbound(HERS).rtp(rtp(1)), Kind.RTP, ALICE, 0.0) == rtp(1)
        assert gate.bound_to(0x1234) is old
        assert gate.open(Outbound(NEW_HERS).rtp(rtp(2)), Kind.RTP, ALICE, 0.0) == rtp(2)
        assert gate.bound_to(0x1234) is new

    def test_a_sender_may_keep_its_rollover_counter_with_a_new_key_srtp_06(self) -> None:
        """SRTP-06, SRTP-07: after one wrap both kinds of peers decrypt."""
        for keeps in (False, True):
            call = secured_call()
            for number in (65534, 65535, 65536, 65537):
                assert call.say(rtp(number)) != []
            call.plan(receive=(NEW_HERS, HERS))
            renewed, before = Outbound(NEW_HERS), Outbound(HERS)
            if keeps:
                for number in (65534, 65535, 65536):
                    before.rtp(rtp(number))
                renewed.restore(before.state())
            for number in range(65538, 65545):
                assert call.rig.receive(A, renewed.rtp(rtp(number)), ALICE) == [Sent(B, rtp(number), BOB)]

    def test_a_key_that_is_gone_takes_nothing_in(self) -> None:
        call = secured_call()
        call.say(rtp(1))
        call.plan(receive=(NEW_HERS,))
        assert call.say(rtp(2)) == []
        assert call.rig.receive(A, Far(NEW_HERS, OURS).rtp(rtp(1)), ALICE) == [Sent(B, rtp(1), BOB)]


class TestFailing:
    def test_an_ssrc_that_keeps_failing_is_tried_now_and_then_only(self) -> None:
        """TIM-05. Whoever sends with it, the one that it belongs to gets in."""
        failing, tried = Failing(), 0
        for _ in range(10 * FAILURES):
            if not failing.ignores(ALICE, 1, 0.0):
                tried += 1
                failing.failed(ALICE, 1, 0.0)
        assert tried == FAILURES + 9
        assert not failing.ignores(BOB, 1, 0.0)
        assert not failing.ignores(ALICE, 2, 0.0)

    def test_it_is_tried_again_after_a_while(self) -> None:
        failing = Failing()
        for _ in range(FAILURES + 1):
            failing.failed(ALICE, 1, 0.0)
        assert failing.ignores(ALICE, 1, IGNORED_SECONDS)
        assert not failing.ignores(ALICE, 1, IGNORED_SECONDS + 0.1)
        assert 10.0 <= IGNORED_SECONDS <= 30.0

    def test_the_list_is_short(self) -> None:
        failing = Failing()
        for ssrc in range(3 * MAX_FAILING):
            for _ in range(FAILURES + 1):
                failing.failed(ALICE, ssrc, 0.0)
        ignored = [ssrc for ssrc in range(3 * MAX_FAILING) if failing.ignores(ALICE, ssrc, 1.0)]
        assert ignored == list(range(2 * MAX_FAILING, 3 * MAX_FAILING))

    def test_the_genuine_sender_is_not_locked_out(self) -> None:
        """Rule 2: a forger who has his address and SSRC delays his first packet at most."""
        call = secured_call()
        for number in range(100):
            call.rig.receive(A, rtp(number), ALICE)
        reached = [len(call.say(rtp(number))) for number in range(1, 2 * FAILURES)]
        assert reached[FAILURES:] == [1] * (len(reached) - FAILURES)
        report = packets.receiver_report(0x1234)
        assert [len(call.report(report)) for _ in range(2 * FAILURES)] == [1] * 2 * FAILURES

    def test_new_keys_make_everything_worth_trying(self) -> None:
        call = secured_call()
        renewed = Far(NEW_HERS, OURS)
        for number in range(3 * FAILURES + 5):
            call.rig.receive(A, renewed.rtp(rtp(number)), ALICE)
        call.plan(receive=(HERS, NEW_HERS))
        assert call.rig.receive(A, renewed.rtp(rtp(100)), ALICE) == [Sent(B, rtp(100), BOB)]


ALL = Hold()


def awaiting(hold: Hold | None = ALL, *, signalled: bool = True) -> SecuredCall:
    """A call whose receive keys are awaited."""
    call = secured_call()
    call.protection = Protection((), None, hold)
    a, b = call.sockets()
    call.rig.apply([a if signalled else a._replace(signalled=None), b], ROUTES)
    return call


class TestUnreadable:
    def test_that_nothing_authenticates_is_reported_once(self) -> None:
        call = secured_call()
        wrong = Far(NEW_HERS, OURS)
        for number in range(3 * MOST_UNREADABLE):
            call.rig.receive(A, wrong.rtp(rtp(number)), ALICE)
            found = [event for event in call.rig.events() if isinstance(event, Unreadable)]
            assert len(found) == (number == MOST_UNREADABLE - 1), number
        assert call.rig.count(A).unauthenticated == 3 * MOST_UNREADABLE

    def test_it_says_who_sends_and_how_much(self) -> None:
        call = secured_call()
        for number in range(MOST_UNREADABLE):
            call.rig.receive(A, rtp(number), ALICE)
        (event,) = call.rig.events()
        assert event == Unreadable(CALL, A, ALICE, MOST_UNREADABLE, call.rig.clock.now)

    def test_not_after_something_did(self) -> None:
        """S06: forged packets beside good ones are counted, and the log is none of their business."""
        call = secured_call()
        call.say(rtp(0))
        for number in range(3 * MOST_UNREADABLE):
            call.rig.receive(A, Far(NEW_HERS, OURS).rtp(rtp(number, ssrc=9)), ALICE)
        assert not [event for event in call.rig.events() if isinstance(event, Unreadable)]

    def test_zrtp_is_no_media_that_could_be_authentic(self) -> None:
        call = secured_call()
        for _ in range(3 * MOST_UNREADABLE):
            call.rig.receive(A, b"\x10\x00\x00\x01ZRTP" + bytes(20), ALICE)
        assert call.rig.count(A).unauthenticated == 3 * MOST_UNREADABLE
        assert call.rig.events() == []

    def test_new_keys_are_judged_anew(self) -> None:
        call = secured_call()
        call.say(rtp(0))
        call.plan(receive=(keys(13),))
        for number in range(MOST_UNREADABLE):
            call.say(rtp(1 + number))
        assert len([event for event in call.rig.events() if isinstance(event, Unreadable)]) == 1

    def test_what_comes_before_there_are_keys_does_not_count(self) -> None:
        call = secured_call()
        call.plan(receive=())
        for number in range(3 * MOST_UNREADABLE):
            call.say(rtp(number))
        call.plan(receive=(NEW_HERS,))
        for number in range(MOST_UNREADABLE - 1):
            call.say(rtp(1000 + number))
        counted = call.rig.count(A)
        assert (counted.unkeyed, counted.unauthenticated) == (3 * MOST_UNREADABLE, 4 * MOST_UNREADABLE - 1)
        assert not [event for event in call.rig.events() if isinstance(event, Unreadable)]


class TestHold:
    def test_media_before_the_keys_is_taken_in_when_they_come_in_order_mbx_06_mbx_09(self) -> None:
        """MBX-06, MBX-09: as if it had arrived then: counted, learned from, routed, reports among it."""
        call = awaiting()
        moved = Endpoint(ALICE.address, 4444)
        early = [
            call.alice.rtp(rtp(1)),
            call.alice.rtp(rtp(1, ssrc=5)),
            call.alice.rtcp(REPORT),
            call.alice.rtp(rtp(2)),
        ]
        for packet in early:
            assert call.rig.receive(A, packet, moved) == []
        assert call.rig.count(A).packets_in == call.rig.count(A).errors_in == 0
        assert call.rig.learned() == []
        call.rig.clock.advance(0.5)
        call.plan(receive=(HERS,), send=OURS, hold=None)
        assert [item.data for item in call.rig.sent] == [rtp(1), rtp(1, ssrc=5), REPORT, rtp(2)]
        assert call.rig.learned() == [(moved, True)]
        counted = call.rig.count(A)
        assert (counted.packets_in, counted.last_packet, counted.errors_in) == (4, call.rig.clock.now, 0)
        assert call.say(rtp(3)) == [Sent(B, rtp(3), BOB)]

    def test_without_a_hold_it_is_dropped(self) -> None:
        call = awaiting(None)
        assert call.say(rtp(1)) == []
        call.plan(receive=(HERS,))
        assert call.rig.sent == []
        assert call.rig.count(A).unauthenticated == call.rig.count(A).errors_in == 1

    @pytest.mark.parametrize("protection", [Protection(), None])
    def test_when_the_hold_ends_without_keys_it_is_forgotten(self, protection: Protection | None) -> None:
        """Nothing that waited as secured comes in clear either."""
        call = awaiting()
        call.say(rtp(1))
        call.rig.receive(A, rtp(2), ALICE)
        a, b = call.sockets()
        call.rig.apply([a._replace(protection=protection), b], ROUTES)
        call.plan(receive=(HERS,))
        assert call.rig.sent == []
        assert call.rig.count(A).unauthenticated == 2

    def test_it_lasts_a_second_mbx_06(self) -> None:
        """TIM-04."""
        call = awaiting()
        call.say(rtp(1))
        call.rig.clock.advance(0.6)
        call.say(rtp(2))
        call.rig.clock.advance(0.5)
        call.plan(receive=(HERS,))
        assert [item.data for item in call.rig.sent] == [rtp(2)]

    def test_what_waited_too_long_is_forgotten_without_anything_happening(self) -> None:
        call = awaiting()
        call.say(rtp(1))
        for _ in range(4):
            due = call.rig.pipeline.next_timeout()
            assert due is not None
            call.rig.clock.now = due
            call.rig.pipeline.handle_timer(due)
        assert call.rig.count(A).unauthenticated == 1
        call.plan(receive=(HERS,))
        call.rig.pipeline.handle_timer(call.rig.clock.advance(5.0))
        assert call.rig.pipeline.next_timeout() is None

    def test_the_newest_of_each_ssrc_stay_and_of_few_ssrcs_mbx_06(self) -> None:
        call = awaiting()
        for number in range(100):
            for ssrc in range(1, 8):
                call.say(rtp(number, ssrc=ssrc))
        assert call.rig.count(A).unauthenticated == 7 * 100 - HELD_SOURCES * HELD_PACKETS
        call.plan(receive=(HERS,))
        expected = [rtp(number, ssrc=ssrc) for number in range(36, 100) for ssrc in range(1, 5)]
        assert [item.data for item in call.rig.sent] == expected

    def test_only_the_sources_that_it_names_wait(self) -> None:
        call = awaiting(Hold(frozenset((FORK,))))
        call.rig.receive(A, call.alice.rtp(rtp(1)), FORK)
        call.rig.receive(A, call.alice.rtp(rtp(2)), ALICE)
        call.rig.receive(A, call.alice.rtp(rtp(3)), STRANGER)
        counted = call.rig.count(A)
        assert (counted.unauthenticated, counted.strangers, counted.errors_in) == (1, 1, 2)
        call.latch = LATCH._replace(sources=frozenset((FORK,)))
        call.plan(receive=(HERS,))
        assert [item.data for item in call.rig.sent] == [rtp(1)]

    def test_whoever_sends_before_the_peer_is_signalled_waits_and_the_latch_decides_then(self) -> None:
        call = awaiting(signalled=False)
        call.rig.receive(A, call.alice.rtp(rtp(1)), ALICE)
        call.rig.receive(A, call.alice.rtp(rtp(2)), STRANGER)
        call.plan(receive=(HERS,))
        assert [item.data for item in call.rig.sent] == [rtp(1)]
        assert call.rig.count(A).strangers == 1

    def test_strangers_do_not_wait_once_the_peer_is_signalled(self) -> None:
        call = awaiting()
        call.rig.receive(A, rtp(1), STRANGER)
        assert (call.rig.count(A).strangers, call.rig.count(A).errors_in) == (1, 1)

    def test_what_waited_and_is_forged_is_dropped_then(self) -> None:
        call = awaiting()
        call.rig.receive(A, rtp(1), ALICE)
        call.plan(receive=(HERS,))
        assert call.rig.sent == []
        assert call.rig.count(A).unauthenticated == 1


def test_who_may_wait_is_known_in_any_spelling() -> None:
    gate = Gate()
    gate.restate((), Hold(frozenset((Endpoint("2001:DB8:0::A", 4000),))))
    assert gate.is_held(("2001:db8::a", 4000, 0, 0), plausible=False)
    assert not gate.is_held(("2001:db8::a", 4001, 0, 0), plausible=True)


def test_reports_have_a_ring_of_their_own() -> None:
    holding = Holding()
    for ssrc in range(HELD_SOURCES):
        assert holding.keep(ssrc, b"rtp", ALICE, 0.0) == 0
    assert holding.keep(99, b"rtp", ALICE, 0.0) == 1
    assert holding.keep(-1, b"rtcp", ALICE, 0.0) == 0
    assert holding.keep(99, b"late", ALICE, HELD_SECONDS + 0.1) == HELD_SOURCES + 1
    assert [item.data for item in holding.release()] == [b"late"]
    assert len(holding) == 0


class TestFlood:
    """Before a party has said where it is anybody may send to its port, and one of them is the party."""

    @staticmethod
    def from_phone(holding: Holding) -> int:
        return sum(item.source == ALICE for item in holding.release())

    def test_strangers_that_are_first_do_not_keep_the_phone_out(self) -> None:
        """MBX-09, MBX-06: nothing is signalled yet, and keys of SDES are awaited."""
        call = awaiting(signalled=False)
        for ssrc in range(100, 200):
            call.rig.receive(A, rtp(1, ssrc=ssrc) + bytes(60_000), STRANGER)
        for number in range(1, 11):
            call.rig.receive(A, call.alice.rtp(rtp(number)), ALICE)
        call.plan(receive=(HERS,))
        assert [item.data for item in call.rig.sent] == [rtp(number) for number in range(1, 11)]

    def test_octets_are_bounded_and_those_who_send_the_most_lose_theirs(self) -> None:
        """S06, MBX-06."""
        holding = Holding()
        lost = 0
        for number in range(HELD_PACKETS):
            lost += holding.keep(1, bytes(200), ALICE, 0.01 * number)
            for ssrc in range(8):
                lost += holding.keep(ssrc, bytes(65_000), STRANGER, 0.01 * number)
            assert sum(len(item.data) for item in holding._held.values()) == holding._octets <= HELD_OCTETS
        assert lost == 9 * HELD_PACKETS - len(holding)
        assert self.from_phone(holding) == HELD_PACKETS

    @pytest.mark.parametrize("rate", [10, 1000])
    def test_ever_new_senders_displace_no_steady_one_and_let_it_begin(self, rate: int) -> None:
        """S06, MBX-06: forged sources, each of its own address; the phone comes in the midst of them."""
        holding = Holding()
        now, number = 0.0, 0
        while now < 5.0:
            number += 1
            now += 1 / rate
            holding.keep(number, bytes(200), (f"192.0.2.{number % 250}-{number}", 6666), now)
            assert len(holding._shares) <= HELD_ADDRESSES
            if now > 2.0 and int(now * 50) != int((now - 1 / rate) * 50):
                holding.keep(7, bytes(200), ALICE, now)
        assert self.from_phone(holding) >= min(rate, 50) - 1

    def test_nothing_is_left_of_what_was_given_up(self) -> None:
        holding = Holding()
        for number in range(1000):
            holding.keep(number % 3, bytes(number), (f"address {number % 100}", 1), 0.0)
        assert holding.expire(HELD_SECONDS + 0.1) > 0
        assert (len(holding), holding._octets, holding._shares) == (0, 0, {})
