"""Handshake messages put together from fragments in any order (RFC 6347 §4.2.3, HS-06), within the bounds of TIM-12."""

from typing import NamedTuple

from ngdaemon.dtls.records import Fragment

MAX_OCTETS = 65536
MAX_FRAGMENTS = 32
"""What waits unfinished in one reassembly (TIM-12)."""

AHEAD = 8
"""How far ahead of the message that is due others are kept: no flight has more messages."""


class Message(NamedTuple):
    """A whole handshake message."""

    kind: int
    sequence: int
    body: bytes


class Partial:
    """One message of which not all is here yet. Holds what arrived, and no room for what did not."""

    __slots__ = ("_pieces", "count", "kind", "length", "octets")

    def __init__(self, fragment: Fragment) -> None:
        self.kind = fragment.kind
        self.length = fragment.length
        self.count = 0
        """Fragments that brought something new."""
        self.octets = 0
        """Of the message that are here."""
        self._pieces: list[tuple[int, bytes]] = []
        """Offset and octets: in order, apart from each other."""

    def add(self, fragment: Fragment) -> bool:
        """Take a fragment in. False when it contradicts what is here: one of both is forged, and neither is usable."""
        if fragment.kind != self.kind or fragment.length != self.length:
            return False
        data, start = fragment.data, fragment.offset
        stop, at, new = start + len(data), start, []
        for low, piece in self._pieces:
            high = low + len(piece)
            if high <= start or stop <= low:
                continue
            first, last = max(low, start), min(high, stop)
            if piece[first - low : last - low] != data[first - start : last - start]:
                return False
            if at < low:
                new.append((at, data[at - start : low - start]))
            at = max(at, high)
        if at < stop:
            new.append((at, data[at - start :]))
        if new:
            self._pieces = sorted(self._pieces + new)
            self.count += 1
            self.octets += sum(len(piece) for _, piece in new)
        return True

    @property
    def beginning(self) -> bytes:
        """What is here from the start without a gap."""
        found = b""
        for low, piece in self._pieces:
            if low != len(found):
                break
            found += piece
        return found

    @property
    def message(self) -> bytes | None:
        """The body, once it is complete."""
        return b"".join(piece for _, piece in self._pieces) if self.octets == self.length else None


class Reassembly:
    """The incoming messages of one association, handed out in order, each once.

    A contradiction discards the message, not the call: its next transmission starts afresh.
    """

    def __init__(self, first: int = 0) -> None:
        self.due = first
        """`message_seq` of the message to be handed out next."""
        self._partials: dict[int, Partial] = {}

    def add(self, fragment: Fragment) -> list[Message]:
        """The messages that are complete with this fragment, in order; those handed out before count as old."""
        sequence = fragment.sequence
        if sequence == self.due and len(fragment.data) == fragment.length and not self._partials:
            self.due += 1  # the usual case: the message that is due, in one piece
            return [Message(fragment.kind, sequence, fragment.data)]
        if not self.due <= sequence < self.due + AHEAD:
            return []
        partial = self._partials.get(sequence)
        if partial is None:
            if not self._has_room(fragment):
                return []
            partial = self._partials[sequence] = Partial(fragment)
        elif partial.count >= MAX_FRAGMENTS:
            del self._partials[sequence]
            return []
        if not partial.add(fragment):
            del self._partials[sequence]
            return []
        return self._complete()

    def is_old(self, fragment: Fragment) -> bool:
        """Whether its message was handed out already: the peer sends a flight again."""
        return fragment.sequence < self.due

    def _has_room(self, fragment: Fragment) -> bool:
        return sum(partial.length for partial in self._partials.values()) + fragment.length <= MAX_OCTETS

    def _complete(self) -> list[Message]:
        found = []
        while (partial := self._partials.get(self.due)) is not None and (body := partial.message) is not None:
            del self._partials[self.due]
            found.append(Message(partial.kind, self.due, body))
            self.due += 1
        return found
