"""Where the peer of a socket really is, and from whom its packets are accepted (ng-protocol.md §5.1, §5.2).

The rules are those of `plan.Latch` and `plan.Learning`. With `Latch.sources` there is nothing to find out: the peer is
where the plan says. A source is what the socket layer gives: a tuple that begins with a numeric address and a port.
"""

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from ngdaemon.base.endpoint import Endpoint, parse_address
from ngdaemon.media.plan import LEARNING_WINDOW, Latch, Learning

Address = tuple[str, int] | tuple[str, int, int, int]
"""A socket address: address and port, for IPv6 flow label and scope too."""

NO_RANK = 4
"""Worse than all ranks of heuristic learning."""


class Verdict(Enum):
    """What becomes of a packet because of its source."""

    ACCEPTED = "accepted"
    LEARNED = "accepted, and something was learned"
    STRANGER = "dropped: not plausible"
    REFUSED = "dropped: plausible, but not the peer (`strict-source`)"


class Latching:
    """The state of learning at one socket."""

    __slots__ = ("_accepted", "_closes", "_latch", "_rank", "_sources", "confirmed", "learned", "signalled")

    def __init__(self, signalled: Endpoint | None, latch: Latch, now: float) -> None:
        self._latch = latch
        self._accepted: frozenset[str] | None = frozenset()
        """Plausible addresses as the socket layer spells them; None for all."""
        self._sources: frozenset[tuple[str, int]] | None = None
        """The only sources that are accepted, when something better than an address vouches for them."""
        self._closes = 0.0
        """When the first packet confirms its source (DELAYED, HEURISTIC)."""
        self._rank = NO_RANK
        self.signalled: Endpoint | None = None
        """As the socket layer spells it; None when it cannot be sent to."""
        self.learned: Address | None = None
        """The source that counts as the peer."""
        self.confirmed = False
        self._restart(_spelled(signalled), latch, now)

    @property
    def destination(self) -> Address | None:
        """Where packets to the peer go."""
        if self.learned is None or self._latch.asymmetric:
            return self.signalled
        return self.learned

    def restate(self, signalled: Endpoint | None, latch: Latch, now: float) -> None:
        """Obey another latch: learning starts anew if its generation or the signalled endpoint changed."""
        spelled = _spelled(signalled)
        vouched = (latch.sources is None) != (self._latch.sources is None)
        if latch.generation != self._latch.generation or spelled != self.signalled or vouched:
            self._restart(spelled, latch, now)
            return
        self._latch = latch
        self._admit(spelled)
        if self.learned is not None and not self.is_plausible(self.learned):
            self._restart(spelled, latch, now)

    def _restart(self, signalled: Endpoint | None, latch: Latch, now: float) -> None:
        """Begin to learn. The old peer stays the destination if it may still be the peer."""
        off = latch.learning is Learning.OFF or latch.sources is not None
        same = signalled is not None and signalled == self.signalled
        self._latch, self.signalled = latch, signalled
        self._admit(signalled)
        if off or not same or self.learned is None or not self.is_plausible(self.learned):
            self.learned = None
        self._closes = now + LEARNING_WINDOW
        self._rank = NO_RANK
        self.confirmed = off and signalled is not None

    def _admit(self, signalled: Endpoint | None) -> None:
        """Work out who is plausible."""
        sources = self._latch.sources
        self._accepted = _accepted(self._latch.plausible, signalled)
        self._sources = None
        if sources is not None:
            self._sources = all_spelled(sources)

    def check(self, source: Address) -> Verdict:
        """What becomes of a packet because of its source alone: STRANGER, REFUSED or ACCEPTED. Nothing is learned.

        What has to authenticate first is checked so before, and judged afterwards (MBX-04).
        """
        if not self.is_plausible(source):
            return Verdict.STRANGER
        if self._sources is not None or self.signalled is None or not self._latch.strict:
            return Verdict.ACCEPTED
        if self.confirmed:
            return self._compare(source, False)
        rank = self._rank_of(source) if self._latch.learning is Learning.HEURISTIC else 0
        return Verdict.REFUSED if rank > self._rank else Verdict.ACCEPTED

    def judge(self, source: Address, teaches: bool, now: float) -> Verdict:
        """What becomes of a packet from that source. `teaches`: it is of the kind that peers are learned from."""
        if not self.is_plausible(source):
            return Verdict.STRANGER
        if self.signalled is None or self._sources is not None:
            return Verdict.ACCEPTED
        if self.confirmed:
            return self._compare(source, teaches)
        rank = self._rank_of(source) if self._latch.learning is Learning.HEURISTIC else 0
        if self._latch.strict and rank > self._rank:
            return Verdict.REFUSED
        return self._learn(source, rank, now) if teaches else Verdict.ACCEPTED

    def is_settled(self, source: Address) -> bool:
        """Whether the verdict on this source, which was accepted, stays as it is until `restate` or `LEARNED`."""
        if self.signalled is None or self._sources is not None:
            return True
        return self.confirmed and (source == self.learned or not self._latch.handover)

    def is_plausible(self, source: Address) -> bool:
        """Whether packets of this source are accepted at all."""
        if self._sources is not None:
            return source[:2] in self._sources
        return self._accepted is None or source[0] in self._accepted

    def _compare(self, source: Address, teaches: bool) -> Verdict:
        """After confirmation."""
        latch = self._latch
        peer: Address | None = self.learned if latch.learning is not Learning.OFF else self.signalled
        if peer is not None and source[:2] == peer[:2]:
            return Verdict.ACCEPTED
        if latch.handover and latch.learning is not Learning.OFF:
            if not teaches:
                return Verdict.ACCEPTED
            self.learned = source
            return Verdict.LEARNED
        return Verdict.REFUSED if latch.strict else Verdict.ACCEPTED

    def _learn(self, source: Address, rank: int, now: float) -> Verdict:
        """Before confirmation."""
        heuristic = self._latch.learning is Learning.HEURISTIC
        over = now >= self._closes
        confirms = over or self._latch.learning is Learning.IMMEDIATE or (heuristic and rank == 0)
        fits = rank < self._rank or (rank == self._rank and not over) or not heuristic
        before = self.learned
        if fits or before is None:
            self.learned = source
            self._rank = rank
        self.confirmed = confirms
        return Verdict.LEARNED if confirms or self.learned != before else Verdict.ACCEPTED

    def _rank_of(self, source: Address) -> int:
        """How much of the signalled endpoint a source shares (`Learning.HEURISTIC`)."""
        assert self.signalled is not None
        if source[0] == self.signalled.address:
            return 0 if source[1] == self.signalled.port else 1
        return 2 if source[1] == self.signalled.port else 3


