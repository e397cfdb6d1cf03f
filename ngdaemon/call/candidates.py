"""Our own candidates for a media: its local ports, as `a=candidate` has them (RFC 8839 §5.1)."""

from collections.abc import Iterator

from ngdaemon.call.model import LocalPort, Media, PortSet
from ngdaemon.ice.candidate import HOST, PREFERENCES, RELAY, RTCP, RTP, Candidate, foundation, priority


def ours(media: Media, secret: bytes) -> Iterator[Candidate]:
    """Host candidates: component 1 of every local address, then component 2."""
    return _candidates(media, secret, HOST, None)


def beside(media: Media, other: Media, secret: bytes) -> Iterator[Candidate]:
    """Candidates that are added to those of the other leg, below or as relayed ones (`optional`, `force-relay`)."""
    relayed = media.ice is not None and media.ice.relayed
    return _candidates(media, secret, RELAY if relayed else HOST, other)


def _candidates(media: Media, secret: bytes, typ: str, beside_of: Media | None) -> Iterator[Candidate]:
    sets = [] if media.ports is None else [media.ports, *media.ports.others]
    for component in (RTP, RTCP):
        for index, ports in enumerate(sets):
            port = _port(media, ports, component)
            if port is None:
                continue
            address = ports.interface.advertised
            rank = priority(typ, component, index) if beside_of is None else _rank(beside_of, typ, component, index)
            related = (address, port.port) if typ == RELAY else ("", 0)
            yield Candidate(foundation(address, secret, typ), component, rank, address, port.port, typ, *related)


def _port(media: Media, ports: PortSet, component: int) -> LocalPort | None:
    if component == RTP:
        return ports.rtp
    return None if media.mux_known or media.mux_required else ports.rtcp


def _rank(other: Media, typ: str, component: int, index: int) -> int:
    """A priority below those of the other leg of that type."""
    said = other.ice_said
    if said is None or all(item.typ != typ for item in said.candidates):
        return priority(typ, component, index)
    return (max(PREFERENCES[typ] - 1, 0) << 24) + 256 - component
