"""Call → Plan: the desired forwarding that follows from the facts of a call. A pure function."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.call import facing
from ngdaemon.call.facing import Faced, Port, face
from ngdaemon.call.links import NO_LINKS, NOWHERE, Link, Links, Slot
from ngdaemon.call.model import Block, Call, Kind, Leg, LegId, LocalPort, Media, Subscription
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.plan import Carries, Learning, Plan, Route, Selector, Socket

NOTHING = Plan()

TELEPHONE_EVENT = "telephone-event"

SILENCE = {"PCMU": 0xFF, "PCMA": 0xD5, "G722": 0x54}
"""Encoding → the octet of silence; other encodings cannot be silenced without a codec (ng-protocol.md §2.7)."""

HOLDING = frozenset((Block.MEDIA, Block.SILENCE))
"""Blocks that hold back media which cannot be changed."""


def plan(
    call: Call, default_learning: Learning, links: Links = NO_LINKS, forbidden: frozenset[Endpoint] = NOWHERE
) -> Plan:
    """The sockets and routes of a call, by its facts and what its transports have found out.

    Nothing is sent to `forbidden` places.
    """
    return Planner(call, default_learning, forbidden).plan(links)


class End(NamedTuple):
    """A media, and the ports from which packets leave toward its leg."""

    faced: Faced
    rtp: LocalPort | None
    rtcp: LocalPort | None


class Planner:
    """Plans of one call, whose facts stay as they are while its transports find out more.

    A plan takes from the one before what does not depend on the links that changed: it is the same data, and forwarders
    see at once that there is nothing to do.
    """

    __slots__ = ("_ends", "_faced", "_forbidden", "_routes", "_sockets", "call", "learning")

    def __init__(self, call: Call, default_learning: Learning, forbidden: frozenset[Endpoint] = NOWHERE) -> None:
        self.call = call
        self.learning = default_learning
        self._forbidden = forbidden
        self._faced = {leg.id: [face(leg, media) for media in leg.medias] for leg in call.legs if not leg.ended}
        self._sockets: dict[tuple[LegId, int], tuple[list[Link | None], list[Socket]]] = {}
        """Of each media, with the links that they are made of."""
        self._ends: dict[LegId, list[End]] = {}
        self._routes: tuple[Route, ...] = ()

    def plan(self, links: Links) -> Plan:
        """The plan that follows from these links."""
        sockets: list[Socket] = []
        ends: dict[LegId, list[End]] = {}
        for leg, medias in self._faced.items():
            ends[leg] = [
                End(faced, facing.sink(faced, RTP, links), facing.sink(faced, RTCP, links)) for faced in medias
            ]
            for faced in medias:
                sockets.extend(self._sockets_of(faced, links))
        if ends != self._ends:
            self._ends, self._routes = ends, tuple(_all_routes(self.call, ends))
        return Plan(tuple(sockets), self._routes)

    def _sockets_of(self, faced: Faced, links: Links) -> list[Socket]:
        if not links:
            return facing.sockets(self.call, faced, self.learning, links, self._forbidden)
        leg, place = faced.leg.id, faced.media.place
        mine = [links.get(Slot(leg, place, RTP)), links.get(Slot(leg, place, RTCP))]
        before = self._sockets.get((leg, place))
        if before is not None and before[0] == mine:
            return before[1]
        made = facing.sockets(self.call, faced, self.learning, links, self._forbidden)
        self._sockets[leg, place] = mine, made
        return made


def _all_routes(call: Call, ends: dict[LegId, list[End]]) -> list[Route]:
    routes: list[Route] = []
    for item in call.subscriptions:
        sources, sinks = ends.get(item.source), ends.get(item.subscriber)
        if sources is None or sinks is None:
            continue
        blocks = call.blocks | call.leg(item.source).blocks | item.blocks
        if item.kind is Kind.PUB_SUB:
            routes.extend(_copies(call, item, sources, sinks, blocks))
            continue
        for said, heard in zip(sources, sinks, strict=False):
            routes.extend(_routes(call, said.faced, heard, blocks))
    return routes


def _routes(call: Call, said: Faced, end: End, blocks: frozenset[Block]) -> list[Route]:
    """What flows from the leg that said one media to the leg that hears it.

    Also what comes at former ports: the leg sends there until it has seen the new ones.
    """
    source_leg, source, carrier, protocol, blind, ports = said
    heard, rtp, rtcp = end
    sink = heard.media
    if carrier.ports is None or not source.active or not sink.active or blind != heard.blind:
        return []
    if facing.is_bare(said) or facing.is_bare(heard):
        return []
    if rtp is None:
        return []
    flows = source.sends and sink.receives and not call.drop_traffic
    if blind:
        # a handshake has to pass although neither side sends media yet
        held = bool(blocks & HOLDING)
        if held and not protocol.rtp:
            return []
        passes = not protocol.rtp or ((flows or protocol.dtls) and not held)
        return _blind_routes(ports, rtp, rtcp, rtp_passes=passes and not call.drop_traffic)
    routes = []
    drop_feedback = protocol.feedback and not heard.protocol.feedback
    selector = _selector(source_leg, source) if len(source_leg.medias) > 1 else None
    target = (rtcp or rtp).socket
    for port in ports:
        number = port.local.socket
        if flows and port.component == RTP:
            routes.append(_media_route(port.local, rtp, source, blocks, selector))
        routes.append(Route(number, target, Carries.RTCP, drop_feedback, mirror=True, selector=selector))
    return routes


def _selector(leg: Leg, media: Media) -> Selector | None:
    """Which packets of a BUNDLE are those of the media; None where it has a transport of its own."""
    group = media.place if media.bundled is None else media.bundled
    others = [item for item in leg.medias if item.place != media.place and group in (item.place, item.bundled)]
    if not others:
        return None
    taken = {codec.payload_type for item in others for codec in item.codecs}
    own = frozenset(codec.payload_type for codec in media.codecs if codec.payload_type not in taken)
    return Selector((media.mid or "").encode(), media.mid_extension, media.ssrcs, own)


def _blind_routes(ports: list[Port], rtp: LocalPort, rtcp: LocalPort | None, *, rtp_passes: bool) -> list[Route]:
    """What flows where packets cannot be looked into: all that comes, or all but what comes at the RTP port."""
    routes = []
    for port in ports:
        if port.component == RTP:
            if rtp_passes:
                routes.append(Route(port.local.socket, rtp.socket, Carries.ANY))
        elif rtcp is not None and rtcp is not rtp:
            routes.append(Route(port.local.socket, rtcp.socket, Carries.ANY))
    return routes


def _copies(
    call: Call, item: Subscription, sources: list[End], sinks: list[End], blocks: frozenset[Block]
) -> list[Route]:
    """What a subscriber to copies is sent: the RTP and RTCP of its source, while it is not paused.

    Codecs that it refused are held back. Nothing flows back to the source, but RTCP where it was asked for.
    """
    routes: list[Route] = []
    for end in sinks:
        heard = end.faced.media
        copied = heard.copied
        if copied is None or copied.leg != item.source:
            continue
        said = sources[copied.place]
        if heard.receives:
            refused = _refused(heard)
            for route in _routes(call, said.faced, end, blocks):
                held_back = refused and route.carries is Carries.RTP
                routes.append(route._replace(dropped=route.dropped | refused) if held_back else route)
        if item.mirrored:
            mirrored = _routes(call, end.faced, said, blocks)
            routes.extend(route for route in mirrored if route.carries is Carries.RTCP)
    return routes


def _refused(heard: Media) -> frozenset[int]:
    """Payload types that a subscriber was offered and did not accept."""
    if not heard.said:
        return frozenset()
    accepted = {codec.payload_type for codec in heard.codecs}
    return frozenset(codec.payload_type for codec in heard.told_codecs if codec.payload_type not in accepted)


def _media_route(
    source: LocalPort, sink: LocalPort, said: Media, blocks: frozenset[Block], selector: Selector | None
) -> Route:
    """The way of RTP from one leg to another, with what is held back on it."""
    if not blocks:
        return Route(source.socket, sink.socket, Carries.RTP, selector=selector)
    events = frozenset(codec.payload_type for codec in said.codecs if codec.name.lower() == TELEPHONE_EVENT)
    dropped = events if Block.DTMF in blocks else frozenset()
    silence: tuple[tuple[int, int], ...] = ()
    if Block.SILENCE in blocks:
        octets = [(codec.payload_type, SILENCE.get(codec.name.upper())) for codec in said.codecs]
        silence = tuple((number, octet) for number, octet in octets if octet is not None)
        dropped |= {number for number, octet in octets if octet is None and number not in events}
    return Route(
        source.socket,
        sink.socket,
        Carries.RTP,
        only=events if Block.MEDIA in blocks else None,
        dropped=dropped,
        silenced=silence,
        selector=selector,
    )
