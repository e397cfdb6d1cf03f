"""The one log line that sums up a call at its end."""

from ngdaemon.base.ids import SocketId
from ngdaemon.call.links import Links
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.reporting import assurance, counted
from ngdaemon.call.reporting.counted import NO_COUNTERS
from ngdaemon.ice.candidate import RTP
from ngdaemon.media.forwarder import SocketCounters


def summary(
    call: Call,
    counters: dict[SocketId, SocketCounters],
    links: Links,
    ending: str,
    duration: float,
    cause: str = "",
) -> str:
    """`call ended (REGULAR) after 12.3 s: a audio: …`, each leg with its security, what it sent and where it was."""
    parts = [
        f"{leg.tag or '(untagged)'} {_kinds(leg, media)}: {_media(leg, media, counters, links)}"
        for leg in call.legs
        for media in leg.medias
        if media.ports is not None and (media.said or _arrived(media, counters))
    ]
    detail = "; ".join(parts) if parts else "no media"
    return f"call ended ({ending}) after {duration:.1f} s{cause and ', '}{cause}: {detail}"


def _kinds(leg: Leg, media: Media) -> str:
    """What goes over the ports of a media: `audio`, or in a BUNDLE `audio+video`."""
    return "+".join((media.kind, *(other.kind for other in leg.medias if other.bundled == media.place)))


def _arrived(media: Media, counters: dict[SocketId, SocketCounters]) -> bool:
    """Whether anything came to the ports of a media, dropped or not."""
    ports = media.ports.ports if media.ports else ()
    sockets = [counters.get(port.socket, NO_COUNTERS) for port in ports]
    return any(item.packets_in or item.errors_in for item in sockets)


def _media(leg: Leg, media: Media, counters: dict[SocketId, SocketCounters], links: Links) -> str:
    """How a leg was secured, what it sent, how much of it was lost on its way to us, and what was dropped."""
    assert media.ports is not None
    used = counted.at(leg, media, RTP, counters, links)
    assert used is not None
    rtp = used.counters
    local = f"{used.interface.address}:{used.port.port}"
    peer = rtp.peer or media.rtp
    lost = sum(source.lost for source in rtp.sources)
    words = assurance.in_words(leg, media, links)
    text = (
        f"{peer or 'nowhere'} <> {local}, {words and f'{words}, '}"
        f"in {rtp.packets_in} packets {rtp.bytes_in} bytes, lost {lost}, {_left(rtp)}"
    )
    dropped = _dropped(media, [counters.get(port.socket, NO_COUNTERS) for port in media.ports.ports])
    if media.said and media.active and media.sends and not _received(media, counters):
        text += ", nothing accepted" if dropped else ", nothing received"
    return text + dropped


def _left(rtp: SocketCounters) -> str:
    """What was sent to a leg: media, and apart from it what ICE and DTLS sent."""
    text = f"out {rtp.packets_out - rtp.control_packets} packets {rtp.bytes_out - rtp.control_bytes} bytes"
    if rtp.control_packets:
        text += f" and {rtp.control_packets} of ICE and DTLS"
    if rtp.withheld:
        text += f", {rtp.withheld} withheld while there were no keys"
    return text


def _received(media: Media, counters: dict[SocketId, SocketCounters]) -> bool:
    """Whether anything was accepted of a media, at its former ports too."""
    ports = (port for item in media.port_sets for port in item.ports)
    return any(counters.get(port.socket, NO_COUNTERS).packets_in for port in ports)


def _dropped(media: Media, sockets: list[SocketCounters]) -> str:
    """How many packets were dropped on arrival, and why as far as counters know."""
    dropped = sum(item.errors_in for item in sockets)
    if not dropped:
        return ""
    early = [item for item in sockets if item.stranger is not None and item.stranger.address in _addresses(media)]
    others = [item for item in sockets if item not in early]
    known = [
        (sum(item.strangers for item in early), "early", _newest(early)),
        (sum(item.strangers for item in others), "from strangers", _newest(others)),
        (sum(item.unkeyed for item in sockets), "before there were keys", ""),
        (sum(item.unauthenticated - item.unkeyed for item in sockets), "not authentic", ""),
        (sum(item.replayed for item in sockets), "received before", ""),
    ]
    rest = dropped - sum(count for count, _, _ in known)
    known.append((rest, "malformed, refused or too many at once", ""))
    reasons = [f"{count} {why}{where}" for count, why, where in known if count > 0]
    return f", dropped {dropped} ({' and '.join(reasons)})"


def _addresses(media: Media) -> frozenset[str]:
    """Where a party says that it is: what came from there while it had not said so was early, and nobody else's."""
    said = media.ice_said
    return media.plausible if said is None else media.plausible | {item.address for item in said.candidates}


def _newest(sockets: list[SocketCounters]) -> str:
    newest = next((item.stranger for item in sockets if item.stranger is not None), None)
    return f", the last one at {newest}" if newest is not None else ""


def details(call: Call, counters: dict[SocketId, SocketCounters], links: Links, now: int) -> str:
    """A call over several lines, for `list sessions CALLID` (§9.6). `now` is in wall-clock microseconds."""
    lines = [
        "",
        f"callid: {call.id}",
        f"created: {call.created // 1_000_000}",
        f"proxy: {call.created_from}",
        f"tos: {call.tos or 0}",
        f"last_signal: {call.last_signal // 1_000_000}",
    ]
    for leg in call.legs:
        seconds = (now - leg.created) / 1e6
        lines.append(f"--- Tag '{leg.tag}', label '{leg.label}', branch '{leg.via_branch}', callduration {seconds:.2f}")
        for media in leg.medias:
            lines.append(f"------ Media #{media.place + 1} ({media.kind} over {media.protocol})")
            if media.ports is not None:
                lines.append(f"-------- {_media(leg, media, counters, links)}")
    return "\n".join(lines) + "\n"
