"""Contexts: both ends of one key, over loss, reordering and the wrap of the sequence number."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.srtp.context import Inbound, Outbound, Refused
from ngdaemon.srtp.keys import Keys
from tests.srtp import vectors
from tests.srtp.packets import NAMES, SSRC, keys_of, passes, rtcp, rtp

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
PARAMETERS: dict[str, dict[str, int]] = {
    "usual": {},
    "UNENCRYPTED_SRTP": {"encrypted": False},
    "UNENCRYPTED_SRTCP": {"rtcp_encrypted": False},
    "UNAUTHENTICATED_SRTP": {"authenticated": False},
    "KDR": {"kdr": 1},
}
HEADERS = {
    "plain": b"\x80\x08\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe",
    "marked": b"\x80\x88\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe",
    "contributing": b"\x82\x08\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe" + b"\x00\x00\x00\x07" * 2,
    "extended": b"\x90\x08\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe" + b"\xbe\xde\x00\x01\x10\xff\x00\x00",
    "both": b"\x91\x08\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe" + b"\x00\x00\x00\x07\xbe\xde\x00\x00",
    "padded": b"\xa0\x08\x00\x01" + bytes(4) + b"\xca\xfe\xba\xbe",
}


def ends(keys: Keys) -> tuple[Outbound, Inbound]:
    """A sender and its receiver."""
    return Outbound(keys), Inbound(keys)


def changed(keys: Keys, parameters: str) -> Keys:
    """The keys with session parameters of RFC 4568 §6.3."""
    given = PARAMETERS[parameters]
    return keys._replace(
        encrypted=bool(given.get("encrypted", True)),
        rtcp_encrypted=bool(given.get("rtcp_encrypted", True)),
        authenticated=bool(given.get("authenticated", True)),
        kdr=given.get("kdr", 0),
    )


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", NAMES)
def test_packets_come_out_as_they_went_in(name: str, header: str, parameters: str) -> None:
    """SRTP-11: marker, contributing sources, extension and padding, with a long payload and with none."""
    outbound, inbound = ends(changed(keys_of(name), parameters))
    for sequence, payload in enumerate((b"sound\x00\x00\x03", b"", bytes(8000))):
        packet = HEADERS[header][:2] + sequence.to_bytes(2, "big") + HEADERS[header][4:] + payload
        protected = outbound.rtp(packet)
        assert protected.startswith(HEADERS[header][:2])
        assert inbound.rtp(protected) == packet


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("name", NAMES)
def test_reports_come_out_as_they_went_in_and_are_always_authenticated(name: str, parameters: str) -> None:
    """SRTP-09, SRTP-14: the report of eight octets yields a tag too."""
    keys = changed(keys_of(name), parameters)
    outbound, inbound = ends(keys)
    for report in (rtcp(), rtcp(body=b""), rtcp(body=bytes(1200))):
        protected = outbound.rtcp(report)
        assert len(protected) == len(report) + 4 + keys.suite.rtcp_tag
        spoiled = protected[:4] + b"\x11" + protected[5:]
        assert not passes(inbound.rtcp, spoiled)
        assert inbound.rtcp(protected) == report


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("NULL")])
def test_nothing_of_the_payload_is_in_a_protected_packet(name: str) -> None:
    """SRTP-01: the two keys of a direction differ, and so do two directions."""
    outbound, inbound = ends(keys_of(name))
    protected = outbound.rtp(rtp(1)), outbound.rtcp(rtcp(body=b"\x5a" * 20))
    assert all(b"\x5a\x5a\x5a\x5a" not in packet for packet in protected)
    other = Inbound(keys_of(name, seed=2))
    assert not passes(other.rtp, protected[0])
    assert not passes(other.rtcp, protected[1])
    assert passes(inbound.rtp, protected[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_packet_five_times_comes_out_once(name: str) -> None:
    """SRTP-03: RTP and RTCP; the first, one in the middle, and the newest."""
    outbound, inbound = ends(keys_of(name))
    packets = [outbound.rtp(rtp(sequence)) for sequence in (1, 2, 30)]
    reports = [outbound.rtcp(rtcp()) for _ in range(3)]
    for _ in range(5):
        for packet in packets:
            passes(inbound.rtp, packet)
        for report in reports:
            passes(inbound.rtcp, report)
    fresh = Inbound(keys_of(name))
    assert sum(passes(fresh.rtp, packet) for packet in packets * 5) == 3
    assert sum(passes(fresh.rtcp, report) for report in reports * 5) == 3
    for packet in packets:
        with pytest.raises(Refused) as caught:
            inbound.rtp(packet)
        assert caught.value.replayed
    with pytest.raises(Refused) as caught:
        inbound.rtcp(reports[0])
    assert caught.value.replayed


def test_packets_behind_the_list_are_too_old() -> None:
    """SRTP-03: the width is the one that was asked for."""
    outbound, inbound = ends(keys_of(CM)._replace(window=100))
    packets = [outbound.rtp(rtp(sequence)) for sequence in range(201)]
    assert passes(inbound.rtp, packets[200])
    assert passes(inbound.rtp, packets[101])
    with pytest.raises(Refused) as caught:
        inbound.rtp(packets[100])
    assert caught.value.replayed


@pytest.mark.parametrize("name", [CM, GCM])
def test_the_wrap_survives_loss_and_reordering(name: str) -> None:
    """SRTP-02, S15: from 65530 on to 5, lost and late ones among them, one late from before the wrap."""
    outbound, inbound = ends(keys_of(name))
    packets = {at: outbound.rtp(rtp(at)) for at in range(65530, 65530 + 30)}
    for at in (65530, 65533, 65532, 65541, 65535, 65536, 65534, 65559, 65531):
        assert inbound.rtp(packets[at]) == rtp(at), at
    assert inbound.state().sources[0].rtp == 65559


@pytest.mark.parametrize("name", [CM, GCM])
def test_a_forged_jump_of_the_sequence_number_moves_nothing(name: str) -> None:
    """SRTP-02: the rollover counter and the list change after authentication alone."""
    outbound, inbound = ends(keys_of(name))
    inbound.rtp(outbound.rtp(rtp(65000)))
    before = inbound.state()
    for sequence in (65001, 65535, 0, 32000, 64999):
        with pytest.raises(Refused) as caught:
            inbound.rtp(rtp(sequence) + bytes(16))
        assert not caught.value.replayed
    assert inbound.state() == before
    assert inbound.rtp(outbound.rtp(rtp(65001))) == rtp(65001)


def test_several_cycles_are_counted() -> None:
    """SRTP-02: the rollover counter is more than one bit."""
    outbound, inbound = ends(keys_of(GCM))
    for at in range(0, 5 << 16, 20000):
        assert inbound.rtp(outbound.rtp(rtp(at))) == rtp(at)
    assert inbound.state().sources[0].rtp >> 16 == outbound.state().sources[0].rtp >> 16 == 4


@given(st.integers(0, 1 << 32), st.integers(0, 32767), st.sampled_from(NAMES))
def test_any_order_within_the_list_comes_through_once(seed: int, start: int, name: str) -> None:
    """SRTP-02, SRTP-03, S15: three cycles' worth of jumps, shuffled within the width of the list, a tenth twice."""
    shuffled = random.Random(seed)
    outbound, inbound = ends(keys_of(name)._replace(window=128))
    indices = [start]
    while indices[-1] < start + 150_000:
        indices.append(indices[-1] + shuffled.choice((1, 1, 1, 2, 5, 9000, 30000)))
    sent = [(at, outbound.rtp(rtp(at))) for at in indices]
    arriving = sorted(sent, key=lambda it: it[0] + shuffled.randrange(60))
    arriving += shuffled.sample(arriving, len(arriving) // 10)
    taken = set()
    for at, packet in arriving:
        if passes(inbound.rtp, packet):
            assert at not in taken
            taken.add(at)
    assert len(taken) == len(indices)


def test_sources_have_counters_of_their_own() -> None:
    """SRTP-01: the same sequence numbers at two SSRCs, one of which wraps."""
    outbound, inbound = ends(keys_of(CM))
    for at in (65000, 65500, 65536):
        assert inbound.rtp(outbound.rtp(rtp(at, 1))) == rtp(at, 1)
    for at in (0, 1):
        assert inbound.rtp(outbound.rtp(rtp(at, 2))) == rtp(at, 2)
    assert [(source.ssrc, source.rtp) for source in inbound.state().sources] == [(1, 65536), (2, 1)]


def test_the_first_packet_of_a_source_starts_at_rollover_counter_nought() -> None:
    """SRTP-04, SDES-14: whatever its sequence number; one that was sent after an unseen wrap does not authenticate."""
    outbound, inbound = ends(keys_of(GCM))
    wrapped = [outbound.rtp(rtp(at)) for at in (65535, 65536)][1]
    assert not passes(inbound.rtp, wrapped)
    assert not inbound.knows(SSRC)
    assert passes(inbound.rtp, Outbound(keys_of(GCM)).rtp(rtp(65535)))


@pytest.mark.parametrize("first", [0, 1])
def test_reports_may_start_at_index_nought_or_one(first: int) -> None:
    """SRTP-08: both are seen in peers."""
    inbound = Inbound(vectors.master_keys(CM))
    sealed = bytes.fromhex(vectors.RTCP_SEALED[first])
    assert inbound.rtcp(sealed) == vectors.RTCP
    assert not passes(inbound.rtcp, sealed)
    assert inbound.knows(0xCAFEBABE)


def test_our_reports_count_from_one_with_the_encryption_bit() -> None:
    """SRTP-08: per SSRC, +1 each."""
    outbound = Outbound(vectors.master_keys(CM))
    assert outbound.rtcp(vectors.RTCP).hex() == vectors.RTCP_SEALED[1]
    words = [outbound.rtcp(vectors.RTCP)[-14:-10].hex() for _ in range(3)]
    assert words == ["80000002", "80000003", "80000004"]
    assert outbound.rtcp(rtcp(7))[-14:-10].hex() == "80000001"


@pytest.mark.parametrize("name", NAMES)
def test_a_clear_report_is_refused_unless_it_was_agreed(name: str) -> None:
    """SRTP-08: E = 0 needs UNENCRYPTED_SRTCP, however well it authenticates."""
    clear = keys_of(name)._replace(rtcp_encrypted=False)
    report = Outbound(clear).rtcp(rtcp())
    assert not passes(Inbound(keys_of(name)).rtcp, report)
    assert Inbound(clear).rtcp(report) == rtcp()


@pytest.mark.parametrize("kdr", [1, 4, 24])
@pytest.mark.parametrize("name", NAMES)
def test_keys_are_derived_anew_as_the_index_goes_on(name: str, kdr: int) -> None:
    """SRTP-12: what two sides agree on, over two wraps and out of order; the first keys are those of no rate."""
    keys = keys_of(name)._replace(kdr=kdr)
    outbound, inbound = ends(keys)
    indices = (0, 1, 2, 15, 16, 17, 30000, 60000, 70000, 100000, 131073)
    sent = {at: outbound.rtp(rtp(at)) for at in indices}
    assert sent[0] == Outbound(keys_of(name)).rtp(rtp(0))
    for at in (0, 2, 1, 16, 15, *indices[5:]):
        assert inbound.rtp(sent[at]) == rtp(at)
    for _ in range(40):
        assert inbound.rtcp(outbound.rtcp(rtcp())) == rtcp()


def test_a_derivation_rate_uses_the_keys_of_the_index_divided() -> None:
    """SRTP-12: RFC 3711 §4.3.1, index DIV 2^kdr. The keys of r are those of a salt that differs by r."""
    keys = keys_of(CM)._replace(kdr=4)
    moved = keys._replace(kdr=0, salt=keys.salt[:-1] + bytes((keys.salt[-1] ^ 3,)))
    assert Outbound(keys).rtp(rtp(0x35)) == Outbound(moved).rtp(rtp(0x35))
    assert Outbound(keys).rtp(rtp(0x35)) != Outbound(keys._replace(kdr=0)).rtp(rtp(0x35))
