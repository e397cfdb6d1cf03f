"""`o=` and `s=` toward a leg, with the `replace` options that keep them steady (ng-protocol.md §4.9)."""

from dataclasses import replace

from ngdaemon.base.endpoint import Family, family_of
from ngdaemon.call.model import SentOrigin
from ngdaemon.sdp.session import Origin, SessionDescription

KEEP_VERSION = frozenset(("sdp-version", "origin-full", "force-increment-sdp-ver"))
VERSION_LIMIT = 1 << 64


def told_origin(
    description: SessionDescription, wanted: frozenset[str], sent: SentOrigin | None, local: str, fallback: Origin
) -> tuple[Origin, str]:
    """The `o=` fields (with the sender's version) and `s=` value toward a leg.

    `local` is our advertised address toward it, `fallback` stands in for a missing `o=`.
    """
    origin = description.origin or fallback
    name = description.session.first("s")
    session_name = name if name is not None else ""
    if sent is not None:
        if "username" in wanted or "origin-full" in wanted:
            origin = origin._replace(username=sent.username)
        if "origin-full" in wanted:
            origin = origin._replace(session_id=sent.session_id)
        if "session-name" in wanted:
            session_name = sent.session_name
    if ("origin" in wanted or "origin-full" in wanted) and local:
        origin = origin._replace(family=family_of(local).value, address=local)
    return origin, session_name


def versioned(
    origin: Origin, wanted: frozenset[str], sent: SentOrigin | None, session_name: str, lines: list[str]
) -> tuple[Origin, SentOrigin]:
    """The origin with the version that the receiver is to see, and what must be remembered for the next time."""
    version = int(origin.version) if origin.version.isascii() and origin.version.isdigit() else 0
    ours = bool(wanted & KEEP_VERSION)
    body = "\n".join(lines[2:]) if ours else ""
    if sent is None:
        memory = SentOrigin(origin.username, origin.session_id, version, origin.address, session_name, body)
        return origin, memory
    if not ours:
        return origin, replace(sent, body=body, version=sent.version)
    version = sent.version
    if "force-increment-sdp-ver" in wanted or body != sent.body:
        version = (version + 1) % VERSION_LIMIT
    return origin._replace(version=str(version)), replace(sent, version=version, body=body)


def made_origin(session_id: str, version: str, family: Family, address: str) -> Origin:
    """An `o=` of our own, for senders that gave none."""
    return Origin("-", session_id, version, "IN", family.value, address)
