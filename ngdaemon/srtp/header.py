"""Where the encrypted part of an RTP packet begins (RFC 3711 §3.1), and the fields that SRTP reads."""

from struct import Struct

SEQUENCE_SSRC = Struct("!2xH4xI")
"""Sequence number and SSRC of an RTP packet."""

SSRC_RTCP = Struct("!4xI")
"""SSRC of the sender of an RTCP packet."""

RTP_FIXED = 12
RTCP_FIXED = 8
"""Octets of a header that are always there. Those of RTCP are all that stays clear."""

WORD = Struct("!I")
"""What each SRTCP packet carries, E bit then the index in 31 bits; the rollover counter that RTP authenticates."""

E_BIT = 1 << 31
"""The SRTCP packet is encrypted (RFC 3711 §3.4)."""

VARIABLE = 0x1F
"""Bits of the first octet that make an RTP header longer: extension and count of contributing sources."""

_EXTENSION, _COUNT = 0x10, 0x0F
_CRYPTEX = (b"\xc0\xde", b"\xc2\xde")
_NO_END = 1 << 20
"""More octets than any packet has."""


def variable_header(packet: bytes) -> int:
    """Octets of an RTP header with contributing sources or an extension, which may be more than the packet has.

    A header that is encrypted itself (Cryptex, RFC 9335) has no end: we never say that we can read it (EXT-04).
    """
    length = RTP_FIXED + 4 * (packet[0] & _COUNT)
    if packet[0] & _EXTENSION:
        if packet.startswith(_CRYPTEX, length):
            return _NO_END
        # RFC 3550 §5.3.1: two octets of profile, two with the number of 32-bit words that follow
        length += 4 + 4 * int.from_bytes(packet[length + 2 : length + 4], "big")
    return length
