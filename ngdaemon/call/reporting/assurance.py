"""What became of the security of a media: in `query`, beyond the reference, and in a few words for the log.

Who was verified by what, and what failed and why; from when ICE or DTLS is agreed on with the peer, or it was heard of.
No key is in it.
"""

from collections.abc import Iterator

from ngdaemon.call import facing
from ngdaemon.call.links import NO_LINK, Link, Links, Slot
from ngdaemon.call.model import Leg, Media
from ngdaemon.call.reporting import keying_shown
from ngdaemon.call.security import CLEAR, Keying
from ngdaemon.dtls.component import Status
from ngdaemon.dtls.states import KEYS_USABLE, State
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.ice.report import Progress

Tree = dict[str, object]

VERDICTS = {
    State.NEW: "pending",
    State.HANDSHAKING: "pending",
    State.KEYED: "pending",
    State.VERIFIED: "verified",
    State.DRAINING: "verified",
    State.REJECTED: "mismatch",
    State.CLOSED: "closed",
    State.FAILED: "failed",
}
"""What a state means for who reads `query` (FP-14)."""

OPEN = frozenset((State.NEW, State.HANDSHAKING))

ICE_WORDS = {
    Progress.WAITING: "ICE waits for an answer",
    Progress.CHECKING: "ICE checking",
    Progress.USABLE: "ICE works",
    Progress.SELECTED: "ICE selected",
    Progress.CONSENT_LOST: "ICE consent lost",
    Progress.FAILED: "ICE failed",
}
"""Short for the log."""

NAMES = {RTP: "RTP", RTCP: "RTCP"}


def of_media(leg: Leg, media: Media, links: Links) -> Tree:
    """The tree for a media; empty where there is nothing to say. By component: `RTP`, and `RTCP` on its own port."""
    tree: Tree = {}
    if media.security.refused:
        tree["refused"] = media.security.refused
    for name, link in _links(leg, media, links):
        if found := _of_component(link):
            tree[name] = found
    return tree


def _links(leg: Leg, media: Media, links: Links) -> Iterator[tuple[str, Link]]:
    """The components that a media, or the one whose transport it shares, has ports of its own for."""
    carrier = facing.carrier(leg, media)
    for component, name in NAMES.items():
        if component == RTP or not (carrier.muxed or carrier.ports is None or carrier.ports.rtcp is None):
            yield name, links.get(Slot(leg.id, carrier.place, component), NO_LINK)


def in_words(leg: Leg, media: Media, links: Links) -> str:
    """How a media is or was to be secured and how far that came: `DTLS pending (last alert …), ICE selected`.

    "" for a media without keys and ICE.
    """
    security = media.security
    if security is CLEAR and media.ice is None:
        return ""
    if security.refused:
        return f"refused: {security.refused}"
    found = {name: _words(link) for name, link in _links(leg, media, links)}
    text = found[NAMES[RTP]]
    rtcp = found.get(NAMES[RTCP], text)
    if rtcp != text:
        text = f"{text}, RTCP: {rtcp}"
    keys = ""
    if security.keying is Keying.SDES:
        keys = f"SDES {keying_shown.suite(media)}"
    elif security.keying is None and (security.offered or security.said.asked):
        keys = "no keys agreed"
    return ", ".join(item for item in (keys, text) if item)


def _words(link: Link) -> str:
    words = []
    status = link.status
    if status is not None:
        done = status.state in KEYS_USABLE
        heard = "" if done or status.received else "nothing heard"
        alert = f"last alert {status.alert}" if status.alert and status.alert != status.reason else ""
        why = (heard, status.reason, alert)
        detail = "; ".join(item for item in why if item)
        words.append(f"DTLS {VERDICTS[status.state]}{done * f' {status.profile}'}{detail and f' ({detail})'}")
    if link.progress is not None:
        words.append(ICE_WORDS[link.progress])
    return ", ".join(words)


def _of_component(link: Link) -> Tree:
    tree: Tree = {}
    status = link.status
    if status is not None and (status.received or status.role is not None or status.state not in OPEN):
        tree["DTLS"] = _dtls(status)
    if link.progress is not None and link.progress is not Progress.WAITING:
        tree["ICE"] = _ice(link, link.progress)
    return tree


def _dtls(status: Status) -> Tree:
    """The handshake of a component. Times are milliseconds."""
    tree: Tree = {
        "state": status.state.value,
        "verdict": VERDICTS[status.state],
        "role": status.role.value if status.role is not None else "",
        "hash": status.hash,
        "expected": list(status.expected),
        "seen": status.seen,
        "suite": status.profile,
        "received": status.received,
        "sent": status.sent,
        "dropped": status.dropped,
    }
    if status.verify_seconds is not None:
        tree["verified after"] = round(status.verify_seconds * 1000)
    if status.alert:
        tree["last alert"] = status.alert
    if status.reason:
        tree["reason"] = status.reason
    return tree


def _ice(link: Link, progress: Progress) -> Tree:
    tree: Tree = {"state": progress.value}
    if link.path is not None:
        tree["remote"] = str(link.path.remote)
    return tree
