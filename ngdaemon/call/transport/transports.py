"""The live transports of all calls: made and kept by the facts of the calls, found by their ports, woken by the time.

What they find out are the `links` of a call, which the planner reads. Whenever those changed the call is named, for its
plan to be stated again.
"""

import heapq
import logging
from collections import Counter
from collections.abc import Collection, Iterator

from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.call import facing
from ngdaemon.call.links import NO_LINKS, Link, Links, Slot
from ngdaemon.call.model import Call, Leg, LegId, Media
from ngdaemon.call.negotiation import causes
from ngdaemon.call.security import Keying
from ngdaemon.call.transport import decisions
from ngdaemon.call.transport.transport import Setting, Transport
from ngdaemon.media.forwarder import Forwarder, Punted

logger = logging.getLogger("ngdaemon.call")

Key = tuple[CallId, LegId, int]
Deadline = tuple[float, int, CallId, LegId, int]
"""Monotonic seconds, a number that no other deadline has, and whose it is."""

MOST_STALE = 64
"""Deadlines that no longer count, beside as many as there are of those that do, before they are swept out."""


class Transports:
    """All transports, by call, leg and place."""

    def __init__(self, forwarder: Forwarder, setting: Setting) -> None:
        self.setting = setting
        self._forwarder = forwarder
        self._calls: dict[CallId, dict[tuple[LegId, int], Transport]] = {}
        self._links: dict[CallId, dict[Slot, Link]] = {}
        self._sockets: dict[SocketId, tuple[CallId, Transport]] = {}
        self._deadlines: list[Deadline] = []
        self._noted: dict[Key, tuple[float, int]] = {}
        """The deadline of each transport that counts, with its number; others in the heap are stale."""
        self._serial = 0
        self.happenings: Counter[type] = Counter()
        """How often each kind of event happened, all calls together: for `statistics`."""

    def links(self, call: CallId) -> Links:
        """What the transports of a call have found out, as far as plans are made of it."""
        return self._links.get(call, NO_LINKS)

    def shown(self, call: CallId) -> Links:
        """All that there is to tell of the transports of a call."""
        found: dict[Slot, Link] = {}
        for transport in self._calls.get(call, {}).values():
            found.update(transport.shown())
        return found

    def activity(self, call: CallId) -> float:
        """When a peer of the call last proved by ICE or DTLS that it is there; 0 for never."""
        return max((item.active for item in self._calls.get(call, {}).values()), default=0.0)

    def sync(self, call: Call, now: float) -> None:
        """Follow the facts of a call: transports that it needs are made and told, the others are closed."""
        have = self._calls.get(call.id)
        wanted = list(_wanted(call))
        if not wanted and have is None:
            return
        if have is None:
            have = self._calls[call.id] = {}
        keys = {(leg.id, media.place) for leg, media in wanted}
        for key in [key for key in have if key not in keys]:
            self._close(call.id, key, have.pop(key), now)
        for leg, media in wanted:
            transport = have.get((leg.id, media.place))
            if transport is None:
                transport = have[leg.id, media.place] = Transport(leg.id, media.place, self.setting, now)
            self._forget_sockets(transport)
            transport.update(leg, media, now)
            for socket in transport.sockets:
                self._sockets[socket] = (call.id, transport)
            self._schedule(call.id, transport)
        links: dict[Slot, Link] = {}
        self._links[call.id] = links
        for transport in have.values():
            links.update(transport.links())

    def check(self, call: Call, signalled: Collection[LegId]) -> None:
        """Raise RequestError where a description contradicts the handshake that its sender has finished (ERR-08).

        `signalled` are the legs that the request is about: what others have done does not refuse it.
        """
        have = self._calls.get(call.id)
        if not have:
            return
        refuted = [
            (media.place, causes.MISMATCH)
            for leg, media in _wanted(call)
            if leg.id in signalled
            and (transport := have.get((leg.id, media.place))) is not None
            and transport.refutes(media)
        ]
        if refuted:
            raise causes.refusal(refuted)

    def end(self, call: CallId, now: float) -> None:
        """Close the transports of a call that ends."""
        for key, transport in self._calls.pop(call, {}).items():
            self._close(call, key, transport, now)
        self._links.pop(call, None)

    def _close(self, call: CallId, key: tuple[LegId, int], transport: Transport, now: float) -> None:
        transport.close(now)
        self._send(transport)
        self._forget_sockets(transport)
        self._noted.pop((call, *key), None)

    def _forget_sockets(self, transport: Transport) -> None:
        for socket in transport.sockets:
            self._sockets.pop(socket, None)

    # what comes in

    def receive(self, event: Punted) -> bool:
        """Take in a datagram that is no media; True when the links of its call have changed."""
        found = self._sockets.get(event.socket)
        if found is None:
            return False
        call, transport = found
        transport.receive(event.socket, event.data, event.source, event.at)
        return self._after(call, transport)

    def next_timeout(self) -> float | None:
        """When something is due."""
        while self._deadlines and self._is_stale(self._deadlines[0]):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def handle_timer(self, now: float) -> dict[CallId, bool]:
        """Do what is due: the calls that were concerned, and whether their links have changed."""
        due = []
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline = heapq.heappop(self._deadlines)
            if not self._is_stale(deadline):
                call, leg, place = deadline[2:]
                del self._noted[call, leg, place]
                due.append((call, self._calls[call][leg, place]))
        concerned: dict[CallId, bool] = {}
        for call, transport in due:
            transport.handle_timer(now)
            concerned[call] = self._after(call, transport) or concerned.get(call, False)
        return concerned

    def flush(self, call: CallId) -> None:
        """Send what waits: after the plan of a call was put in force."""
        for transport in self._calls.get(call, {}).values():
            self._send(transport)

    def happened(self, call: Call) -> None:
        """Log what became of the transports of a call."""
        for transport in self._calls.get(call.id, {}).values():
            for item in transport.events():
                self.happenings[type(item.event)] += 1
                decisions.log(call, transport, item)

    def _after(self, call: CallId, transport: Transport) -> bool:
        self._send(transport)
        self._schedule(call, transport)
        return self._note_links(call, transport)

    def _send(self, transport: Transport) -> None:
        for item in transport.transmits():
            self._forwarder.send(item.socket, item.data, item.to)

    def _note_links(self, call: CallId, transport: Transport) -> bool:
        """Note the links of a transport; whether another plan follows from them."""
        links, changed = self._links[call], False
        for slot, link in transport.links().items():
            if links.get(slot) != link:  # what stays as it was stays the same object
                links[slot] = link
                changed = True
        return changed

    def _schedule(self, call: CallId, transport: Transport) -> None:
        at = transport.next_timeout()
        key = (call, transport.leg, transport.place)
        if at is None:
            self._noted.pop(key, None)
            return
        noted = self._noted.get(key)
        if noted is None or noted[0] != at:
            self._serial += 1
            self._noted[key] = (at, self._serial)
            heapq.heappush(self._deadlines, (at, self._serial, *key))
            if len(self._deadlines) > 2 * len(self._noted) + MOST_STALE:
                self._deadlines = [item for item in self._deadlines if not self._is_stale(item)]
                heapq.heapify(self._deadlines)

    def _is_stale(self, deadline: Deadline) -> bool:
        return self._noted.get(deadline[2:]) != deadline[:2]


def _wanted(call: Call) -> Iterator[tuple[Leg, Media]]:
    """The medias of a call that need a live transport: with ICE or DTLS of ours."""
    for leg in call.legs:
        if leg.ended:
            continue
        for media in leg.medias:
            if not facing.has_transport(leg, media):
                continue
            security = media.security
            if media.ice is not None or security.keying is Keying.DTLS or Keying.DTLS in security.offered:
                yield leg, media
