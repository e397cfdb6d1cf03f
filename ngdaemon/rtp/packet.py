"""The RTP header (RFC 3550 §5.1), and whether a packet has room for all that its header announces."""

from struct import Struct
from typing import NamedTuple

from ngdaemon.base.errors import WireError

FIXED = Struct("!BBHII")
"""First octet (version, padding, extension, count of contributing sources), marker and payload type, sequence number,
timestamp, SSRC."""

VERSION = 2
PADDING_BIT = 0x20
EXTENSION_BIT = 0x10
COUNT_MASK = 0x0F
MARKER_BIT = 0x80
PLAIN = 0x80
"""First octet of a packet with nothing but the fixed header before its payload, and no padding."""

EMPTY = FIXED.pack(0x80, 127, 0xFFFF, 0, 0)
"""A packet that carries nothing and that no receiver plays: it opens the way through a NAT (`pierce-NAT`)."""


class Header(NamedTuple):
    """The fields of an RTP header."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    length: int
    """Octets before the payload: fixed header, contributing sources, extension."""


def parse(data: bytes) -> Header:
    """The header of an RTP packet. Raises WireError."""
    if len(data) < FIXED.size:
        raise WireError(f"RTP packet of {len(data)} octets")
    first, second, sequence, timestamp, ssrc = FIXED.unpack_from(data)
    if first >> 6 != VERSION:
        raise WireError(f"RTP version {first >> 6}")
    length = header_length(data)
    if length > len(data):
        raise WireError(f"RTP header of {length} octets in a packet of {len(data)}")
    return Header(bool(second & MARKER_BIT), second & 0x7F, sequence, timestamp, ssrc, length)


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
