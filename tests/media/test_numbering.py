"""Sequence numbers of what leaves protected: no index twice with one key and SSRC, and never back (contract 12)."""

from collections.abc import Sequence
from itertools import pairwise

import pylibsrtp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.ids import SocketId
from ngdaemon.media.numbering import MAX_REPEATS, MAX_TRACKS, Numbering
from ngdaemon.media.plan import Carries, Latch, Protection, Route, Socket
from ngdaemon.rtp.rtcp import ReceiverReport, parse
from ngdaemon.srtp.keys import Keys
from tests.media.judge import CM_80, GCM_128, Far, keys
from tests.media.rig import ALICE, BOB, A, B, Rig
from tests.media.secured import HERS, ROUTES, SecuredCall, secured_call
from tests.support import packets
from tests.support.packets import rtp
from tests.support.rng import SeededRng

C = SocketId(4)
CAROL = ("198.51.100.77", 6000)


def low() -> SecuredCall:
    """A call whose secured peer binds SSRCs late, as with SDES."""
    call = secured_call()
    call.plan(low_start=True)
    return call


def number_of(packet: bytes) -> int:
    return int.from_bytes(packet[2:4], "big")


def with_carol() -> SecuredCall:
    """Bob and Carol both leave at Alice's port, under one key."""
    call = secured_call()
    call.rig.open()
    routes = (*ROUTES, Route(C, A, Carries.RTP))
    call.rig.apply([*call.sockets(), Socket(C, None, Latch(plausible=None))], routes)
    return call


class TestLowStart:
    def test_a_source_that_starts_high_is_moved_to_the_lower_half_srtp_04(self) -> None:
        """SRTP-04: it starts at 65500, the first 40 packets are lost, the peer still decrypts, now and later."""
        call = low()
        heard = []
        for number in range(65500, 65500 + 70000):
            [sent] = call.rig.receive(B, rtp(number, payload=number.to_bytes(4, "big")), BOB)
            if number >= 65540:
                heard.append(call.alice.open_rtp(sent.data))
        assert number_of(heard[0]) == 65540 - 32768
        assert [int.from_bytes(item[12:], "big") for item in heard] == list(range(65540, 65500 + 70000))
        assert all((number_of(late) - number_of(early)) % 65536 == 1 for early, late in pairwise(heard))

    def test_without_it_the_same_peer_is_lost(self) -> None:
        """Why it is done."""
        call = secured_call()
        for number in range(65500, 65540):
            call.rig.receive(B, rtp(number), BOB)
        with pytest.raises(pylibsrtp.Error):
            call.hears(rtp(65540))

    def test_one_that_starts_low_passes_as_it_is(self) -> None:
        call = low()
        assert call.hears(rtp(32767)) == [rtp(32767)]
        assert call.hears(rtp(32768)) == [rtp(32768)]

    def test_reports_about_it_are_put_back_srtp_04(self) -> None:
        """SRTP-04, "RTCP to match": the highest number in report blocks, and what a NACK asks for."""
        call = low()
        for number in range(65500, 65540):
            call.hears(rtp(number, ssrc=9))
        received = 65539 - 32768
        blocks = [packets.block(9, highest=received), packets.block(10, highest=77)]
        nack = packets.transport_feedback(1, 9, (65510 - 32768).to_bytes(2, "big") + b"\x00\x03")
        [sent] = call.report(packets.receiver_report(1, blocks) + nack)
        report, feedback = parse(sent.data)
        assert isinstance(report, ReceiverReport)
        assert [(item.ssrc, item.highest) for item in report.blocks] == [(9, 65539), (10, 77)]
        assert feedback == parse(packets.transport_feedback(1, 9, (65510).to_bytes(2, "big") + b"\x00\x03"))[0]

    def test_also_where_they_come_to_a_port_with_other_keys(self) -> None:
        """DTLS without rtcp-mux."""
        call = low()
        number = call.rig.open()
        far = Far(keys(40), keys(41))
        a, b = call.sockets()
        rtcp = a._replace(id=number, muxed=False, rtcp=True, protection=Protection((keys(40),), keys(41)))
        call.rig.apply([a, rtcp, b], (*ROUTES, Route(number, B, Carries.RTCP)))
        call.hears(rtp(65500, ssrc=9))
        report = packets.receiver_report(1, [packets.block(9, highest=65500 - 32768)])
        [sent] = call.rig.receive(number, far.rtcp(report), ALICE)
        assert sent.data == packets.receiver_report(1, [packets.block(9, highest=65500)])

    def test_reports_of_another_peer_who_gets_the_source_as_it_is_stay_as_they_are(self) -> None:
        """A fork: one source leaves renumbered here and untouched there."""
        call = low()
        number = call.rig.open()
        far = Far(keys(40), keys(41))
        a, b = call.sockets()
        fork = a._replace(id=number, protection=Protection((keys(40),), keys(41)))
        routes = (*ROUTES, Route(B, number, Carries.RTP), Route(number, B, Carries.RTCP))
        call.rig.apply([a, fork, b], routes)
        first, second = call.rig.receive(B, rtp(65500, ssrc=9), BOB)
        assert [call.alice.open_rtp(first.data)[2:4], far.open_rtp(second.data)] == [
            (65500 - 32768).to_bytes(2, "big"),
            rtp(65500, ssrc=9),
        ]
        report = packets.receiver_report(1, [packets.block(9, highest=65500)])
        [sent] = call.rig.receive(number, far.rtcp(report), ALICE)
        assert sent.data == report

    def test_late_packets_from_before_the_first_do_not_leave_with_a_wrong_index(self) -> None:
        call = low()
        assert len(call.hears(rtp(32770))) == 1
        assert call.hears(rtp(32769)) == [rtp(1, timestamp=160 * 32769)]
        assert call.rig.receive(B, rtp(32760), BOB) == []
        assert len(call.hears(rtp(32771))) == 1


