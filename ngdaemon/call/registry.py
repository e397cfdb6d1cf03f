"""All calls of the daemon: stored, found, timed out, ended. The one path by which a call ends is `end`."""

import heapq
import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ngdaemon.base.deadline import earliest
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.base.throttle import Throttle
from ngdaemon.call.model import Call, Leg, LegId, Media
from ngdaemon.call.negotiation.allocate import release
from ngdaemon.call.planner import NOTHING, Planner
from ngdaemon.call.reporting import notices
from ngdaemon.call.reporting.statistics import Statistics, Traffic
from ngdaemon.call.reporting.summary import summary
from ngdaemon.call.transport.transports import Transports
from ngdaemon.config import Config
from ngdaemon.media.forwarder import (
    Event,
    Forwarder,
    Learned,
    Punted,
    SocketCounters,
    Stranger,
    Tapped,
    Unreadable,
)
from ngdaemon.media.plan import Learning, Plan
from ngdaemon.media.ports import Ports
from ngdaemon.rtp.quality import CallQuality, Quality

logger = logging.getLogger("ngdaemon.call")


class Ending(Enum):
    """Why a call ended; the value is the counter in `statistics` (ng-protocol.md §6.4)."""

    REGULAR = "regularterminatedsessions"
    FORCED = "forcedterminatedsessions"
    TIMEOUT = "timeoutsessions"
    SILENT_TIMEOUT = "silenttimeoutsessions"
    FINAL_TIMEOUT = "finaltimeoutsessions"
    OFFER_TIMEOUT = "offertimeoutsessions"


TIMEOUTS = {
    Ending.TIMEOUT: ("timeout", "no media for {} s (timeout)"),
    Ending.SILENT_TIMEOUT: ("silent_timeout", "silent for {} s (silent-timeout)"),
    Ending.OFFER_TIMEOUT: ("offer_timeout", "no answer and no media for {} s (offer-timeout)"),
    Ending.FINAL_TIMEOUT: ("final_timeout", "older than {} s (final-timeout)"),
}
"""Endings that nobody asked for: the setting that brought them about, and what to say of it."""


MOST_UNREADABLE = 4
"""Ports of a call that the log names at once because nothing authentic comes there."""


@dataclass(slots=True)
class Entry:
    """A stored call with what the registry keeps about it. Times are monotonic seconds."""

    call: Call
    plan: Plan
    created_at: float
    signalled_at: float
    delete_at: float | None = None
    """When the whole call ends although there is media."""
    delete_legs_at: dict[LegId, float] = field(default_factory=dict)
    """When single legs end."""
    check_at: float = 0.0
    quality: CallQuality | None = None
    """What the RTCP reports of the call say, once there are any."""
    complaints: Throttle | None = None
    """Of the log, once there were any."""
    strangers: dict[SocketId, Endpoint] = field(default_factory=dict)
    """Whose media was dropped at which socket, as far as the log has it."""
    planner: Planner | None = None
    """What the plan was made by, where transports may ask for another one."""
    learned: int = 0
    """How often a peer was found at another place than before."""
    peers: dict[SocketId, Endpoint] = field(default_factory=dict)
    """Where they were found last."""