def _spelled(endpoint: Endpoint | None) -> Endpoint | None:
    """The endpoint with its address as the socket layer spells it; None for what is not a numeric address."""
    if endpoint is None:
        return None
    address = canonical(endpoint.address)
    if address is None:
        return None
    return endpoint if address == endpoint.address else Endpoint(address, endpoint.port)


def all_spelled(endpoints: Iterable[Endpoint]) -> frozenset[tuple[str, int]]:
    """The endpoints as the socket layer spells them."""
    return frozenset(spelled for item in endpoints if (spelled := _spelled(item)) is not None)


def _accepted(plausible: frozenset[str] | None, signalled: Endpoint | None) -> frozenset[str] | None:
    """Plausible addresses as the socket layer spells them, that of the signalled endpoint among them; None for all."""
    if plausible is None:
        return None
    for item in plausible:
        if canonical(item) != item:
            break
    else:
        if signalled is None or signalled.address in plausible:
            return plausible  # the usual case: nothing has to be made
    spelled = [address for item in plausible if (address := canonical(item)) is not None]
    if signalled is not None:
        spelled.append(signalled.address)
    return frozenset(spelled)


@lru_cache(maxsize=1024)
def canonical(address: str) -> str | None:
    """A numeric address as the socket layer spells it; None for anything else, names above all.

    IPv6 spellings differ (`2001:DB8::0:1`), and a name would make the system ask its name servers for each packet.
    """
    parsed = parse_address(address)
    return str(parsed) if parsed is not None else None
