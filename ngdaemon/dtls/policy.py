"""What an operator may choose about DTLS; times in seconds."""

from typing import NamedTuple


class Policy(NamedTuple):
    """Settings of all associations of a component."""

    mtu: int = 1200
    """Octets of a DTLS datagram, without IP and UDP headers (HS-07)."""
    small_mtu: int = 548
    """After `rounds_until_small` lost rounds: fits into 576 octets with IPv4 and UDP headers."""
    rounds_until_small: int = 2
    first_timeout: float = 0.4
    """Until a flight is sent again; then twice as long each time (TIM-01)."""
    longest_timeout: float = 60.0
    handshake: float = 30.0
    """From the start of a handshake, or from when both descriptions are known, to its deadline (TIM-03)."""
    hold: float = 300.0
    """How long a finished handshake waits for the description that says who the peer should be: as long as it rings."""
    drain: float = 5.0
    """How long the old keys are kept after a renewal (TIM-09)."""
    allow_sha1: bool = False
    """Let a SHA-1 fingerprint decide where nothing better was announced (FP-05)."""
    unfinished: int = 4
    """Handshakes under way side by side in a component (TIM-13)."""
    held: int = 16
    """Finished handshakes of a component that wait for a description."""
