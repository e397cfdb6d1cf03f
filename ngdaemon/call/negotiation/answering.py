"""What a leg's answer about keys is worth, and what a leg that offered keys is answered."""

from typing import Any

from ngdaemon.base.sources import Rng
from ngdaemon.call.negotiation import causes
from ngdaemon.call.negotiation.causes import Cause, Refused
from ngdaemon.call.negotiation.keying import (
    OFFERED,
    PARAMETERS,
    Policy,
    can_dtls,
    filtered,
    fingerprint_cause,
    fresh_key,
    fresh_tls_id,
    hashes,
    lines_cause,
    named,
    setup_of,
    unusable,
    usable_fingerprints,
    usable_lines,
    weakening,
)
from ngdaemon.call.security import Association, Keying, Pair, Said, Security
from ngdaemon.dtls.roles import Role, role_after_answer, role_for_offer, verdict_on_answer, verdict_on_offer
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import Protocol
from ngdaemon.srtp.sdes import Crypto

SDES_FIRST = frozenset(("prefer", "priority"))
"""Words of `SDES` that make it the choice where DTLS is offered as well."""

# --------------------------------------------------------------------------------- what a leg answered to what we told


def chosen(security: Security, said: Said, protocol: Protocol, options: Options, policy: Policy) -> Security:
    """The leg has answered what it was offered. Raises Refused where a secure profile is left without keys, and
    where those of the answer cannot be used.

    With both kinds in the answer DTLS is taken, unless the script says `DTLS=off` (OSR-07). Without any the media of a
    clear profile is clear (OSR-01), but not for a leg that has keys and was offered some again (OSR-02). What was
    offered stays to be chosen from: an answer may follow that takes it.
    """
    told = _told(security)
    pair = _answered_pair(security, said, policy) if Keying.SDES in told else None
    if Keying.DTLS in told and not ("off" in options.dtls and pair is not None):
        association = _answered_association(security, said, policy)
        if association is not None:
            return _agreed_dtls(security, said, association)
    if pair is not None:
        return _agreed_sdes(security, said, pair)
    if protocol.secure or (told and said.asked) or _keeps_keys(security):  # who answers with keys takes it for secured
        raise Refused(_why(security, said, policy))
    return security._replace(
        said=said, keying=None, offered=frozenset(), pair=None, former=(), association=None, required=False
    )


def _told(security: Security) -> set[Keying]:
    """What the leg was offered last, if that was not its own offer's answer."""
    if security.settled:
        return set()
    return {kind for kind, told in ((Keying.SDES, security.lines), (Keying.DTLS, security.setup == OFFERED)) if told}


def _keeps_keys(security: Security) -> bool:
    """Whether the leg has keys, and was told some with what we told it last, an offer or an answer.

    Only an offer without keys, which the script must have asked for, leads back to clear media: no answer that comes
    late, or that nobody asked for.
    """
    return security.keying is not None and bool(security.lines or security.setup)


def _why(security: Security, said: Said, policy: Policy) -> Cause:
    """What is wrong with an answer."""
    told = _told(security)
    if Keying.DTLS in told and said.certified:
        return causes.SETUP if usable_fingerprints(said, policy) else fingerprint_cause(said)
    if not said.asked:
        return causes.CLEAR
    if Keying.SDES not in told or (said.certified and not said.cryptos):
        return causes.NOT_OFFERED
    return causes.OTHER_LINE if usable_lines(said, policy) else lines_cause(said)


def _answered_pair(security: Security, said: Said, policy: Policy) -> Pair | None:
    """The SDES keys that an answer chooses: its first line must be one of those offered, by tag and suite (SDES-03).

    What takes protection away binds both directions, and is repeated in the answer (SDES-06).
    """
    theirs = next(iter(usable_lines(said, policy)), None)
    if theirs is None:
        return None
    ours = next((line for line in security.lines if line.tag == theirs.tag and line.suite == theirs.suite), None)
    return Pair(ours, theirs) if ours is not None and set(weakening(ours)) == set(weakening(theirs)) else None


def _answered_association(security: Security, said: Said, policy: Policy) -> Association | None:
    fingerprints, before = frozenset(usable_fingerprints(said, policy)), security.association
    if not fingerprints:
        return None
    if before is None:
        role = role_after_answer(setup_of(said))
    else:
        same = (before.fingerprints, before.their_tls_id) == (fingerprints, said.tls_id)
        role = verdict_on_answer(setup_of(said), before.role, same).role
    return Association(role, fingerprints, security.tls_id, said.tls_id) if role is not None else None


def _agreed_dtls(security: Security, said: Said, association: Association, **told: Any) -> Security:
    """DTLS is agreed on; `told` are more fields that change."""
    return security._replace(
        said=said, keying=Keying.DTLS, required=True, pair=None, former=(), association=association, **told
    )


