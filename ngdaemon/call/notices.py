"""Log lines about the media of a call: what the forwarder reports, and what it was told (at level debug)."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.media.forwarder import Learned, Stranger
from ngdaemon.media.plan import Plan, Route, Socket

logger = logging.getLogger("ngdaemon.call")

STRANGER = (
    "media from %s to %s port %d dropped: signalled is %s; if this is the phone, see SIP-source-address / received-from"
)
EARLY = "media from %s to %s port %d dropped: its party has not signalled where it is"


MOST_LEARNED = 32
"""Places of peers in the log, for one call: with `media-handover` each packet may bring another one (S06)."""


class Place(NamedTuple):
    """What a local port is for."""

    leg: Leg
    media: Media
    port: int
    signalled: Endpoint | None
    """Where the peer says that it receives; None while it said nothing."""


def stranger(call: Call, event: Stranger) -> None:
    """Say whose media is dropped. Media that is ahead of the answer is no reason to worry."""
    place = _place(call, event.socket)
    if place is None:
        return
    extra, name = _identity(call, place), place.media.kind
    if place.signalled is None:
        logger.info(EARLY, event.source, name, place.port, extra=extra)
    else:
        logger.warning(STRANGER, event.source, name, place.port, place.signalled, extra=extra)


def learned(call: Call, event: Learned, count: int) -> None:
    """Say where a peer is, once it is sure; what may change yet, or does so all the time, is for debugging.

    `count` is how often a peer of the call was surely found, this time among it.
    """
    level = logging.INFO if event.confirmed and count <= MOST_LEARNED else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    place = _place(call, event.socket)
    if place is None:
        return
    text = "%s peer learned at %s, port %d" if event.confirmed else "%s peer seen at %s, port %d: not sure yet"
    logger.log(level, text, place.media.kind, event.peer, place.port, extra=_identity(call, place))


def planned(call: Call, plan: Plan) -> None:
    """Say which ports a call has, from whom they take packets, and where packets go, at level debug."""
    if not logger.isEnabledFor(logging.DEBUG):
        return
    sockets = "; ".join(_socket(call, socket) for socket in plan.sockets) or "none"
    logger.debug("plan %d: ports %s", call.generation, sockets, extra={"call": call.id})
    if plan.routes:
        logger.debug("plan %d: routes %s", call.generation, _routes(plan.routes), extra={"call": call.id})


def _place(call: Call, socket: SocketId) -> Place | None:
    """What a socket is for; None when the call has given it up."""
    for leg in call.legs:
        for media in leg.medias:
            for ports in media.port_sets:
                if ports.rtp.socket == socket:
                    return Place(leg, media, ports.rtp.port, media.rtp)
                if ports.rtcp is not None and ports.rtcp.socket == socket:
                    return Place(leg, media, ports.rtcp.port, media.rtcp or media.rtp)
    return None


def _identity(call: Call, place: Place) -> dict[str, str]:
    return {"call": call.id, "tag": place.leg.tag}


def _socket(call: Call, socket: Socket) -> str:
    """`3: a audio 39998, peer 198.51.100.1:4000, from 198.51.100.1, learning heuristic`."""
    place = _place(call, socket.id)
    name = f"{place.leg.tag or '(untagged)'} {place.media.kind} {place.port}" if place is not None else "?"
    plausible = socket.latch.plausible
    sources = "anywhere" if plausible is None else ", ".join(sorted(plausible)) or "nobody yet"
    return (
        f"{socket.id}: {name}, peer {socket.signalled or 'unknown'}, from {sources}, "
        f"learning {socket.latch.learning.value}"
    )


def _routes(routes: Iterable[Route]) -> str:
    return ", ".join(f"{route.source} > {route.sink} {route.carries.value}" for route in routes)
