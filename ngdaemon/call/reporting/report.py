"""The reply trees of `query` and `delete` (ng-protocol.md §6.1, §6.2): pure functions of a call and its counters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call import facing
from ngdaemon.call.links import Links
from ngdaemon.call.model import Call, Leg, LegId, LocalPort, Media
from ngdaemon.call.reporting import assurance, counted, keying_shown
from ngdaemon.call.reporting.counted import NO_COUNTERS, Used
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.forwarder import SocketCounters, SsrcCounters
from ngdaemon.ng.bencode import Fixed
from ngdaemon.rtp.quality import Quality
from ngdaemon.sdp.protocols import protocol_of

Tree = dict[str, object]

NO_PORT = LocalPort(SocketId(-1), 0)
"""Shown for RTCP that shares the port of RTP (RFC 5761) from the beginning."""
NO_SUMS = Fixed(packets=0, bytes=0, errors=0)
EMPTY: Mapping[SocketId, SocketCounters] = {}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known about the packets of a call, and how monotonic times become wall-clock seconds."""

    counters: Mapping[SocketId, SocketCounters]
    quality: Mapping[int, Quality]
    """By SSRC."""
    now: float
    wall: int
    """Wall-clock seconds at `now`."""
    closed: bool = False
    """The ports have been given up: none are shown."""
    links: Links = field(default_factory=dict)
    """What the transports have found out."""

    def seconds(self, at: float | None, otherwise: int) -> int:
        """A monotonic time as Unix seconds."""
        return otherwise if at is None else int(self.wall - (self.now - at))


def query(call: Call, measured: Measured, tags: Iterable[str] = ()) -> Tree:
    """The whole tree, or only what concerns the first leg found by one of `tags` and those it receives from."""
    shown = _shown(call, tuple(tag for tag in tags if tag))
    tree: Tree = {
        "created": call.created // 1_000_000,
        "created_us": call.created % 1_000_000,
        "created_ts": call.created,
        "last signal": call.last_signal // 1_000_000,
        "last redis update": 0,
    }
    if call.metadata:
        tree["metadata"] = call.metadata
    ssrcs: Tree = {}
    legs: Tree = {}
    totals = {"RTP": [0, 0, 0], "RTCP": [0, 0, 0]}
    names = _names(call)
    for leg in shown:
        legs[names[leg.id]] = _leg(call, leg, measured, ssrcs, totals)
    tree["SSRC"] = ssrcs
    tree["tags"] = legs
    tree["totals"] = {
        kind: dict(zip(("packets", "bytes", "errors"), sums, strict=True)) for kind, sums in totals.items()
    }
    return tree


def _shown(call: Call, tags: tuple[str, ...]) -> list[Leg]:
    """The legs that a query is about."""
    if not tags:
        return list(call.legs)
    for tag in tags:
        for leg in call.legs:
            if not leg.ended and leg.has_tag(tag):
                sources = [call.leg(number) for number in call.sources_of(leg.id) if number != leg.id]
                return [leg, *sources, *(other for other in call.legs if _copies(other, leg) and other not in sources)]
    return []


def _copies(subscriber: Leg, source: Leg) -> bool:
    """Whether a leg gets copies of what another sends, or got them before it was unsubscribed."""
    return any(media.copied is not None and media.copied.leg == source.id for media in subscriber.medias)


def _names(call: Call) -> dict[LegId, str]:
    """Keys of legs: their tags, or `<untagged N>` by their number."""
    return {leg.id: leg.tag or f"<untagged {leg.id}>" for leg in call.legs}


def _leg(call: Call, leg: Leg, measured: Measured, ssrcs: Tree, totals: dict[str, list[int]]) -> Tree:
    tree: Tree = {"tag": leg.tag}
    if leg.via_branch:
        tree["via-branch"] = leg.via_branch
    if leg.aliases:
        tree["tag-aliases"] = list(leg.aliases)
    if leg.label:
        tree["label"] = leg.label
    tree["created"] = leg.created // 1_000_000
    if leg.metadata:
        tree["metadata"] = leg.metadata
    flows = call.subscriptions
    for key, joined in (
        ("subscriptions", [(item.source, item.kind) for item in flows if item.subscriber == leg.id]),
        ("subscribers", [(item.subscriber, item.kind) for item in flows if item.source == leg.id]),
    ):
        tree[key] = [{"tag": call.leg(number).tag, "type": kind.value} for number, kind in joined]
    shown = [media for media in leg.medias if not media.removed]
    tree["medias"] = [
        _media(call, leg, media, number, measured, ssrcs, totals) for number, media in enumerate(shown, 1)
    ]
    tree["VSC"] = []
    return tree


