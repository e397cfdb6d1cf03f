"""A check at the start: what we encrypt, libsrtp decrypts, and the other way round.

The transforms are our own framing over the cryptography that is installed. Should that ever be one that encrypts
otherwise, no call is set up with it: libsrtp, which nearly all peers use, is asked first.
"""

from pylibsrtp import Error, Policy, Session

from ngdaemon.base.errors import ConfigError
from ngdaemon.base.sources import Rng
from ngdaemon.srtp.context import Inbound, Outbound, Refused
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES

PROFILES = {
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
"""The suites that libsrtp has."""

RTP = bytes.fromhex("800000010000000a00000b0c") + bytes(160)
RTCP = bytes.fromhex("80c9000100000b0c")


def check_srtp(rng: Rng) -> None:
    """Raise ConfigError if our SRTP and that of libsrtp do not understand each other."""
    for name, profile in PROFILES.items():
        suite = SUITES[name]
        keys = Keys(suite, rng.bytes(suite.key), rng.bytes(suite.salt))
        try:
            agreed = _agree(keys, profile)
        except (Error, Refused):
            agreed = False
        if not agreed:
            raise ConfigError(
                f"SRTP self-check: {name} packets of ours and of libsrtp differ; the installed Python package "
                "cryptography (or the OpenSSL in it) does not work as it should"
            )


def _agree(keys: Keys, profile: int) -> bool:
    """Whether each decrypts what the other one encrypts, RTP and RTCP. Raises Error, Refused."""
    ours_out, ours_in = Outbound(keys), Inbound(keys)
    secret = keys.key + keys.salt
    theirs_in = Session(Policy(secret, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
    theirs_out = Session(Policy(secret, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    return (
        theirs_in.unprotect(ours_out.rtp(RTP)) == RTP
        and theirs_in.unprotect_rtcp(ours_out.rtcp(RTCP)) == RTCP
        and ours_in.rtp(theirs_out.protect(RTP)) == RTP
        and ours_in.rtcp(theirs_out.protect_rtcp(RTCP)) == RTCP
    )
