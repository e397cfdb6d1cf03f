"""Valid RTP and RTCP packets, so that a test has to break exactly one thing."""

from collections.abc import Sequence
from struct import pack

from ngdaemon.rtp.rtcp import Block, Type


def rtp(
    sequence: int = 1,
    *,
    ssrc: int = 0x1234,
    timestamp: int | None = None,
    payload_type: int = 0,
    payload: bytes = b"\x55" * 160,
    marker: bool = False,
    csrcs: Sequence[int] = (),
    extension: bytes | None = None,
    padding: int = 0,
) -> bytes:
    """An RTP packet. `extension` is a multiple of 4 octets long; `padding` counts its own length octet."""
    first = 0x80 | len(csrcs) | (0x10 if extension is not None else 0) | (0x20 if padding else 0)
    time = 160 * sequence if timestamp is None else timestamp
    head = pack("!BBHII", first, payload_type | (0x80 if marker else 0), sequence % 65536, time % 2**32, ssrc)
    head += b"".join(pack("!I", csrc) for csrc in csrcs)
    if extension is not None:
        head += pack("!HH", 0xBEDE, len(extension) // 4) + extension
    return head + payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def block(ssrc: int, **fields: int) -> Block:
    """A report block; all fields but the source are 0 unless given."""
    values = dict.fromkeys(("fraction_lost", "lost", "highest", "jitter", "last_report", "delay"), 0) | fields
    return Block(ssrc, **values)


def sender_report(
    ssrc: int,
    blocks: Sequence[Block] = (),
    *,
    ntp: int = 1 << 32,
    timestamp: int = 0,
    packets: int = 0,
    octets: int = 0,
) -> bytes:
    body = pack("!IQIII", ssrc, ntp, timestamp, packets, octets)
    return _packet(Type.SENDER_REPORT, len(blocks), body + _blocks(blocks))


def receiver_report(ssrc: int, blocks: Sequence[Block] = ()) -> bytes:
    return _packet(Type.RECEIVER_REPORT, len(blocks), pack("!I", ssrc) + _blocks(blocks))


def description(ssrc: int, cname: bytes = b"someone") -> bytes:
    return _packet(Type.SOURCE_DESCRIPTION, 1, pack("!IBB", ssrc, 1, len(cname)) + cname + b"\0")


def goodbye(ssrc: int, reason: bytes = b"") -> bytes:
    return _packet(Type.GOODBYE, 1, pack("!I", ssrc) + (bytes([len(reason)]) + reason if reason else b""))


def application(ssrc: int, name: bytes = b"TEST", data: bytes = b"") -> bytes:
    return _packet(Type.APPLICATION, 0, pack("!I", ssrc) + name + data)


def transport_feedback(ssrc: int, media: int, information: bytes = b"\0\0\0\0") -> bytes:
    return _packet(Type.TRANSPORT_FEEDBACK, 1, pack("!II", ssrc, media) + information)


def payload_feedback(ssrc: int, media: int, information: bytes = b"") -> bytes:
    return _packet(Type.PAYLOAD_FEEDBACK, 1, pack("!II", ssrc, media) + information)


def _blocks(blocks: Sequence[Block]) -> bytes:
    return b"".join(
        pack("!IB", item.ssrc, item.fraction_lost)
        + item.lost.to_bytes(3, "big", signed=True)
        + pack("!IIII", item.highest, item.jitter, item.last_report, item.delay)
        for item in blocks
    )


def _packet(kind: Type, count: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
