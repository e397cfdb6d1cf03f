"""What a stranger, or a broken peer, can do to a context: nothing."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.srtp.context import MAX_SOURCES, Inbound, Outbound, Refused
from ngdaemon.srtp.kdf import Label, session_keys
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES
from tests.srtp import vectors
from tests.srtp.packets import NAMES, SSRC, keys_of, passes, rtcp, rtp

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
FORGED = 20_000


@pytest.mark.parametrize("name", NAMES)
def test_forged_packets_change_nothing(name: str) -> None:
    """SRTP-10, S06: all sequence numbers, known and unknown SSRCs, RTP and RTCP; the genuine ones go on."""
    outbound, inbound = Outbound(keys_of(name)), Inbound(keys_of(name))
    for at in (65400, 65401):
        inbound.rtp(outbound.rtp(rtp(at)))
    inbound.rtcp(outbound.rtcp(rtcp()))
    before, noise = inbound.state(), random.Random(6)
    for count in range(FORGED):
        ssrc = SSRC if count % 3 else noise.getrandbits(32)
        forged = rtp(noise.getrandbits(16), ssrc, noise.randbytes(60)), rtcp(ssrc, noise.randbytes(40))
        assert not passes(inbound.rtp, forged[0])
        assert not passes(inbound.rtcp, forged[1])
    assert inbound.state() == before
    assert inbound.rtp(outbound.rtp(rtp(65536))) == rtp(65536)
    assert inbound.rtcp(outbound.rtcp(rtcp())) == rtcp()


@pytest.mark.parametrize("mki", [b"", b"\x01", b"\x07" * 128])
@pytest.mark.parametrize("name", NAMES)
def test_every_length_from_nothing_to_64_octets_is_refused(name: str, mki: bytes) -> None:
    """S03: cut packets and noise, RTP and RTCP, all first octets that announce a longer header among them."""
    keys = keys_of(name)._replace(mki=mki)
    outbound, inbound = Outbound(keys), Inbound(keys)
    packet, report, noise = outbound.rtp(rtp(1)), outbound.rtcp(rtcp()), random.Random(3)
    for length in range(65):
        for sample in (packet[:length], report[:length], noise.randbytes(length), b"\xff" * length, bytes(length)):
            if sample not in (packet, report):
                assert not passes(inbound.rtp, sample)
                assert not passes(inbound.rtcp, sample)
    for first in range(256):
        assert not passes(inbound.rtp, bytes((first,)) + packet[1:20])
    assert inbound.state().sources == ()
    assert passes(inbound.rtp, packet)
    assert passes(inbound.rtcp, report)


@given(st.binary(max_size=300), st.sampled_from(NAMES), st.sampled_from([b"", b"\x01\x02"]), st.sampled_from([0, 3]))
def test_any_octets_at_all_are_refused(noise: bytes, name: str, mki: bytes, kdr: int) -> None:
    """S03: nothing else is raised."""
    keys = keys_of(name)._replace(mki=mki, kdr=kdr)
    inbound = Inbound(keys)
    assert not passes(inbound.rtp, noise)
    assert not passes(inbound.rtcp, noise)
    outbound = Outbound(keys)
    passes(outbound.rtp, noise)
    passes(outbound.rtcp, noise)


@pytest.mark.parametrize("name", NAMES)
def test_every_octet_is_authenticated(name: str) -> None:
    """SRTP-10: one bit anywhere, tag included."""
    outbound, inbound = Outbound(keys_of(name)), Inbound(keys_of(name))
    packet, report = outbound.rtp(rtp(1)), outbound.rtcp(rtcp())
    for at in range(len(packet)):
        assert not passes(inbound.rtp, packet[:at] + bytes((packet[at] ^ 0x10,)) + packet[at + 1 :])
    for at in range(len(report)):
        assert not passes(inbound.rtcp, report[:at] + bytes((report[at] ^ 0x10,)) + report[at + 1 :])
    assert passes(inbound.rtp, packet)
    assert passes(inbound.rtcp, report)


@pytest.mark.parametrize("name", ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM", "NULL_HMAC_SHA1_80"])
@pytest.mark.parametrize("parameters", [True, False])
def test_a_header_that_announces_more_than_there_is_leaves_no_packet(name: str, parameters: bool) -> None:
    """S03: nor a source."""
    outbound = Outbound(keys_of(name)._replace(encrypted=parameters))
    for first, length in ((0x8F, 40), (0x90, 12), (0x90, 14), (0x91, 16)):
        with pytest.raises(Refused):
            outbound.rtp(bytes((first,)) + rtp(1)[1:12] + b"\xff" * (length - 12))
    assert outbound.state().sources == ()
    assert passes(outbound.rtp, rtp(1))


@pytest.mark.parametrize("name", ["AES_CM_128_HMAC_SHA1_80", "NULL_HMAC_SHA1_80"])
def test_an_authentic_packet_with_an_impossible_header_is_refused(name: str) -> None:
    """S03: from a peer that has the key."""
    keys = keys_of(name)
    for first, payload in ((b"\x8f", bytes(28)), (b"\x90", b""), (b"\x90", b"\xbe\xde\xff\xff")):
        packet = first + rtp(1, payload=payload)[1:]
        mac = HMAC(session_keys(keys, Label.RTP).auth, SHA1())
        mac.update(packet + bytes(4))
        inbound = Inbound(keys)
        assert not passes(inbound.rtp, packet + mac.finalize()[:10])
        assert not inbound.knows(SSRC)


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_authentic_packet_of_gcm_with_an_impossible_header_is_refused(encrypted: bool) -> None:
    """S03: from a peer that has the key."""
    keys = keys_of(GCM)._replace(encrypted=encrypted)
    session = session_keys(keys, Label.RTP)
    packet = b"\x8f" + rtp(1)[1:]
    nonce = int.from_bytes(session.salt, "big") ^ SSRC << 48 ^ 1
    tag = AESGCM(session.cipher).encrypt(nonce.to_bytes(12, "big"), b"", packet)
    assert not passes(Inbound(keys).rtp, packet + tag)


@pytest.mark.parametrize(
    "packet",
    [
        "900f1235decafbadcafebabec0de0001eb92365251c3e036f8de27e9c27ee3e0b4651d9fbc4218a70244522f34a5",
        "920f1238decafbadcafebabe8bb6e12b5cff16ddc0de000192838c8c09e58393e1de3a9a74734d6745671338c3acf11da2df8423bee0",
        "920f1239decafbadcafebabef70e513eb90b9b25c2de0001bbed4848faa644665f3d7f34125914e9f4d0ae923c6f479b95a0f7b53133",
    ],
    ids=["one octet", "contributing sources", "two octets"],
)
def test_encrypted_headers_are_refused(packet: str) -> None:
    """EXT-04: Cryptex that was not agreed, authentic as it is (the vectors of libsrtp); none of it leaves us either."""
    sealed = bytes.fromhex(packet)
    inbound = Inbound(vectors.master_keys(CM))
    assert not passes(inbound.rtp, sealed)
    assert inbound.state().sources == ()
    with pytest.raises(Refused):
        Outbound(vectors.master_keys(CM)).rtp(sealed)


def test_a_peer_cannot_make_more_sources_than_there_is_room_for() -> None:
    """SRTP-10: known ones go on, and none is forgotten, as its packets could be replayed then."""
    outbound, inbound = Outbound(keys_of(GCM)), Inbound(keys_of(GCM))
    packets = [outbound.rtp(rtp(1, ssrc)) for ssrc in range(MAX_SOURCES)]
    assert all(passes(inbound.rtp, packet) for packet in packets)
    stranger = Outbound(keys_of(GCM))
    assert not passes(inbound.rtp, stranger.rtp(rtp(1, MAX_SOURCES)))
    assert not passes(inbound.rtcp, stranger.rtcp(rtcp(MAX_SOURCES)))
    assert not any(passes(inbound.rtp, packet) for packet in packets)
    assert passes(inbound.rtp, outbound.rtp(rtp(2, 0)))
    assert not passes(outbound.rtp, rtp(1, MAX_SOURCES))


@pytest.mark.parametrize("name", ["F8_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_32"])
def test_f8_is_not_supported(name: str) -> None:
    """SDES-16: keys of a suite without a transform are refused when they are given, not when packets come."""
    with pytest.raises(ValueError, match="not supported"):
        Inbound(keys_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_the_wrong_length_are_refused_without_being_shown(name: str) -> None:
    """KEY-07: neither a short key nor a long salt makes a context."""
    suite = SUITES[name]
    for key, salt in ((b"k" * (suite.key - 1), b"s" * suite.salt), (b"k" * suite.key, b"s" * (suite.salt + 2))):
        with pytest.raises(ValueError, match="takes a key of") as caught:
            Outbound(Keys(suite, key, salt))
        assert "kkk" not in str(caught.value)
        assert "sss" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_contexts_do_not_show_their_keys(name: str) -> None:
    """KEY-07, S17: nor do the errors of packets."""
    keys = keys_of(name)
    inbound = Inbound(keys)
    with pytest.raises(Refused) as caught:
        inbound.rtp(rtp(1) + bytes(16))
    for text in (repr(inbound), str(caught.value), repr(caught.value), repr(inbound.state())):
        assert keys.key.hex() not in text
        assert repr(keys.key) not in text
