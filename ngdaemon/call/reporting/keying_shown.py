"""How a media is keyed, in the words of `query` (ng-protocol.md §6.1): what is agreed, else what is on the table."""

from ngdaemon.call.model import Media
from ngdaemon.call.negotiation.keying import setup_of
from ngdaemon.call.security import Keying
from ngdaemon.dtls.roles import role_for_offer


def words(media: Media) -> list[str]:
    """Flags of the media."""
    kinds = _kinds(media)
    if Keying.DTLS in kinds:
        return [Keying.DTLS.value, *(f"DTLS role {role}" for role in _roles(media))]
    return [Keying.SDES.value] if kinds else []


def suite(media: Media) -> str:
    """The crypto suite of SDES; "" for none. While several are offered it is the first one."""
    security = media.security
    if _kinds(media) != {Keying.SDES}:
        return ""
    line = security.pair.ours if security.pair is not None else next(iter(security.lines), None)
    return "" if line is None else line.suite.name


def _kinds(media: Media) -> set[Keying]:
    """How keys are agreed on, or may be: as we have offered it, or as the leg has and was not answered yet."""
    security = media.security
    if security.keying is not None:
        return {security.keying}
    if media.is_answered:
        return set()
    if not media.said:
        return set(security.offered)
    said = security.said
    return ({Keying.DTLS} if said.fingerprints else set()) | ({Keying.SDES} if said.cryptos else set())


def _roles(media: Media) -> list[str]:
    """The roles in DTLS that we may have."""
    security = media.security
    if security.association is not None:
        return [security.association.role.value]
    if not media.said:
        return ["active", "passive"]
    role = role_for_offer(setup_of(security.said))
    return [] if role is None else [role.value]
