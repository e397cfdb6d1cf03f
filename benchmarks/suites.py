"""The tables that can be made: which measurements, which rows, and what is to be reached."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.handshakes import handshakes
from benchmarks.limit import LOSS, limit
from benchmarks.measures import Measure, condition, held, media, requests
from benchmarks.protected import protected
from benchmarks.shapes import DTLS, PLAIN, SDES_CM, SDES_GCM, WEBRTC, Shape


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    figure: str
    """Key of the figure (measures.py)."""
    title: str
    unit: str
    digits: int = 1
    ratio: bool = True
    """Whether the ratio is what counts; otherwise the subject's own value."""
    reach: float | None = None
    """Greatest ratio or value that is good enough."""
    aim: float | None = None
    higher: bool = False
    """Whether more is better: then `reach` is the least that is good enough."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A table and the measurements that fill it."""

    name: str
    title: str
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    subject: str = "ngdaemon"
    peer: str = "rtpengine"
    """Names of the daemons that are compared if no others are asked for."""


PLAIN_RATES = (20_000, 60_000)
SWEEP_RATES = (20_000, 40_000, 60_000, 80_000, 100_000, 120_000)
NATIVE_RATES = (20_000, 30_000, 100_000)
NATIVE_SDES_RATE = 80_000
FLOWS = (100, 2000)
SDES = (SDES_CM, SDES_GCM)


def _kpps(rate: int) -> str:
    return f"{rate // 1000} kpps"


def _protected(shape: Shape, rate: int) -> tuple[Row, ...]:
    under, suite = condition(shape, 100, rate), shape.suite
    return (
        Row(f"cpu@{under}", f"CPU per packet, {suite}, {_kpps(rate)}", "µs", reach=2.5),
        Row(f"p99@{under}", f"99 % of the packets through within, {suite}, {_kpps(rate)}", "µs", 0),
        Row(f"loss@{under}", f"loss, {suite}, {_kpps(rate)}", "%", 3, ratio=False),
    )


def _handshakes(shape: Shape, who: str) -> tuple[Row, ...]:
    return (
        Row(f"setup@{shape.name}", f"CPU per call until it has media, {who}", "µs", 0, reach=1.0),
        Row(f"calls@{shape.name}", f"calls that a core sets up in a second, {who}", "", 0),
        Row(f"first@{shape.name}", f"from the answer to the first decrypted media, {who}", "ms", 2, reach=1.0),
        Row(f"last@{shape.name}", f"the same, 90 % of the calls within, {who}", "ms", 2),
        Row(f"end@{shape.name}", f"CPU to end such a call, {who}", "µs", 0),
    )


def _sweep(title: Callable[[int], str], quantity: str, unit: str, digits: int, *, ratio: bool) -> tuple[Row, ...]:
    return tuple(
        Row(f"{quantity}@{condition(PLAIN, 100, rate)}", title(rate), unit, digits, ratio) for rate in SWEEP_RATES
    )


def _carried(shape: Shape, flows: int, rate: int, reach: float | None, aim: float | None = None) -> Row:
    """CPU per packet, in tables that have several kinds of packets, and numbers of flows."""
    kind = f"with {shape.suite}" if shape.suite else "plain"
    title = f"CPU per packet, {kind}, {_kpps(rate)}, {flows:,} flows"
    return Row(f"cpu@{condition(shape, flows, rate)}", title, "µs", 2, reach=reach, aim=aim)


def _lost(shape: Shape, flows: int, rate: int) -> Row:
    kind = f"with {shape.suite}" if shape.suite else "plain"
    title = f"loss, {kind}, {_kpps(rate)}, {flows:,} flows"
    return Row(f"loss@{condition(shape, flows, rate)}", title, "%", 3, ratio=False)


def _delayed(flows: int, rate: int, reach: float | None, aim: float | None = None) -> Row:
    title = f"99 % of the packets through within, {_kpps(rate)}, {flows:,} flows"
    return Row(f"p99@{condition(PLAIN, flows, rate)}", title, "µs", 0, reach=reach, aim=aim)


def _limits(flows: int, reach: float | None, aim: float | None = None) -> tuple[Row, ...]:
    under = f"{PLAIN.name}-{flows}"
    title = f"highest rate with less than {LOSS:g} % missed, {flows:,} flows"
    share = f"arriving when twice that is offered, in limits of its own, {flows:,} flows"
    offered = f"really offered then, in limits, {flows:,} flows"
    return (
        Row(f"limit@{under}", title, "packets/s", 0, reach=reach, aim=aim, higher=True),
        Row(f"share@{under}", share, "", 2, ratio=False, reach=0.95, aim=1.0, higher=True),
        Row(f"offered@{under}", offered, "", 2, ratio=False),
    )


