"""What `query` says of the security of a media beyond the reference: who was verified by what, and what failed and why.

Said once there is something to say: a peer was heard of, or its absence was decided on. No key is in it.
"""

from ngdaemon.call.links import Link, Links, Slot
from ngdaemon.call.model import Leg, Media
from ngdaemon.dtls.component import Status
from ngdaemon.dtls.states import State
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
UNDECIDED = frozenset((Progress.WAITING, Progress.CHECKING))

NAMES = {RTP: "RTP", RTCP: "RTCP"}


def of_media(leg: Leg, media: Media, links: Links) -> Tree:
    """The tree for a media; empty where there is nothing to say. By component: `RTP`, and `RTCP` on its own port."""
    place = media.place if media.bundled is None else media.bundled
    tree: Tree = {}
    if media.security.refused:
        tree["refused"] = media.security.refused
    for component, name in NAMES.items():
        link = links.get(Slot(leg.id, place, component))
        found = _of_component(link) if link is not None else {}
        if found:
            tree[name] = found
    return tree


def _of_component(link: Link) -> Tree:
    tree: Tree = {}
    if link.status is not None and (link.status.received or link.status.state not in OPEN):
        tree["DTLS"] = _dtls(link.status)
    if link.progress is not None and link.progress not in UNDECIDED:
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