def _agreed_sdes(security: Security, said: Said, pair: Pair) -> Security:
    before = security.pair
    former = before.theirs.all_keys() if before is not None and before.theirs.keys != pair.theirs.keys else ()
    return security._replace(said=said, keying=Keying.SDES, required=True, pair=pair, former=former, association=None)


# --------------------------------------------------------------------------------------------- what a leg is answered


def answer(
    security: Security,
    answerer: Security,
    protocol: Protocol,
    options: Options,
    policy: Policy,
    rng: Rng,
    *,
    moved: bool,
    opportunistic: bool,
) -> Security:
    """What an offerer is told about keys: exactly one kind, and one line of it. Raises Refused.

    In a plain profile it is told so only if that is `opportunistic`: it asked for keys, and they are accepted.
    """
    said = security.said
    if not protocol.secure and (not opportunistic or unusable(said, policy)):
        return _cleared(security)
    line = _answerable_line(security, answerer, options, policy)
    sdes_first = line is not None and (SDES_FIRST.intersection(security.words) or "off" in options.dtls)
    if can_dtls(said, policy) and not sdes_first:
        return _answer_dtls(security, options, policy, rng)
    if line is None:
        raise Refused(unusable(said, policy) or causes.UNPROTECTED)
    ours = _answered_line(security, line, rng, moved=moved)
    agreed = _agreed_sdes(security, said, Pair(ours, line))
    return agreed._replace(lines=(ours,), offered=frozenset(), setup="", hashes=(), tls_id_told=False, settled=True)


def _cleared(security: Security) -> Security:
    """Clear media, agreed on."""
    return security._replace(
        keying=None,
        offered=frozenset(),
        required=False,
        lines=(),
        pair=None,
        former=(),
        setup="",
        hashes=(),
        tls_id_told=False,
        association=None,
    )


def _answer_dtls(security: Security, options: Options, policy: Policy, rng: Rng) -> Security:
    said, before = security.said, security.association
    prefer = security.role_wanted or (Role.PASSIVE if policy.passive else Role.ACTIVE)
    usable = usable_fingerprints(said, policy)
    fingerprints = frozenset(usable)
    role = role_for_offer(setup_of(said), prefer)
    if before is not None:
        unchanged = (before.fingerprints, before.their_tls_id) == (fingerprints, said.tls_id)
        role = verdict_on_offer(setup_of(said), before.role, unchanged, prefer).role
    if role is None:
        raise Refused(causes.SETUP)
    same = before is not None and (before.role, before.fingerprints, before.their_tls_id) == (
        role,
        fingerprints,
        said.tls_id,
    )
    tls_id = security.tls_id if same and security.tls_id else fresh_tls_id(rng)
    return _agreed_dtls(
        security,
        said,
        Association(role, fingerprints, tls_id, said.tls_id),
        offered=frozenset(),
        lines=(),
        setup=role.value,
        hashes=hashes(
            next(iter(security.hashes), None) or next((item.hash for item in usable), None) or options.dtls_fingerprint
        ),
        tls_id=tls_id,
        tls_id_told=bool(said.tls_id) and Flag.NO_TLS_ID not in options.flags,
    )


def _answerable_line(security: Security, answerer: Security, options: Options, policy: Policy) -> Crypto | None:
    """The line of the offerer that is answered: `offerer_pref`, `static`, the answerer's suite, the first one."""
    taken = _taken_back(security.words)
    lines = tuple(_without(line, taken) if taken else line for line in usable_lines(security.said, policy))
    if not lines:
        return None
    if "nonew" not in security.words:
        lines = tuple(filtered(lines, security.words)) or lines[:1]
    words = (*options.sdes, *security.words)
    for name in named("offerer_pref:", words):
        for line in lines:
            if line.suite.name == name:
                return line
    pair = security.pair
    if pair is not None and (security.settled or "static" in words):
        for line in lines:
            if (line.tag, line.suite) == (pair.theirs.tag, pair.theirs.suite):
                return line
    if answerer.pair is not None:
        for line in lines:
            if line.suite == answerer.pair.ours.suite:
                return line
    return lines[0]


def _taken_back(words: tuple[str, ...]) -> set[str]:
    """The session parameters that the script does not accept."""
    return {PARAMETERS[f"un{word}"] for word in words if f"un{word}" in PARAMETERS}


def _without(line: Crypto, taken: set[str]) -> Crypto:
    """The line of an offer as we answer it: what protects one direction protects both (SDES-06)."""
    return line._replace(parameters=tuple(item for item in line.parameters if item not in taken))


def _answered_line(security: Security, line: Crypto, rng: Rng, *, moved: bool) -> Crypto:
    """Our line of an answer: tag and suite of the offerer's, a key of ours that stays while nothing changes."""
    pair = security.pair
    parameters = weakening(line)
    if pair is not None and not moved and (pair.ours.tag, pair.ours.suite) == (line.tag, line.suite):
        return pair.ours._replace(parameters=parameters)
    return Crypto(line.tag, line.suite, (fresh_key(line.suite, rng),), parameters)
