"""How packets leave a port: where to, whether they may, and what left."""

from collections.abc import Callable

from ngdaemon.media.latching import Address
from ngdaemon.media.loops import LoopGuard

Transmit = Callable[[bytes, Address], object]
"""Sends a datagram from a port. Raises OSError."""


class Departure:
    """The sending side of one port.

    A secured port has no way out for clear packets: what `send` is given there goes nowhere. Only a `Lane`, which
    protects, hands packets to `emit`.
    """

    __slots__ = (
        "_address",
        "_guard",
        "_transmit",
        "bytes_out",
        "control_bytes",
        "control_packets",
        "errors_out",
        "own",
        "packets_out",
        "peer",
        "secured",
        "withheld",
    )

    def __init__(self, transmit: Transmit, own: set[Address]) -> None:
        self.secured = False
        self.peer: Address | None = None
        """Where packets to the peer go; None when nothing may be sent to it."""
        self.packets_out = self.bytes_out = self.errors_out = 0
        self.control_packets = self.control_bytes = 0
        """Of these, what was no media."""
        self.withheld = 0
        """Packets that did not leave because keys are awaited, or because they cannot be protected."""
        self._address: Address | None = None
        """Where clear packets go."""
        self._transmit = transmit
        self.own = own
        """Where all open ports are."""
        self._guard: LoopGuard | None = None

    def direct(self, peer: Address | None, *, secured: bool) -> None:
        """Send to that address from now on; protected packets alone if `secured`."""
        self.peer, self.secured = peer, secured
        self._address = None if secured else peer

    def send(self, data: bytes, now: float) -> None:
        """Send a packet to the peer as it is, if it may be sent to. Never raises."""
        address = self._address
        if address is None:
            if self.secured and self.peer is not None:
                self.withheld += 1
            return
        if address in self.own and not self.passes(data, now):
            self.errors_out += 1
            return
        try:
            self._transmit(data, address)
        except OSError:
            self.errors_out += 1
            return
        self.packets_out += 1
        self.bytes_out += len(data)

    def emit(self, data: bytes, to: Address) -> None:
        """Send a datagram that was made for there. Never raises."""
        try:
            self._transmit(data, to)
        except OSError:
            self.errors_out += 1
            return
        self.packets_out += 1
        self.bytes_out += len(data)

    def emit_control(self, data: bytes, to: Address) -> None:
        """Send a datagram of control's (STUN, DTLS), which is counted apart besides. Never raises."""
        before = self.packets_out
        self.emit(data, to)
        if self.packets_out != before:
            self.control_packets += 1
            self.control_bytes += len(data)

    def passes(self, data: bytes, now: float) -> bool:
        """Whether the loop guard lets a packet, clear as yet, to a port of ours pass."""
        if self._guard is None:
            self._guard = LoopGuard()
        return self._guard.passes(data, now)
