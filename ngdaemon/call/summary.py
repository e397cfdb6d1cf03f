"""The one log line that sums up a call at its end."""

from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call, Media
from ngdaemon.media.forwarder import SocketCounters

NO_COUNTERS = SocketCounters()


def summary(call: Call, counters: dict[SocketId, SocketCounters], ending: str, duration: float) -> str:
    """`call ended (REGULAR) after 12.3 s: a → b: audio …`, each leg with what it sent and where it was."""
    parts = [
        f"{leg.tag or '(untagged)'} {media.kind}: {_media(media, counters)}"
        for leg in call.legs
        for media in leg.medias
        if media.ports is not None and (media.said or _packets(media, counters))
    ]
    detail = "; ".join(parts) if parts else "no media"
    return f"call ended ({ending}) after {duration:.1f} s: {detail}"


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
    dropped = rtp.errors_in
    if media.ports.rtcp is not None:
        dropped += counters.get(media.ports.rtcp.socket, NO_COUNTERS).errors_in
    return f"{text}, dropped {dropped}" if dropped else text


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
