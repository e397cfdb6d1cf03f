"""The SRTP suites: one row each, under the names of SDES and of DTLS-SRTP."""

from typing import NamedTuple

from ngdaemon.base.choice import Choice


class Cipher(Choice):
    """How the payload is encrypted."""

    AES_CM = "AES in counter mode, authenticated by HMAC-SHA1 (RFC 3711, RFC 6188)"
    AES_GCM = "AES-GCM (RFC 7714)"
    NULL = "not at all, authenticated by HMAC-SHA1"
    F8 = "AES in f8 mode, authenticated by HMAC-SHA1 (RFC 3711 §4.1.2)"


class Suite(NamedTuple):
    """A crypto-suite of SDES, which DTLS-SRTP calls a protection profile. Lengths are octets."""

    name: str
    """As in `a=crypto` (RFC 4568 §6.2)."""
    cipher: Cipher
    key: int
    salt: int
    tag: int
    """Authentication tag of RTP packets."""
    rtcp_tag: int
    """Authentication tag of RTCP packets: that of RTP is not always as long (RFC 5764 §4.1.2)."""
    profile: str = ""
    """As OpenSSL spells the protection profile of DTLS-SRTP; "" for suites that DTLS does not have."""
    strength: int = 0
    """Bits of the key, for the order of preference; 0 for no encryption."""


_CM, _GCM, _F8, _NULL = Cipher.AES_CM, Cipher.AES_GCM, Cipher.F8, Cipher.NULL

ROWS = (
    Suite("AEAD_AES_256_GCM", _GCM, 32, 12, 16, 16, "SRTP_AEAD_AES_256_GCM", 256),
    Suite("AEAD_AES_128_GCM", _GCM, 16, 12, 16, 16, "SRTP_AEAD_AES_128_GCM", 128),
    Suite("AES_256_CM_HMAC_SHA1_80", _CM, 32, 14, 10, 10, "", 256),
    Suite("AES_256_CM_HMAC_SHA1_32", _CM, 32, 14, 4, 10, "", 256),
    Suite("AES_192_CM_HMAC_SHA1_80", _CM, 24, 14, 10, 10, "", 192),
    Suite("AES_192_CM_HMAC_SHA1_32", _CM, 24, 14, 4, 10, "", 192),
    Suite("AES_CM_128_HMAC_SHA1_80", _CM, 16, 14, 10, 10, "SRTP_AES128_CM_SHA1_80", 128),
    Suite("AES_CM_128_HMAC_SHA1_32", _CM, 16, 14, 4, 10, "SRTP_AES128_CM_SHA1_32", 128),
    Suite("F8_128_HMAC_SHA1_80", _F8, 16, 14, 10, 10, "", 128),
    Suite("F8_128_HMAC_SHA1_32", _F8, 16, 14, 4, 10, "", 128),
    Suite("NULL_HMAC_SHA1_80", _NULL, 16, 14, 10, 10, "SRTP_NULL_SHA1_80", 0),
    Suite("NULL_HMAC_SHA1_32", _NULL, 16, 14, 4, 10, "SRTP_NULL_SHA1_32", 0),
)
"""All suites that are understood, in the order in which they are offered (ng-protocol.md §4.6)."""

SUITES = {row.name: row for row in ROWS}
PROFILES = {row.profile: row for row in ROWS if row.profile}


def suite_of(name: str) -> Suite | None:
    """The suite of that SDES name, compared without case; None for unknown ones."""
    return SUITES.get(name) or SUITES.get(name.upper())
