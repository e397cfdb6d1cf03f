"""What a leg is offered about keys: SDES, DTLS-SRTP, or both."""

from collections.abc import Iterable

from ngdaemon.base.sources import Rng
from ngdaemon.call.negotiation import causes
from ngdaemon.call.negotiation.causes import Refused
from ngdaemon.call.negotiation.keying import (
    OFFERED,
    PARAMETERS,
    Policy,
    filtered,
    fresh_key,
    fresh_tls_id,
    hashes,
    named,
    only_named,
    weakening,
)
from ngdaemon.call.security import Keying, Said, Security
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import Protocol
from ngdaemon.srtp.sdes import Crypto
from ngdaemon.srtp.suites import ROWS

MAX_TAG = 999_999_999


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

    Raises Refused where a secure profile is to be offered and every way to get keys is switched off, and where the
    script wants only suites that do not exist.
    """
    kinds = _kinds(security, options) if protocol.secure or opportunistic else set()
    if protocol.secure and not kinds:
        raise Refused(causes.SWITCHED_OFF)
    lines: tuple[Crypto, ...] = ()
    if Keying.SDES in kinds:
        if only_named(options.sdes) == set():
            raise Refused(causes.UNKNOWN_ONLY)
        lines = _offered_lines(security, sender.said, options, policy, rng, moved=moved)
        if not lines:
            kinds.discard(Keying.SDES)
            if protocol.secure and not kinds:
                raise Refused(causes.NO_SUITE)
    dtls = Keying.DTLS in kinds
    return security._replace(
        offered=frozenset(kinds),
        required=protocol.secure or (security.keying is not None and bool(kinds)),
        lines=lines,
        setup=OFFERED if dtls else "",
        settled=False,
        tls_id=(security.tls_id or fresh_tls_id(rng)) if dtls else security.tls_id,
        tls_id_told=dtls and Flag.NO_TLS_ID not in options.flags,
        hashes=hashes(options.dtls_fingerprint or next(iter(security.hashes), None)) if dtls else (),
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
        lines = filtered(lines, words)
        taken = {line.suite for line in lines}
        kept = [line for line in filtered(told, words) if line.suite not in taken]
        taken.update(line.suite for line in kept)
        fresh = [Crypto(0, suite, (fresh_key(suite, rng),)) for suite in ROWS if suite not in taken]
        lines = _numbered(lines, [*kept, *filtered(fresh, words)])
        offered = policy.suites | asked | (only_named(words) or set())
        lines = [line for line in lines if line.suite in offered]
    lines = [_with_parameters(line, words, policy) for line in lines]
    allowed = [
        line for line in lines if line.tag <= MAX_TAG and line.is_usable(null=policy.null, weakened=policy.weakened)
    ]
    return tuple(_ordered(allowed, words))


def _own(line: Crypto, known: Iterable[Crypto], rng: Rng, policy: Policy) -> Crypto:
    """A line of the sender with a key of ours: the one that the receiver knows, if it was told that line before."""
    parameters = weakening(line) if policy.weakened else ()
    for before in known:
        if before.tag == line.tag and before.suite == line.suite:
            return before._replace(parameters=parameters)
    return Crypto(line.tag, line.suite, (fresh_key(line.suite, rng),), parameters)


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
    return line._replace(keys=(fresh_key(line.suite, rng),))


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
    first = named("order:", words)
    if not first:
        return lines
    ahead = [line for name in first for line in lines if line.suite.name == name]
    return [*ahead, *(line for line in lines if line.suite.name not in first)]
