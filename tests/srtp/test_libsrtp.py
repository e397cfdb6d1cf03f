"""Packet by packet against libsrtp, in both directions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Error, Policy, Session

from ngdaemon.srtp.context import Inbound, Outbound
from ngdaemon.srtp.keys import Keys
from tests.srtp.packets import SSRC, keys_of, passes, rtcp

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
"""All that libsrtp knows."""

WIDTH = 128
HEADERS = (
    b"\x80\x08",
    b"\x80\x88",
    b"\x82\x08",
    b"\x90\x08",
    b"\x91\x08",
    b"\xa0\x08",
)


def session(keys: Keys, *, sender: bool) -> Session:
    """libsrtp with those keys."""
    kind = Policy.SSRC_ANY_OUTBOUND if sender else Policy.SSRC_ANY_INBOUND
    policy = Policy(key=keys.key + keys.salt, ssrc_type=kind, srtp_profile=PROFILES[keys.suite.name])
    policy.window_size = WIDTH
    return Session(policy)


def accepts(judge: Session, packet: bytes, *, report: bool = False) -> bool:
    """Whether libsrtp takes the protected packet."""
    try:
        judge.unprotect_rtcp(packet) if report else judge.unprotect(packet)
    except Error:
        return False
    return True


def packet_of(dice: random.Random, sequence: int) -> bytes:
    """A packet with any header and payload."""
    first = dice.choice(HEADERS)
    contributing = dice.randbytes(4 * (first[0] & 0x0F))
    extension = b"\xbe\xde\x00\x02" + dice.randbytes(8) if first[0] & 0x10 else b""
    fixed = first + (sequence & 0xFFFF).to_bytes(2, "big") + dice.randbytes(4) + SSRC.to_bytes(4, "big")
    return fixed + contributing + extension + dice.randbytes(dice.randrange(0, 1200))


def walk(dice: random.Random, start: int) -> list[int]:
    """Indices of a sender, over one wrap at least."""
    indices = [start]
    while indices[-1] < 70_000 or len(indices) < 40:
        indices.append(indices[-1] + dice.choice((1, 1, 1, 1, 2, 7, 100, 9000, 30000)))
    return indices


@given(st.integers(0, 1 << 32), st.integers(0, 32767), st.sampled_from(sorted(PROFILES)))
def test_both_protect_packets_alike(seed: int, start: int, name: str) -> None:
    """KEY-01, SRTP-02, SRTP-14: the same octets, over the wrap; reports among them."""
    dice, keys = random.Random(seed), keys_of(name, seed & 0xFF)._replace(window=WIDTH)
    ours, judge = Outbound(keys), session(keys, sender=True)
    for index in walk(dice, start):
        packet = packet_of(dice, index)
        assert ours.rtp(packet) == judge.protect(packet)
        if index % 3 == 0:
            report = rtcp(body=dice.randbytes(4 * dice.randrange(0, 60)))
            assert ours.rtcp(report) == judge.protect_rtcp(report)


@given(st.integers(0, 1 << 32), st.integers(0, 32767), st.sampled_from(sorted(PROFILES)))
def test_both_take_and_refuse_the_same_packets(seed: int, start: int, name: str) -> None:
    """SRTP-02, SRTP-03, S15: lost, repeated, reordered, forged, over the wrap; what comes out is the same."""
    dice, keys = random.Random(seed), keys_of(name, seed & 0xFF)._replace(window=WIDTH)
    sender, ours, judge = session(keys, sender=True), Inbound(keys), session(keys, sender=False)
    sent = [(index, sender.protect(packet_of(dice, index))) for index in walk(dice, start)]
    arriving = [it for it in sent if dice.random() < 0.9] + dice.sample(sent, len(sent) // 4)
    arriving.sort(key=lambda it: it[0] + dice.randrange(2 * WIDTH))
    for _, packet in arriving:
        if dice.random() < 0.1:
            at = dice.randrange(len(packet))
            packet = packet[:at] + bytes((packet[at] ^ 1 << dice.randrange(8),)) + packet[at + 1 :]
        try:
            plain = judge.unprotect(packet)
        except Error:
            assert not passes(ours.rtp, packet)
        else:
            assert ours.rtp(packet) == plain


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(PROFILES)))
def test_both_take_and_refuse_the_same_reports(seed: int, name: str) -> None:
    """SRTP-03, SRTP-08: lost, repeated, reordered, cut."""
    dice, keys = random.Random(seed), keys_of(name, seed & 0xFF)._replace(window=WIDTH)
    sender, ours, judge = session(keys, sender=True), Inbound(keys), session(keys, sender=False)
    sent = [(at, sender.protect_rtcp(rtcp(body=dice.randbytes(4 * dice.randrange(0, 30))))) for at in range(100)]
    arriving = [it for it in sent if dice.random() < 0.9] + dice.sample(sent, 30)
    arriving.sort(key=lambda it: it[0] + dice.randrange(20))
    for _, report in arriving:
        if dice.random() < 0.1:
            report = report[: dice.randrange(len(report))]
        assert accepts(judge, report, report=True) == passes(ours.rtcp, report)


@given(st.integers(0, 1 << 32), st.integers(0, 32767), st.sampled_from(sorted(PROFILES)))
def test_what_we_protect_comes_out_of_libsrtp(seed: int, start: int, name: str) -> None:
    """KEY-01: a sender whose packets came to us out of order, and were sent on in that order."""
    dice, keys = random.Random(seed), keys_of(name, seed & 0xFF)._replace(window=WIDTH)
    ours, judge = Outbound(keys), session(keys, sender=False)
    indices = sorted(walk(dice, start), key=lambda index: index + dice.randrange(WIDTH // 2))
    for index in indices:
        packet = packet_of(dice, index)
        assert judge.unprotect(ours.rtp(packet)) == packet


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_both_expect_the_first_report_at_either_index(name: str) -> None:
    """SRTP-08: libsrtp begins with 1, as we do."""
    keys = keys_of(name)
    assert Outbound(keys).rtcp(rtcp()) == session(keys, sender=True).protect_rtcp(rtcp())
