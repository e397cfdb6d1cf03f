"""Call → Plan: the desired forwarding that follows from the facts of a call. A pure function."""

from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.call.model import Call, Leg, LocalPort, Media, PortSet
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from ngdaemon.sdp.protocols import protocol_of

NOTHING = Plan()


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
        for said, heard in zip(source.medias, sink.medias, strict=False):
            routes.extend(_routes(call, said, heard))
    return Plan(tuple(sockets), tuple(routes))


def _sockets(call: Call, leg: Leg, media: Media, default_learning: Learning) -> list[Socket]:
    """The sockets that face a leg for one media, former ones included: they stay bound for the call's life."""
    if media.ports is None:
        return []
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
    for ports in (media.ports, *media.former):
        current = ports is media.ports
        rtp = media.rtp if current else None
        sockets.append(_socket(call, leg, ports.rtp, rtp, latch, muxed=media.muxed, blind=blind))
        if ports.rtcp is not None:
            rtcp = media.rtcp if current else None
            sockets.append(_socket(call, leg, ports.rtcp, rtcp, latch, muxed=False, blind=blind))
    return sockets


def _socket(
    call: Call, leg: Leg, port: LocalPort, signalled: Endpoint | None, latch: Latch, *, muxed: bool, blind: bool
) -> Socket:
    if signalled is not None and is_unspecified(signalled.address):
        signalled = None
    return Socket(
        port.socket,
        signalled,
        latch,
        tos=call.tos,
        muxed=muxed,
        relay_only=blind,
        nat_wait=leg.nat_wait,
        pierce=leg.pierce_nat and not blind,
    )


def _routes(call: Call, said: Media, heard: Media) -> list[Route]:
    """What flows from the leg that said one media to the leg that hears it."""
    if said.ports is None or heard.ports is None or not said.active or not heard.active:
        return []
    source, sink = said.ports, heard.ports
    protocol = protocol_of(said.protocol, said.kind)
    if not protocol.rtp or protocol.secure:
        routes = [Route(source.rtp.socket, sink.rtp.socket, Carries.ANY)]
        if source.rtcp is not None and sink.rtcp is not None:
            routes.append(Route(source.rtcp.socket, sink.rtcp.socket, Carries.ANY))
        return routes
    routes = []
    if said.sends and heard.receives and not call.drop_traffic:
        routes.append(Route(source.rtp.socket, sink.rtp.socket, Carries.RTP))
    drop_feedback = protocol.feedback and not protocol_of(heard.protocol).feedback
    target = _rtcp_sink(sink, heard)
    for port in source.ports:
        routes.append(Route(port.socket, target.socket, Carries.RTCP, drop_feedback=drop_feedback, mirror=True))
    return routes


def _rtcp_sink(sink: PortSet, heard: Media) -> LocalPort:
    """The port from which RTCP leaves toward a leg: the RTP port where the leg muxes."""
    return sink.rtp if heard.muxed or sink.rtcp is None else sink.rtcp