_SUITES = (
    Suite(
        name="plain",
        title="Plain audio calls",
        measures=(requests(PLAIN), held(PLAIN), media(PLAIN, 100, PLAIN_RATES)),
        rows=(
            Row("request@plain", "CPU per request, mean of the three", "µs", reach=2.0, aim=1.3),
            Row("offer@plain", "CPU per offer", "µs"),
            Row("answer@plain", "CPU per answer", "µs"),
            Row("delete@plain", "CPU per delete", "µs"),
            Row("rss@plain", "resident memory per call held", "KB", reach=1.0),
            Row("cpu@plain-100-20000", "CPU per packet, 20 kpps, 100 flows", "µs", reach=2.0),
            Row("p99@plain-100-20000", "99 % of the packets through within, 20 kpps", "µs", 0),
            Row("cpu@plain-100-60000", "CPU per packet, 60 kpps, 100 flows", "µs"),
            Row("p99@plain-100-60000", "99 % of the packets through within, 60 kpps", "µs", 0),
            Row("loss@plain-100-60000", "loss at 60 kpps on one core", "%", 3, ratio=False, reach=0.0),
        ),
    ),
    Suite(
        name="rates",
        title="Plain packets by rate, 100 flows",
        measures=(media(PLAIN, 100, SWEEP_RATES),),
        rows=(
            *_sweep(lambda rate: f"CPU per packet, {_kpps(rate)}", "cpu", "µs", 1, ratio=True),
            *_sweep(lambda rate: f"loss, {_kpps(rate)}", "loss", "%", 3, ratio=False),
            *_sweep(lambda rate: f"half of the packets through within, {_kpps(rate)}", "p50", "µs", 0, ratio=True),
            *_sweep(lambda rate: f"99 % of the packets through within, {_kpps(rate)}", "p99", "µs", 0, ratio=True),
        ),
    ),
    Suite(
        name="sdes",
        title="Packets between phones with SDES and plain ones, both ways, 100 flows",
        measures=tuple(protected(shape, 100, PLAIN_RATES) for shape in SDES),
        rows=tuple(row for shape in SDES for rate in PLAIN_RATES for row in _protected(shape, rate)),
    ),
    Suite(
        name="dtls",
        title="Calls with DTLS-SRTP up to the first media",
        measures=(handshakes(DTLS, ice=False), handshakes(WEBRTC, ice=True)),
        rows=(*_handshakes(DTLS, "phone without ICE"), *_handshakes(WEBRTC, "browser")),
    ),
    Suite(
        name="webrtc",
        title="Requests of calls from a browser to a phone",
        measures=(requests(WEBRTC), held(WEBRTC)),
        rows=(
            Row("request@webrtc", "CPU per request, mean of the three", "µs", reach=1.0, aim=0.7),
            Row("offer@webrtc", "CPU per offer", "µs"),
            Row("answer@webrtc", "CPU per answer", "µs"),
            Row("delete@webrtc", "CPU per delete", "µs"),
            Row("rss@webrtc", "resident memory per call held", "KB"),
        ),
    ),
    Suite(
        name="native",
        title="Plain packets, native forwarder",
        measures=tuple(media(PLAIN, flows, NATIVE_RATES) for flows in FLOWS),
        rows=tuple(
            row
            for flows in FLOWS
            for row in (
                _carried(PLAIN, flows, 100_000, 0.80, 0.73),
                _carried(PLAIN, flows, 20_000, 0.80, 0.72),
                _delayed(flows, 20_000, 1.0, 0.9),
                _delayed(flows, 30_000, 1.0, 0.9),
                _lost(PLAIN, flows, 100_000),
            )
        ),
        subject="native",
    ),
    Suite(
        name="native-sdes",
        title="Packets between phones with SDES and plain ones, both ways, native forwarder",
        measures=tuple(protected(shape, flows, (NATIVE_SDES_RATE,)) for shape in SDES for flows in FLOWS),
        rows=tuple(
            row
            for shape in SDES
            for flows in FLOWS
            for row in (
                _carried(shape, flows, NATIVE_SDES_RATE, 0.75, 0.60),
                _lost(shape, flows, NATIVE_SDES_RATE),
            )
        ),
        subject="native",
    ),
    Suite(
        name="native-limit",
        title="The highest rate of plain packets on one core, native forwarder",
        measures=tuple(limit(PLAIN, flows) for flows in FLOWS),
        rows=tuple(row for flows in FLOWS for row in _limits(flows, 1.2, 1.35)),
        subject="native",
    ),
    Suite(
        name="native-gain",
        title="What installing the native forwarder gains",
        measures=(
            media(PLAIN, 100, PLAIN_RATES),
            *(protected(shape, 100, (60_000,)) for shape in SDES),
            limit(PLAIN, 100),
        ),
        rows=(
            *(_carried(PLAIN, 100, rate, None) for rate in PLAIN_RATES),
            *(_carried(shape, 100, 60_000, None) for shape in SDES),
            _delayed(100, 20_000, None),
            *_limits(100, None),
        ),
        subject="native",
        peer="portable",
    ),
    Suite(
        name="native-floor",
        title="The native forwarder above the floor: an echo that receives and sends, and nothing else",
        measures=(*(media(PLAIN, flows, (20_000, 100_000)) for flows in FLOWS), limit(PLAIN, 100)),
        rows=(
            *(_carried(PLAIN, flows, rate, 1.15) for flows in FLOWS for rate in (100_000, 20_000)),
            *(_delayed(flows, 20_000, None) for flows in FLOWS),
            *_limits(100, None),
        ),
        subject="native",
        peer="echo",
    ),
)

SUITES = {suite.name: suite for suite in _SUITES}
