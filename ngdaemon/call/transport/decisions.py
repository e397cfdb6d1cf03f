"""One log line for each decision of ICE and DTLS: who was verified by what, who was refused, what failed and why."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.throttle import with_count
from ngdaemon.call.links import Link
from ngdaemon.call.model import Call
from ngdaemon.call.transport.transport import Happened, Transport
from ngdaemon.dtls import states as dtls
from ngdaemon.dtls.component import ICE_PATH
from ngdaemon.ice import report as ice
from ngdaemon.ice.candidate import RTCP
from ngdaemon.ice.session import PATIENCE
from ngdaemon.sdp.protocols import kind_shown

ice_logger = logging.getLogger("ngdaemon.ice")
crypto_logger = logging.getLogger("ngdaemon.crypto")


class Line(NamedTuple):
    """How a kind of event is logged."""

    logger: logging.Logger
    level: int
    text: Callable[[Any, Link], str]


def log(call: Call, transport: Transport, happened: Happened) -> None:
    """Log what happened to a component of a media, if the network does not make us log too much of it (S06)."""
    kind = type(happened.event)
    line = LINES[kind]
    if not line.logger.isEnabledFor(line.level):
        return
    held_back = transport.lines.passes(f"{kind.__name__} {happened.component}", happened.at)
    if held_back is None:
        return
    speaking = call.leg(transport.leg)
    what = kind_shown(speaking.medias[transport.place].kind) + (" RTCP" if happened.component == RTCP else "")
    text = line.text(happened.event, transport.shown_of(happened.component))
    text = with_count(text, held_back)
    line.logger.log(line.level, "%s: %s", what, text, extra={"call": call.id, "tag": speaking.tag})


def _peer(path: Endpoint, link: Link) -> str:
    """Where the other end of a handshake is; with ICE that of the pair in use."""
    if path != ICE_PATH:
        return str(path)
    return str(link.path.remote) if link.path is not None else "the peer"


def _verified(event: dtls.Established, link: Link) -> str:
    status = link.status
    if status is None:
        return f"DTLS verified with {_peer(event.path, link)}"
    role = f", we are {status.role.value}" if status.role is not None else ""
    took = f" in {status.verify_seconds * 1000:.0f} ms" if status.verify_seconds is not None else ""
    return f"DTLS verified with {_peer(event.path, link)}{took}: {status.profile}{role}, certificate {status.seen}"


def _refused(event: dtls.Mismatch, link: Link) -> str:
    expected = " or ".join(link.status.expected) if link.status is not None else ""
    seen = event.seen.text()
    return f"DTLS refused {_peer(event.path, link)}: its certificate is {seen}, signalled is {expected or 'none'}"


def _failed(event: dtls.Failed, link: Link) -> str:
    status = link.status
    alert = f", last alert {status.alert}" if status is not None and status.alert else ""
    return f"DTLS failed with {_peer(event.path, link)}: {event.reason}{alert}{_datagrams(link)}"


def _unheard(event: dtls.Unheard, link: Link) -> str:
    peer = _peer(event.path, link)
    return f"DTLS: no ClientHello from {peer} in {event.seconds:.0f} s, media waits for it{_datagrams(link)}"


def _datagrams(link: Link) -> str:
    status = link.status
    if status is None:
        return ""
    return f"; datagrams: {status.received} received, {status.sent} sent, {status.dropped} dropped"


def _alerted(event: dtls.Alerted, link: Link) -> str:
    return (
        f"DTLS alert {event.alert} from {_peer(event.path, link)} during the handshake: not authentic and not obeyed; "
        f"if it is the peer's own, the handshake will time out"
    )


def _tried(tried: ice.Tried) -> str:
    """What there was to find a pair with, and in which direction nothing passed."""
    heard = "checks of the peer come" if tried.heard else "no check of the peer came"
    if tried.lite:
        return heard
    named, unusable = tried.candidates, tried.unusable
    if named:
        text = f"no answer from {named} candidate{'s' * (named != 1)}"
        text += f", {unusable} more cannot be checked" if unusable else ""
    elif unusable:
        text = f"none of its {unusable} candidates can be checked, names or forbidden addresses"
    else:
        text = "it named no candidate"
    return f"{text}; {heard}"


LINES: dict[type, Line] = {
    dtls.Established: Line(crypto_logger, logging.INFO, _verified),
    dtls.Mismatch: Line(crypto_logger, logging.WARNING, _refused),
    dtls.Failed: Line(crypto_logger, logging.WARNING, _failed),
    dtls.Unheard: Line(crypto_logger, logging.WARNING, _unheard),
    dtls.Alerted: Line(crypto_logger, logging.WARNING, _alerted),
    dtls.Closed: Line(crypto_logger, logging.INFO, lambda event, link: f"DTLS closed by {_peer(event.path, link)}"),
    dtls.Held: Line(
        crypto_logger,
        logging.INFO,
        lambda event, link: f"DTLS done with {_peer(event.path, link)}, unverified until the answer: media waits",
    ),
    dtls.Retired: Line(
        crypto_logger, logging.DEBUG, lambda event, link: f"DTLS association with {_peer(event.path, link)} is over"
    ),
    ice.Selected: Line(
        ice_logger, logging.INFO, lambda event, _: f"ICE selected {event.pair.remote}, from {event.pair.local}"
    ),
    ice.Usable: Line(
        ice_logger, logging.DEBUG, lambda event, _: f"ICE pair works: {event.pair.remote}, from {event.pair.local}"
    ),
    ice.Failed: Line(
        ice_logger,
        logging.WARNING,
        lambda event, _: f"ICE failed: no pair of candidates works in {PATIENCE:.0f} s: {_tried(event.tried)}",
    ),
    ice.Unanswered: Line(
        ice_logger,
        logging.WARNING,
        lambda event, _: f"ICE: no pair of candidates works for {PATIENCE:.0f} s: {_tried(event.tried)}; media waits",
    ),
    ice.ConsentLost: Line(
        ice_logger, logging.WARNING, lambda _event, _: "ICE consent lost: nothing is sent before ICE is restarted"
    ),
    ice.RoleSwitched: Line(
        ice_logger,
        logging.INFO,
        lambda event, _: f"ICE: we are {'controlling' if event.controlling else 'controlled'} now",
    ),
    ice.Restarted: Line(ice_logger, logging.INFO, lambda _event, _: "ICE restarted by the peer"),
}
"""Each event of a transport has a line."""
