"""What a leg and we have agreed on to protect one media: frozen facts, and what a session description says of it.

How they come about in offers and answers is in `negotiation/keying.py`, `offering.py` and `answering.py`.
"""

from functools import lru_cache
from typing import NamedTuple

from ngdaemon.base.choice import Choice
from ngdaemon.base.record import quick
from ngdaemon.dtls import fingerprint
from ngdaemon.dtls.fingerprint import Fingerprint
from ngdaemon.dtls.roles import Role
from ngdaemon.sdp.session import MediaSection, Section
from ngdaemon.srtp import sdes
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.sdes import Crypto

KEYING_ATTRIBUTES = frozenset(("crypto", "fingerprint", "setup", "tls-id", "key-mgmt"))
"""Attributes that speak of keys: those of one leg never reach the other one (SDES-05, OSR-08, KM-01)."""

SECRET_ATTRIBUTES = frozenset(("crypto", "key-mgmt"))
"""Those that hold keys."""

MAX_LINES = 24
"""`a=crypto` and `a=fingerprint` lines of a media that are looked at."""


LONGEST_LINE = 256
"""Characters of an `a=fingerprint` line: none that is understood is longer."""


class Keying(Choice):
    """How keys are agreed on; the value is what `query` says."""

    SDES = "SDES"
    DTLS = "DTLS-SRTP"


class Said(NamedTuple):
    """What the newest session description of a leg says about keys for one media."""

    cryptos: tuple[Crypto, ...] = ()
    """Lines that can be keyed by what they say, ours to use or not."""
    fingerprints: tuple[Fingerprint, ...] = ()
    """Of any hash that is known by name."""
    setup: str = ""
    tls_id: str = ""
    certified: bool = False
    """There are `a=fingerprint` lines, usable or not."""
    asked: bool = False
    """There are attributes that speak of keys, usable or not: in a plain profile that is OSRTP (RFC 8643)."""


SILENT = Said()


class Pair(NamedTuple):
    """SDES keys in force: the line that we wrote (what we send with) and the leg's (what we receive with)."""

    ours: Crypto
    theirs: Crypto


class Association(NamedTuple):
    """What makes a DTLS association: another one of these is another association (TID-02)."""

    role: Role
    """Ours."""
    fingerprints: frozenset[Fingerprint]
    """The leg's."""
    tls_id: str = ""
    """Ours."""
    their_tls_id: str = ""


@quick
class Security(NamedTuple):
    """How one media is protected between a leg and us."""

    said: Said = SILENT
    keying: Keying | None = None
    """Agreed on with the leg; None for clear media, and while nothing is agreed."""
    offered: frozenset[Keying] = frozenset()
    """What we offered to the leg last and it has not chosen from yet."""
    required: bool = False
    """Media with this leg is protected or not at all: a secure profile was offered, or anything agreed."""
    lines: tuple[Crypto, ...] = ()
    """The `a=crypto` lines that we told the leg last."""
    pair: Pair | None = None
    former: tuple[Keys, ...] = ()
    """Receive keys of the exchange before: what is on its way still decrypts (SDES-10)."""
    tls_id: str = ""
    """Ours, that of the association agreed on or offered; "" before there was one."""
    tls_id_told: bool = False
    hashes: tuple[str, ...] = ()
    """Of the `a=fingerprint` lines that we told the leg last."""
    setup: str = ""
    """The `a=setup` that we told the leg last."""
    association: Association | None = None
    final: bool = True
    """No other answer can come any more (FP-12)."""
    role_wanted: Role | None = None
    """`DTLS` of the offer that carried the leg's SDP."""
    settled: bool = False
    """The leg's newest offer was answered: further answers to it choose the same line."""
    words: tuple[str, ...] = ()
    """`SDES` of that offer."""
    refused: str = ""
    """Why the media is refused: what ERR-03 to ERR-06 call it; "" while it is not."""


CLEAR = Security()


def heard(section: MediaSection, session: Section) -> Said:
    """What a media section says about keys; what it leaves out is taken from the session part (FP-02, SET-04)."""
    names, above = section.names.keys(), session.names.keys()
    if names.isdisjoint(KEYING_ATTRIBUTES) and above.isdisjoint(KEYING_ATTRIBUTES):
        return SILENT
    lines = section.get_all("fingerprint") or session.get_all("fingerprint")
    secret = not (names.isdisjoint(SECRET_ATTRIBUTES) and above.isdisjoint(SECRET_ATTRIBUTES))
    return Said(
        sdes.parse_all(section.get_all("crypto")[:MAX_LINES]),
        _fingerprints(tuple(value for value in lines[:MAX_LINES] if len(value) <= LONGEST_LINE)),
        _value("setup", section, session).lower(),
        _value("tls-id", section, session),
        bool(lines),
        bool(lines) or secret,
    )


@lru_cache(256)
def _fingerprints(values: tuple[str, ...]) -> tuple[Fingerprint, ...]:
    """The usable ones. Kept for a while: all medias of a session have the same, in every offer and answer."""
    return tuple(item for item in map(fingerprint.parse, values) if item is not None)


def _value(name: str, section: Section, session: Section) -> str:
    return (section.get(name) or session.get(name) or "").strip()
