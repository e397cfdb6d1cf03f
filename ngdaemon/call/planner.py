"""Call → Plan: the desired forwarding that follows from the facts of a call. A pure function."""

from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.call.model import Block, Call, Kind, Leg, LocalPort, Media, PortSet, Subscription
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from ngdaemon.sdp.protocols import protocol_of

NOTHING = Plan()

TELEPHONE_EVENT = "telephone-event"

SILENCE = {"PCMU": 0xFF, "PCMA": 0xD5, "G722": 0x54}
"""Encoding → the octet of silence; other encodings cannot be silenced without a codec (ng-protocol.md §2.7)."""

HOLDING = frozenset((Block.MEDIA, Block.SILENCE))
"""Blocks that hold back media which cannot be changed."""


def plan(call: Call, default_learning: Learning) -> Plan:
    """The sockets and routes of a call."""
    sockets: list[Socket] = []
    routes: list[Route] = []
    for leg in call.legs:
        if leg.ended:
            continue
        for media in leg.medias:
            sockets.extend(_sockets(call, leg, media, default_learning))
    for item in call.subscriptions:
        source, sink = call.leg(item.source), call.leg(item.subscriber)
        if source.ended or sink.ended:
            continue
        blocks = call.blocks | source.blocks | item.blocks
        if item.kind is Kind.PUB_SUB:
            routes.extend(_copies(call, item, blocks))
            continue
        for said, heard in zip(source.medias, sink.medias, strict=False):
            routes.extend(_routes(call, said, heard, blocks))
    return Plan(tuple(sockets), tuple(routes))


def _sockets(call: Call, leg: Leg, media: Media, default_learning: Learning) -> list[Socket]:
    """The sockets that face a leg for one media, former ones included: they stay bound for the call's life."""
    latch = Latch(
        learning=Learning(leg.learning) if leg.learning else default_learning,
        plausible=media.plausible,
        generation=call.generation,
        strict=leg.strict_source,
        handover=leg.handover,
        asymmetric=leg.asymmetric,
    )
    protocol = protocol_of(media.protocol, media.kind)
    blind = not protocol.rtp or protocol.secure
    sockets = []
    for ports in media.port_sets:
        current = ports is media.ports
        rtp = media.rtp if current else None
        sockets.append(_socket(call, leg, ports.rtp, rtp, latch, muxed=media.muxed, blind=blind))
        if ports.rtcp is not None:
            rtcp = media.rtcp if current else None
            sockets.append(_socket(call, leg, ports.rtcp, rtcp, latch, rtcp=True, blind=blind))
    return sockets


def _socket(
    call: Call,
    leg: Leg,
    port: LocalPort,
    signalled: Endpoint | None,
    latch: Latch,
    *,
    blind: bool,
    muxed: bool = False,
    rtcp: bool = False,
) -> Socket:
    if signalled is not None and is_unspecified(signalled.address):
        signalled = None
    return Socket(
        port.socket,
        signalled,
        latch,
        tos=call.tos,
        muxed=muxed,
        rtcp=rtcp,
        relay_only=blind,
        nat_wait=leg.nat_wait,
        pierce=leg.pierce_nat and not blind,
    )


def _routes(call: Call, said: Media, heard: Media, blocks: frozenset[Block]) -> list[Route]:
    """What flows from the leg that said one media to the leg that hears it.

    Also what comes at former ports: the leg sends there until it has seen the new ones.
    """
    if said.ports is None or heard.ports is None or not said.active or not heard.active:
        return []
    sink = heard.ports
    protocol = protocol_of(said.protocol, said.kind)
    flows = said.sends and heard.receives and not call.drop_traffic
    if not protocol.rtp or protocol.secure:
        # a DTLS handshake has to pass although neither side sends media yet
        passes = not protocol.rtp or ((flows or protocol.dtls) and not blocks & HOLDING)
        return _blind_routes(said, sink, rtp=passes and not call.drop_traffic)
    routes = []
    drop_feedback = protocol.feedback and not protocol_of(heard.protocol).feedback
    target = _rtcp_sink(sink, heard)
    for source in said.port_sets:
        if flows:
            routes.append(_media_route(source.rtp, sink.rtp, said, blocks))
        for port in source.ports:
            routes.append(Route(port.socket, target.socket, Carries.RTCP, drop_feedback=drop_feedback, mirror=True))
    return routes


def _blind_routes(said: Media, sink: PortSet, *, rtp: bool) -> list[Route]:
    """What flows where packets cannot be looked into: all that comes, or all but what comes at the RTP port."""
    routes = []
    for source in said.port_sets:
        if rtp:
            routes.append(Route(source.rtp.socket, sink.rtp.socket, Carries.ANY))
        if source.rtcp is not None and sink.rtcp is not None:
            routes.append(Route(source.rtcp.socket, sink.rtcp.socket, Carries.ANY))
    return routes


def _copies(call: Call, item: Subscription, blocks: frozenset[Block]) -> list[Route]:
    """What a subscriber to copies is sent: the RTP and RTCP of its source, while it is not paused.

    Codecs that it refused are held back. Nothing flows back to the source, but RTCP where it was asked for.
    """
    source, sink = call.leg(item.source), call.leg(item.subscriber)
    routes: list[Route] = []
    for heard in sink.medias:
        if heard.copied is None or heard.copied.leg != source.id:
            continue
        said = source.medias[heard.copied.place]
        if heard.receives:
            refused = _refused(heard)
            for route in _routes(call, said, heard, blocks):
                held_back = refused and route.carries is Carries.RTP
                routes.append(route._replace(dropped=route.dropped | refused) if held_back else route)
        if item.mirrored:
            routes.extend(route for route in _routes(call, heard, said, blocks) if route.carries is Carries.RTCP)
    return routes


def _refused(heard: Media) -> frozenset[int]:
    """Payload types that a subscriber was offered and did not accept."""
    if not heard.said:
        return frozenset()
    accepted = {codec.payload_type for codec in heard.codecs}
    return frozenset(codec.payload_type for codec in heard.told_codecs if codec.payload_type not in accepted)


def _media_route(source: LocalPort, sink: LocalPort, said: Media, blocks: frozenset[Block]) -> Route:
    """The way of RTP from one leg to another, with what is held back on it."""
    if not blocks:
        return Route(source.socket, sink.socket, Carries.RTP)
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
    )


def _rtcp_sink(sink: PortSet, heard: Media) -> LocalPort:
    """The port from which RTCP leaves toward a leg: the RTP port where the leg muxes."""
    return sink.rtp if heard.muxed or sink.rtcp is None else sink.rtcp
