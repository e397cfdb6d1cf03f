"""What a datagram on a media port is: its first octet (RFC 7983 §7), and RTP told from RTCP (RFC 5761 §4).

One row per range of first octets; a datagram shorter than the least length of its class is UNKNOWN.
"""

from ngdaemon.base.choice import Choice


class Kind(Choice):
    """The class of a datagram."""

    RTP = "RTP"
    RTCP = "RTCP"
    STUN = "STUN"
    DTLS = "DTLS"
    ZRTP = "ZRTP"
    TURN = "TURN channel data"
    UNKNOWN = "unknown"
    """Of no class, or too short for its class."""


ROWS = (
    (0, 3, Kind.STUN, 20),  # header, RFC 8489 §5
    (16, 19, Kind.ZRTP, 12),
    (20, 31, Kind.DTLS, 13),  # record header up to DTLS 1.2, RFC 6347 §4.1
    (32, 63, Kind.DTLS, 18),  # unified header and the least ciphertext, RFC 9147 §4.2.3
    (64, 79, Kind.TURN, 4),
    (128, 191, Kind.RTP, 12),
)
"""First octet from, to (both included), class, least length in octets. What is not listed is UNKNOWN."""

RTP_LENGTH = 12
"""Octets of the fixed RTP header."""
RTCP_LENGTH = 8
"""Octets of the shortest RTCP packet that names its sender."""
RTCP_FIRST, RTCP_LAST = 192, 223
"""Second octets that mean RTCP (RFC 5761 §4): as RTP they would be the payload types 64 to 95 with the marker set."""


def _table() -> tuple[tuple[Kind, int], ...]:
    table = [(Kind.UNKNOWN, 0)] * 256
    for first, last, kind, least in ROWS:
        table[first : last + 1] = [(kind, least)] * (last + 1 - first)
    return tuple(table)


_CLASSES = _table()


def classify(data: bytes) -> Kind:
    """The class of a datagram. Never raises; an empty one is UNKNOWN."""
    if not data:
        return Kind.UNKNOWN
    kind, least = _CLASSES[data[0]]
    length = len(data)
    if kind is Kind.RTP and length > 1 and RTCP_FIRST <= data[1] <= RTCP_LAST:
        return Kind.RTCP if length >= RTCP_LENGTH else Kind.UNKNOWN
    return kind if length >= least else Kind.UNKNOWN
