"""Round trip, jitter, loss and MOS out of the reports that pass a relay.

Two parties, A and B, with the relay between them: A is 20 ms away from it (there and back), B 80 ms.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.rtp.quality import MAX_ENTRIES, MAX_SOURCES, CallQuality, Quality, Sample, mos
from tests.support import packets

A, B = 0xA, 0xB
NEAR, FAR = 0.02, 0.08
NTP_EPOCH = 3_900_000_000


def ntp(now: float) -> int:
    return int((NTP_EPOCH + now) * 2**32)


def middle(value: int) -> int:
    return value >> 16 & 0xFFFFFFFF


@dataclass
class Talk:
    """Two parties that report to each other every five seconds."""

    quality: CallQuality = field(default_factory=CallQuality)
    now: float = 100.0
    rate: int = 8000
    loss: int = 0
    jitter: int = 0

    def exchange(self) -> None:
        """A sends a sender report, which B answers with one of its own, which A answers."""
        self.now += 5.0
        self._report(A, None, self.now)
        answered = self.now + FAR + 1.0
        self._report(B, (A, self.now, 1.0), answered)
        self._report(A, (B, answered, 0.5), answered + NEAR + 0.5)

    def _report(self, sender: int, about: tuple[int, float, float] | None, passes: float) -> None:
        """A sender report that passes the relay at that time, with a block about the report that passed before."""
        blocks = []
        if about is not None:
            source, passed, delay = about
            blocks.append(
                packets.block(
                    source,
                    last_report=middle(ntp(passed)),
                    delay=int(delay * 65536),
                    fraction_lost=self.loss,
                    lost=3,
                    jitter=self.jitter,
                )
            )
        timestamp = int(passes * self.rate) % 2**32
        data = packets.sender_report(sender, blocks, ntp=ntp(passes), timestamp=timestamp)
        self.quality.receive(data + packets.description(sender), passes)


def test_nothing_is_known_before_both_sides_reported_a_round_trip() -> None:
    quality = CallQuality()
    quality.receive(packets.sender_report(A, ntp=ntp(1.0)), 1.0)
    assert quality.sources == {}
    quality.receive(packets.receiver_report(B, [packets.block(A, last_report=middle(ntp(1.0)))]), 1.05)
    assert quality.sources == {}


def test_the_round_trip_is_that_of_both_legs_and_the_leg_that_of_the_judge() -> None:
    talk = Talk()
    for _ in range(3):
        talk.exchange()
    about_a = talk.quality.sources[A].report(1_700_000_000, talk.now)["average MOS"]
    about_b = talk.quality.sources[B].report(1_700_000_000, talk.now)["average MOS"]
    assert isinstance(about_a, dict)
    assert isinstance(about_b, dict)
    assert about_a["round-trip time"] == pytest.approx(100_000, abs=50)
    assert about_b["round-trip time"] == pytest.approx(100_000, abs=50)
    assert about_a["round-trip time leg"] == pytest.approx(80_000, abs=50)
    assert about_b["round-trip time leg"] == pytest.approx(20_000, abs=50)


def test_the_units_of_a_report() -> None:
    talk = Talk(loss=64, jitter=160)
    for _ in range(3):
        talk.exchange()
    wall = 1_700_000_000
    entry = talk.quality.sources[B].report(wall, talk.now + 100.0)
    assert list(entry) == ["cumulative loss", "average MOS", "lowest MOS", "highest MOS", "MOS progression"]
    assert entry["cumulative loss"] == 3
    average, lowest, progression = entry["average MOS"], entry["lowest MOS"], entry["MOS progression"]
    assert isinstance(average, dict)
    assert isinstance(lowest, dict)
    assert isinstance(progression, dict)
    assert list(average) == ["MOS", "round-trip time", "round-trip time leg", "jitter", "packet loss", "samples"]
    assert list(lowest) == ["reported at", "MOS", "round-trip time", "round-trip time leg", "jitter", "packet loss"]
    assert average["packet loss"] == 25
    assert average["jitter"] == 20
    assert average["samples"] == 3
    assert 10 <= average["MOS"] <= 45
    assert wall - 120 < lowest["reported at"] < wall - 80
    assert list(progression) == ["interval", "entries"]


def test_the_clock_rate_is_found_out_from_sender_reports() -> None:
    talk = Talk(rate=48000, jitter=960)
    for _ in range(5):
        talk.exchange()
    assert talk.quality.sources[A].samples == 4
    highest = talk.quality.sources[A].report(0, talk.now)["highest MOS"]
    assert isinstance(highest, dict)
    assert highest["jitter"] == 20


@pytest.mark.parametrize("delay", [-1.0, 40.0])
def test_a_round_trip_that_cannot_be_is_left_out(delay: float) -> None:
    quality = CallQuality()
    quality.receive(packets.sender_report(A, ntp=ntp(1.0)), 100.0)
    quality.receive(packets.sender_report(B, ntp=ntp(1.0)), 100.0)
    for source, judge in ((A, B), (B, A)):
        block = packets.block(source, last_report=middle(ntp(1.0)), delay=65536)
        quality.receive(packets.receiver_report(judge, [block]), 101.0 + delay)
    assert quality.sources == {}


def test_sources_beyond_the_bound_are_left_out() -> None:
    quality = CallQuality()
    for ssrc in range(2 * MAX_SOURCES):
        quality.receive(packets.sender_report(ssrc), 1.0)
    assert len(quality._sources) == MAX_SOURCES


def test_a_progression_covers_the_call_with_few_entries() -> None:
    quality = Quality()
    times = [5.0 * number for number in range(1, 500)]
    for at in times:
        quality.add(Sample(at, 4.0, 0.1, 0.05, 0.0, 0.0))
    progression = quality.report(10_000, times[-1])["MOS progression"]
    assert isinstance(progression, dict)
    dates = [entry["reported at"] for entry in progression["entries"]]
    assert len(dates) <= MAX_ENTRIES
    assert dates[0] == 10_000 - (times[-1] - times[0])
    gaps = {late - early for early, late in pairwise(dates)}
    assert gaps == {progression["interval"]}
    assert 10_000 - dates[-1] <= progression["interval"]


def test_a_judgement_without_a_score_is_in_the_progression_only() -> None:
    talk = Talk()
    talk.exchange()
    talk.exchange()
    tree = talk.quality.sources[A].report(0, talk.now)
    progression, lowest = tree["MOS progression"], tree["lowest MOS"]
    assert isinstance(progression, dict)
    assert isinstance(lowest, dict)
    first, second = progression["entries"]
    assert (first["MOS"], first["round-trip time"]) == (0, 0)
    assert first["round-trip time leg"] > 0
    assert second["MOS"] == lowest["MOS"] > 0
    assert talk.quality.sources[A].samples == 1


def test_lowest_and_highest_are_kept() -> None:
    quality = Quality()
    for at, score in enumerate((4.0, 2.0, 4.3, 3.0)):
        quality.add(Sample(float(at), score, 0.1, 0.05, 0.0, 0.0))
    tree = quality.report(1000, 3.0)
    lowest, highest, average = tree["lowest MOS"], tree["highest MOS"], tree["average MOS"]
    assert isinstance(lowest, dict)
    assert isinstance(highest, dict)
    assert isinstance(average, dict)
    assert (lowest["MOS"], lowest["reported at"]) == (20, 998)
    assert (highest["MOS"], highest["reported at"]) == (43, 999)
    assert average["MOS"] == 33
    assert quality.average == pytest.approx(3.325)


@pytest.mark.parametrize(
    ("round_trip", "jitter", "loss", "low", "high"),
    [
        (0.0, 0.0, 0.0, 4.35, 4.45),
        (0.1, 0.005, 0.0, 4.3, 4.4),
        (0.6, 0.0, 0.0, 3.3, 4.0),
        (0.1, 0.0, 5.0, 3.3, 4.1),
        (0.1, 0.0, 20.0, 1.8, 2.9),
        (0.1, 0.0, 100.0, 1.0, 1.3),
        (30.0, 1.0, 100.0, 1.0, 1.0),
    ],
)
def test_scores_are_where_listeners_put_them(
    round_trip: float, jitter: float, loss: float, low: float, high: float
) -> None:
    assert low <= mos(round_trip, jitter, loss) <= high


@given(st.floats(0, 60), st.floats(0, 10), st.floats(0, 100))
def test_a_score_stays_on_its_scale_and_no_worse_path_has_a_better_one(
    round_trip: float, jitter: float, loss: float
) -> None:
    score = mos(round_trip, jitter, loss)
    assert 1.0 <= score <= 4.5
    assert mos(round_trip + 0.1, jitter, loss) <= score + 1e-9
    assert mos(round_trip, jitter + 0.1, loss) <= score + 1e-9


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_any_bytes_are_taken_in(datagrams: list[bytes]) -> None:
    quality = CallQuality()
    for number, data in enumerate(datagrams):
        quality.receive(data, float(number))
    for item in quality.sources.values():
        item.report(0, 20.0)
