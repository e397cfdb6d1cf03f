"""The RTP header (RFC 3550 §5.1), and whether a packet has room for all that its header announces."""

from struct import Struct

FIXED = Struct("!BBHII")
"""First octet (version, padding, extension, count of contributing sources), marker and payload type, sequence number,
timestamp, SSRC."""

VERSION = 2
PADDING_BIT = 0x20
EXTENSION_BIT = 0x10
COUNT_MASK = 0x0F
PLAIN = 0x80
"""First octet of a packet with nothing but the fixed header before its payload, and no padding."""

EMPTY = FIXED.pack(0x80, 127, 0xFFFF, 0, 0)
"""A packet that carries nothing and that no receiver plays: it opens the way through a NAT (`pierce-NAT`)."""


def header_length(data: bytes) -> int:
    """Octets that the header announces, which may be more than there are. `data` has the fixed header at least."""
    first = data[0]
    length = FIXED.size + 4 * (first & COUNT_MASK)
    if first & EXTENSION_BIT:
        # RFC 3550 §5.3.1: two octets of profile, two with the number of 32-bit words that follow
        words = int.from_bytes(data[length + 2 : length + 4], "big")
        length += 4 + 4 * words
    return length


def silenced(data: bytes, octet: int) -> bytes:
    """The packet with each octet of its payload replaced. `data` has a complete header.

    Padding stays (RFC 3550 §5.1), unless it claims more room than there is.
    """
    start, end = header_length(data), len(data)
    if data[0] & PADDING_BIT and data[-1] <= end - start:
        end -= data[-1]
    return data[:start] + bytes((octet,)) * (end - start) + data[end:]