def _media(
    call: Call, leg: Leg, media: Media, number: int, measured: Measured, ssrcs: Tree, totals: dict[str, list[int]]
) -> Tree:
    protocol = protocol_of(media.protocol, media.kind)
    tree: Tree = {"index": number, "type": media.kind}
    if protocol.rtp or protocol.name == "udptl":
        tree["protocol"] = protocol.name
    carrier = facing.carrier(leg, media)
    streams = [_used(leg, carrier, media, component, measured) for component in (RTP, RTCP)]
    sums = [used.counters if used is not None else NO_COUNTERS for used in streams]
    if codec := _codec(media, sums[0].sources):
        tree["codec"] = codec
    rtp_flags, rtcp_flags = _stream_flags(leg, media, sums)
    rtp, rtcp = (None, None) if media.withheld else (media.rtp, media.rtcp or _next_to(media.rtp))
    aimed = (None, None) if rtp is None else (media.aimed[0], media.aimed[1] or _next_to(media.aimed[0]))
    created = call.created // 1_000_000
    suite = keying_shown.suite(media)
    tree["streams"] = [
        _stream(streams[0], (aimed[0], rtp), rtp_flags, measured, created, suite),
        _stream(streams[1], (aimed[1], rtcp), rtcp_flags, measured, created, suite),
    ]
    for kind, counters in zip(("RTP", "RTCP"), sums, strict=True):
        total = totals[kind]
        total[0] += counters.packets_in
        total[1] += counters.bytes_in
        total[2] += counters.errors_in
    tree["flags"] = _media_flags(leg, media)
    if known := assurance.of_media(leg, media, measured.links):
        tree["security"] = known
    tree["ingress SSRCs"] = [_ssrc(source, measured, ssrcs) for source in sums[0].sources]
    tree["egress SSRCs"] = [_egress(source, measured) for source in _heard(call, leg, media, measured)]
    return tree


def _used(leg: Leg, carrier: Media, media: Media, component: int, measured: Measured) -> Used | None:
    """The port that a component of a media uses, with its counters."""
    used = counted.at(leg, carrier, component, measured.counters, measured.links)
    ports = carrier.ports
    if component == RTCP and ports is not None and not ports.paired and media.mux_told:
        return Used(ports.interface, NO_PORT, NO_COUNTERS)
    return used


def _next_to(rtp: Endpoint | None) -> Endpoint | None:
    """The endpoint shown for RTCP where there is none: the port behind that of the media."""
    return Endpoint(rtp.address, min(rtp.port + 1, 65535)) if rtp is not None else None


def _codec(media: Media, sources: tuple[SsrcCounters, ...]) -> str:
    """The encoding received last."""
    if not sources:
        return ""
    for codec in media.codecs:
        if codec.payload_type == sources[-1].payload_type:
            return codec.encoding
    return ""


def _stream(
    used: Used | None,
    signalled: tuple[Endpoint | None, Endpoint | None],
    flags: list[str],
    measured: Measured,
    created: int,
    suite: str,
) -> Tree:
    tree: Tree = {}
    counters = used.counters if used is not None else NO_COUNTERS
    if used is not None and not measured.closed:
        tree["local port"] = used.port.port
        tree["local address"] = used.interface.address
        tree["family"] = used.interface.family.title
    tree["endpoint"] = _endpoint(counters.peer if counters.confirmed and counters.peer else signalled[0])
    tree["advertised endpoint"] = _endpoint(signalled[1])
    if suite:
        tree["crypto suite"] = suite
    last = measured.seconds(counters.last_packet, created)
    tree["last packet"] = last
    tree["last kernel packet"] = 0
    tree["last user packet"] = last
    if counters.sources:
        tree["SSRC"] = counters.sources[-1].ssrc
    tree["flags"] = flags
    stats = _sums(counters.packets_in, counters.bytes_in, counters.errors_in)
    if counters.unauthenticated or counters.replayed:
        refused = (("unauthenticated", counters.unauthenticated), ("replayed", counters.replayed))
        stats = stats | {name: count for name, count in refused if count}
    tree["stats"] = stats
    tree["stats_out"] = _sums(counters.packets_out, counters.bytes_out, counters.errors_out)
    return tree


