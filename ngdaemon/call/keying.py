"""Offer and answer of keys: SDES (RFC 4568), DTLS-SRTP (RFC 5763), and either of them in a plain profile (RFC 8643).

Each leg stands alone: what one leg says about keys decides at most which suites the other one is offered.

A leg that is offered something gets `offer`; its answer is judged by `chosen`. A leg that offered something itself is
judged by `unusable`, and gets `answer`. None of them touches a socket, and the words are those of ng-protocol.md §3.7.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.sources import Rng
from ngdaemon.call.security import Association, Keying, Pair, Said, Security
from ngdaemon.config import Config
from ngdaemon.dtls.fingerprint import DEFAULT_HASH, Fingerprint
from ngdaemon.dtls.roles import (
    Role,
    Setup,
    parse_setup,
    role_after_answer,
    role_for_offer,
    verdict_on_answer,
    verdict_on_offer,
)
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import Protocol
from ngdaemon.srtp.sdes import UNAUTHENTICATED, UNENCRYPTED, UNENCRYPTED_RTCP, Crypto, Key
from ngdaemon.srtp.suites import ROWS, SUITES, Suite, suite_of

TLS_ID_OCTETS = 16
"""128 random bits, 32 characters (TID-01)."""
MAX_TAG = 999_999_999
OFFERED = Setup.ACTPASS.value
"""The `a=setup` of an offer."""

STRONG = frozenset(
    SUITES[name]
    for name in ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")
)
"""What is offered unless a flag or the offerer asks for more (SDES-18)."""

SDES_FIRST = frozenset(("prefer", "priority"))
"""Words of `SDES` that make it the choice where DTLS is offered as well."""

PARAMETERS = {
    "unencrypted_srtp": UNENCRYPTED,
    "unencrypted_srtcp": UNENCRYPTED_RTCP,
    "unauthenticated_srtp": UNAUTHENTICATED,
}
"""Words of `SDES` that add a session parameter."""


class Policy(NamedTuple):
    """What the operator allows."""

    suites: frozenset[Suite] = STRONG
    """Offered by default."""
    null: bool = False
    """Suites without encryption may be agreed on."""
    weakened: bool = False
    """Session parameters that take protection away may be agreed on."""
    sha1: bool = False
    """A certificate may be known by its SHA-1 alone (FP-05)."""
    passive: bool = False
    """We take the passive role where we may choose (`dtls-passive`)."""


def policy_of(config: Config) -> Policy:
    """The policy that the settings make."""
    weak = config.allow_weak
    return Policy(
        suites=frozenset(ROWS) if "suites" in weak else STRONG,
        null="null" in weak,
        weakened="unprotected" in weak,
        sha1="sha-1" in weak,
        passive=config.dtls_passive,
    )


class Refused(Exception):
    """A media that cannot be secured as asked; the text is what ERR-03 to ERR-06 call it."""


# ------------------------------------------------------------------------------------------------ what a leg offered


def usable_fingerprints(said: Said, policy: Policy) -> tuple[Fingerprint, ...]:
    """The fingerprints that a certificate may be known by (FP-05)."""
    return tuple(item for item in said.fingerprints if policy.sha1 or item.hash != "sha-1")


def usable_lines(said: Said, policy: Policy) -> tuple[Crypto, ...]:
    """The `a=crypto` lines that may be answered, or are an answer (SDES-06)."""
    return tuple(item for item in said.cryptos if item.is_usable(null=policy.null, weakened=policy.weakened))


def unusable(said: Said, policy: Policy) -> str:
    """Why an offer of a secure profile cannot be secured; "" if it can."""
    if usable_lines(said, policy):
        return ""
    if not usable_fingerprints(said, policy):
        return "fingerprint" if said.certified else "keying"
    return "" if role_for_offer(setup_of(said)) else "setup"


def _can_dtls(said: Said, policy: Policy) -> bool:
    return bool(usable_fingerprints(said, policy)) and role_for_offer(setup_of(said)) is not None


def setup_of(said: Said) -> Setup | None:
    """What `a=setup` says."""
    return parse_setup(said.setup or None)


# --------------------------------------------------------------------------------------------- what a leg is offered


def offer(
    security: Security,
    sender: Security,
    protocol: Protocol,
    options: Options,
    policy: Policy,
    rng: Rng,
    *,
    moved: bool,
    opportunistic: bool,
) -> Security:
    """What the receiver of an offer is told about keys.

    `moved`: it is told other ports than before (SDES-12). `opportunistic`: keys are offered in a plain profile as well.

    Raises Refused where a secure profile is to be offered and every way to get keys is switched off.
    """
    kinds = _kinds(security, options) if protocol.secure or opportunistic else set()
    if protocol.secure and not kinds:
        raise Refused("keying")
    lines: tuple[Crypto, ...] = ()
    if Keying.SDES in kinds:
        lines = _offered_lines(security, sender.said, options, policy, rng, moved=moved)
        if not lines:
            kinds.discard(Keying.SDES)
            if protocol.secure and not kinds:
                raise Refused("keying")
    dtls = Keying.DTLS in kinds
    return security._replace(
        offered=frozenset(kinds),
        required=protocol.secure or (security.keying is not None and bool(kinds)),
        lines=lines,
        setup=OFFERED if dtls else "",
        settled=False,
        tls_id=(security.tls_id or _fresh_tls_id(rng)) if dtls else security.tls_id,
        tls_id_told=dtls and Flag.NO_TLS_ID not in options.flags,
        hashes=_hashes(options.dtls_fingerprint or next(iter(security.hashes), None)) if dtls else (),
        refused="",
    )


def _kinds(security: Security, options: Options) -> set[Keying]:
    """How the receiver may get keys: both ways as far as the script allows it, or the one that it has taken.

    Where it was offered both and took DTLS it still is.
    """
    off = {Keying.SDES: "off" in options.sdes, Keying.DTLS: "off" in options.dtls}
    kinds = {kind for kind in Keying if not off[kind]}
    if security.keying in kinds and not (security.keying is Keying.DTLS and security.lines):
        return {security.keying}
    return kinds


def _offered_lines(
    security: Security, sender: Said, options: Options, policy: Policy, rng: Rng, *, moved: bool
) -> tuple[Crypto, ...]:
    """The `a=crypto` lines for the receiver of an offer, with keys of our own (ng-protocol.md §4.6).

    First the suites that the sender offered, under its tags; then what the receiver knows from us; then the others.
    Tags count on as if every suite there is were written, so that a tag means the same suite whatever is left out.
    """
    words = options.sdes
    known = security.lines if security.pair is None else (security.pair.ours,)
    told = tuple(_rekeyed(line, rng) for line in known) if moved else known
    lines = [_own(line, told, rng, policy) for line in sender.cryptos]
    asked = {line.suite for line in (*lines, *told)}
    if "nonew" not in words:
        lines = _filtered(lines, words)
        taken = {line.suite for line in lines}
        kept = [line for line in _filtered(told, words) if line.suite not in taken]
        taken.update(line.suite for line in kept)
        fresh = [Crypto(0, suite, (_fresh_key(suite, rng),)) for suite in ROWS if suite not in taken]
        lines = _numbered(lines, [*kept, *_filtered(fresh, words)])
        offered = policy.suites | asked | _only(words)
        lines = [line for line in lines if line.suite in offered]
    lines = [_with_parameters(line, words, policy) for line in lines]
    allowed = [
        line for line in lines if line.tag <= MAX_TAG and line.is_usable(null=policy.null, weakened=policy.weakened)
    ]
    return tuple(_ordered(allowed, words))


def _own(line: Crypto, known: Iterable[Crypto], rng: Rng, policy: Policy) -> Crypto:
    """A line of the sender with a key of ours: the one that the receiver knows, if it was told that line before."""
    parameters = _weakening(line) if policy.weakened else ()
    for before in known:
        if before.tag == line.tag and before.suite == line.suite:
            return before._replace(parameters=parameters)
    return Crypto(line.tag, line.suite, (_fresh_key(line.suite, rng),), parameters)


def _numbered(lines: list[Crypto], further: list[Crypto]) -> list[Crypto]:
    """The lines and further ones behind them: these keep tags that are higher than what comes before, or count on."""
    top = max((line.tag for line in lines), default=0)
    numbered = list(lines)
    for line in further:
        top = max(line.tag, top + 1)
        numbered.append(line._replace(tag=top))
    return numbered


def _rekeyed(line: Crypto, rng: Rng) -> Crypto:
    """The line with another key (SDES-12)."""
    return line._replace(keys=(_fresh_key(line.suite, rng),))


def _weakening(line: Crypto) -> tuple[str, ...]:
    """The session parameters that bind both directions (RFC 4568 §6.3.2): others are the sender's own."""
    return tuple(item for item in line.parameters if item in PARAMETERS.values())


