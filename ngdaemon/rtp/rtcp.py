"""RTCP (RFC 3550 §6, RFC 4585 §6.1): compound packets into values, and feedback packets out of compounds.

Nothing here raises anything but WireError, whatever the bytes. A compound may begin with any packet (RFC 5506).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from ngdaemon.base.errors import WireError


class Type(IntEnum):
    """Packet types that are known; others become `Other`."""

    SENDER_REPORT = 200
    RECEIVER_REPORT = 201
    SOURCE_DESCRIPTION = 202
    GOODBYE = 203
    APPLICATION = 204
    TRANSPORT_FEEDBACK = 205
    PAYLOAD_FEEDBACK = 206


@dataclass(frozen=True, slots=True)
class Block:
    """A report block: what the reporter received from one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    """Since the beginning; negative when there were more duplicates than losses."""
    highest: int
    """Extended highest sequence number."""
    jitter: int
    """In units of the RTP timestamp."""
    last_report: int
    """Middle 32 bits of the NTP time in the newest sender report of the source; 0 when there was none."""
    delay: int
    """Between that report and this one, in 1/65536 seconds."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR: what the sender sent, and what it received."""

    ssrc: int
    ntp: int
    """NTP time stamp, 64 bits: seconds since 1900 in units of 2^-32."""
    timestamp: int
    """RTP timestamp of the same moment."""
    packets: int
    octets: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR: what the sender of this packet received."""

    ssrc: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """SDES of one source."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...]
    """Item type (1 = CNAME) and text."""


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES."""

    chunks: tuple[Description, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE."""

    ssrcs: tuple[int, ...]
    reason: bytes


@dataclass(frozen=True, slots=True)
class Application:
    """APP."""

    subtype: int
    ssrc: int
    name: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Feedback:
    """RTPFB or PSFB (RFC 4585 §6.1)."""

    type: Type
    format: int
    ssrc: int
    """Who sends the feedback."""
    media: int
    """The source that it is about."""
    information: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """A packet of a type that is not known here."""

    type: int
    count: int
    body: bytes


Packet = SenderReport | ReceiverReport | SourceDescription | Goodbye | Application | Feedback | Other

FEEDBACK = (Type.TRANSPORT_FEEDBACK, Type.PAYLOAD_FEEDBACK)
"""Types that a peer without AVPF does not know."""

HEADER_LENGTH = 4
VERSION = 2
PADDING_BIT = 0x20
COUNT_MASK = 0x1F
SSRC_LENGTH = 4

_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IB3sIIII")


def parse(data: bytes) -> tuple[Packet, ...]:
    """The packets of a compound, in order. Raises WireError."""
    return tuple(_packet(data, start, end) for start, end in _frames(data))


def without_feedback(data: bytes) -> bytes:
    """The compound without its RTPFB and PSFB packets; empty when nothing is left. Raises WireError."""
    kept = [data[start:end] for start, end in _frames(data) if data[start + 1] not in FEEDBACK]
    return b"".join(kept)


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each packet of a compound."""
    total = len(data)
    if not total:
        raise WireError("empty RTCP datagram")
    start = 0
    while start < total:
        if total - start < HEADER_LENGTH:
            raise WireError("RTCP packet cut off in its header")
        if data[start] >> 6 != VERSION:
            raise WireError(f"RTCP version {data[start] >> 6}")
        end = start + 4 * (int.from_bytes(data[start + 2 : start + 4], "big") + 1)
        if end > total:
            raise WireError("RTCP packet longer than its datagram")
        yield start, end
        start = end


def _packet(data: bytes, start: int, end: int) -> Packet:
    count = data[start] & COUNT_MASK
    if data[start] & PADDING_BIT:
        padding = data[end - 1]
        if padding == 0 or padding > end - start - HEADER_LENGTH:
            raise WireError("RTCP padding longer than its packet")
        end -= padding
    body = data[start + HEADER_LENGTH : end]
    reader = _READERS.get(data[start + 1])
    return reader(count, body) if reader is not None else Other(data[start + 1], count, body)


def _number(body: bytes, offset: int = 0) -> int:
    """A 32-bit number."""
    if len(body) < offset + 4:
        raise WireError("RTCP packet too short")
    return int.from_bytes(body[offset : offset + 4], "big")


def _blocks(count: int, body: bytes, offset: int) -> tuple[Block, ...]:
    if len(body) < offset + count * _BLOCK.size:
        raise WireError("RTCP report shorter than its count of blocks")
    blocks = []
    for at in range(offset, offset + count * _BLOCK.size, _BLOCK.size):
        ssrc, fraction, lost, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, at)
        signed = int.from_bytes(lost, "big", signed=True)
        blocks.append(Block(ssrc, fraction, signed, highest, jitter, last_report, delay))
    return tuple(blocks)


def _sender_report(count: int, body: bytes) -> SenderReport:
    if len(body) < _SENDER.size:
        raise WireError("RTCP sender report too short")
    ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(count, body, _SENDER.size))


def _receiver_report(count: int, body: bytes) -> ReceiverReport:
    return ReceiverReport(_number(body), _blocks(count, body, SSRC_LENGTH))


def _source_description(count: int, body: bytes) -> SourceDescription:
    chunks = []
    at = 0
    for _ in range(count):
        ssrc = _number(body, at)
        items, at = _items(body, at + SSRC_LENGTH)
        chunks.append(Description(ssrc, items))
    return SourceDescription(tuple(chunks))


def _items(body: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The items of a chunk up to its end mark, and where the next chunk begins (at a multiple of 4)."""
    items = []
    while at < len(body) and body[at]:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise WireError("RTCP description longer than its packet")
        end = at + 2 + body[at + 1]
        items.append((body[at], body[at + 2 : end]))
        at = end
    if at >= len(body):
        raise WireError("RTCP description without an end")
    return tuple(items), (at // 4 + 1) * 4


def _goodbye(count: int, body: bytes) -> Goodbye:
    ssrcs = tuple(_number(body, 4 * index) for index in range(count))
    rest = body[4 * count :]
    if not rest:
        return Goodbye(ssrcs, b"")
    if 1 + rest[0] > len(rest):
        raise WireError("RTCP reason for leaving longer than its packet")
    return Goodbye(ssrcs, rest[1 : 1 + rest[0]])


def _application(count: int, body: bytes) -> Application:
    ssrc, name = _number(body), body[4:8]
    if len(name) < 4:
        raise WireError("RTCP application packet too short")
    return Application(count, ssrc, name, body[8:])


def _transport_feedback(count: int, body: bytes) -> Feedback:
    return Feedback(Type.TRANSPORT_FEEDBACK, count, _number(body), _number(body, 4), body[8:])


def _payload_feedback(count: int, body: bytes) -> Feedback:
    return Feedback(Type.PAYLOAD_FEEDBACK, count, _number(body), _number(body, 4), body[8:])


_READERS: dict[int, Callable[[int, bytes], Packet]] = {
    Type.SENDER_REPORT: _sender_report,
    Type.RECEIVER_REPORT: _receiver_report,
    Type.SOURCE_DESCRIPTION: _source_description,
    Type.GOODBYE: _goodbye,
    Type.APPLICATION: _application,
    Type.TRANSPORT_FEEDBACK: _transport_feedback,
    Type.PAYLOAD_FEEDBACK: _payload_feedback,
}
