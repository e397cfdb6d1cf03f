"""`o=` toward a leg, with the `replace` options that keep it steady (ng-protocol.md §4.9)."""

from ngdaemon.base.endpoint import family_of
from ngdaemon.base.sources import Rng
from ngdaemon.call.model import SentOrigin
from ngdaemon.sdp.session import Origin, is_number

OWN_VERSION = frozenset(("sdp-version", "origin-full", "force-increment-sdp-ver"))
"""Options that make the version ours."""

VERSION_LIMIT = 1 << 64


def made_origin(rng: Rng, local: str) -> Origin:
    """An `o=` of our own where there is no sender, or one that gave none. `local` is our advertised address."""
    return Origin("-", _number(rng), _number(rng), "IN", family_of(local).value, local)


def _number(rng: Rng) -> str:
    """A session id of 63 bits (RFC 8866 §5.2)."""
    return str(int.from_bytes(rng.bytes(8)) >> 1)


def told_origin(said: Origin, wanted: frozenset[str], sent: SentOrigin | None, local: str) -> Origin:
    """The `o=` fields toward a leg, still with the sender's version.

    `local` is our advertised address toward the leg. With `origin` the leg keeps the address that it was told last,
    also when that was not ours.
    """
    if sent is not None and ("username" in wanted or "origin-full" in wanted):
        said = said._replace(username=sent.username)
    if sent is not None and "origin-full" in wanted:
        said = said._replace(session_id=sent.session_id)
    if "origin" in wanted or "origin-full" in wanted:
        if sent is not None:
            said = said._replace(family=sent.family, address=sent.address)
        else:
            said = said._replace(family=family_of(local).value, address=local)
    return said


def versioned(
    origin: Origin, wanted: frozenset[str], sent: SentOrigin | None, lines: list[str]
) -> tuple[Origin, SentOrigin]:
    """The origin with the version that the leg is to see, and what must be remembered for the next time.

    `lines` are those of the whole description, of which the second is the `o=` line.
    """
    ours = bool(wanted & OWN_VERSION)
    body = "\n".join((str(origin._replace(version="")), *lines[2:])) if ours else ""
    if sent is None:
        version = int(origin.version) if is_number(origin.version) else 0
        memory = SentOrigin(origin.username, origin.session_id, version, origin.family, origin.address, body)
        return (origin._replace(version=str(version)) if ours else origin), memory
    if not ours:
        return origin, sent._replace(family=origin.family, address=origin.address)
    version = sent.version
    if "force-increment-sdp-ver" in wanted or (sent.body and body != sent.body):
        version = (version + 1) % VERSION_LIMIT
    return origin._replace(version=str(version)), sent._replace(
        version=version, body=body, family=origin.family, address=origin.address
    )
