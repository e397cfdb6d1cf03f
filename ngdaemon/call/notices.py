"""Log lines about the media of a call: what the forwarder reports, and what it was told (at level debug)."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.links import Link, Links, Slot
from ngdaemon.call.model import Call, Leg, LegId, Media
from ngdaemon.call.transport import Happened
from ngdaemon.dtls import states as dtls
from ngdaemon.ice import report as ice
from ngdaemon.ice.candidate import RTCP
from ngdaemon.media.forwarder import Learned, Stranger
from ngdaemon.media.plan import Plan, Route, Socket

logger = logging.getLogger("ngdaemon.call")

STRANGER = (
    "media from %s to %s port %d dropped: signalled is %s; if this is the phone, see SIP-source-address / received-from"
)
EARLY = "media from %s to %s port %d dropped: its party has not signalled where it is"


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


def learned(call: Call, event: Learned) -> None:
    """Say where a peer is, once it is sure; what may change yet is for debugging."""
    level = logging.INFO if event.confirmed else logging.DEBUG
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


def transported(call: Call, leg: LegId, place: int, happened: Happened, links: Links) -> None:
    """Say what became of ICE or DTLS toward a leg: one line for each decision."""
    speaking = call.leg(leg)
    media = speaking.medias[place]
    what = f"{media.kind} {'RTCP ' if happened.component == RTCP else ''}".rstrip()
    link = links.get(Slot(leg, place, happened.component))
    level, text = _said_of(happened.event, link)
    logger.log(level, "%s: %s", what, text, extra={"call": call.id, "tag": speaking.tag})


def _said_of(event: object, link: Link | None) -> tuple[int, str]:
    """The level and the words for an event of a transport."""
    status = link.status if link is not None else None
    if isinstance(event, dtls.Established) and status is not None:
        role = status.role.value if status.role is not None else ""
        return logging.INFO, f"DTLS verified with {event.path}: {status.seen}, {status.profile}, we are {role}"
    if isinstance(event, dtls.Mismatch) and status is not None:
        expected = " or ".join(status.expected) or "nothing"
        return (
            logging.WARNING,
            f"DTLS certificate of {event.path} refused: {event.seen.text()}, signalled is {expected}",
        )
    if isinstance(event, dtls.Failed):
        alert = f", last alert {status.alert}" if status is not None and status.alert else ""
        counted = f", {status.received} datagrams in, {status.sent} out" if status is not None else ""
        return logging.WARNING, f"DTLS failed with {event.path}: {event.reason}{alert}{counted}"
    if isinstance(event, dtls.Closed):
        return logging.INFO, f"DTLS closed by {event.path}"
    if isinstance(event, ice.Selected):
        return logging.INFO, f"ICE selected {event.pair.remote} from {event.pair.local}"
    if isinstance(event, ice.ConsentLost):
        return logging.WARNING, "ICE consent lost: nothing more is sent until a restart"
    if isinstance(event, ice.Failed):
        return logging.WARNING, "ICE failed: no pair of candidates works"
    if isinstance(event, ice.Usable):
        return logging.DEBUG, f"ICE pair usable: {event.pair.remote} from {event.pair.local}"
    if isinstance(event, ice.RoleSwitched):
        return logging.INFO, f"ICE role is {'controlling' if event.controlling else 'controlled'} now"
    return logging.INFO, "ICE restarted by the peer"


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
