"""The tables that can be made: which measurements, which rows, and what is to be reached."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.handshakes import handshakes
from benchmarks.measures import Measure, held, media, requests
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


@dataclass(frozen=True, slots=True)
class Suite:
    """A table and the measurements that fill it."""

    name: str
    title: str
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]


PLAIN_RATES = (20_000, 60_000)
SWEEP_RATES = (20_000, 40_000, 60_000, 80_000, 100_000, 120_000)


def _kpps(rate: int) -> str:
    return f"{rate // 1000} kpps"


def _protected(suite: str, rate: int) -> tuple[Row, ...]:
    condition = f"sdes-{suite}-{rate}"
    return (
        Row(f"cpu@{condition}", f"CPU per packet, {suite}, {_kpps(rate)}", "µs", reach=2.5),
        Row(f"p99@{condition}", f"99 % of the packets through within, {suite}, {_kpps(rate)}", "µs", 0),
        Row(f"loss@{condition}", f"loss, {suite}, {_kpps(rate)}", "%", 3, ratio=False),
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
    return tuple(Row(f"{quantity}@{rate}", title(rate), unit, digits, ratio) for rate in SWEEP_RATES)


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
            Row("cpu@20000", "CPU per packet, 20 kpps, 100 flows", "µs", reach=2.0),
            Row("p99@20000", "99 % of the packets through within, 20 kpps", "µs", 0),
            Row("cpu@60000", "CPU per packet, 60 kpps, 100 flows", "µs"),
            Row("p99@60000", "99 % of the packets through within, 60 kpps", "µs", 0),
            Row("loss@60000", "loss at 60 kpps on one core", "%", 3, ratio=False, reach=0.0),
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
        measures=tuple(protected(shape, 100, PLAIN_RATES) for shape in (SDES_CM, SDES_GCM)),
        rows=tuple(
            row for shape in (SDES_CM, SDES_GCM) for rate in PLAIN_RATES for row in _protected(shape.suite, rate)
        ),
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
)

SUITES = {suite.name: suite for suite in _SUITES}
