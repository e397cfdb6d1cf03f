"""Transports of `m=` lines: what each one means for us. One row per transport."""

from typing import NamedTuple


class Protocol(NamedTuple):
    """A transport (RFC 8866 §5.14 `proto`)."""

    name: str
    """As it is written out."""
    rtp: bool = False
    feedback: bool = False
    """RTP with early feedback (AVPF, RFC 4585)."""
    secure: bool = False
    """SRTP."""
    dtls: bool = False
    """Keyed by DTLS (RFC 5764)."""
    relayed: bool = True
    """Datagrams that we can carry; False for TCP transports that we leave alone."""


ROWS = (
    Protocol("RTP/AVP", rtp=True),
    Protocol("RTP/AVPF", rtp=True, feedback=True),
    Protocol("RTP/SAVP", rtp=True, secure=True),
    Protocol("RTP/SAVPF", rtp=True, feedback=True, secure=True),
    Protocol("UDP/TLS/RTP/SAVP", rtp=True, secure=True, dtls=True),
    Protocol("UDP/TLS/RTP/SAVPF", rtp=True, feedback=True, secure=True, dtls=True),
    Protocol("udptl"),
)
TABLE = {row.name.upper(): row for row in ROWS}

KINDS = frozenset(("audio", "video", "text", "application", "message", "image"))
"""Media types of RFC 8866 §5.14 and RFC 6466."""


def kind_shown(kind: str) -> str:
    """A media type as logs and errors name it. What only stands in the place of one may be a key (S17)."""
    return kind if kind in KINDS else "media"


def transport_shown(protocol: Protocol) -> str:
    """A transport as logs and errors name it, likewise."""
    return protocol.name if protocol.name.upper() in TABLE else "another transport"


def secured(protocol: Protocol, *, dtls: bool) -> Protocol:
    """The transport of SRTP that goes with one of RTP: with or without early feedback as that one."""
    name = "RTP/SAVPF" if protocol.feedback else "RTP/SAVP"
    return TABLE[f"UDP/TLS/{name}" if dtls else name]


def protocol_of(name: str, kind: str = "") -> Protocol:
    """The transport of that name, compared without case (ng-protocol.md §4.5).

    Unknown transports keep their spelling and are relayed as bytes; `m=message` is TCP and left alone (§4.4).
    """
    row = TABLE.get(name) or TABLE.get(name.upper())
    if row is not None and kind != "message":
        return row
    return Protocol(name, relayed=kind != "message")
