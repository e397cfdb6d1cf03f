"""RTCP about a source whose sequence numbers we changed, put back into the numbers of its sender (SRTP-04).

What the receiver of a renumbered source says about it travels back: the extended highest sequence number in report
blocks (RFC 3550 §6.4.1) and the packets that a generic NACK asks for (RFC 4585 §6.2.1). Other feedback names no
sequence numbers of RTP, or is not rewritten (extended reports, RFC 3611).
"""

from collections.abc import Callable

from ngdaemon.rtp.rtcp import Type

_BLOCK = 24
_FIRST_BLOCK: dict[int, int] = {Type.SENDER_REPORT: 28, Type.RECEIVER_REPORT: 8}
_FEEDBACK_HEADER = 12
_GENERIC_NACK = 1
_COUNT = 0x1F


def without_shift(data: bytes, shift_of: Callable[[int], int]) -> bytes:
    """The compound as the senders of the sources that it reports on would have it; as it is from where it is malformed.

    `shift_of` says what was added to the sequence numbers of an SSRC.
    """
    changed: bytearray | None = None
    at = 0
    while at + 8 <= len(data):
        kind, count = data[at + 1], data[at] & _COUNT
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        for place, size, shift in _numbers(data, at, end, kind, count, shift_of):
            if changed is None:
                changed = bytearray(data)
            number = int.from_bytes(data[place : place + size], "big") - shift
            changed[place : place + size] = (number % 256**size).to_bytes(size, "big")
        at = end
    return data if changed is None else bytes(changed)


def _numbers(
    data: bytes, at: int, end: int, kind: int, count: int, shift_of: Callable[[int], int]
) -> list[tuple[int, int, int]]:
    """Where one packet names sequence numbers that were changed: place, octets, shift."""
    found = []
    first = _FIRST_BLOCK.get(kind)
    if first is not None:
        for block in range(at + first, min(at + first + _BLOCK * count, end - _BLOCK + 1), _BLOCK):
            shift = shift_of(int.from_bytes(data[block : block + 4], "big"))
            if shift:
                found.append((block + 8, 4, shift))
    elif kind == Type.TRANSPORT_FEEDBACK and count == _GENERIC_NACK and end >= at + _FEEDBACK_HEADER:
        shift = shift_of(int.from_bytes(data[at + 8 : at + 12], "big"))
        if shift:
            found.extend((place, 2, shift) for place in range(at + _FEEDBACK_HEADER, end - 3, 4))
    return found
