"""What an agent tells its owner: datagrams to send, what happened, which pairs there are."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.candidate import Candidate


class Transmit(NamedTuple):
    """A datagram that has to leave."""

    socket: SocketId
    data: bytes
    to: Endpoint


class Pair(NamedTuple):
    """A path that works: media, DTLS and RTCP of a component may go from this socket to that endpoint."""

    socket: SocketId
    local: Endpoint
    """What the socket is bound to."""
    remote: Endpoint
    mapped: Endpoint | None = None
    """What the peer sees in place of `local`; None while that is not known."""


class Remote(NamedTuple):
    """What the peer's SDP says of one media or bundle. The password is never shown (S17)."""

    ufrag: str
    pwd: str
    lite: bool = False
    candidates: Iterable[Candidate] = ()
    ended: bool = True
    """No more candidates will follow (no trickle, or `a=end-of-candidates`)."""

    def __repr__(self) -> str:
        return f"Remote({self.ufrag})"


class Progress(Enum):
    """How far a component is, for `query` and the log."""

    WAITING = "waiting for the peer's description"
    CHECKING = "checking"
    USABLE = "a pair works and is not nominated yet"
    SELECTED = "a pair is nominated"
    CONSENT_LOST = "the peer no longer consents"
    FAILED = "no pair works"


class Usable(NamedTuple):
    """A component has a validated pair, or a better one, that is not nominated yet."""

    component: int
    pair: Pair


class Selected(NamedTuple):
    """A pair was nominated: the first, or another one in its place."""

    component: int
    pair: Pair


class Tried(NamedTuple):
    """What there was to find a pair with, for the log."""

    candidates: int
    """Of the peer's, those that it named and that can be checked."""
    unusable: int
    """Those that it named and that cannot: names (mDNS), and addresses where nothing may be sent to."""
    heard: bool
    """Authentic checks of the peer came."""
    lite: bool = False
    """We are lite: only the peer checks."""


class Failed(NamedTuple):
    """No pair of the component works, and none is going to: all checks failed and the patience is over."""

    component: int
    tried: Tried


class Unanswered(NamedTuple):
    """No pair of the component works when the patience is over; checks are under way, or more candidates may come."""

    component: int
    tried: Tried


class ConsentLost(NamedTuple):
    """The peer no longer says that it wants what we send, or said that it does not: nothing may be sent (CONS-01)."""

    component: int


class RoleSwitched(NamedTuple):
    """A role conflict was solved by taking the other role, or the peer turned out to be lite."""

    controlling: bool


class Restarted(NamedTuple):
    """The peer has other credentials than before: a new session began. The old pairs serve until it has its own."""


Event = Usable | Selected | Failed | Unanswered | ConsentLost | RoleSwitched | Restarted
