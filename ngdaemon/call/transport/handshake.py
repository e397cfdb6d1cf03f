"""The DTLS side of one component of a transport: what its associations were told, and where they take place."""

from collections.abc import Callable
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.links import Path
from ngdaemon.call.paths import Paths
from ngdaemon.call.security import Association
from ngdaemon.dtls import states as dtls
from ngdaemon.dtls.component import ICE_PATH, Component
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import LIVE, State

TRIES = 3
"""Handshakes that we begin for one agreement: what comes late of a former one, or is forged, can break the first."""
PAUSE = 0.5
"""Seconds until the next one: what is on its way has arrived by then."""

TIMEOUT = "timeout"
"""Why a handshake has failed that is not tried again."""

EARLY_SOURCES = 16
EARLY_DATAGRAMS = 4
"""Of each source: a hello with large keys takes two or three."""

Place = tuple[SocketId | None, Endpoint | None]
"""Our port, and what the peer signals."""


class Expected(NamedTuple):
    """What a component has been told of its peer."""

    agreed: Association
    remote: Remote
    place: Place | None


class Handshake:
    """A component of DTLS that is told what is news to it, once."""

    def __init__(self, desk: Component) -> None:
        self.desk = desk
        self.paths = Paths()
        """Without ICE: where the peers are."""
        self.unsent: list[bytes] = []
        """The last flight, while it waits for a pair of ICE."""
        self._early: dict[Path, list[bytes]] = {}
        self._expected: Expected | None = None
        self._reached: Endpoint | None = None
        self._failures = 0
        self._again: float | None = None

    def expect(self, agreed: Association, place: Place | None, now: float, *, final: bool) -> None:
        """Say who is to be on the other side. The same again changes nothing.

        `place` tells apart the transports of a peer without tls-id: with another one the association is another one
        (RFC 5763 §6.6, TID-02). None where that makes no difference, or is not known. It counts from an agreement to
        the next: what is offered only, and may be refused, moves nothing.
        """
        before = self._expected
        if before is not None and (place is None or before.agreed is agreed):
            place = before.place
        remote = Remote(agreed.fingerprints, tls_id=agreed.their_tls_id or None, final=final)
        self._expected = Expected(agreed, remote, place)
        if self._expected == before:
            return
        if before is None or (before.agreed, before.place) != (agreed, place):
            self._failures = 0
            self.allow_again()
        elif self.desk.state not in (*LIVE, State.NEW):
            return  # what is over is not judged anew, and does not begin again by this
        renew = before is not None and (before.agreed.tls_id, before.place) != (agreed.tls_id, place)
        self.desk.expect(remote, agreed.role, now, renew=renew)

    def reach(self, path: Endpoint, now: float) -> None:
        """Say where a handshake of ours goes to. The same again changes nothing."""
        if path != self._reached:
            self._reached, self._again = path, None
            self.desk.reach(path, now)

    def is_early(self, source: Path) -> bool:
        """Whether datagrams of that source are kept: it passed a check before it was known who answers."""
        return source in self._early

    def keep(self, source: Path, data: bytes) -> None:
        """Keep a datagram until it is known whether its sender answers: with ICE it could be any fork (MOD-03)."""
        kept = self._early.setdefault(source, [])
        kept.append(data)
        del kept[:-EARLY_DATAGRAMS]
        if len(self._early) > EARLY_SOURCES:
            del self._early[next(iter(self._early))]

    def take_early(self, accepts: Callable[[SocketId, Endpoint], bool], now: float) -> None:
        """Take in what was kept of those who are accepted now."""
        for source in [source for source in self._early if accepts(*source)]:
            for data in self._early.pop(source):
                self.desk.receive(ICE_PATH, data, now, vouched=True)

    def allow_again(self) -> None:
        """What came to nothing may be tried again when there is somewhere to reach."""
        self._reached = self._again = None

    def handle_timer(self, now: float) -> None:
        """Do what the time has come for."""
        self.desk.handle_timer(now)
        if self._again is not None and self._again <= now and self._reached is not None:
            self._again = None
            self.desk.reach(self._reached, now)

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called; None for never."""
        at = self.desk.next_timeout()
        return at if self._again is None else self._again if at is None else min(at, self._again)

    def events(self, now: float) -> list[dtls.Event]:
        """What happened since the last call."""
        events = self.desk.events()
        for event in events:
            if isinstance(event, dtls.Failed) and event.reason != TIMEOUT and event.path == self._reached:
                self._fail(now)
        return events

    def _fail(self, now: float) -> None:
        """A handshake was broken: begin another one soon, if it is for us to begin."""
        self._failures += 1
        if self._failures < TRIES and self._expected is not None and self._expected.agreed.role is Role.ACTIVE:
            self._again = now + PAUSE