class TestSecondSource:
    def test_one_that_goes_on_where_another_ended_keeps_its_numbers(self) -> None:
        """The same phone behind another port of ours."""
        call = with_carol()
        for number in range(100, 110):
            assert call.hears(rtp(number)) == [rtp(number)]
        for number in range(111, 120):
            [sent] = call.rig.receive(C, rtp(number), CAROL)
            assert call.alice.open_rtp(sent.data) == rtp(number)

    @pytest.mark.parametrize("start", [50, 109, 20000, 65000])
    def test_one_behind_the_same_ssrc_is_numbered_on_srtp_05(self, start: int) -> None:
        """SRTP-05: another talker after a transfer, whatever it begins with."""
        call = with_carol()
        for number in range(100, 110):
            call.hears(rtp(number))
        heard = []
        for number in range(start, start + 600):
            [sent] = call.rig.receive(C, rtp(number, payload=b"carol"), CAROL)
            heard.append(call.alice.open_rtp(sent.data))
        assert [number_of(item) for item in heard] == list(range(110, 710))
        assert {item[4:8] for item in heard[:1]} == {(160 * start % 2**32).to_bytes(4, "big")}

    def test_two_that_send_at_once_never_share_a_number_srtp_05(self) -> None:
        """SRTP-05: "two far sources merged under one of our keys"."""
        call = with_carol()
        heard = []
        for number in range(300):
            heard += call.hears(rtp(1000 + number, payload=b"bob"))
            heard += [call.alice.open_rtp(item.data) for item in call.rig.receive(C, rtp(1200 + number), CAROL)]
        assert len(heard) == 600
        assert all((number_of(late) - number_of(early)) % 65536 < 3000 for early, late in pairwise(heard))
        assert len({number_of(item) for item in heard}) == 600

    def test_other_ssrcs_are_not_touched(self) -> None:
        call = with_carol()
        for number in range(50):
            assert call.hears(rtp(number, ssrc=1)) == [rtp(number, ssrc=1)]
            [sent] = call.rig.receive(C, rtp(number, ssrc=2), CAROL)
            assert call.alice.open_rtp(sent.data) == rtp(number, ssrc=2)


