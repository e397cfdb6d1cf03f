"""What waits at a port for its receive keys (MBX-06, MBX-09), and the SSRCs that are not worth trying (TIM-05)."""

from collections import deque
from typing import NamedTuple

from ngdaemon.media.latching import Address
from ngdaemon.media.plan import HELD_PACKETS, HELD_SECONDS, HELD_SOURCES


class Held(NamedTuple):
    """A datagram that waits."""

    at: float
    order: int
    data: bytes
    source: Address


class Holding:
    """The newest datagrams of some SSRCs, for a short time; as they came, so that nothing readable is kept."""

    __slots__ = ("_order", "_rings")

    def __init__(self) -> None:
        self._rings: dict[int, deque[Held]] = {}
        self._order = 0

    def keep(self, ssrc: int, data: bytes, source: Address, now: float) -> int:
        """Keep a datagram: how many were given up for it, or 1 when there is no room for its SSRC.

        `ssrc` is any number for RTCP that no SSRC is.
        """
        lost = self.expire(now)
        ring = self._rings.get(ssrc)
        if ring is None:
            if ssrc >= 0 and sum(key >= 0 for key in self._rings) >= HELD_SOURCES:
                return lost + 1
            ring = self._rings[ssrc] = deque()
        if len(ring) == HELD_PACKETS:
            ring.popleft()
            lost += 1
        self._order += 1
        ring.append(Held(now, self._order, data, source))
        return lost

    def expire(self, now: float) -> int:
        """Give up what waited too long: how many."""
        lost = 0
        for ssrc, ring in list(self._rings.items()):
            while ring and now - ring[0].at > HELD_SECONDS:
                ring.popleft()
                lost += 1
            if not ring:
                del self._rings[ssrc]
        return lost

    def release(self) -> list[Held]:
        """Everything, in the order in which it came. Nothing waits afterwards."""
        held = sorted((item for ring in self._rings.values() for item in ring), key=lambda item: item.order)
        self._rings.clear()
        return held

    def __len__(self) -> int:
        return sum(map(len, self._rings.values()))


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