def _only(words: tuple[str, ...]) -> set[Suite]:
    """The suites of `only-…`."""
    names = (word.removeprefix("only-") for word in words if word.startswith("only-"))
    return {suite for name in names if (suite := suite_of(name)) is not None}


def _filtered(lines: Iterable[Crypto], words: tuple[str, ...]) -> list[Crypto]:
    """What `only-…`, or else `no-…`, leaves."""
    only = _only(words)
    if only:
        return [line for line in lines if line.suite in only]
    without = {word.removeprefix("no-").upper() for word in words if word.startswith("no-")}
    return [line for line in lines if line.suite.name not in without]


def _with_parameters(line: Crypto, words: tuple[str, ...], policy: Policy) -> Crypto:
    """The line with the session parameters that the script adds, where the operator allows it, or takes away."""
    parameters = list(line.parameters)
    for word, parameter in PARAMETERS.items():
        if word in words and policy.weakened and parameter not in parameters:
            parameters.append(parameter)
        if word.replace("un", "", 1) in words and parameter in parameters:
            parameters.remove(parameter)
    return line._replace(parameters=tuple(parameters))


def _ordered(lines: list[Crypto], words: tuple[str, ...]) -> list[Crypto]:
    """The lines with those of `order:S1;S2;…` first."""
    first = _named("order:", words)
    if not first:
        return lines
    ahead = [line for name in first for line in lines if line.suite.name == name]
    return [*ahead, *(line for line in lines if line.suite.name not in first)]


