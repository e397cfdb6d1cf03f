"""What the peer's description says of its DTLS end."""

from typing import NamedTuple

from ngdaemon.dtls.fingerprint import Fingerprint
from ngdaemon.dtls.roles import Setup


class Remote(NamedTuple):
    """The DTLS facts of one description, offer or answer, for one component."""

    fingerprints: frozenset[Fingerprint]
    """Not empty: without any the media is refused before (FP-06)."""
    setup: Setup | None = None
    tls_id: str | None = None
    final: bool = True
    """No other description of the same exchange may follow: it is not an answer of a fork (FP-12)."""


def renews(old: Remote, new: Remote) -> bool:
    """Whether the new description asks for another association (TID-02).

    A change of role asks for one too, and of transport where there is no tls-id: those are for the caller to see.
    """
    return old.fingerprints != new.fingerprints or old.tls_id != new.tls_id
