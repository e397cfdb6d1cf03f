"""What all ports of a forwarder have in common: where they are, and the events that wait for control."""

from collections import deque
from collections.abc import Sequence

from ngdaemon.media.forwarder import MAX_EVENTS, Event
from ngdaemon.media.latching import Address


class Surroundings:
    """What all streams share."""

    __slots__ = ("events", "own")

    def __init__(self) -> None:
        self.own: set[Address] = set()
        """Where all open ports are."""
        self.events: deque[Event] = deque()

    def report(self, event: Event) -> bool:
        """Keep an event for control; False when there is no room."""
        if len(self.events) >= MAX_EVENTS:
            return False
        self.events.append(event)
        return True

    def drain(self) -> Sequence[Event]:
        """Events since the last call, oldest first."""
        events = tuple(self.events)
        self.events.clear()
        return events
