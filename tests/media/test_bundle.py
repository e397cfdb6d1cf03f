"""BUNDLE: several medias of a browser on one secured port, each with a clear port of its own (contract 14)."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.media.bundle import MAX_BOUND, Bundle, extension_element, reporters
from ngdaemon.media.plan import Carries, Latch, Learning, Protection, Route, Selector, Socket
from ngdaemon.media.stream import Stream
from ngdaemon.rtp.packet import header_length
from tests.media.judge import Far, keys
from tests.media.rig import ALICE, A, Rig
from tests.support import packets
from tests.support.packets import rtp

AUDIO_PORT, VIDEO_PORT = SocketId(2), SocketId(3)
BOB_AUDIO, BOB_VIDEO = Endpoint("203.0.113.1", 5000), Endpoint("203.0.113.1", 5002)
AUDIO = Selector(b"0", 3, frozenset((100,)), frozenset((111, 0)))
VIDEO = Selector(b"v1", 3, frozenset((200,)), frozenset((96,)))
MIDS = frozenset((3,))
HERS, OURS = keys(1), keys(2)


def one_byte(*elements: tuple[int, bytes]) -> bytes:
    body = b"".join(bytes((number << 4 | len(value) - 1,)) + value for number, value in elements)
    return body + bytes(-len(body) % 4)


def two_byte(*elements: tuple[int, bytes]) -> bytes:
    body = b"".join(bytes((number, len(value))) + value for number, value in elements)
    return body + bytes(-len(body) % 4)


def with_two_byte(packet: bytes) -> bytes:
    """The packet with the profile of two-byte elements."""
    return packet.replace(b"\xbe\xde", b"\x10\x00", 1)


class TestMedia:
    def test_the_mid_decides_and_binds_the_ssrc(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        assert bundle.of_rtp(rtp(1, ssrc=7, payload_type=50, extension=one_byte((3, b"v1")))) == VIDEO
        assert bundle.of_rtp(rtp(2, ssrc=7, payload_type=111)) == VIDEO

    def test_in_either_form_of_header_extension(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        packet = rtp(1, ssrc=8, payload_type=50, extension=two_byte((1, b""), (200, b"x" * 20), (3, b"v1")))
        assert bundle.of_rtp(with_two_byte(packet)) == VIDEO
        packet = rtp(1, ssrc=9, payload_type=50, csrcs=[1, 2], extension=one_byte((1, b"abc"), (3, b"0"), (4, b"z")))
        assert bundle.of_rtp(packet) == AUDIO

    def test_the_mid_wins_over_what_was_signalled_and_bound(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        assert bundle.of_rtp(rtp(1, ssrc=100, payload_type=111)) == AUDIO
        assert bundle.of_rtp(rtp(2, ssrc=100, payload_type=111, extension=one_byte((3, b"v1")))) == VIDEO
        assert bundle.of_rtp(rtp(3, ssrc=100, payload_type=111)) == VIDEO

    def test_an_unknown_mid_is_of_no_media(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        assert bundle.of_rtp(rtp(1, ssrc=100, payload_type=111, extension=one_byte((3, b"zz")))) is None

    def test_then_a_signalled_ssrc_then_the_payload_type(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        assert bundle.of_rtp(rtp(1, ssrc=200, payload_type=111)) == VIDEO
        assert bundle.of_rtp(rtp(1, ssrc=31, payload_type=96)) == VIDEO
        assert bundle.of_rtp(rtp(2, ssrc=31, payload_type=50)) == VIDEO
        assert bundle.of_rtp(rtp(1, ssrc=32, payload_type=50)) is None

    def test_bindings_outlast_a_new_plan_where_their_media_does(self) -> None:
        before = Bundle((AUDIO, VIDEO))
        before.of_rtp(rtp(1, ssrc=31, payload_type=96))
        before.of_rtp(rtp(1, ssrc=32, payload_type=111))
        after = Bundle((VIDEO._replace(payload_types=frozenset((97,))),), before)
        assert after.of_rtp(rtp(2, ssrc=31, payload_type=50)) == after.medias[0]
        assert after.of_rtp(rtp(2, ssrc=32, payload_type=50)) is None

    def test_bindings_are_bounded(self) -> None:
        bundle = Bundle((AUDIO, VIDEO))
        for ssrc in range(1000, 1000 + 3 * MAX_BOUND):
            assert bundle.of_rtp(rtp(1, ssrc=ssrc, payload_type=96)) == VIDEO
        assert len(bundle.bound) == MAX_BOUND


class TestExtensions:
    @pytest.mark.parametrize(
        ("body", "found"),
        [
            (one_byte((3, b"0")), b"0"),
            (b"\x00\x00\x30v", b"v"),
            (b"\xf0a\x30v", None),
            (b"\x01a\x30v", None),
            (b"\x37ab\x00", None),
            (b"\x20a\x40b", None),
            (b"", None),
        ],
    )
    def test_one_byte_elements(self, body: bytes, found: bytes | None) -> None:
        assert extension_element(rtp(1, extension=body), MIDS) == found

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            (two_byte((3, b"mid")), b"mid"),
            (b"\x00\x00\x03\x01v\x00\x00\x00", b"v"),
            (two_byte((3, b"")), b""),
            (b"\x03\x09ab", None),
            (b"\x00\x00\x00\x03", None),
        ],
    )
    def test_two_byte_elements(self, body: bytes, found: bytes | None) -> None:
        assert extension_element(with_two_byte(rtp(1, extension=body)), MIDS) == found

    def test_another_profile_has_no_elements(self) -> None:
        packet = rtp(1, extension=one_byte((3, b"0"))).replace(b"\xbe\xde", b"\xab\xcd", 1)
        assert extension_element(packet, MIDS) is None

    @given(st.binary(max_size=64), st.sampled_from((b"\xbe\xde", b"\x10\x00", b"\x10\x0f")))
    def test_no_bytes_lead_out_of_the_extension_s03(self, body: bytes, profile: bytes) -> None:
        body += bytes(-len(body) % 4)
        packet = rtp(1, extension=body, payload=b"").replace(b"\xbe\xde", profile, 1)
        assert header_length(packet) == len(packet)
        element = extension_element(packet, MIDS)
        assert element is None or element in body


class TestReporters:
    def test_who_reports_on_what(self) -> None:
        blocks = [packets.block(5), packets.block(6)]
        assert reporters(packets.sender_report(1, blocks)) == (1, (5, 6))
        compound = packets.receiver_report(1, blocks[:1]) + packets.description(1) + packets.payload_feedback(1, 9)
        assert reporters(compound) == (1, (5, 9))

    @given(st.binary(min_size=8, max_size=80))
    def test_any_bytes_are_survived_s03(self, data: bytes) -> None:
        sender, about = reporters(data)
        assert sender == int.from_bytes(data[4:8], "big")
        assert all(ssrc.to_bytes(4, "big") in data for ssrc in about)


@dataclass
class Bundled:
    """A browser at port A; its audio and its video leave at ports of their own."""

    rig: Rig
    browser: Far

    def say(self, packet: bytes) -> list[SocketId]:
        """The ports that a packet of the browser leaves from, as it was before it was protected."""
        sent = self.rig.receive(A, self.browser.rtp(packet), ALICE)
        assert all(item.data == packet for item in sent)
        return [item.socket for item in sent]

    def report(self, packet: bytes) -> list[SocketId]:
        return [item.socket for item in self.rig.receive(A, self.browser.rtcp(packet), ALICE)]

    def plan(self) -> None:
        latch = Latch(Learning.IMMEDIATE, frozenset((ALICE.address, BOB_AUDIO.address)), generation=1)
        ports = ((AUDIO_PORT, AUDIO), (VIDEO_PORT, VIDEO))
        routes = []
        for carries in (Carries.RTP, Carries.RTCP):
            for port, selector in ports:
                routes += [Route(A, port, carries, selector=selector), Route(port, A, carries)]
        self.rig.apply(
            [
                Socket(A, ALICE, latch, muxed=True, protection=Protection((HERS,), OURS)),
                Socket(AUDIO_PORT, BOB_AUDIO, latch, muxed=True),
                Socket(VIDEO_PORT, BOB_VIDEO, latch, muxed=True),
            ],
            routes,
        )


@pytest.fixture
def call() -> Bundled:
    rig = Rig()
    for _ in range(3):
        rig.open()
    made = Bundled(rig, Far(HERS, OURS))
    made.plan()
    return made


class TestOnePortForAll:
    def test_packets_go_to_their_media(self, call: Bundled) -> None:
        for number in range(1, 5):
            assert call.say(rtp(number, ssrc=1, payload_type=111)) == [AUDIO_PORT]
            assert call.say(rtp(number, ssrc=2, payload_type=96, extension=one_byte((3, b"v1")))) == [VIDEO_PORT]
            call.plan()
        assert call.say(rtp(1, ssrc=3, payload_type=50)) == []
        counted = call.rig.count(A)
        assert (counted.packets_in, counted.errors_in) == (9, 0)

    def test_what_comes_back_shares_one_key(self, call: Bundled) -> None:
        for number in range(1, 4):
            for port, source in ((AUDIO_PORT, BOB_AUDIO), (VIDEO_PORT, BOB_VIDEO)):
                packet = rtp(number, ssrc=50 + port)
                [sent] = call.rig.receive(port, packet, source)
                assert (sent.socket, call.browser.open_rtp(sent.data)) == (A, packet)

    def test_two_phones_with_one_ssrc_do_not_share_an_index_srtp_05(self, call: Bundled) -> None:
        """SRTP-05."""
        numbers = set()
        for number in range(1, 200):
            for port, source in ((AUDIO_PORT, BOB_AUDIO), (VIDEO_PORT, BOB_VIDEO)):
                [sent] = call.rig.receive(port, rtp(number, ssrc=50), source)
                numbers.add(call.browser.open_rtp(sent.data)[2:4])
        assert len(numbers) == 2 * 199

    def test_reports_follow_their_sender(self, call: Bundled) -> None:
        call.say(rtp(1, ssrc=2, payload_type=96))
        assert call.report(packets.sender_report(2) + packets.description(2)) == [VIDEO_PORT]
        assert call.report(packets.sender_report(100)) == [AUDIO_PORT]

    def test_reports_of_one_who_only_receives_follow_what_they_are_about(self, call: Bundled) -> None:
        """A browser that shows video and sends none reports with an SSRC that nobody knows."""
        for port, source, ssrc in ((AUDIO_PORT, BOB_AUDIO, 70), (VIDEO_PORT, BOB_VIDEO, 71)):
            call.rig.receive(port, rtp(1, ssrc=ssrc), source)
        assert call.report(packets.receiver_report(1, [packets.block(71)])) == [VIDEO_PORT]
        assert call.report(packets.receiver_report(1, [packets.block(70)])) == [AUDIO_PORT]
        assert call.report(packets.receiver_report(1) + packets.payload_feedback(1, 71)) == [VIDEO_PORT]
        assert call.report(packets.receiver_report(1)) == [AUDIO_PORT]

    def test_an_ssrc_that_changes_its_media_is_followed_on_the_short_way(self, call: Bundled) -> None:
        audio, video = one_byte((3, b"0")), one_byte((3, b"v1"))
        seen = [call.say(rtp(number, ssrc=9, extension=video if number % 3 == 0 else audio)) for number in range(9)]
        assert seen == [[VIDEO_PORT], [AUDIO_PORT], [AUDIO_PORT]] * 3

    def test_the_short_way_is_taken(self, call: Bundled) -> None:
        mid = one_byte((1, b"x"), (3, b"v1"))
        call.say(rtp(1, ssrc=1, payload_type=111))
        call.say(rtp(1, ssrc=2, payload_type=96, extension=mid))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Stream, "_take", lambda *_: pytest.fail("the long way"))
            assert call.say(rtp(2, ssrc=1, payload_type=111)) == [AUDIO_PORT]
            assert call.say(rtp(2, ssrc=2, payload_type=96, extension=mid)) == [VIDEO_PORT]


def test_a_route_for_all_medias_is_followed_beside_those_of_one(call: Bundled) -> None:
    """Also by an SSRC that says what it belongs to only later."""
    latch = Latch(Learning.IMMEDIATE, frozenset((ALICE.address, BOB_AUDIO.address)), generation=1)
    call.rig.apply(
        [
            Socket(A, ALICE, latch, muxed=True, protection=Protection((HERS,), OURS)),
            Socket(AUDIO_PORT, BOB_AUDIO, latch),
            Socket(VIDEO_PORT, BOB_VIDEO, latch),
        ],
        (Route(A, AUDIO_PORT, Carries.RTP), Route(A, VIDEO_PORT, Carries.RTP, selector=VIDEO)),
    )
    assert call.say(rtp(1, ssrc=9, payload_type=50)) == [AUDIO_PORT]
    assert call.say(rtp(2, ssrc=9, payload_type=50)) == [AUDIO_PORT]
    assert call.say(rtp(3, ssrc=9, extension=one_byte((3, b"v1")))) == [AUDIO_PORT, VIDEO_PORT]
    assert call.say(rtp(4, ssrc=9, payload_type=50)) == [AUDIO_PORT, VIDEO_PORT]


def test_clear_bundles_bind_nothing_that_a_stranger_says() -> None:
    rig = Rig()
    for _ in range(3):
        rig.open()
    latch = Latch(plausible=frozenset((ALICE.address,)))
    ports = [Socket(AUDIO_PORT, BOB_AUDIO, latch), Socket(VIDEO_PORT, BOB_VIDEO, latch)]
    routes = [Route(A, port, Carries.RTP, selector=media) for port, media in ((AUDIO_PORT, AUDIO), (VIDEO_PORT, VIDEO))]
    rig.apply([Socket(A, ALICE, latch), *ports], routes)
    rig.receive(A, rtp(1, ssrc=9, extension=one_byte((3, b"v1"))), Endpoint("192.0.2.66", 1))
    for number in range(1, 4):
        assert [item.socket for item in rig.receive(A, rtp(number, ssrc=9, payload_type=111), ALICE)] == [AUDIO_PORT]
        sent = rig.receive(A, rtp(number, ssrc=8, extension=one_byte((3, b"v1"))), ALICE)
        assert [item.socket for item in sent] == [VIDEO_PORT]
