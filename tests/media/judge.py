"""The far end of SRTP in tests: libsrtp, which knows nothing of our transforms."""

import pylibsrtp

from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES
from tests.support.rng import SeededRng

CM_80 = "AES_CM_128_HMAC_SHA1_80"
CM_32 = "AES_CM_128_HMAC_SHA1_32"
GCM_128 = "AEAD_AES_128_GCM"
GCM_256 = "AEAD_AES_256_GCM"

PROFILES = {
    CM_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    CM_32: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    GCM_128: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    GCM_256: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


def keys(seed: int = 1, suite: str = CM_80) -> Keys:
    """Other keys for each seed."""
    rng, row = SeededRng(seed), SUITES[suite]
    return Keys(row, rng.bytes(row.key), rng.bytes(row.salt))


class Far:
    """One end: protects with `sends`, takes in with `receives`."""

    def __init__(self, sends: Keys, receives: Keys) -> None:
        self._out = _session(sends, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._in = _session(receives, pylibsrtp.Policy.SSRC_ANY_INBOUND)

    def rtp(self, packet: bytes) -> bytes:
        """The packet protected."""
        return self._out.protect(packet)

    def rtcp(self, packet: bytes) -> bytes:
        """The packet protected."""
        return self._out.protect_rtcp(packet)

    def open_rtp(self, packet: bytes) -> bytes:
        """What a packet of ours says. Raises pylibsrtp.Error where it is not authentic, or came before."""
        return self._in.unprotect(packet)

    def open_rtcp(self, packet: bytes) -> bytes:
        """What a packet of ours says. Raises pylibsrtp.Error."""
        return self._in.unprotect_rtcp(packet)


def _session(material: Keys, direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(material.key + material.salt, direction, srtp_profile=PROFILES[material.suite.name])
    policy.window_size = 1024
    return pylibsrtp.Session(policy)
