"""What offers and answers of keys have in common: the policy, what of a description can be used, and our own keys.

SDES is RFC 4568, DTLS-SRTP RFC 5763, either of them in a plain profile RFC 8643. Each leg stands alone: what one leg
says about keys decides at most which suites the other one is offered. What a leg is offered is in `offering.py`, what
becomes of its answer, and what it is answered, in `answering.py`. None of them touches a socket; the words of `SDES`
are those of ng-protocol.md §3.7.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.sources import Rng
from ngdaemon.call.negotiation import causes
from ngdaemon.call.negotiation.causes import Cause
from ngdaemon.call.security import Said
from ngdaemon.config import Config
from ngdaemon.dtls.fingerprint import DEFAULT_HASH, Fingerprint
from ngdaemon.dtls.roles import Setup, parse_setup, role_for_offer
from ngdaemon.srtp.sdes import UNAUTHENTICATED, UNENCRYPTED, UNENCRYPTED_RTCP, Crypto, Key
from ngdaemon.srtp.suites import ROWS, SUITES, Cipher, Suite, suite_of

TLS_ID_OCTETS = 16
"""128 random bits, 32 characters (TID-01)."""
OFFERED = Setup.ACTPASS.value
"""The `a=setup` of an offer."""

STRONG = frozenset(
    SUITES[name]
    for name in ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")
)
"""What is offered unless a flag or the offerer asks for more (SDES-18)."""

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


def usable_fingerprints(said: Said, policy: Policy) -> tuple[Fingerprint, ...]:
    """The fingerprints that a certificate may be known by (FP-05)."""
    return tuple(item for item in said.fingerprints if policy.sha1 or item.hash != "sha-1")


def usable_lines(said: Said, policy: Policy) -> tuple[Crypto, ...]:
    """The `a=crypto` lines that may be answered, or are an answer (SDES-06)."""
    return tuple(item for item in said.cryptos if item.is_usable(null=policy.null, weakened=policy.weakened))


def unusable(said: Said, policy: Policy) -> Cause | None:
    """Why an offer of a secure profile cannot be secured; None if it can."""
    if usable_lines(said, policy):
        return None
    if not usable_fingerprints(said, policy):
        return fingerprint_cause(said) if said.certified else lines_cause(said)
    return None if role_for_offer(setup_of(said)) else causes.SETUP


def fingerprint_cause(said: Said) -> Cause:
    """What is wrong with fingerprints none of which can be used."""
    return causes.ONLY_SHA1 if said.fingerprints else causes.FINGERPRINT


def lines_cause(said: Said) -> Cause:
    """What is wrong with `a=crypto` lines none of which can be used."""
    if not said.cryptos:
        return causes.UNREADABLE if said.asked else causes.NO_KEYS
    ciphers = {line.suite.cipher for line in said.cryptos}
    for cipher, cause in ((Cipher.F8, causes.F8), (Cipher.NULL, causes.NULL)):
        if ciphers == {cipher}:
            return cause
    return causes.UNPROTECTED


def can_dtls(said: Said, policy: Policy) -> bool:
    return bool(usable_fingerprints(said, policy)) and role_for_offer(setup_of(said)) is not None


def setup_of(said: Said) -> Setup | None:
    """What `a=setup` says."""
    return parse_setup(said.setup or None)


def weakening(line: Crypto) -> tuple[str, ...]:
    """The session parameters that bind both directions (RFC 4568 §6.3.2): others are the sender's own."""
    return tuple(item for item in line.parameters if item in PARAMETERS.values())


def only_named(words: tuple[str, ...]) -> set[Suite] | None:
    """The suites of `only-…`; None where there is no such word. A name that was mistyped opens nothing: it is none."""
    names = [word.removeprefix("only-") for word in words if word.startswith("only-")]
    return {suite for name in names if (suite := suite_of(name)) is not None} if names else None


def filtered(lines: Iterable[Crypto], words: tuple[str, ...]) -> list[Crypto]:
    """What `only-…`, or else `no-…`, leaves."""
    only = only_named(words)
    if only is not None:
        return [line for line in lines if line.suite in only]
    without = {word.removeprefix("no-").upper() for word in words if word.startswith("no-")}
    return [line for line in lines if line.suite.name not in without]


def named(prefix: str, words: tuple[str, ...]) -> list[str]:
    """The names behind a word like `order:`."""
    return [
        name.upper()
        for word in words
        if word.startswith(prefix)
        for name in word.removeprefix(prefix).split(";")
        if name
    ]


def fresh_key(suite: Suite, rng: Rng) -> Key:
    """A key that was never used (SDES-05)."""
    return Key(rng.bytes(suite.key + suite.salt))


def fresh_tls_id(rng: Rng) -> str:
    return rng.bytes(TLS_ID_OCTETS).hex()


def hashes(wanted: str | None) -> tuple[str, ...]:
    """The hashes of our fingerprint lines: the one asked for or used by the peer first, SHA-256 always (FP-07)."""
    return (DEFAULT_HASH,) if wanted in (None, DEFAULT_HASH) else (wanted, DEFAULT_HASH)
