"""What arrives at a secured port: kept while keys are awaited, authenticated, decrypted; or dropped and counted."""

from ngdaemon.media.holding import RTCP_RING, Failing, Held, Holding
from ngdaemon.media.latching import Address, all_spelled
from ngdaemon.media.plan import Hold
from ngdaemon.rtp.demux import Kind
from ngdaemon.srtp.context import Inbound, Refused

MAX_BOUND = 64
"""SSRCs whose key is remembered; of more the oldest is looked for again."""
PROTECTED = (Kind.RTP, Kind.RTCP)
MOST_UNREADABLE = 20
"""Packets of which none authenticates, before that is reported: some may be of former keys, or of somebody else."""


class Gate:
    """The receiving keys of one port, and what they made of its packets."""

    __slots__ = (
        "_bound",
        "_failing",
        "_hold",
        "_holding",
        "_inbounds",
        "_sources",
        "_unreadable",
        "replayed",
        "unkeyed",
        "wrong",
    )

    def __init__(self) -> None:
        self.wrong = 0
        """Packets that are not authentic."""
        self.unkeyed = 0
        """Packets that came before there were keys, and could not wait for them."""
        self.replayed = 0
        self._inbounds: tuple[Inbound, ...] = ()
        self._bound: dict[int, Inbound] = {}
        """The key that each SSRC authenticated with (DMX-04)."""
        self._failing = Failing()
        self._unreadable = 0
        """Packets that failed since there are these keys; negative once one did not, or it was reported."""
        self._hold: Hold | None = None
        self._sources: frozenset[tuple[str, int]] | None = None
        """Those of `_hold`."""
        self._holding: Holding | None = None

    def restate(self, inbounds: tuple[Inbound, ...], hold: Hold | None) -> None:
        """Take in with these from now on. What waits is forgotten when neither keys nor `hold` are left."""
        if inbounds != self._inbounds:
            self._inbounds = inbounds
            self._bound = {ssrc: inbound for ssrc, inbound in self._bound.items() if inbound in inbounds}
            self._failing.clear()
            self._unreadable = 0
        if hold != self._hold:
            self._hold = hold
            self._sources = all_spelled(hold.sources) if hold is not None and hold.sources is not None else None
        if not inbounds and hold is None:
            self.forget()

    def forget(self) -> None:
        """Drop what waits."""
        if self._holding is not None:
            self.unkeyed += len(self._holding)
            self._holding = None

    @property
    def unauthenticated(self) -> int:
        """Packets that were dropped because no key fits, or there was none."""
        return self.wrong + self.unkeyed

    @property
    def waits(self) -> bool:
        """Whether keys are awaited."""
        return not self._inbounds

    @property
    def holds(self) -> bool:
        """Whether something may wait for keys."""
        return self._hold is not None and self.waits

    def is_held(self, source: Address, plausible: bool) -> bool:
        """Whether packets from there wait for keys; `plausible`: the latch would let them pass."""
        if self._hold is None:
            return False
        return plausible if self._sources is None else source[:2] in self._sources

    def keep(self, data: bytes, kind: Kind, source: Address, now: float) -> None:
        """Have an RTP or RTCP packet wait."""
        if self._holding is None:
            self._holding = Holding()
        ssrc = RTCP_RING if kind is Kind.RTCP else int.from_bytes(data[8:12], "big")
        self.unkeyed += self._holding.keep(ssrc, bytes(data), source, now)

    def expire(self, now: float) -> None:
        """Drop what waited too long."""
        if self._holding is not None:
            self.unkeyed += self._holding.expire(now)

    def release(self, now: float) -> list[Held]:
        """What waited for the keys that are there now."""
        if self._holding is None or self.waits:
            return []
        self.expire(now)
        held, self._holding = self._holding.release(), None
        return held

    def complains(self) -> bool:
        """Whether it has to be reported now, once, that no packet authenticates. To be asked after one did not."""
        if self.waits or self._unreadable < 0:
            return False
        self._unreadable += 1
        if self._unreadable < MOST_UNREADABLE:
            return False
        self._unreadable = -1
        return True

    def open(self, data: bytes, kind: Kind, source: Address, now: float) -> bytes | None:
        """What a packet says; None when it is dropped, which is counted here. Only RTP and RTCP can be protected."""
        if self.waits:
            self.unkeyed += 1
            return None
        if kind not in PROTECTED:
            self.wrong += 1
            return None
        rtcp = kind is Kind.RTCP
        ssrc = int.from_bytes(data[4:8] if rtcp else data[8:12], "big")
        bound = self.bound_to(ssrc)
        if bound is None and self._failing.ignores(source, ssrc, now):
            self.wrong += 1
            return None
        replayed = False
        for inbound in self._inbounds if bound is None else self._order(bound):
            try:
                clear = inbound.rtcp(data) if rtcp else inbound.rtp(data)
            except Refused as refused:
                replayed = replayed or refused.replayed
                continue
            if inbound is not bound:
                self._bind(ssrc, inbound)
            self._unreadable = -1
            return clear
        if replayed:
            self.replayed += 1
            self._unreadable = -1
        else:
            self.wrong += 1
            if bound is None:
                self._failing.failed(source, ssrc, now)
        return None

    def bound_to(self, ssrc: int) -> Inbound | None:
        """The key that packets of an SSRC are taken in with; None while none has authenticated one."""
        inbound = self._bound.get(ssrc)
        if inbound is None:
            for item in self._inbounds:
                if item.knows(ssrc):
                    self._bind(ssrc, item)
                    return item
        return inbound

    def _bind(self, ssrc: int, inbound: Inbound) -> None:
        if len(self._bound) >= MAX_BOUND and ssrc not in self._bound:
            del self._bound[next(iter(self._bound))]
        self._bound[ssrc] = inbound

    def _order(self, bound: Inbound) -> list[Inbound]:
        """The key that an SSRC is bound to, then the others: its sender may have taken a new one (a re-offer)."""
        return [bound, *(inbound for inbound in self._inbounds if inbound is not bound)]
