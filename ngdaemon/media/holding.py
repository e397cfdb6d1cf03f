"""What waits at a port for its receive keys (MBX-06, MBX-09), and the SSRCs that are not worth trying (TIM-05)."""

from collections import deque
from typing import NamedTuple

from ngdaemon.media.latching import Address
from ngdaemon.media.plan import HELD_ADDRESSES, HELD_OCTETS, HELD_PACKETS, HELD_SECONDS, HELD_SOURCES

RTCP_RING = -1
"""Stands for the SSRC of RTCP packets."""


class Held(NamedTuple):
    """A datagram that waits."""

    at: float
    ssrc: int
    data: bytes
    source: Address


class _Share:
    """What one address has of the room."""

    __slots__ = ("octets", "packets", "rings")

    def __init__(self) -> None:
        self.rings: dict[int, deque[int]] = {}
        """SSRC → the numbers of its datagrams, the oldest first."""
        self.packets = self.octets = 0

    def has_room(self, ssrc: int) -> bool:
        """Whether there may be a ring for that SSRC."""
        return ssrc == RTCP_RING or len(self.rings) - (RTCP_RING in self.rings) < HELD_SOURCES


class Holding:
    """The newest datagrams of some SSRCs, for a short time; as they came, so that nothing readable is kept.

    Anybody may send here, so each address has a share of its own: a flood displaces the flood.
    """

    __slots__ = ("_held", "_number", "_octets", "_shares")

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        """By number: in the order in which they came."""
        self._number = self._octets = 0
        self._shares: dict[str, _Share] = {}

    def keep(self, ssrc: int, data: bytes, source: Address, now: float) -> int:
        """Keep a datagram, of RTCP as of `RTCP_RING`: how many were given up for it, or 1 when there is no room."""
        lost = self.expire(now)
        share = self._shares.get(source[0])
        if share is None:
            lost += self._make_room()
            share = self._shares[source[0]] = _Share()
        ring = share.rings.get(ssrc)
        if ring is None:
            if not share.has_room(ssrc):
                return lost + 1
            ring = share.rings[ssrc] = deque()
        self._number += 1
        self._held[self._number] = Held(now, ssrc, data, source)
        ring.append(self._number)
        share.packets += 1
        share.octets += len(data)
        self._octets += len(data)
        if len(ring) > HELD_PACKETS:
            lost += self._drop(ring[0])
        while self._octets > HELD_OCTETS:
            heaviest = max(self._shares.values(), key=lambda each: each.octets)
            lost += self._drop(min(each[0] for each in heaviest.rings.values()))
        return lost

    def _make_room(self) -> int:
        """Give up the address with the fewest datagrams if there are too many: how many it had."""
        if len(self._shares) < HELD_ADDRESSES:
            return 0
        least = min(self._shares.values(), key=lambda each: each.packets)
        return sum(self._drop(number) for number in sorted(number for ring in least.rings.values() for number in ring))

    def _drop(self, number: int) -> int:
        """Give up the oldest datagram of a ring: 1."""
        held = self._held.pop(number)
        share = self._shares[held.source[0]]
        ring = share.rings[held.ssrc]
        ring.popleft()
        share.packets -= 1
        share.octets -= len(held.data)
        self._octets -= len(held.data)
        if not ring:
            del share.rings[held.ssrc]
            if not share.rings:
                del self._shares[held.source[0]]
        return 1

    def expire(self, now: float) -> int:
        """Give up what waited too long: how many."""
        lost = 0
        while self._held:
            number = next(iter(self._held))
            if now - self._held[number].at <= HELD_SECONDS:
                break
            lost += self._drop(number)
        return lost

    def release(self) -> list[Held]:
        """Everything, in the order in which it came. Nothing waits afterwards."""
        held = list(self._held.values())
        self._held.clear()
        self._shares.clear()
        self._octets = 0
        return held

    def __len__(self) -> int:
        return len(self._held)


IGNORED_SECONDS = 15.0
"""For so long an SSRC that keeps failing is not tried (TIM-05)."""
FAILURES = 16
"""So many failures in a row, and one packet in so many is tried all the same: nobody is locked out by another who sends
with his SSRC."""
MAX_FAILING = 64


class Failing:
    """SSRCs that failed to authenticate with every key, each with who sent it. The oldest gives way."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: dict[tuple[Address, int], tuple[int, float]] = {}

    def ignores(self, source: Address, ssrc: int, now: float) -> bool:
        """Whether a packet is not worth trying. It is counted as one more failure."""
        mark = (source, ssrc)
        found = self._marks.get(mark)
        if found is None:
            return False
        failures, since = found
        if now - since > IGNORED_SECONDS:
            del self._marks[mark]
            return False
        if failures < FAILURES or failures % FAILURES == 0:
            return False
        self._marks[mark] = (failures + 1, since)
        return True

    def failed(self, source: Address, ssrc: int, now: float) -> None:
        """Take in that a packet was tried in vain."""
        mark = (source, ssrc)
        found = self._marks.get(mark)
        if found is None:
            if len(self._marks) >= MAX_FAILING:
                del self._marks[next(iter(self._marks))]
            found = (0, now)
        self._marks[mark] = (found[0] + 1, found[1])

    def clear(self) -> None:
        """Try everything again: there are other keys."""
        self._marks.clear()