class Registry:
    """The calls, by call-id."""

    def __init__(
        self, config: Config, forwarder: Forwarder, ports: Ports, statistics: Statistics, transports: Transports
    ) -> None:
        self.config = config
        self.transports = transports
        self.forwarder = forwarder
        self.ports = ports
        self.statistics = statistics
        self._entries: dict[CallId, Entry] = {}
        self._deadlines: list[tuple[float, CallId]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Call]:
        return (entry.call for entry in self._entries.values())

    def traffic(self) -> Traffic:
        """What the calls that are up have relayed so far."""
        living = Traffic()
        for call_id in self._entries:
            living = living.plus(self.forwarder.counters(call_id).values())
        return living

    def get(self, call_id: CallId) -> Call | None:
        entry = self._entries.get(call_id)
        return entry.call if entry is not None else None

    def store(self, call: Call, signalled: Collection[LegId], now: float) -> None:
        """Put a call in force: its plan first, then the call itself.

        Cancels a deletion of the call, and of the legs that were `signalled`. Raises RequestError where a leg turns out
        not to be who it says (ERR-08).
        """
        self.transports.check(call, signalled)
        self.transports.sync(call, now)
        entry = self._entries.get(call.id) or Entry(call, NOTHING, now, now)
        self._plan(entry, call)
        if call.id not in self._entries:
            self._entries[call.id] = entry
            self.statistics.managed += 1
        notices.planned(call, entry.plan)
        notices.secured(call)
        self.forwarder.apply(call.id, entry.plan)
        self.transports.flush(call.id)
        self.transports.happened(call)
        entry.signalled_at = now
        entry.delete_at = None
        for leg in signalled:
            entry.delete_legs_at.pop(leg, None)
        self._check_later(entry, now)

    def restore(self, call_id: CallId) -> None:
        """Make the plan in force stand again, which closes what a failed request had bound."""
        entry = self._entries.get(call_id)
        self.forwarder.apply(call_id, entry.plan if entry is not None else NOTHING)

    def _plan(self, entry: Entry, call: Call) -> None:
        """Work out the plan of an entry whose call is this one from now on."""
        links, learning, planner = (
            self.transports.links(call.id),
            Learning(self.config.endpoint_learning),
            entry.planner,
        )
        if planner is None or planner.call is not call or planner.learning is not learning:
            planner = Planner(call, learning, self.transports.setting.forbidden)
        entry.plan = planner.plan(links)
        entry.call = call
        entry.planner = planner if links else None  # without transports nothing is planned twice

    def replan(self, call: Call, now: float) -> None:
        """Put changed facts in force that are not signalling of a party."""
        entry = self._entries[call.id]
        self.transports.sync(call, now)
        self._plan(entry, call)
        notices.planned(call, entry.plan)
        self.forwarder.apply(call.id, entry.plan)
        self.transports.flush(call.id)
        self.transports.happened(call)

    def end_legs(self, call_id: CallId, legs: tuple[LegId, ...], now: float) -> None:
        """End some legs of a call: their sockets are closed, the others go on."""
        entry = self._entries[call_id]
        counters = self.forwarder.counters(call_id)
        for number in legs:
            for media in entry.call.leg(number).medias:
                ports = (port for item in media.port_sets for port in item.ports)
                self.statistics.count_traffic(counters[port.socket] for port in ports if port.socket in counters)
                release(self.ports, media.port_sets, now)
            entry.delete_legs_at.pop(number, None)
        left = without_legs(entry.call, legs)
        self.transports.sync(left, now)
        self._plan(entry, left)
        self.forwarder.apply(call_id, entry.plan)
        self.transports.flush(call_id)
        self.transports.happened(entry.call)

    def is_ending(self, call_id: CallId) -> bool:
        """Whether the call is only waiting for the end of its delay."""
        entry = self._entries.get(call_id)
        return entry is not None and entry.delete_at is not None

    def delete_later(self, call_id: CallId, at: float, legs: tuple[LegId, ...] = ()) -> None:
        """End the call (or some legs of it) at that time unless it is (or they are) signalled again before."""
        entry = self._entries[call_id]
        if legs:
            entry.delete_legs_at.update(dict.fromkeys(legs, at))
        else:
            entry.delete_at = at
        self._schedule(entry, at)

    def end(self, call_id: CallId, ending: Ending, now: float) -> None:
        """End a call: last counters into the log, sockets closed, ports into quarantine."""
        entry = self._entries.pop(call_id)
        call = entry.call
        counters = self.forwarder.counters(call_id)
        self.statistics.count_end(call, ending.value, counters, now - entry.created_at)
        if entry.quality is not None:
            known = ((source.average, source.samples) for source in entry.quality.sources.values())
            self.statistics.count_quality((score, samples) for score, samples in known if score is not None)
        self._sum_up(entry, counters, ending, now)
        self.transports.end(call_id, now)
        self.forwarder.apply(call_id, NOTHING)
        for leg in call.legs:
            for media in leg.medias:
                release(self.ports, media.port_sets, now)

    def _sum_up(self, entry: Entry, counters: dict[SocketId, SocketCounters], ending: Ending, now: float) -> None:
        """Log what the call was. That it ended although nobody asked for it is a warning."""
        setting, cause = TIMEOUTS.get(ending, ("", ""))
        level = logging.WARNING if setting else logging.INFO
        if logger.isEnabledFor(level):
            cause = cause.format(getattr(self.config, setting)) if setting else ""
            links = self.transports.shown(entry.call.id)
            text = summary(entry.call, counters, links, ending.name, now - entry.created_at, cause)
            logger.log(level, "%s", text, extra={"call": entry.call.id})

    def end_all(self, ending: Ending, now: float) -> None:
        for call_id in list(self._entries):
            self.end(call_id, ending, now)

    # what the forwarder reports

    def handle_event(self, event: Event) -> None:
        """Take in an event: RTCP goes to the quality record of its call, peers and strangers into the log."""
        entry = self._entries.get(event.call)
        if entry is None:
            return
        if isinstance(event, Punted):
            if self.transports.receive(event):
                self._relink(entry)
            self.transports.happened(entry.call)
        elif isinstance(event, Tapped):
            if entry.quality is None:
                entry.quality = CallQuality()
            entry.quality.receive(event.packet, event.at)
        elif isinstance(event, Learned):
            news = event.confirmed and entry.peers.get(event.socket) != event.peer
            if news:
                entry.peers[event.socket] = event.peer
                entry.learned += 1
            notices.learned(entry.call, event, entry.learned if news else 0)
        elif isinstance(event, Unreadable):
            self.statistics.unreadable += 1
            if entry.complaints is None:
                entry.complaints = Throttle(MOST_UNREADABLE)
            if entry.complaints.passes("unreadable", event.at) is not None:
                notices.unreadable(entry.call, event)
        elif isinstance(event, Stranger) and entry.strangers.get(event.socket) != event.source:
            entry.strangers[event.socket] = event.source
            notices.stranger(entry.call, event)

    def _relink(self, entry: Entry) -> None:
        """Put in force what the transports of a call have found out."""
        before = entry.plan
        self._plan(entry, entry.call)
        if entry.plan != before:
            notices.planned(entry.call, entry.plan)
            self.forwarder.apply(entry.call.id, entry.plan)

    def quality(self, call_id: CallId) -> Mapping[int, Quality]:
        """Reception quality by SSRC."""
        entry = self._entries.get(call_id)
        return entry.quality.sources if entry is not None and entry.quality is not None else {}

    # timers

    def next_timeout(self) -> float | None:
        """When something may be due."""
        while self._deadlines and self._is_stale(*self._deadlines[0]):
            heapq.heappop(self._deadlines)
        mine = self._deadlines[0][0] if self._deadlines else None
        return earliest(mine, self.transports.next_timeout())

    def _is_stale(self, at: float, call_id: CallId) -> bool:
        """Whether a deadline is that of a call that is over, or is another one by now."""
        entry = self._entries.get(call_id)
        return entry is None or entry.check_at != at

    def handle_timer(self, now: float) -> None:
        """End what is due: deleted calls after their delay, calls without media, calls that are too old."""
        for call_id, changed in self.transports.handle_timer(now).items():
            entry = self._entries.get(call_id)
            if entry is not None:
                if changed:
                    self._relink(entry)
                self.transports.happened(entry.call)
        while self._deadlines and self._deadlines[0][0] <= now:
            at, call_id = heapq.heappop(self._deadlines)
            entry = self._entries.get(call_id)
            if entry is None or entry.check_at != at:
                continue
            if entry.delete_at is not None and entry.delete_at <= now:
                self.end(call_id, Ending.REGULAR, now)
                continue
            gone = tuple(leg for leg, leg_at in entry.delete_legs_at.items() if leg_at <= now)
            if gone:
                self.end_legs(call_id, gone, now)
                if entry.call.is_over():
                    self.end(call_id, Ending.REGULAR, now)
                    continue
            ending, due = self._expiry(entry)
            if due <= now:
                self.end(call_id, ending if entry.delete_at is None else Ending.REGULAR, now)
                continue
            if entry.delete_at is not None:
                due = min(due, entry.delete_at)
            self._schedule(entry, min((due, *entry.delete_legs_at.values())), again=True)

    def _check_later(self, entry: Entry, now: float) -> None:
        """After signalling nothing can be due before the shortest timeout has passed.

        A check that is noted already comes before that, and finds out then when the next one is due.
        """
        if entry.check_at:
            return
        config = self.config
        soonest = min(config.timeout, config.silent_timeout, config.offer_timeout)
        at = now + soonest
        if config.final_timeout:
            at = min(at, entry.created_at + config.final_timeout)
        self._schedule(entry, at)

    def _schedule(self, entry: Entry, at: float, *, again: bool = False) -> None:
        if again or not entry.check_at or at < entry.check_at:
            entry.check_at = at
            heapq.heappush(self._deadlines, (at, entry.call.id))

    def _expiry(self, entry: Entry) -> tuple[Ending, float]:
        """When the call times out if nothing more is received, and why (ng-protocol.md §5.4).

        The call lives while one stream is fresh. Streams that may receive decide, and those of parties that have not
        answered; silent ones count only when there is no other. Subscribers to copies keep no call alive.
        """
        config = self.config
        counters = self.forwarder.counters(entry.call.id)
        heard = max(entry.signalled_at, self.transports.activity(entry.call.id))
        ending, due = Ending.SILENT_TIMEOUT, 0.0
        silent = entry.signalled_at
        for leg in entry.call.legs:
            if leg.ended or leg.is_subscriber or not (leg.alone or entry.call.sources_of(leg.id)):
                continue
            for media in leg.medias:
                last = _last_activity(media, counters, heard)
                if not media.said:
                    candidate = (Ending.OFFER_TIMEOUT, last + config.offer_timeout)
                elif media.sends and media.active and media.ports is not None:
                    candidate = (Ending.TIMEOUT, last + config.timeout)
                else:
                    silent = max(silent, last)
                    continue
                if candidate[1] > due:
                    ending, due = candidate
        if not due:
            due = silent + config.silent_timeout
        if config.final_timeout and entry.created_at + config.final_timeout < due:
            ending, due = Ending.FINAL_TIMEOUT, entry.created_at + config.final_timeout
        return ending, due


def _last_activity(media: Media, counters: dict[SocketId, SocketCounters], signalled: float) -> float:
    """When a media was last heard of: a packet, or signalling."""
    last = signalled
    for item in media.port_sets:
        for port in item.ports:
            seen = counters.get(port.socket)
            if seen is not None and seen.last_packet is not None and seen.last_packet > last:
                last = seen.last_packet
    return last


def without_legs(call: Call, gone: Collection[LegId]) -> Call:
    """The call with these legs ended: they have no ports and receive from nobody."""
    legs = tuple(_ended(leg) if leg.id in gone else leg for leg in call.legs)
    kept = tuple(item for item in call.subscriptions if item.subscriber not in gone and item.source not in gone)
    return call._replace(legs=legs, subscriptions=kept)


def _ended(leg: Leg) -> Leg:
    return leg._replace(ended=True, medias=tuple(media._replace(ports=None, former=()) for media in leg.medias))
