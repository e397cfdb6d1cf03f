"""Counters of the whole daemon, and the tree that `statistics` answers with (ng-protocol.md §6.4).

Durations are seconds. In the NG reply numbers with a fraction are text with six decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ngdaemon.base.endpoint import Interface
from ngdaemon.base.ids import SocketId
from ngdaemon.call.model import Call
from ngdaemon.config.values import PortRange
from ngdaemon.dtls import states as dtls
from ngdaemon.ice import report as ice
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

MAX_PROXIES = 20
"""Proxies that are counted one by one, so that the reply fits into a datagram; further ones are only in the sums."""


SHARES = (("_user", 1), ("_kernel", 0), ("", 1))
"""Suffix of a key → the share of the packets that it tells of: none of them is forwarded in the kernel."""

HAPPENINGS: dict[str, type] = {
    "dtlsverified": dtls.Established,
    "dtlsmismatched": dtls.Mismatch,
    "dtlsfailed": dtls.Failed,
    "dtlsunheard": dtls.Unheard,
    "iceselected": ice.Selected,
    "icefailed": ice.Failed,
    "iceunanswered": ice.Unanswered,
    "iceconsentlost": ice.ConsentLost,
}
"""Key in `securitystatistics` → what is counted, for each component; these are ours."""

SHORTEST_RATE = 1.0
"""Seconds over which a rate is taken at least."""


@dataclass(slots=True)
class ProxyCounters:
    """What one proxy asked for."""

    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: int = 0


class Traffic(NamedTuple):
    """What was relayed: packets and UDP payload octets sent on, and packets that could not be."""

    packets: int = 0
    bytes: int = 0
    errors: int = 0

    def plus(self, counters: Iterable[SocketCounters]) -> "Traffic":
        packets, octets, errors = self
        for item in counters:
            packets += item.packets_out
            octets += item.bytes_out
            errors += item.errors_in + item.errors_out
        return Traffic(packets, octets, errors)


class Statistics:
    """Sums since the start."""

    def __init__(self, now: float) -> None:
        self._started = now
        self.managed = 0
        self.refused = 0
        """Requests that could not be secured as they ask."""
        self.refused_medias = 0
        """Single medias of requests that were served."""
        self.unreadable = 0
        """Ports where nothing authentic came, as often as there were other keys."""
        self._endings = dict.fromkeys(ENDINGS, 0)
        self._proxies: dict[str, ProxyCounters] = {}
        self._totals = ProxyCounters()
        self._traffic = Traffic()
        """Of calls and parties that have ended."""
        self._sampled = (now, Traffic())
        """When rates were asked for last, and what had been relayed by then."""
        self._score_sums: tuple[float, float, int] = (0.0, 0.0, 0)
        """MOS, its square, and samples, of streams that have ended."""
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
        self.count_traffic(counters.values())
        sending = silent = 0
        for leg in call.legs:
            for media in leg.medias:
                if media.ports is not None and media.said and media.active and media.copied is None:
                    sockets = [item.rtp.socket for item in media.ports.sets]
                    received = any(socket in counters and counters[socket].packets_in for socket in sockets)
                    sending += bool(received)
                    silent += not received
        self._zero_way += silent if not sending else 0
        self._one_way += bool(sending and silent)

    def count_traffic(self, counters: Iterable[SocketCounters]) -> None:
        """Count what sockets relayed that are about to be closed."""
        self._traffic = self._traffic.plus(counters)

    def count_quality(self, scores: Iterable[tuple[float, int]]) -> None:
        """Count the average MOS of streams that ended, each with its number of samples."""
        total, squares, samples = self._score_sums
        for score, count in scores:
            total += score * count
            squares += score * score * count
            samples += count
        self._score_sums = (total, squares, samples)

    def tree(
        self,
        calls: Sequence[Call],
        living: Traffic,
        happenings: Mapping[type, int],
        interfaces: Iterable[Tree],
        now: float,
    ) -> Tree:
        """The reply to `statistics`. `living` is what the calls that are up have relayed so far.

        `happenings` says how often each kind of event of a transport was.
        """
        traffic = Traffic(*map(sum, zip(self._traffic, living, strict=True)))
        return {
            "currentstatistics": self._current(calls, traffic, now),
            "totalstatistics": self._total(traffic, now),
            "mos": self._mos(),
            "securitystatistics": self._security(happenings),
            "controlstatistics": self._control(),
            "interfaces": list(interfaces),
            "transcoders": [],
        }

    def _current(self, calls: Sequence[Call], traffic: Traffic, now: float) -> Tree:
        """Calls that are up, and rates per second since rates were asked for last."""
        then, before = self._sampled
        if now - then >= SHORTEST_RATE:
            self._sampled = (now, traffic)
        seconds = max(now - then, SHORTEST_RATE)
        rates = [int((after - first) / seconds) for after, first in zip(traffic, before, strict=True)]
        tree: Tree = {
            "sessionsown": len(calls),
            "sessionsforeign": 0,
            "sessionstotal": len(calls),
            "transcodedmedia": 0,
        }
        for suffix, share in SHARES:
            for name, rate in zip(("packetrate", "byterate", "errorrate"), rates, strict=True):
                tree[name + suffix] = rate * share
        medias = sum(media.ports is not None for call in calls for leg in call.legs for media in leg.medias)
        tree.update({"media_userspace": medias, "media_kernel": 0, "media_mixed": 0})
        return tree

    def _security(self, happenings: Mapping[type, int]) -> Tree:
        """What became of ICE, DTLS and SRTP since the start."""
        tree: Tree = {"refusedrequests": self.refused, "refusedmedias": self.refused_medias}
        tree.update({name: happenings.get(kind, 0) for name, kind in HAPPENINGS.items()})
        tree["srtpunreadable"] = self.unreadable
        return tree

    def _mos(self) -> Tree:
        """Scores of the calls that have ended."""
        total, squares, samples = self._score_sums
        average = total / samples if samples else 0.0
        variance = squares / samples - average * average if samples else 0.0
        return {
            "mos_total": _text(total),
            "mos2_total": _text(squares),
            "mos_samples_total": samples,
            "mos_average": _text(average),
            "mos_stddev": _text(max(variance, 0.0) ** 0.5),
        }

    def _total(self, traffic: Traffic, now: float) -> Tree:
        average = self._durations / self._ended if self._ended else 0.0
        variance = self._squares / self._ended - average * average if self._ended else 0.0
        tree: Tree = {"uptime": str(int(now - self._started)), "managedsessions": self.managed}
        tree.update(self._endings)
        relayed = {
            "relayedpackets": traffic.packets,
            "relayedpacketerrors": traffic.errors,
            "relayedbytes": traffic.bytes,
        }
        for suffix, share in SHARES:
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


def interface_tree(interface: Interface, ports: PortRange, used: int) -> Tree:
    """One element of `interfaces`."""
    total = ports.last - ports.first + 1 - len(ports.excluded)
    return {
        "name": interface.name,
        "address": interface.address,
        "ports": {
            "min": ports.first,
            "max": ports.last,
            "used": used,
            "used_pct": _text(100.0 * used / total),
            "free": total - used,
            "totals": total,
        },
    }


def _text(value: float) -> str:
    return f"{value:.6f}"
