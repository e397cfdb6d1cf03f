"""How a leg is faced: the socket of each local port, the rule by which it takes packets, and what protects them.

A pure function of the facts of the leg and of what its transports have found out.
"""

from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.call.links import NO_LINK, NOWHERE, Link, Links, Path, Slot
from ngdaemon.call.model import Call, Leg, LocalPort, Media, PortSet
from ngdaemon.call.reach import reach_from
from ngdaemon.call.security import Keying, Security
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.plan import Hold, Latch, Learning, Protection, Socket
from ngdaemon.sdp.protocols import Protocol, protocol_of
from ngdaemon.srtp.keys import Keys

MAX_REOFFERED = 4
"""Lines of a re-offer that are received with before it is answered (SDES-10)."""


class Port(NamedTuple):
    """A local port of a media, and what it is for."""

    local: LocalPort
    component: int
    current: bool
    """The leg is told it now; else it is one of a former exchange."""


class Faced(NamedTuple):
    """A media of a leg, with what its sockets and its routes have in common."""

    leg: Leg
    media: Media
    carrier: Media
    """Whose transport it uses."""
    protocol: Protocol
    """The one in force."""
    blind: bool
    """It is relayed as bytes."""
    ports: list[Port]
    """Of the carrier."""


def face(leg: Leg, media: Media) -> Faced:
    """The media as plans are made of it."""
    base, protocol = carrier(leg, media), in_force(media)
    return Faced(leg, media, base, protocol, _is_blind(leg, media, protocol), ports_of(base))


def in_force(media: Media) -> Protocol:
    """The transport of a media: what was agreed on, or while nothing was what is being offered.

    The kind is that of the newest offer, which decides nothing before it is answered (RFC 3264 §8).
    """
    return protocol_of(media.agreed) if media.agreed else protocol_of(media.protocol, media.kind)


def is_bare(faced: Faced) -> bool:
    """Whether a secured media would go over a transport without protection: it goes nowhere then (S07)."""
    base, media = faced.carrier, faced.media
    return base is not media and _is_secured(media) and not _is_secured(base)


def _is_secured(media: Media) -> bool:
    return media.security.keying is not None or media.security.required or in_force(media).secure


def carrier(leg: Leg, media: Media) -> Media:
    """The media whose transport a media uses: itself, or the first one of its BUNDLE."""
    return media if media.bundled is None else leg.medias[media.bundled]


def is_relayed(leg: Leg, media: Media) -> bool:
    """Whether the bytes of a media pass end to end, looked at by nobody: not RTP, or keys and ICE are not ours."""
    return _is_blind(leg, media, in_force(media))


def has_transport(leg: Leg, media: Media) -> bool:
    """Whether ICE and DTLS of a media, if it has them, take place at ports of its own."""
    return media.bundled is None and media.ports is not None and not is_relayed(leg, media)


def _is_blind(leg: Leg, media: Media, protocol: Protocol) -> bool:
    if leg.relayed:
        return True
    if not protocol.rtp:
        return not protocol_of(media.protocol, media.kind).secure  # what is offered anew is secured from now on
    return media.ice is not None and bool(media.ice.borrowed)


def ports_of(media: Media) -> list[Port]:
    """All local ports of a media, those in use first."""
    usual = media.ports
    if usual is not None and not media.former and not usual.others:
        first = Port(usual.rtp, RTP, True)
        return [first] if usual.rtcp is None else [first, Port(usual.rtcp, RTCP, True)]
    found = []
    for ports in media.port_sets:
        current = ports is media.ports
        for item in ports.sets:
            found.append(Port(item.rtp, RTP, current))
            if item.rtcp is not None:
                found.append(Port(item.rtcp, RTCP, current))
    return found


def sockets(
    call: Call, faced: Faced, default: Learning, links: Links, forbidden: frozenset[Endpoint] = NOWHERE
) -> list[Socket]:
    """The sockets that face a leg for one media, former ones included: they stay bound for the call's life.

    To a signalled address that nothing may be sent to, or one of our own `forbidden` ports, nothing is sent (S13):
    where the leg really is can still be learned.
    """
    leg, media, _, _, blind, ports = faced
    if media.bundled is not None or not ports:
        return []
    reach = reach_from(media.port_sets[0].interface, forbidden)
    plausible = _plausible(media)
    for address in plausible:
        if not reach.permits_address(address):
            plausible = frozenset(filter(reach.permits_address, plausible))
            break
    found = []
    has_ice, pierce = _has_ice(media), leg.pierce_nat and not blind
    link, latch, protection = NO_LINK, None, None
    for port in ports:
        if links:
            link = links.get(Slot(leg.id, media.place, port.component), NO_LINK)
        if latch is None or links or has_ice:  # else it is the same for all of them
            latch = _latch(call, leg, port, default, link, plausible, has_ice=has_ice)
            protection = None if blind else _protection(faced, link)
        signalled = _signalled(media, port, link, has_ice=has_ice)
        local, is_rtcp = port.local, port.component == RTCP
        waits = leg.nat_wait or (signalled is not None and not reach.permits(signalled))
        muxed = media.muxed and not is_rtcp
        found.append(Socket(local.socket, signalled, latch, call.tos, muxed, is_rtcp, blind, waits, pierce, protection))
    return found


