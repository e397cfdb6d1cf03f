"""The soak replaces calls while others have media, and tells what grew or was lost."""

from dataclasses import replace

import pytest

from benchmarks import soak
from benchmarks.daemons import DAEMONS, Site
from benchmarks.kernel import Memory
from benchmarks.soak import Load, Sample, faults, table

FLAT = [
    Sample(20.0 * (1 + i), 1000 * i, Memory(80 << 20, 70 << 20), 8012, 2, 0.3, sent=1000, lost=0) for i in range(40)
]


def test_calls_come_and_go_and_no_packet_is_lost(site: Site) -> None:
    samples = soak.soak(DAEMONS["ngdaemon"], site, Load(seconds=0.1, calls=40, rate=400, turn=0.5))
    assert len(samples) == 1
    assert (samples[0].replaced, samples[0].sent, samples[0].lost) == (20, 200, 0)
    assert samples[0].descriptors > 4 * 40
    assert samples[0].threads >= 1
    assert samples[0].memory.rss > 0


def test_what_stays_as_it_is_has_no_fault() -> None:
    assert faults(FLAT) == []
    assert table(FLAT).endswith("\n\nAll stayed flat, and no packet was lost.\n")
    assert "| 800 s | 39,000 | 80.0 MB | 8,012 | 2 | 30 % | 40,000 | 0 |" in table(FLAT)


def test_what_happens_before_the_daemon_has_its_size_is_not_judged() -> None:
    small = replace(FLAT[0], memory=Memory(20 << 20, 20 << 20), descriptors=9)
    assert faults([small, *FLAT[1:]]) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"memory": Memory(84 << 20, 0)}, "memory grew by 5.0 %"),
        ({"descriptors": 8020}, "file descriptors were between 8,012 and 8,020, at the end 8,020"),
        ({"threads": 3}, "threads were between 2 and 3, at the end 3"),
        ({"lost": 1}, "20 packets were lost, or came twice"),
    ],
)
def test_what_grows_or_is_lost_is_told(change: dict[str, object], fault: str) -> None:
    samples = [*FLAT[:20], *(replace(sample, **change) for sample in FLAT[20:])]  # type: ignore[arg-type]
    assert faults(samples) == [fault]
    assert fault in table(samples)
