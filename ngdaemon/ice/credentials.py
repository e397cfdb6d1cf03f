"""Username fragment and password of one side of an ICE session (RFC 8839 §5.4)."""

import re
from base64 import b64encode
from typing import NamedTuple

from ngdaemon.base.sources import Rng

UFRAG = 8
"""Characters that are sent: 48 random bits."""
PASSWORD = 26
"""Characters that are sent: 156 random bits."""

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}\Z")


class Credentials(NamedTuple):
    """What `a=ice-ufrag` and `a=ice-pwd` say. The password is never shown (S17)."""

    ufrag: str
    pwd: str

    def __repr__(self) -> str:
        return f"Credentials({self.ufrag})"

    @property
    def valid(self) -> bool:
        """Whether both have a length and characters that a peer may send (ICE-02)."""
        return _UFRAG.match(self.ufrag) is not None and _PASSWORD.match(self.pwd) is not None


def fresh(rng: Rng) -> Credentials:
    """New credentials of ours."""
    text = b64encode(rng.bytes(27)).decode()
    return Credentials(text[:UFRAG], text[UFRAG : UFRAG + PASSWORD])


def received(ufrag: str, pwd: str) -> Credentials | None:
    """The peer's credentials, or None for what may not be sent: 4 to 256 and 22 to 256 characters (ICE-02)."""
    credentials = Credentials(ufrag, pwd)
    return credentials if credentials.valid else None
