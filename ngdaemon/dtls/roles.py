"""Who is client and who is server: `a=setup` (RFC 4145 §4, RFC 5763 §5, RFC 8842 §5) as literal tables.

In each table None as a result means that the media must be refused.
"""

from enum import Enum
from typing import NamedTuple

from ngdaemon.base.choice import Choice


class Role(Choice):
    """A side of the handshake, spelled as in an answer's `a=setup`."""

    ACTIVE = "active"
    """DTLS client: sends the ClientHello."""
    PASSIVE = "passive"
    """DTLS server."""

    @property
    def other(self) -> "Role":
        return Role.PASSIVE if self is Role.ACTIVE else Role.ACTIVE


class Setup(Choice):
    """What an `a=setup` line says."""

    ACTIVE = "active"
    PASSIVE = "passive"
    ACTPASS = "actpass"
    HOLDCONN = "holdconn"
    INVALID = "invalid"
    """Any other word: refused as `holdconn` is."""


OFFERED_SETUP = Setup.ACTPASS
"""What our offers say, the first and every later one (RFC 8842 §5.2, §5.5)."""

_WORDS = {setup.value: setup for setup in Setup if setup is not Setup.INVALID}


def parse_setup(value: str | None) -> Setup | None:
    """The meaning of an `a=setup` value; None where the line is missing."""
    return None if value is None else _WORDS.get(value.strip().lower(), Setup.INVALID)


_PREFER = "as preferred"

_OFFERS: dict[Setup | None, Role | str | None] = {
    Setup.ACTPASS: _PREFER,
    Setup.ACTIVE: Role.PASSIVE,
    Setup.PASSIVE: Role.ACTIVE,
    Setup.HOLDCONN: None,
    Setup.INVALID: None,
    None: Role.PASSIVE,  # RFC 4145 §4: an offer without the line means active
}

_ANSWERS: dict[Setup | None, Role | None] = {
    Setup.ACTIVE: Role.PASSIVE,
    Setup.PASSIVE: Role.ACTIVE,
    Setup.ACTPASS: None,
    Setup.HOLDCONN: None,
    Setup.INVALID: None,
    None: Role.ACTIVE,  # RFC 4145 §4: an answer without the line means passive
}


def role_for_offer(offered: Setup | None, prefer: Role = Role.ACTIVE) -> Role | None:
    """Our role, which is also our `a=setup`, in the answer to a first offer.

    Active is the usual preference: it saves half a round trip and allows early media (RFC 5763 §5).
    """
    found = _OFFERS[offered]
    return prefer if found is _PREFER else Role(found) if found is not None else None


def role_after_answer(answered: Setup | None, lenient: bool = False) -> Role | None:
    """Our role after the peer answered our first offer. `lenient` takes an invalid `actpass` as `passive`."""
    if lenient and answered is Setup.ACTPASS:
        return Role.ACTIVE
    return _ANSWERS[answered]


class Fate(Enum):
    """What becomes of a living association."""

    KEEP = "keep"
    RENEW = "renew"
    """Another association takes its place (RFC 8842 §3.1)."""
    REFUSE = "refuse"
    """The media is refused (RFC 8842 §5.1, §5.3)."""


class Verdict(NamedTuple):
    """Our role from now on, and what becomes of the association. The role is None only with REFUSE."""

    role: Role | None
    fate: Fate


_REFUSED = Verdict(None, Fate.REFUSE)


def verdict_on_offer(offered: Setup | None, ours: Role, same: bool, prefer: Role = Role.ACTIVE) -> Verdict:
    """What a re-offer of the peer means while an association lives in which our role is `ours`.

    `same`: tls-id (or none ever), fingerprint set and transport are as before (TID-02). An `actpass`, or no line at
    all, keeps our role with `same`, and else leaves us the choice again.
    """
    if offered in (Setup.ACTPASS, None):
        return Verdict(ours, Fate.KEEP) if same else Verdict(role_for_offer(offered, prefer), Fate.RENEW)
    return _verdict(role_for_offer(offered, prefer), ours, same)


def verdict_on_answer(answered: Setup | None, ours: Role, same: bool, lenient: bool = False) -> Verdict:
    """What the answer to a re-offer of ours means. An answer without the line keeps the roles with `same`."""
    if answered is None and same:
        return Verdict(ours, Fate.KEEP)
    return _verdict(role_after_answer(answered, lenient), ours, same)


def _verdict(role: Role | None, ours: Role, same: bool) -> Verdict:
    if role is None:
        return _REFUSED
    return Verdict(role, Fate.KEEP if role is ours and same else Fate.RENEW)
