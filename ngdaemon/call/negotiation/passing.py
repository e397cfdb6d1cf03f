"""Lines that pass as they came: medias that go by us (`ICE=optional`, `force-relay`), or through us unread."""

from ngdaemon.call.negotiation import candidates
from ngdaemon.call.negotiation.telling import MediaTelling
from ngdaemon.call.security import KEYING_ATTRIBUTES

RELAY_LEFT_OUT = frozenset(
    ("rtpengine", "candidate", "rtcp", "remote-candidates", "sendrecv", "sendonly", "recvonly", "inactive")
)
"""Attributes that do not pass as they are in `mode=relay`: all that says an address."""

MAX_LENT = 64
"""Attributes of the session part that each media is given: a description does not grow without bound (S11)."""

OWN_SESSION = frozenset(("ice-ufrag", "ice-pwd", "ice-options", "extmap", "extmap-allow-mixed"))
"""Attributes that may stand in the session part and belong to a media that passes as it is."""


def blind_candidates(telling: MediaTelling) -> list[str]:
    """Our addresses as more candidates of a media of which nothing but bytes pass, ICE included."""
    if "ice-ufrag" not in telling.section.names:
        return []
    of = telling.of
    return [f"a=candidate:{item}" for item in candidates.ours(telling.told, of.options.media_address)]


def passing_attributes(telling: MediaTelling) -> list[str]:
    """All attributes that say no address, keys among them, as they came (RFC 7879 §5.1.1)."""
    return [f"a={item}" for item in telling.section.attributes if item.name not in RELAY_LEFT_OUT]


def passing_candidates(telling: MediaTelling) -> list[str]:
    """Our addresses in place of the sender's: its checks pass through them, with its own credentials."""
    if (
        not telling.section.names.keys() & {"ice-ufrag", "candidate"}
        and "ice-ufrag" not in telling.of.description.session.names
    ):
        return []
    of = telling.of
    return [f"a=candidate:{item}" for item in candidates.ours(telling.told, of.options.media_address)]


def own_media(telling: MediaTelling) -> list[str]:
    """`m=` of a media that passes us by: the sender's port."""
    section, told = telling.section, telling.told
    return [f"m={told.kind} {section.port} {told.protocol} {' '.join(section.formats) or '0'}"]


def own_connection(telling: MediaTelling) -> list[str]:
    """`c=`: the sender's address."""
    connection = telling.of.description.connection_of(telling.section)
    return [] if connection is None else [f"c=IN {connection.family.value} {connection.address}"]


def own_attributes(telling: MediaTelling) -> list[str]:
    """All attributes as they came, and those of the session that were left out there."""
    lines = [f"a={item}" for item in telling.section.attributes if item.name != "rtpengine"]
    missing = (KEYING_ATTRIBUTES | OWN_SESSION) - telling.section.names.keys()
    return [*lines, *(f"a={item}" for item in telling.of.description.session.named(missing)[:MAX_LENT])]


def added_candidates(telling: MediaTelling) -> list[str]:
    """Our addresses as more candidates."""
    if telling.told.ice is None:
        return []
    of = telling.of
    found = candidates.beside(telling.told, telling.said, of.options.media_address)
    return [f"a=candidate:{item}" for item in found]
