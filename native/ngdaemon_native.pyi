"""The native forwarder. `ngdaemon/shell/native.py` makes a `Forwarder` of `ngdaemon/media/forwarder.py` of it."""

from typing import Any, Final, final

__all__ = ["PLAN_VERSION", "Forwarder", "Pipeline"]

PLAN_VERSION: Final[int]
"""Which plans it understands (`ngdaemon/media/plan.py`)."""

@final
class Forwarder:
    """Sockets and threads. A call is a `CallId`, a plan a `Plan`; an endpoint is a pair of numeric address and port.

    Events are tuples: the name of the class that they are for, and its fields; so are counters. Nothing raises for an
    unknown call or socket, or when it is closed.
    """

    def __new__(cls, workers: int = 0) -> Forwarder:
        """Start so many threads; 0 for one for each core that this process may use."""

    @property
    def event_descriptor(self) -> int:
        """Can be read when there is something to drain after there was nothing. It is not to be closed."""

    def bind(self, call: str, descriptor: int) -> int:
        """Take over a UDP socket that is bound and does not block: its number. The descriptor is the forwarder's now.

        Raises OSError, and RuntimeError when it is closed.
        """

    def unbind(self, socket: int) -> None:
        """Close a socket that no plan has named yet."""

    def apply(self, call: str, plan: object) -> None:
        """Make this the forwarding of the call. Raises ValueError for keys that cannot be used."""

    def send(self, socket: int, data: bytes, address: str, port: int) -> None:
        """Send a datagram as it is. Nothing happens where the address is not numeric."""

    def acknowledge(self) -> None:
        """Have the descriptor not readable any more: it will be when something comes after the next `drain`."""

    def drain(self) -> list[tuple[Any, ...]]:
        """Events since the last call, oldest first. `Trouble` has call, socket or None, and a text for the log."""

    def counters(self, call: str) -> list[tuple[int, tuple[Any, ...]]]:
        """Counters of the bound sockets of a call."""

    def octets(self) -> int:
        """Octets sent to peers since the start, all calls together."""

    def close(self) -> None:
        """Close all sockets and end the threads."""

@final
class Pipeline:
    """The packet path alone: no sockets, no threads, no clock. For tests, which compare it with that in Python.

    A port is known by its slot, a number that is used again after the port was closed.
    """

    def __new__(cls, room: int = 4096) -> Pipeline:
        """One that keeps so many events."""

    def open(self, call: str, socket: int, address: str, port: int) -> int:
        """Add a port: its slot."""

    def close(self, socket: int) -> int | None:
        """Take away a port that no plan has named: its slot; None for any other."""

    def apply(self, call: str, plan: object, now: float) -> list[int]:
        """Put a plan into force: the slots that it closes."""

    def receive(self, slot: int, data: bytes, address: str, port: int, now: float) -> None:
        """Take in a datagram."""

    def missed(self, slot: int, packets: int) -> None:
        """Count packets that could not be read."""

    def refuse(self, address: str, port: int) -> None:
        """Have nothing leave for there any more, as if the system refused it."""

    def sent(self) -> list[tuple[int, bytes, tuple[str, int]]]:
        """What left since the last call: the slot, what, and where to."""

    def drain(self) -> list[tuple[Any, ...]]:
        """Events since the last call."""

    def counters(self, call: str) -> list[tuple[int, tuple[Any, ...]]]:
        """Counters of the ports of a call."""

    def octets(self) -> int:
        """Octets sent since the start."""

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called; None for not at all."""

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
