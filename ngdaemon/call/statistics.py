"""Counters of the whole daemon, and the tree that `statistics` answers with (ng-protocol.md §6.4).

Durations are seconds. In the NG reply numbers with a fraction are text with six decimals.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ngdaemon.base.endpoint import Interface
from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call
from ngdaemon.media.forwarder import SocketCounters

Tree = dict[str, object]

SHORT_NAMES = {
    "ping": "ping",
    "offer": "offer",
    "answer": "answer",
    "delete": "delete",
    "query": "query",
    "list": "list",
    "start recording": "startrec",
    "stop recording": "stoprec",
    "pause recording": "pauserec",
    "start forwarding": "startfwd",
    "stop forwarding": "stopfwd",
    "block DTMF": "blkdtmf",
    "unblock DTMF": "unblkdtmf",
    "block media": "blkmedia",
    "unblock media": "unblkmedia",
    "silence media": "slnmedia",
    "unsilence media": "unslnmedia",
    "play media": "playmedia",
    "stop media": "stopmedia",
    "play DTMF": "playdtmf",
    "statistics": "stats",
    "publish": "pub",
    "subscribe request": "subreq",
    "subscribe answer": "subans",
    "unsubscribe": "unsub",
    "inject start": "injstart",
    "inject stop": "injstop",
    "connect": "conn",
    "cli": "cli",
    "transform": "trnsfm",
    "create": "create",
    "create answer": "crtansw",
    "mesh": "mesh",
}
"""Command → its name in `controlstatistics` (§2.1)."""

ENDINGS = (
    "rejectedsessions",
    "timeoutsessions",
    "silenttimeoutsessions",
    "finaltimeoutsessions",
    "offertimeoutsessions",
    "regularterminatedsessions",
    "forcedterminatedsessions",
)

MAX_PROXIES = 256
"""Proxies that are counted one by one; further ones are only in the sums."""


@dataclass(slots=True)
class ProxyCounters:
    """What one proxy asked for."""

    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: int = 0


class Statistics:
    """Sums since the start."""

    def __init__(self, now: float) -> None:
        self._started = now
        self.managed = 0
        self._endings = dict.fromkeys(ENDINGS, 0)
        self._proxies: dict[str, ProxyCounters] = {}
        self._totals = ProxyCounters()
        self._packets = 0
        self._bytes = 0
        self._errors = 0
        self._zero_way = 0
        self._one_way = 0
        self._durations = 0.0
        self._squares = 0.0
        self._ended = 0

    def count_request(self, proxy: str, command: str, seconds: float, *, error: bool) -> None:
        """Count a request that was served or refused."""
        name = SHORT_NAMES.get(command)
        for counters in (self._totals, self._proxy(proxy)):
            if name is not None:
                counters.counts[name] = counters.counts.get(name, 0) + 1
                counters.seconds[name] = counters.seconds.get(name, 0.0) + seconds
            counters.errors += error

    def _proxy(self, proxy: str) -> ProxyCounters:
        counters = self._proxies.get(proxy)
        if counters is None:
            counters = ProxyCounters()
            if len(self._proxies) < MAX_PROXIES:
                self._proxies[proxy] = counters
        return counters

    def count_rejected(self) -> None:
        """Count a call that a load limit refused."""
        self._endings["rejectedsessions"] += 1

    def count_end(self, call: Call, ending: str, counters: Mapping[SocketId, SocketCounters], duration: float) -> None:
        """Count a call that ended."""
        self._endings[ending] += 1
        self._ended += 1
        self._durations += duration
        self._squares += duration * duration
        for item in counters.values():
            self._packets += item.packets_out
            self._bytes += item.bytes_out
            self._errors += item.errors_in + item.errors_out
        sending = silent = 0
        for leg in call.legs:
            for media in leg.medias:
                if media.ports is not None and media.said and media.active:
                    received = counters.get(media.ports.rtp.socket, SocketCounters()).packets_in
                    sending += bool(received)
                    silent += not received
        self._zero_way += silent if not sending else 0
        self._one_way += bool(sending and silent)

    def tree(self, calls: Iterable[Call], interfaces: Iterable[Tree], now: float) -> Tree:
        """The reply to `statistics`."""
        own = sum(1 for _ in calls)
        return {
            "currentstatistics": self._current(own),
            "totalstatistics": self._total(now),
            "mos": {
                "mos_total": _text(0.0),
                "mos2_total": _text(0.0),
                "mos_samples_total": 0,
                "mos_average": _text(0.0),
                "mos_stddev": _text(0.0),
            },
            "controlstatistics": self._control(),
            "interfaces": list(interfaces),
            "transcoders": [],
        }

    def _current(self, own: int) -> Tree:
        tree: Tree = {
            "sessionsown": own,
            "sessionsforeign": 0,
            "sessionstotal": own,
            "transcodedmedia": 0,
        }
        for suffix in ("_user", "_kernel", ""):
            for name in ("packetrate", "byterate", "errorrate"):
                tree[name + suffix] = 0
        tree.update({"media_userspace": own, "media_kernel": 0, "media_mixed": 0})
        return tree

    def _total(self, now: float) -> Tree:
        average = self._durations / self._ended if self._ended else 0.0
        variance = self._squares / self._ended - average * average if self._ended else 0.0
        tree: Tree = {"uptime": str(int(now - self._started)), "managedsessions": self.managed}
        tree.update(self._endings)
        relayed = {"relayedpackets": self._packets, "relayedpacketerrors": self._errors, "relayedbytes": self._bytes}
        for suffix, share in (("_user", 1), ("_kernel", 0), ("", 1)):
            tree.update({name + suffix: value * share for name, value in relayed.items()})
        tree.update(
            {
                "zerowaystreams": self._zero_way,
                "onewaystreams": self._one_way,
                "avgcallduration": _text(average),
                "totalcallsduration": _text(self._durations),
                "totalcallsduration2": _text(self._squares),
                "totalcallsduration_stddev": _text(max(variance, 0.0) ** 0.5),
            }
        )
        return tree

    def _control(self) -> Tree:
        proxies = [{"proxy": proxy, **_requests(counters, "")} for proxy, counters in self._proxies.items()]
        totals = {f"total{name}count": self._totals.counts.get(name, 0) for name in SHORT_NAMES.values()}
        return {"proxies": proxies, **totals, "totalerrorcount": self._totals.errors}


def _requests(counters: ProxyCounters, prefix: str) -> Tree:
    tree: Tree = {}
    for name in SHORT_NAMES.values():
        tree[f"{prefix}{name}count"] = counters.counts.get(name, 0)
        tree[f"{prefix}{name}duration"] = _text(counters.seconds.get(name, 0.0))
    tree["errorcount"] = counters.errors
    return tree


def interface_tree(interface: Interface, first: int, last: int, used: int) -> Tree:
    """One element of `interfaces`."""
    total = last - first + 1
    return {
        "name": interface.name,
        "address": interface.address,
        "ports": {
            "min": first,
            "max": last,
            "used": used,
            "used_pct": _text(100.0 * used / total),
            "free": total - used,
            "totals": total,
        },
    }


def _text(value: float) -> str:
    return f"{value:.6f}"
