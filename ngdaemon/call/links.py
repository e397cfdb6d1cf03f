"""What the live transports have found out: the facts of ICE and DTLS that plans and replies are made of.

A transport (`transport/transport.py`) writes them, anyone may read them; they are plain data, so that they can be
written out.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import LegId
from ngdaemon.dtls.component import Status
from ngdaemon.ice.report import Progress
from ngdaemon.srtp.keys import Keys

NOWHERE: frozenset[Endpoint] = frozenset()


class Slot(NamedTuple):
    """Which transport: one component of one media of a leg."""

    leg: LegId
    place: int
    component: int
    """1 for RTP (and RTCP with it), 2 for RTCP on its own port."""


class Path(NamedTuple):
    """From where to where packets go."""

    socket: SocketId
    remote: Endpoint


class Link(NamedTuple):
    """The state of one component."""

    path: Path | None = None
    """Where media may be sent; None for nowhere yet, or no longer (CONS-01)."""
    sources: Mapping[SocketId, frozenset[Endpoint]] | None = None
    """With ICE: from where media is accepted, by local port. None without ICE."""
    receive: tuple[Keys, ...] = ()
    """Keys of verified DTLS associations, the newest first."""
    send: Keys | None = None
    held: frozenset[Endpoint] | None = NOWHERE
    """Who has finished a handshake and is not known to be the right one yet; None for anyone that ICE vouches for."""
    status: Status | None = None
    """What `query` says of DTLS. None where there is none, and where links are for plans alone."""
    progress: Progress | None = None
    """How far ICE is. None without ICE, and where links are for plans alone."""


Links = Mapping[Slot, Link]
NO_LINK = Link()
NO_LINKS: Links = {}
