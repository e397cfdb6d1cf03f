"""What contexts know besides their keys: rekeying, snapshots, lifetimes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.srtp.context import RTCP_LIFETIME, RTP_LIFETIME, Inbound, Outbound, Refused, SourceState, State
from tests.srtp.packets import NAMES, SSRC, keys_of, passes, rtcp, rtp

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"


def source(index: int, reports: int = -1) -> State:
    """One source whose last packets had those indices."""
    return State((SourceState(SSRC, index, 1, reports, 1),))


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_receiver_goes_on_after_the_wrap(name: str) -> None:
    """S15: with the rollover counter, and with the list: what was received before is a replay still."""
    outbound, inbound = Outbound(keys_of(name)), Inbound(keys_of(name))
    packets = [outbound.rtp(rtp(at)) for at in (65535, 65536, 65538)]
    report = outbound.rtcp(rtcp())
    for packet in packets:
        inbound.rtp(packet)
    inbound.rtcp(report)
    restored = Inbound(keys_of(name))
    restored.restore(inbound.state())
    assert restored.state() == inbound.state()
    assert restored.knows(SSRC)
    assert not any(passes(restored.rtp, packet) for packet in packets)
    assert not passes(restored.rtcp, report)
    assert restored.rtp(outbound.rtp(rtp(65537))) == rtp(65537)
    assert restored.rtp(outbound.rtp(rtp(65539))) == rtp(65539)
    assert restored.rtcp(outbound.rtcp(rtcp())) == rtcp()


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_sender_uses_no_index_again(name: str) -> None:
    """S15, SRTP-05: though its state is older than the packets that it sent last."""
    keys = keys_of(name)
    outbound, inbound = Outbound(keys), Inbound(keys)
    for at in (65534, 65536):
        inbound.rtp(outbound.rtp(rtp(at)))
    inbound.rtcp(outbound.rtcp(rtcp()))
    written = outbound.state()
    words = {outbound.rtcp(rtcp())[8 + 20 :] for _ in range(50)}
    restored = Outbound(keys)
    restored.restore(written)
    for at in (65534, 65535, 65536):
        with pytest.raises(Refused) as caught:
            restored.rtp(rtp(at))
        assert caught.value.replayed
    assert inbound.rtp(restored.rtp(rtp(65537))) == rtp(65537)
    report = restored.rtcp(rtcp())
    assert report[8 + 20 :] not in words
    assert inbound.rtcp(report) == rtcp()


def test_what_was_sent_after_the_state_was_written_is_not_sent_again() -> None:
    """S15, SRTP-05: of each source, all before its first packet after a restore; sources that it did not know, too."""
    outbound = Outbound(keys_of(GCM))
    outbound.rtp(rtp(10))
    written = outbound.state()
    for at in (11, 12, 13):
        outbound.rtp(rtp(at))
        outbound.rtp(rtp(at, ssrc=2))
    reports = [outbound.rtcp(rtcp(ssrc))[-4:] for ssrc in (SSRC, 2)]
    restored = Outbound(keys_of(GCM))
    restored.restore(written)
    for ssrc in (SSRC, 2):
        restored.rtp(rtp(15, ssrc))
        assert not any(passes(restored.rtp, rtp(at, ssrc)) for at in (11, 12, 13, 14))
        restored.rtp(rtp(17, ssrc))
        assert passes(restored.rtp, rtp(16, ssrc))
    assert not {restored.rtcp(rtcp(ssrc))[-4:] for ssrc in (SSRC, 2)} & set(reports)
    busy = Outbound(keys_of(GCM))
    busy.restore(source(1, 100_000))
    assert int.from_bytes(busy.rtcp(rtcp())[-4:], "big") & 0x7FFFFFFF > 100_000 + 50_000
    again = Outbound(keys_of(GCM))
    again.restore(restored.state()._replace(sources=()))
    assert again.rtcp(rtcp(2))[-4:] > restored.rtcp(rtcp(2))[-4:]


def keystream(packet: bytes) -> bytes:
    """What a payload of noughts was turned into."""
    return packet[12:44]


@given(
    st.sampled_from([CM, GCM]),
    st.lists(st.tuples(st.integers(0, 1), st.one_of(st.integers(-70, 5), st.integers(0, 65535))), max_size=100),
    st.sets(st.integers(0, 100), max_size=3),
)
def test_no_keystream_is_used_twice(name: str, moves: list[tuple[int, int]], restarts: set[int]) -> None:
    """SRTP-05, S15: two sources that jump about, and restarts from a state that is up to nine packets old."""
    outbound = Outbound(keys_of(name))
    written, used = outbound.state(), set[bytes]()
    sequence, furthest, resuming, jumped = [0, 0], [-1, -1], set[int](), False
    for count, (at, move) in enumerate(moves):
        if count in restarts:
            outbound = Outbound(keys_of(name))
            outbound.restore(written)
            sequence = [it + 1 for it in furthest]  # the sources went on meanwhile
            resuming = {0, 1}
        elif jumped or count % 10 == 0:
            written = outbound.state()
        sequence[at] += 0 if at in resuming else move
        resuming.discard(at)
        jumped = move > 1000
        packet = rtp(sequence[at], at, payload=bytes(32))
        try:
            stream = keystream(outbound.rtp(packet))
        except Refused:
            continue
        assert stream not in used
        used.add(stream)
        furthest[at] = max(furthest[at], sequence[at])


@pytest.mark.parametrize("sequence", [100, 99, 0, 65535])
def test_an_index_that_was_used_or_is_too_old_is_refused(sequence: int) -> None:
    """SRTP-05: the same packet, a late one that is behind the list, one from before the first cycle."""
    outbound = Outbound(keys_of(CM)._replace(window=64))
    for at in (100, 99, 200, 50 + 100):
        outbound.rtp(rtp(at))
    with pytest.raises(Refused) as caught:
        outbound.rtp(rtp(sequence))
    assert caught.value.replayed
    assert passes(outbound.rtp, rtp(140))
    assert passes(outbound.rtp, rtp(201))


def test_a_sender_counts_cycles_like_its_receiver() -> None:
    """SRTP-05: over the wrap, with late packets of both cycles."""
    outbound, inbound = Outbound(keys_of(GCM)), Inbound(keys_of(GCM))
    for at in (65530, 65534, 65537, 65535, 65536, 65533, 65540):
        assert inbound.rtp(outbound.rtp(rtp(at))) == rtp(at)
    assert outbound.state().sources[0].rtp == 65540


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("name", [CM, GCM])
def test_a_rekeyed_peer_may_keep_its_rollover_counter_or_start_anew(name: str, kept: bool) -> None:
    """SRTP-06, SRTP-07: one wrap, then a new key; both variants come through, and go on."""
    old, new = keys_of(name, 1), keys_of(name, 2)
    before, receiver = Outbound(old), Inbound(old)
    for at in (65500, 65536, 65600):
        receiver.rtp(before.rtp(rtp(at)))
    after = Outbound(new)
    if kept:
        after.follow(before.state())
    rekeyed = Inbound(new)
    rekeyed.expect(receiver.state())
    assert not passes(rekeyed.rtp, before.rtp(rtp(65601)))
    assert not rekeyed.knows(SSRC)
    for at in (65602, 65603):
        assert rekeyed.rtp(after.rtp(rtp(at))) == rtp(at)
    assert rekeyed.state().sources[0].rtp == (65603 if kept else 65603 - 65536)


def test_without_an_old_key_there_is_nothing_to_try() -> None:
    """SRTP-07, SDES-16: no trial and error on other sources, nor once the first packet of a source has come."""
    ahead, fresh = Outbound(keys_of(GCM)), Outbound(keys_of(GCM))
    ahead.follow(source(65536))
    late = ahead.rtp(rtp(65538))
    assert not passes(Inbound(keys_of(GCM)).rtp, late)
    inbound = Inbound(keys_of(GCM))
    inbound.expect(source(65536))
    assert passes(inbound.rtp, fresh.rtp(rtp(1)))
    assert not passes(inbound.rtp, late)
    other = Inbound(keys_of(GCM))
    other.expect(State((SourceState(SSRC + 1, 65536, 1, -1, 0),)))
    assert not passes(other.rtp, late)


def test_what_is_expected_of_a_source_that_sends_already_opens_nothing() -> None:
    """SRTP-03, SRTP-07: a second guess at the index is no way round the list."""
    sender, inbound = Outbound(keys_of(GCM)), Inbound(keys_of(GCM))
    sender.follow(source(65536))
    inbound.restore(source(65536))
    packet = sender.rtp(rtp(65538))
    inbound.rtp(packet)
    for highest in (3 << 16, 65540, 131072):
        inbound.expect(source(highest))
        assert not passes(inbound.rtp, packet)
    far = Outbound(keys_of(GCM))
    far.follow(source(5 << 16))
    inbound.expect(source(5 << 16))
    assert not passes(inbound.rtp, far.rtp(rtp(7)))


def test_report_indices_go_on_over_a_rekey_that_keeps_the_counters() -> None:
    """SRTP-06: RFC 3711 §3.4, the index is not set to nought again."""
    outbound, after = Outbound(keys_of(CM, 1)), Outbound(keys_of(CM, 2))
    for _ in range(3):
        outbound.rtcp(rtcp())
    after.follow(outbound.state())
    assert after.rtcp(rtcp())[-14:-10] == b"\x80\x00\x00\x04"
    assert Outbound(keys_of(CM, 2)).rtcp(rtcp())[-14:-10] == b"\x80\x00\x00\x01"


def test_a_key_protects_as_many_packets_as_it_lives() -> None:
    """KEY-06, SDES-20: `left` counts down, at half there is a warning, at the end nothing leaves."""
    outbound = Outbound(keys_of(CM), lifetime=10)
    assert (outbound.left, outbound.half_used) == (10, False)
    for at in range(5):
        outbound.rtp(rtp(at))
    assert (outbound.left, outbound.half_used) == (5, False)
    outbound.rtp(rtp(5, ssrc=2))
    assert (outbound.left, outbound.half_used) == (4, True)
    for at in range(6, 10):
        outbound.rtp(rtp(at))
    assert outbound.left == 0
    with pytest.raises(Refused) as caught:
        outbound.rtp(rtp(10))
    assert not caught.value.replayed
    for _ in range(10):
        outbound.rtcp(rtcp())
    assert not passes(outbound.rtcp, rtcp())


@pytest.mark.parametrize("name", NAMES)
def test_the_gate_closes_before_the_lifetimes_of_rfc_3711(name: str) -> None:
    """KEY-06: 2^48 RTP and 2^31 RTCP packets, counters preset; the index itself runs out there too."""
    outbound = Outbound(keys_of(name))
    outbound.restore(State((), RTP_LIFETIME - 1, RTCP_LIFETIME - 1))
    assert (outbound.left, outbound.half_used) == (1, True)
    assert passes(outbound.rtp, rtp(0))
    assert passes(outbound.rtcp, rtcp())
    assert not passes(outbound.rtp, rtp(1))
    assert not passes(outbound.rtcp, rtcp())
    assert outbound.left == 0

    last = source(RTP_LIFETIME - 2, RTCP_LIFETIME - 2)
    sender, receiver = Outbound(keys_of(name)), Inbound(keys_of(name))
    sender.follow(last)
    receiver.restore(last)
    assert receiver.rtp(sender.rtp(rtp(RTP_LIFETIME - 1))) == rtp(RTP_LIFETIME - 1)
    assert receiver.rtcp(sender.rtcp(rtcp())) == rtcp()
    for packet in (rtp(0), rtp(1)):
        assert not passes(sender.rtp, packet)
        assert not passes(receiver.rtp, packet + bytes(16))
    assert not passes(sender.rtcp, rtcp())


def test_a_state_is_plain_numbers() -> None:
    """S15, S17: it can be written down as it is, and it has no key in it."""
    outbound = Outbound(keys_of(GCM))
    for at in (1, 2, 4):
        outbound.rtp(rtp(at))
    outbound.rtcp(rtcp())
    assert outbound.state() == State((SourceState(SSRC, 4, 0b1101, 1, 1),), 3, 1)


def test_sources_are_known_after_either_kind_of_packet() -> None:
    """SRTP-01: a receiver of reports alone is a source too."""
    outbound, inbound = Outbound(keys_of(GCM)), Inbound(keys_of(GCM))
    assert not inbound.knows(1)
    inbound.rtcp(outbound.rtcp(rtcp(1)))
    inbound.rtp(outbound.rtp(rtp(9, 2)))
    assert inbound.knows(1)
    assert inbound.knows(2)
    assert inbound.rtp(outbound.rtp(rtp(40000, 1))) == rtp(40000, 1)
