"""Single packets against the known answers of the RFCs, and what a receiver refuses."""

import pytest

from ngdaemon.srtp.aead import AeadRtcp, AeadRtp
from ngdaemon.srtp.header import E_BIT
from ngdaemon.srtp.kdf import SessionKeys
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES
from ngdaemon.srtp.transform import RtcpTransform, RtpTransform, rtcp_transform, rtp_transform
from tests.srtp import vectors

GCM_SUITES = sorted(vectors.GCM_SESSION_KEYS)
SALT = bytes.fromhex(vectors.GCM_SESSION_SALT)
RTP, RTCP = bytes.fromhex(vectors.GCM_RTP), bytes.fromhex(vectors.GCM_RTCP)
RTP_SSRC, RTP_INDEX = int.from_bytes(RTP[8:12], "big"), int.from_bytes(RTP[2:4], "big")
RTCP_SSRC = int.from_bytes(RTCP[4:8], "big")


def gcm(suite: str, *, encrypted: bool = True) -> tuple[RtpTransform, RtcpTransform]:
    """The transforms of RFC 7714's session keys."""
    key = bytes.fromhex(vectors.GCM_SESSION_KEYS[suite])
    keys = Keys(SUITES[suite], b"", b"", encrypted=encrypted, rtcp_encrypted=encrypted)
    session = SessionKeys(key, b"", SALT)
    return AeadRtp(keys, session), AeadRtcp(keys, session)


@pytest.mark.parametrize("suite", GCM_SUITES)
def test_gcm_packets_are_those_of_rfc_7714(suite: str) -> None:
    """SRTP-14: RFC 7714 §16.1.1, §16.2.1, §17.1, §17.2, both ways."""
    rtp, rtcp = gcm(suite)
    sealed_rtp, sealed_rtcp = (
        bytes.fromhex(vectors.GCM_RTP_SEALED[suite]),
        bytes.fromhex(vectors.GCM_RTCP_SEALED[suite]),
    )
    assert rtp.seal(RTP, RTP_SSRC, RTP_INDEX) == sealed_rtp
    assert rtp.open(sealed_rtp, RTP_SSRC, RTP_INDEX) == RTP
    assert rtcp.seal(RTCP, RTCP_SSRC, vectors.GCM_RTCP_INDEX) == sealed_rtcp
    assert rtcp.open(sealed_rtcp, RTCP_SSRC, vectors.GCM_RTCP_INDEX | E_BIT) == RTCP


@pytest.mark.parametrize("suite", GCM_SUITES)
def test_gcm_without_encryption_adds_the_tag_alone(suite: str) -> None:
    """SRTP-14: RFC 7714 §16.1.3, §16.2.3, §17.3, §17.4, both ways."""
    rtp, rtcp = gcm(suite, encrypted=False)
    sealed_rtp = RTP + bytes.fromhex(vectors.GCM_RTP_TAG[suite])
    assert rtp.seal(RTP, RTP_SSRC, RTP_INDEX) == sealed_rtp
    assert rtp.open(sealed_rtp, RTP_SSRC, RTP_INDEX) == RTP
    index = vectors.GCM_RTCP_INDEX
    sealed_rtcp = RTCP + bytes.fromhex(vectors.GCM_RTCP_TAG[suite]) + index.to_bytes(4, "big")
    assert rtcp.seal(RTCP, RTCP_SSRC, index) == sealed_rtcp
    assert rtcp.open(sealed_rtcp, RTCP_SSRC, index) == RTCP


@pytest.mark.parametrize("suite", sorted(vectors.RTP_SEALED))
def test_packets_under_derived_keys(suite: str) -> None:
    """KEY-01, SRTP-14: the four suites of DTLS-SRTP and SDES, master keys derived; `_32` has a tag of four octets."""
    rtp = rtp_transform(vectors.master_keys(suite))
    sealed = bytes.fromhex(vectors.RTP_SEALED[suite])
    assert rtp.seal(vectors.RTP, 0xCAFEBABE, 0x1234) == sealed
    assert rtp.open(sealed, 0xCAFEBABE, 0x1234) == vectors.RTP


@pytest.mark.parametrize("index", sorted(vectors.RTCP_SEALED))
@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
def test_rtcp_packets_have_ten_octets_of_tag_in_both_suites(suite: str, index: int) -> None:
    """SRTP-08, SRTP-14: the first packet has index 0 or 1; the short tag is for RTP alone."""
    rtcp = rtcp_transform(vectors.master_keys(suite))
    sealed = bytes.fromhex(vectors.RTCP_SEALED[index])
    assert rtcp.seal(vectors.RTCP, 0xCAFEBABE, index) == sealed
    assert rtcp.open(sealed, 0xCAFEBABE, index | E_BIT) == vectors.RTCP