def _sums(packets: int, octets: int, errors: int) -> Tree:
    if packets == octets == errors == 0:
        return NO_SUMS
    return {"packets": packets, "bytes": octets, "errors": errors}


@lru_cache(256)
def _endpoint(endpoint: Endpoint | None) -> Fixed:
    """The tree of an address. Kept for a while: each is said up to four times in a tree."""
    if endpoint is None:
        return Fixed()
    return Fixed(family=endpoint.family.title, address=endpoint.address, port=endpoint.port)


def _stream_flags(leg: Leg, media: Media, sums: list[SocketCounters]) -> tuple[list[str], list[str]]:
    if media.withheld:
        return [], []
    if media.rtp is None and media.ports is None and not (media.former or media.told_codecs):
        return [], []
    rtp, rtcp = ["RTP"], ["RTCP"]
    if media.mux_told:
        rtp.append("RTCP")
        rtcp.append("fallback RTCP")
    for flags, counters in zip((rtp, rtcp), sums, strict=True):
        if media.rtp is not None:
            flags.append("filled")
        if counters.confirmed:
            flags.extend(("confirmed", "kernelized", "no kernel support"))
        if leg.strict_source and media.rtp is not None:
            flags.append("strict source address")
        if leg.handover and media.rtp is not None:
            flags.append("media handover")
    return rtp, rtcp


def _media_flags(leg: Leg, media: Media) -> list[str]:
    """The state of a media in words, in the order of the reference."""
    if media.withheld:
        return []
    passes = media.direct and media.ice_said is not None
    rows = (
        ("initialized", media.said),
        ("asymmetric", leg.asymmetric),
        ("send", media.receives),
        ("recv", media.sends),
        ("rtcp-mux", media.mux_told),
        *((word, True) for word in keying_shown.words(media)),
        ("passthrough", passes),
        ("ICE", media.ice is not None or (media.ice_said is not None and not (media.active and media.is_answered))),
        ("trickle ICE", media.ice is not None and media.ice_said is not None and media.ice_said.trickle),
        ("ICE controlling", (media.controlling or _is_lite(media)) and not leg.lite and not passes),
        ("ICE-lite peer", _is_lite(media)),
        ("ICE-lite self", media.ice is not None and leg.lite),
        ("RTCP feedback", media.feedback),
    )
    return [name for name, holds in rows if holds]


def _is_lite(media: Media) -> bool:
    """Whether the leg is ICE-lite."""
    return media.ice is not None and media.ice_said is not None and media.ice_said.lite


def _heard(call: Call, leg: Leg, media: Media, measured: Measured) -> list[SsrcCounters]:
    """The sources that a media hears from the legs it is subscribed to."""
    sources: list[SsrcCounters] = []
    for number in call.sources_of(leg.id):
        source, place = call.leg(number), media.place
        others = source.medias
        if media.copied is not None:
            if media.copied.leg != number:
                continue
            place = media.copied.place
        if place < len(others):
            used = counted.at(source, others[place], RTP, measured.counters, measured.links)
            sources.extend(used.counters.sources if used is not None else ())
    return sources


def _ssrc(source: SsrcCounters, measured: Measured, ssrcs: Tree) -> Tree:
    """The inline entry of a source that is received; it is entered in the global dictionary too."""
    entry: Tree = {
        "bytes": source.bytes,
        "packets": source.packets,
        "last RTP timestamp": source.last_timestamp,
        "last RTP seq": source.last_sequence,
    }
    quality = measured.quality.get(source.ssrc)
    if quality is not None:
        entry.update(quality.report(measured.wall, measured.now))
    ssrcs[str(source.ssrc)] = entry
    return {"SSRC": source.ssrc, **entry}


def _egress(source: SsrcCounters, measured: Measured) -> Tree:
    entry: Tree = {"SSRC": source.ssrc, "bytes": source.bytes, "packets": source.packets}
    quality = measured.quality.get(source.ssrc)
    if quality is not None:
        entry.update(quality.report(measured.wall, measured.now))
    return entry
