"""Keys: what both ends of one direction share."""

from typing import NamedTuple

from ngdaemon.srtp.suites import Suite

REPLAY_WINDOW = 1024
"""Packets behind the newest that are still accepted once each (TIM-14)."""


class Keys(NamedTuple):
    """Master key and salt of one direction, with the session parameters that change the packets.

    Never shown: `repr` names the suite alone, so that no log line, error or dump has the key (S17).
    """

    suite: Suite
    key: bytes
    salt: bytes
    mki: bytes = b""
    """Master key identifier that each packet carries (RFC 3711 §3.1); b"" for none."""
    encrypted: bool = True
    """RTP is encrypted; False is `UNENCRYPTED_SRTP` (RFC 4568 §6.3.2)."""
    rtcp_encrypted: bool = True
    authenticated: bool = True
    """RTP is authenticated; False is `UNAUTHENTICATED_SRTP`. RTCP always is."""
    kdr: int = 0
    """Key derivation rate as the exponent of two, 1 to 24; 0 for a single derivation (RFC 4568 §6.3.1)."""
    window: int = REPLAY_WINDOW

    def __repr__(self) -> str:
        return f"Keys({self.suite.name})"
