"""The one log line that sums up a call at its end."""

from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call, Media
from ngdaemon.media.forwarder import SocketCounters

NO_COUNTERS = SocketCounters()


def summary(call: Call, counters: dict[SocketId, SocketCounters], ending: str, duration: float, cause: str = "") -> str:
    """`call ended (REGULAR) after 12.3 s: a audio: …`, each leg with what it sent and where it was."""
    parts = [
        f"{leg.tag or '(untagged)'} {media.kind}: {_media(media, counters)}"
        for leg in call.legs
        for media in leg.medias
        if media.ports is not None and (media.said or _packets(media, counters))
    ]
    detail = "; ".join(parts) if parts else "no media"
    return f"call ended ({ending}) after {duration:.1f} s{cause and ', '}{cause}: {detail}"


def _packets(media: Media, counters: dict[SocketId, SocketCounters]) -> int:
    return sum(counters.get(port.socket, NO_COUNTERS).packets_in for port in media.ports.ports) if media.ports else 0


def _media(media: Media, counters: dict[SocketId, SocketCounters]) -> str:
    """What one leg sent, how much of it was lost on its way to us, and what was dropped."""
    assert media.ports is not None
    rtp = counters.get(media.ports.rtp.socket, NO_COUNTERS)
    local = f"{media.ports.interface.address}:{media.ports.rtp.port}"
    peer = rtp.peer or media.rtp
    lost = sum(source.lost for source in rtp.sources)
    text = (
        f"{peer or 'nowhere'} <> {local}, in {rtp.packets_in} packets {rtp.bytes_in} bytes, lost {lost}, "
        f"out {rtp.packets_out} packets {rtp.bytes_out} bytes"
    )
    dropped = _dropped([counters.get(port.socket, NO_COUNTERS) for port in media.ports.ports])
    if media.said and media.active and media.sends and not _received(media, counters):
        text += ", nothing of it accepted" if dropped else ", never sent"
    return text + dropped


def _received(media: Media, counters: dict[SocketId, SocketCounters]) -> bool:
    """Whether anything was accepted of a media, at its former ports too."""
    ports = (port for item in media.port_sets for port in item.ports)
    return any(counters.get(port.socket, NO_COUNTERS).packets_in for port in ports)


def _dropped(counted: list[SocketCounters]) -> str:
    """How many packets were dropped on arrival, and why as far as counters know."""
    dropped = sum(item.errors_in for item in counted)
    if not dropped:
        return ""
    strangers = sum(item.strangers for item in counted)
    reasons = []
    if strangers:
        newest = next((item.stranger for item in counted if item.stranger is not None), None)
        reasons.append(f"{strangers} from strangers" + (f", the last one at {newest}" if newest is not None else ""))
    if dropped > strangers:
        reasons.append(f"{dropped - strangers} malformed, refused or too many at once")
    return f", dropped {dropped} ({' and '.join(reasons)})"


def details(call: Call, counters: dict[SocketId, SocketCounters], now: int) -> str:
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
                lines.append(f"-------- {_media(media, counters)}")
    return "\n".join(lines) + "\n"
