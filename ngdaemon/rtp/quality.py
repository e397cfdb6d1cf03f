"""How well the streams of a call are received, from the RTCP reports that pass through (ng-protocol.md §6.2).

A relay sees both halves of each exchange: a sender report on its way to the receivers, and the report block with which
a receiver answers it. From the time between them comes the round trip between us and that receiver; the round trips on
both sides of us added up are the one between the two ends. With it the E-model (ITU-T G.107) gives the MOS.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ngdaemon.base.errors import WireError
from ngdaemon.rtp import rtcp

MAX_SOURCES = 32
"""Sources that are followed in a call; further ones are left out."""
MAX_SENDER_REPORTS = 4
"""Sender reports of a source that a receiver may still answer."""
MAX_ENTRIES = 10
"""Entries in a progression."""
FIRST_INTERVAL = 5.0
"""Seconds between entries of a progression at first; doubled whenever there would be more than MAX_ENTRIES."""
MAX_ROUND_TRIP = 30.0
"""Seconds. What is longer comes from a wrong clock."""

CLOCK_RATES = (8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000)
"""Hz. Rates of RTP clocks that are in use (RFC 3551 and later payload formats)."""
DEFAULT_RATE = 8000

Tree = dict[str, object]


@dataclass(frozen=True, slots=True)
class Sample:
    """One judgement of a stream by one of its receivers."""

    at: float
    """Monotonic seconds."""
    mos: float
    """1 to 4.5; 0 while the round trip between the ends is not known."""
    round_trip: float
    """Seconds, between the two ends; 0 while not known."""
    leg: float
    """Seconds, between us and the receiver."""
    jitter: float
    """Seconds."""
    loss: float
    """Percent."""


def mos(round_trip: float, jitter: float, loss: float) -> float:
    """Mean opinion score, 1 to 4.5, for a round trip and a jitter in seconds and a loss in percent.

    ITU-T G.107 reduced to what reports tell: the delay is half the round trip and a jitter buffer of twice the jitter,
    the codec is G.711 with concealment (Ie = 0, Bpl = 25.1, G.113 appendix I), losses are independent of each other.
    """
    delay = 1000 * (round_trip / 2 + 2 * jitter) + CODEC_DELAY
    impairment = 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)
    r = max(0.0, 93.2 - impairment - 95 * loss / (loss + 25.1))
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


CODEC_DELAY = 10.0
"""Milliseconds for encoding and decoding."""


class Quality:
    """The judgements of one stream so far."""

    __slots__ = ("_entries", "_highest", "_interval", "_lowest", "_next", "_samples", "_sums", "lost")

    def __init__(self) -> None:
        self.lost = 0
        """Packets lost since the beginning, as last reported."""
        self._samples = 0
        self._sums = [0.0] * 5
        self._lowest: Sample | None = None
        self._highest: Sample | None = None
        self._entries: list[Sample] = []
        self._interval = FIRST_INTERVAL
        self._next = 0.0

    @property
    def samples(self) -> int:
        return self._samples

    @property
    def average(self) -> float | None:
        """The average MOS; None without samples."""
        return self._sums[0] / self._samples if self._samples else None

    def add(self, sample: Sample) -> None:
        """Take in a judgement. One without a MOS appears in the progression only."""
        if not self._entries or sample.at >= self._next:
            self._progress(sample)
        if not sample.mos:
            return
        self._samples += 1
        for index, value in enumerate((sample.mos, sample.round_trip, sample.leg, sample.jitter, sample.loss)):
            self._sums[index] += value
        if self._lowest is None or sample.mos < self._lowest.mos:
            self._lowest = sample
        if self._highest is None or sample.mos > self._highest.mos:
            self._highest = sample

    def _progress(self, sample: Sample) -> None:
        if len(self._entries) == MAX_ENTRIES:
            self._entries = self._entries[::2]
            self._interval *= 2
            if sample.at < self._entries[-1].at + self._interval:
                self._next = self._entries[-1].at + self._interval
                return
        self._entries.append(sample)
        self._next = sample.at + self._interval

    def report(self, wall: int, now: float) -> Tree:
        """The keys of an SSRC entry from `cumulative loss` on; nothing without a MOS.

        `wall` is the Unix time in seconds at the monotonic time `now`.
        """
        if self._lowest is None or self._highest is None:
            return {}
        count = self._samples
        score, round_trip, leg, jitter, loss = (total / count for total in self._sums)
        average = _entry(Sample(0.0, score, round_trip, leg, jitter, loss))
        average["samples"] = count
        return {
            "cumulative loss": self.lost,
            "average MOS": average,
            "lowest MOS": _dated(self._lowest, wall, now),
            "highest MOS": _dated(self._highest, wall, now),
            "MOS progression": {
                "interval": int(self._interval),
                "entries": [_dated(sample, wall, now) for sample in self._entries],
            },
        }


def _entry(sample: Sample) -> Tree:
    """A judgement in the units of the protocol, fractions cut off."""
    return {
        "MOS": int(10 * sample.mos),
        "round-trip time": int(1e6 * sample.round_trip),
        "round-trip time leg": int(1e6 * sample.leg),
        "jitter": int(1e3 * sample.jitter),
        "packet loss": int(sample.loss),
    }


def _dated(sample: Sample, wall: int, now: float) -> Tree:
    return {"reported at": int(wall - (now - sample.at)), **_entry(sample)}


class _Source:
    """What is known of one synchronisation source as a sender and as a reporter."""

    __slots__ = ("clock", "leg", "quality", "rate", "sent")

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        """Middle 32 bits of the NTP time of its newest sender reports → when they passed us."""
        self.leg: float | None = None
        """Seconds: newest round trip between us and this party."""
        self.rate = DEFAULT_RATE
        self.clock: tuple[int, int] | None = None
        """NTP time and RTP timestamp of its first sender report."""
        self.quality = Quality()


class CallQuality:
    """The reception quality of all streams of a call, fed with the RTCP packets that pass in any direction."""

    __slots__ = ("_sources",)

    def __init__(self) -> None:
        self._sources: dict[int, _Source] = {}

    @property
    def sources(self) -> Mapping[int, Quality]:
        """By SSRC, those that have a MOS."""
        return {ssrc: source.quality for ssrc, source in self._sources.items() if source.quality.samples}

    def receive(self, packet: bytes, now: float) -> None:
        """Take in an RTCP compound. What cannot be parsed is left out."""
        try:
            packets = rtcp.parse(packet)
        except WireError:
            return
        for item in packets:
            if isinstance(item, rtcp.SenderReport):
                self._sender_report(item, now)
            if isinstance(item, rtcp.SenderReport | rtcp.ReceiverReport):
                for block in item.blocks:
                    self._block(item.ssrc, block, now)

    def _source(self, ssrc: int) -> _Source | None:
        source = self._sources.get(ssrc)
        if source is None and len(self._sources) < MAX_SOURCES:
            source = self._sources[ssrc] = _Source()
        return source

    def _sender_report(self, report: rtcp.SenderReport, now: float) -> None:
        """Remember when it passed, and find out how fast the sender's RTP clock goes."""
        source = self._source(report.ssrc)
        if source is None:
            return
        source.sent[report.ntp >> 16 & 0xFFFFFFFF] = now
        if len(source.sent) > MAX_SENDER_REPORTS:
            del source.sent[next(iter(source.sent))]
        if source.clock is None:
            source.clock = (report.ntp, report.timestamp)
        else:
            source.rate = _clock_rate(source.clock, (report.ntp, report.timestamp)) or source.rate

    def _block(self, reporter: int, block: rtcp.Block, now: float) -> None:
        """A party reports what it received of a source: a sample, if the round trips on both sides are known."""
        heard, judge = self._sources.get(block.ssrc), self._source(reporter)
        if heard is None or judge is None:
            return
        heard.quality.lost = max(0, block.lost)
        passed = heard.sent.get(block.last_report) if block.last_report else None
        if passed is None:
            return
        leg = now - passed - block.delay / 65536
        if not -CLOCK_SLACK <= leg <= MAX_ROUND_TRIP:
            return
        judge.leg = leg = max(leg, 0.0)
        jitter, loss = block.jitter / heard.rate, 100 * block.fraction_lost / 256
        if heard.leg is None:
            heard.quality.add(Sample(now, 0.0, 0.0, leg, jitter, loss))
            return
        round_trip = leg + heard.leg
        heard.quality.add(Sample(now, mos(round_trip, jitter, loss), round_trip, leg, jitter, loss))


CLOCK_SLACK = 0.005
"""Seconds by which a round trip may come out negative: the delay in a report is rounded by its sender's clock."""


def _clock_rate(first: tuple[int, int], second: tuple[int, int]) -> int | None:
    """The RTP clock rate in Hz that two sender reports agree with, or None."""
    seconds = (second[0] - first[0]) / 2**32
    if not 0.5 <= seconds <= MAX_CLOCK_SPAN:
        return None
    measured = ((second[1] - first[1]) & 0xFFFFFFFF) / seconds
    nearest = min(CLOCK_RATES, key=lambda rate: abs(rate - measured))
    return nearest if abs(nearest - measured) < 0.02 * nearest else None


MAX_CLOCK_SPAN = 40000.0
"""Seconds after which the timestamp of the fastest clock may have gone round."""
