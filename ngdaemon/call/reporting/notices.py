"""Log lines about the media of a call: what the forwarder reports, and what it was told (at level debug)."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.reporting import keying_shown
from ngdaemon.call.security import Keying
from ngdaemon.media.forwarder import Learned, Stranger, Unreadable
from ngdaemon.media.plan import Plan, Route, Socket
from ngdaemon.sdp.protocols import kind_shown

logger = logging.getLogger("ngdaemon.call")
crypto_logger = logging.getLogger("ngdaemon.crypto")

STRANGER = (
    "media from %s to %s port %d dropped: signalled is %s; if this is the phone, see SIP-source-address / received-from"
)
EARLY = "early media from %s to %s port %d dropped: no answer yet says where its party is"
UNREADABLE = (
    "media from %s to %s port %d dropped: none of the first %d packets is authentic; "
    "the sender has other keys than it signalled, or does not encrypt"
)
LEARNED = "%s peer learned at %s, port %d: media goes there; signalled is %s"


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
    extra, name = _identity(call, place), kind_shown(place.media.kind)
    if place.signalled is None:
        logger.info(EARLY, event.source, name, place.port, extra=extra)
    else:
        logger.warning(STRANGER, event.source, name, place.port, place.signalled, extra=extra)


def learned(call: Call, event: Learned, count: int) -> None:
    """Say where a peer is, once it is sure and not where it is signalled; all else about it is for debugging.

    `count` is how often a peer of the call was surely found at another place than before, this time among it; 0 if it
    is where it was.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    place = _place(call, event.socket)
    if place is None:
        return
    moved = event.confirmed and event.peer != place.signalled
    level = logging.INFO if moved and 0 < count <= MOST_LEARNED else logging.DEBUG
    what = (kind_shown(place.media.kind), event.peer, place.port)
    if moved:
        logger.log(level, LEARNED, *what, place.signalled or "nothing", extra=_identity(call, place))
    else:
        text = "%s peer learned at %s, port %d" if event.confirmed else "%s peer seen at %s, port %d: not sure yet"
        logger.debug(text, *what, extra=_identity(call, place))


def unreadable(call: Call, event: Unreadable) -> None:
    """Say that the keys do not fit: nothing of what a party sends is authentic."""
    place = _place(call, event.socket)
    if place is not None:
        what = (event.source, kind_shown(place.media.kind), place.port, event.packets)
        crypto_logger.warning(UNREADABLE, *what, extra=_identity(call, place))


def secured(call: Call) -> None:
    """Say how each media is to be protected, at level debug; no key is shown."""
    if not crypto_logger.isEnabledFor(logging.DEBUG):
        return
    for leg in call.legs:
        for media in leg.medias:
            if text := _secured(media):
                crypto_logger.debug("%s: %s", kind_shown(media.kind), text, extra={"call": call.id, "tag": leg.tag})


def _secured(media: Media) -> str:
    security = media.security
    if security.refused:
        return f"refused: {security.refused}"
    if security.association is not None and security.keying is Keying.DTLS:
        known = " or ".join(sorted(item.text() for item in security.association.fingerprints))
        return f"DTLS agreed, we are {security.association.role.value}, its certificate has to be {known}"
    if security.keying is Keying.SDES:
        return f"SDES agreed, {keying_shown.suite(media)}"
    offered = " and ".join(sorted(item.value for item in security.offered))
    return f"{offered} offered" if offered else ""


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
            for ports in (item for each in media.port_sets for item in each.sets):
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
    name = f"{place.leg.tag or '(untagged)'} {kind_shown(place.media.kind)} {place.port}" if place is not None else "?"
    plausible = socket.latch.plausible
    sources = "anywhere" if plausible is None else ", ".join(sorted(plausible)) or "nobody yet"
    return (
        f"{socket.id}: {name}, peer {socket.signalled or 'unknown'}, from {sources}, "
        f"learning {socket.latch.learning.value}"
    )


def _routes(routes: Iterable[Route]) -> str:
    return ", ".join(f"{route.source} > {route.sink} {route.carries.value}" for route in routes)
