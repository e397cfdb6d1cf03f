"""Which media of a BUNDLE transport a packet belongs to (RFC 8843 §9.2, contract 14)."""

from collections.abc import Sequence

from ngdaemon.media.plan import Selector
from ngdaemon.rtp.packet import COUNT_MASK, EXTENSION_BIT, FIXED

MAX_BOUND = 64
"""SSRCs whose media is remembered. The oldest gives way: its next packet has to say again what it belongs to."""

ONE_BYTE = 0xBEDE
TWO_BYTE = 0x1000
"""Profiles of header extensions by the octets of header that each element has (RFC 8285 §4.2, §4.3). The last four bits
of the second are free."""


class Bundle:
    """The medias of one port, and the SSRCs that are bound to them."""

    __slots__ = ("_by_mid", "_by_payload_type", "_extensions", "_signalled", "bound", "medias")

    def __init__(self, medias: Sequence[Selector], before: "Bundle | None" = None) -> None:
        """`before` is what the port had until now: SSRCs of medias that are still there stay bound."""
        self.medias = tuple(dict.fromkeys(medias))
        self._by_mid = {media.mid: media for media in reversed(self.medias) if media.mid}
        self._by_payload_type = {number: media for media in reversed(self.medias) for number in media.payload_types}
        self._extensions = frozenset(media.extension for media in self.medias if media.extension)
        self._signalled = {ssrc: media for media in reversed(self.medias) for ssrc in media.ssrcs}
        self.bound: dict[int, Selector] = {}
        """By the MID of a packet, or by its payload type."""
        for ssrc, media in before.bound.items() if before is not None else ():
            same = self._by_mid.get(media.mid) if media.mid else (media if media in self.medias else None)
            if same is not None:
                self.bound[ssrc] = same

    def of_rtp(self, data: bytes) -> Selector | None:
        """The media of an RTP packet with a complete header; None for none of these."""
        first, kind, _, _, ssrc = FIXED.unpack_from(data)
        if first & EXTENSION_BIT and self._extensions:
            mid = extension_element(data, self._extensions)
            if mid is not None:
                media = self._by_mid.get(mid)
                if media is not None:
                    self._bind(ssrc, media)
                return media
        media = self.of_ssrc(ssrc)
        if media is None:
            media = self._by_payload_type.get(kind & 0x7F)
            if media is not None:
                self._bind(ssrc, media)
        return media

    def of_ssrc(self, ssrc: int) -> Selector | None:
        """The media that an SSRC is bound to. What packets have said is newer than what was signalled."""
        return self.bound.get(ssrc) or self._signalled.get(ssrc)

    def _bind(self, ssrc: int, media: Selector) -> None:
        bound = self.bound
        if ssrc in bound:
            bound[ssrc] = media
            return
        if len(bound) >= MAX_BOUND:
            del bound[next(iter(bound))]
        bound[ssrc] = media


def extension_element(data: bytes, numbers: frozenset[int]) -> bytes | None:
    """The first element with one of those numbers in the header extension of an RTP packet (RFC 8285 §4.2, §4.3).

    The packet has a complete header. What is no extension of this kind has no elements; one that is cut off is none.
    """
    start = FIXED.size + 4 * (data[0] & COUNT_MASK)
    profile = int.from_bytes(data[start : start + 2], "big")
    at, end = start + 4, start + 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    one_byte = profile == ONE_BYTE
    if not one_byte and profile & 0xFFF0 != TWO_BYTE:
        return None
    while at < end:
        octet = data[at]
        number = octet >> 4 if one_byte else octet
        if not octet:
            at += 1  # padding
            continue
        if one_byte:
            if number in (0, 15):
                return None  # the extension ends here, whatever follows
            at, length = at + 1, (octet & 0x0F) + 1
        else:
            if at + 1 >= end:
                return None
            at, length = at + 2, data[at + 1]
        if at + length > end:
            return None
        if number in numbers:
            return data[at : at + length]
        at += length
    return None


def reporters(data: bytes) -> tuple[int, tuple[int, ...]]:
    """The sender of an RTCP datagram of 8 octets at least, and the sources that it is about where it is legible."""
    sender = int.from_bytes(data[4:8], "big")
    about: list[int] = []
    at = 0
    while at + 8 <= len(data):
        kind, end = data[at + 1], at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        if kind in (205, 206) and end >= at + 12:
            about.append(int.from_bytes(data[at + 8 : at + 12], "big"))
        elif kind in (200, 201):
            first = at + (28 if kind == 200 else 8)
            for block in range(first, min(first + 24 * (data[at] & 0x1F), end - 23), 24):
                about.append(int.from_bytes(data[block : block + 4], "big"))
        at = end
    return sender, tuple(about)
