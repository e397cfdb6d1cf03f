"""Packets between phones with SDES and plain ones really pass the daemon, and what comes back is looked into."""

import pytest

from benchmarks import measures, protected, srtp, traffic
from benchmarks.daemons import DAEMONS, Site
from benchmarks.measures import Effort, condition
from benchmarks.shapes import SDES_CM, SDES_GCM, Shape
from benchmarks.suites import SUITES

RATE = 800
EFFORT = Effort(rounds=1, groups=1, held=1, seconds=0.5, handshakes=1, alone=1, attempts=1)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long time before the measured one."""
    for module in (measures, protected):
        monkeypatch.setattr(module, "SETTLE", 0.3)


@pytest.mark.parametrize("shape", [SDES_CM, SDES_GCM], ids=lambda shape: shape.suite)
def test_packets_pass_the_daemon_both_ways(shape: Shape, site: Site) -> None:
    figures = protected.protected(shape, 4, (RATE,))(DAEMONS["ngdaemon"], site, EFFORT)
    under = condition(shape, 4, RATE)
    assert figures[f"verified@{under}"] > 0
    assert figures[f"rate@{under}"] > RATE / 2  # more than one direction
    rows = {row.figure.partition("@")[0] for row in SUITES["sdes"].rows if shape.suite in row.figure}
    assert rows <= {figure.partition("@")[0] for figure in figures}


def test_a_daemon_whose_key_is_not_the_announced_one_is_found_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srtp, "key_in", lambda _sdp, _suite: bytes(30))
    with pytest.raises(traffic.LoadError, match="cannot be decrypted"):
        protected.protected(SDES_CM, 4, (RATE,))(DAEMONS["ngdaemon"], site, EFFORT)