def sink(faced: Faced, component: int, links: Links) -> LocalPort | None:
    """The port from which packets of a component leave toward a leg."""
    base = faced.carrier
    ports = base.ports
    if ports is None:
        return None
    if component == RTCP and (base.muxed or ports.rtcp is None):
        component = RTP
    usual = ports.rtp if component == RTP else ports.rtcp
    link = links.get(Slot(faced.leg.id, base.place, component)) if links else None
    path = _path(base, link, has_ice=_has_ice(base)) if link is not None else None
    if path is None or (usual is not None and path.socket == usual.socket):
        return usual
    for port in faced.ports:
        if port.local.socket == path.socket:
            return port.local
    return usual


def _has_ice(media: Media) -> bool:
    return media.ice is not None and not media.ice.borrowed


def _path(media: Media, link: Link, *, has_ice: bool) -> Path | None:
    """What ICE or DTLS found. A port of a former exchange serves on as long as ICE uses it, which knows both ends."""
    path = link.path
    if path is None or has_ice or media.ports is None:
        return path
    return path if any(path.socket == port.socket for port in media.ports.ports) else None


def _signalled(media: Media, port: Port, link: Link, *, has_ice: bool) -> Endpoint | None:
    """Where packets to the leg go: what ICE or DTLS found, else what its SDP says."""
    path = _path(media, link, has_ice=has_ice)
    if path is not None:
        return path.remote if path.socket == port.local.socket else None
    if not port.current or has_ice:
        return None
    signalled = media.rtp if port.component == RTP else media.rtcp
    return None if signalled is None or is_unspecified(signalled.address) else signalled


def _plausible(media: Media) -> frozenset[str]:
    """Addresses that the leg names for itself."""
    if media.ice_said is None:
        return media.plausible
    return media.plausible | {item.address for item in media.ice_said.candidates if item.usable}


def _latch(
    call: Call, leg: Leg, port: Port, default: Learning, link: Link, plausible: frozenset[str], *, has_ice: bool
) -> Latch:
    """From whom packets are taken: those that ICE vouches for, or plausible ones."""
    if has_ice:
        sources = link.sources or {}
        return Latch(Learning.OFF, generation=call.generation, sources=sources.get(port.local.socket, frozenset()))
    if link.held:
        plausible |= {item.address for item in link.held}
    if link.path is not None:
        plausible |= {link.path.remote.address}
    learning = Learning(leg.learning) if leg.learning else default
    return Latch(learning, plausible, call.generation, leg.strict_source, leg.handover, leg.asymmetric)


def _protection(faced: Faced, link: Link) -> Protection | None:
    """What protects the packets of a media; None for clear ones.

    A media of a secure profile always has one: while there are no keys nothing passes (rule "fail closed").
    """
    media, agreed = faced.media, faced.protocol
    security = media.security
    if security.keying is Keying.SDES and security.pair is not None:
        return Protection(_received_with(security), security.pair.ours.all_keys()[0], low_start=True)
    if security.keying is Keying.DTLS:
        return Protection(link.receive, link.send, Hold(link.held))
    is_clear = bool(media.agreed) and agreed.rtp and not agreed.secure
    if not is_clear and (
        security.offered or security.required or agreed.secure or protocol_of(media.protocol, media.kind).secure
    ):
        only_dtls = security.offered == {Keying.DTLS}
        return Protection(hold=Hold(link.held if only_dtls else None))
    return None


def _received_with(security: Security) -> tuple[Keys, ...]:
    """The keys that a leg may send with: agreed on, offered anew, of the exchange before."""
    assert security.pair is not None
    theirs = security.pair.theirs
    keys = [*theirs.all_keys()]
    for line in security.said.cryptos[:MAX_REOFFERED]:
        keys.extend(key for key in line.all_keys() if key not in keys and line.is_usable())
    keys.extend(key for key in security.former if key not in keys)
    return tuple(keys)


def current(ports: PortSet) -> tuple[PortSet, ...]:
    """The ports at all addresses of the logical interface."""
    return (ports, *ports.others)