def _named(prefix: str, words: tuple[str, ...]) -> list[str]:
    """The names behind a word like `order:`."""
    return [
        name.upper()
        for word in words
        if word.startswith(prefix)
        for name in word.removeprefix(prefix).split(";")
        if name
    ]


def _fresh_key(suite: Suite, rng: Rng) -> Key:
    """A key that was never used (SDES-05)."""
    return Key(rng.bytes(suite.key + suite.salt))


def _fresh_tls_id(rng: Rng) -> str:
    return rng.bytes(TLS_ID_OCTETS).hex()


def _hashes(wanted: str | None) -> tuple[str, ...]:
    """The hashes of our fingerprint lines: the one asked for or used by the peer first, SHA-256 always (FP-07)."""
    return (DEFAULT_HASH,) if wanted in (None, DEFAULT_HASH) else (wanted, DEFAULT_HASH)


# --------------------------------------------------------------------------------- what a leg answered to what we told


def chosen(security: Security, said: Said, protocol: Protocol, options: Options, policy: Policy) -> Security:
    """The leg has answered what it was offered. Raises Refused where a secure profile is left without keys, and
    where those of the answer cannot be used.

    With both kinds in the answer DTLS is taken, unless the script says `DTLS=off` (OSR-07). Without any the media of a
    clear profile is clear (OSR-01). What was offered stays to be chosen from: an answer may follow that takes it.
    """
    told = _told(security)
    pair = _answered_pair(security, said, policy) if Keying.SDES in told else None
    if Keying.DTLS in told and not ("off" in options.dtls and pair is not None):
        association = _answered_association(security, said, policy)
        if association is not None:
            return _agreed_dtls(security, said, association)
    if pair is not None:
        return _agreed_sdes(security, said, pair)
    if protocol.secure or (told and said.asked):  # who answers with keys takes its media for secured
        raise Refused(_why(security, said, policy))
    return security._replace(
        said=said, keying=None, offered=frozenset(), pair=None, former=(), association=None, required=False
    )


def _told(security: Security) -> set[Keying]:
    """What the leg was offered last, if that was not its own offer's answer."""
    if security.settled:
        return set()
    return {kind for kind, told in ((Keying.SDES, security.lines), (Keying.DTLS, security.setup == OFFERED)) if told}


def _why(security: Security, said: Said, policy: Policy) -> str:
    """What is wrong with an answer."""
    if Keying.DTLS in _told(security) and said.certified:
        return "setup" if usable_fingerprints(said, policy) else "fingerprint"
    return "keying"


def _answered_pair(security: Security, said: Said, policy: Policy) -> Pair | None:
    """The SDES keys that an answer chooses: its first line must be one of those offered, by tag and suite (SDES-03).

    What takes protection away binds both directions, and is repeated in the answer (SDES-06).
    """
    theirs = next(iter(usable_lines(said, policy)), None)
    if theirs is None:
        return None
    ours = next((line for line in security.lines if line.tag == theirs.tag and line.suite == theirs.suite), None)
    return Pair(ours, theirs) if ours is not None and set(_weakening(ours)) == set(_weakening(theirs)) else None


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


def _agreed_dtls(security: Security, said: Said, association: Association) -> Security:
    return security._replace(
        said=said,
        keying=Keying.DTLS,
        required=True,
        pair=None,
        former=(),
        association=association,
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
    if _can_dtls(said, policy) and not sdes_first:
        return _answer_dtls(security, options, policy, rng)
    if line is None:
        raise Refused(unusable(said, policy) or "keying")
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
        raise Refused("setup")
    same = before is not None and (before.role, before.fingerprints, before.their_tls_id) == (
        role,
        fingerprints,
        said.tls_id,
    )
    tls_id = security.tls_id if same and security.tls_id else _fresh_tls_id(rng)
    agreed = _agreed_dtls(security, said, Association(role, fingerprints, tls_id, said.tls_id))
    return agreed._replace(
        offered=frozenset(),
        lines=(),
        setup=role.value,
        hashes=_hashes(
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
        lines = tuple(_filtered(lines, security.words)) or lines[:1]
    words = (*options.sdes, *security.words)
    for name in _named("offerer_pref:", words):
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
    parameters = _weakening(line)
    if pair is not None and not moved and (pair.ours.tag, pair.ours.suite) == (line.tag, line.suite):
        return pair.ours._replace(parameters=parameters)
    return Crypto(line.tag, line.suite, (_fresh_key(line.suite, rng),), parameters)