class TestJumps:
    @pytest.mark.parametrize("back", [1100, 20000, 32000])
    def test_a_source_that_numbers_anew_far_behind_is_numbered_on_srtp_05(self, back: int) -> None:
        """SRTP-05: a new talker behind the same SSRC; two packets in a row must agree, so that one is lost."""
        call = secured_call()
        for number in range(40000, 40010):
            call.hears(rtp(number))
        heard = []
        for number in range(40010 - back, 40010 - back + 3000):
            heard += call.hears(rtp(number))
        assert [number_of(item) for item in heard] == list(range(40010, 40010 + 2999))

    def test_one_stray_packet_from_far_behind_is_dropped(self) -> None:
        call = secured_call()
        assert call.hears(rtp(40000)) == [rtp(40000)]
        assert call.rig.receive(B, rtp(20000), BOB) == []
        assert call.hears(rtp(40001)) == [rtp(40001)]
        assert call.rig.count(A).errors_out == 1

    def test_a_short_way_back_is_noticed_after_some_repeats(self) -> None:
        call = secured_call()
        for number in range(1000, 1500):
            call.hears(rtp(number))
        heard = []
        for number in range(1200, 1300):
            heard += [number_of(item) for item in call.hears(rtp(number, payload=b"anew"))]
        assert heard == list(range(1500, 1600 - MAX_REPEATS + 1))

    def test_a_network_that_doubles_packets_changes_no_numbers(self) -> None:
        call = secured_call()
        heard = []
        for number in range(100):
            heard += call.hears(rtp(number))
            heard += call.hears(rtp(number))
        assert heard == [rtp(number) for number in range(100)]
        assert call.rig.count(A).errors_out == 100

    def test_reordered_and_lost_packets_keep_their_numbers_through_wraps(self) -> None:
        call, rng = secured_call(), SeededRng(3)
        order = [number for number in range(60000, 60000 + 140000, 7) if not rng.chance(0.05)]
        for start in range(0, len(order) - 8, 8):
            order[start : start + 8] = sorted(order[start : start + 8], key=lambda _: rng.below(1000))
        for number in order[:1]:
            assert call.hears(rtp(number)) == [rtp(number)]
        for number in order[1:]:
            assert call.hears(rtp(number)) == [rtp(number)]

    def test_a_new_key_does_not_make_numbers_jump(self) -> None:
        """RTP at the receiver knows nothing of keys: what was renumbered goes on so."""
        call = low()
        before = [number_of(item) for number in range(65500, 65510) for item in call.hears(rtp(number))]
        renewed = keys(22)
        call.plan(send=renewed)
        call.alice = Far(HERS, renewed)
        after = [number_of(item) for number in range(65510, 65600) for item in call.hears(rtp(number))]
        assert before + after == list(range(65500 - 32768, 65600 - 32768))

    def test_nor_does_it_after_a_jump(self) -> None:
        call = low()
        for number in (30000, 30001, 5000, 5001):
            call.rig.receive(B, rtp(number), BOB)
        renewed = keys(22)
        call.plan(send=renewed)
        call.alice = Far(HERS, renewed)
        assert [number_of(item) for number in (5002, 5003) for item in call.hears(rtp(number))] == [30003, 30004]
        for number in range(5004, 5004 + 6000):
            call.rig.receive(B, rtp(number), BOB)
        assert [number_of(item) for item in call.hears(rtp(5004 + 6000))] == [30005 + 6000]


def test_sources_under_a_key_are_bounded_and_none_is_forgotten_that_could_repeat() -> None:
    numbering = Numbering(1024)
    for ssrc in range(MAX_TRACKS):
        assert numbering.place(A, ssrc, 1) is not None
    assert numbering.place(A, MAX_TRACKS, 1) is None
    assert numbering.place(B, 0, 1) is None
    taken = Numbering(1024)
    for source in range(3 * MAX_TRACKS):
        track = taken.place(SocketId(source), 1, 1)
        assert track is not None
        assert track.highest == source + 1


Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from((B, C)), st.integers(0, 65535), st.integers(1, 30)),
        st.tuples(st.just("jump"), st.sampled_from((B, C)), st.sampled_from((0, 40, 32760, 65530)), st.integers(1, 4)),
        st.tuples(st.just("plan"), st.integers(0, 3), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("report"), st.sampled_from((B, C)), st.integers(0, 3), st.just(0)),
    ),
    min_size=4,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from((CM_80, GCM_128)), st.booleans())
def test_no_keystream_is_used_twice_s15(steps: Sequence[Step], suite: str, low_start: bool) -> None:
    """S15, SRTP-05: whatever sources do, however often the call is planned anew, with old keys or with new ones.

    The keystream is what ciphertext and plaintext differ by. The first 16 octets of it tell packets apart.
    """
    rig, serial = Rig(), 0
    for _ in range(4):
        rig.open()
    sends = [keys(30 + number, suite) for number in range(2)]
    seen: set[bytes] = set()
    _state(rig, sends[0], low_start)
    for kind, first, second, count in steps:
        if kind == "plan":
            _state(rig, sends[second], low_start)
            continue
        source, address = (SocketId(first), BOB if first == B else CAROL)
        if kind == "report":
            for sent in rig.receive(source, packets.receiver_report(second), address):
                assert sent.data[-14:] not in seen
                seen.add(sent.data[-14:])
            continue
        for number in range(second, second + count):
            serial += 1
            clear = rtp(number, ssrc=0x55, payload=serial.to_bytes(16, "big"))
            for sent in rig.receive(source, clear, address):
                stream = bytes(ours ^ theirs for ours, theirs in zip(sent.data[12:28], clear[12:28], strict=True))
                assert stream not in seen
                assert any(stream)
                seen.add(stream)


def _state(rig: Rig, send: Keys, low_start: bool) -> None:
    """Alice's port sends with that key alone; what the call sent with before may come back."""
    anyone = Latch(plausible=None)
    rig.apply(
        [
            Socket(A, ALICE, anyone, protection=Protection((HERS,), send, None, low_start)),
            Socket(B, BOB, anyone),
            Socket(C, None, anyone),
        ],
        (Route(B, A, Carries.RTP), Route(C, A, Carries.RTP), Route(B, A, Carries.RTCP), Route(C, A, Carries.RTCP)),
    )
