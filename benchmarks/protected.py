"""Relayed packets of calls between a phone with SDES and a plain one: half are decrypted, half encrypted on the way."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import srtp, traffic
from benchmarks.calls import Call
from benchmarks.carrier import Carrier, set_up
from benchmarks.daemons import Daemon, Site, running
from benchmarks.measures import SETTLE, Effort, Figures, Measure, condition, send_through, undisturbed
from benchmarks.shapes import Shape


def protected(shape: Shape, flows: int, rates: Sequence[int]) -> Measure:
    """The figures of `media` at each rate, of calls whose callers protect.

    All packets of callers are decrypted by the daemon or do not arrive whole; of those that arrive at callers each
    sixteenth is decrypted here, after the run. `verified` is the number of these.
    """

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        figures: Figures = {}
        for rate in rates:
            calls = [Call(shape, number, site, srtp.words_of(shape.suite, number)) for number in range(flows // 2)]
            with tempfile.TemporaryDirectory() as directory:
                script = Path(directory, "script")
                count = srtp.packets_needed(rate, SETTLE + effort.seconds, flows)
                srtp.write_script(script, shape.suite, calls, count)
                relay = partial(_relay, daemon, site, calls, rate, effort.seconds, script)
                calmest = undisturbed(relay, effort.attempts)
            figures |= {f"{name}@{condition(shape, flows, rate)}": value for name, value in calmest.items()}
        return figures

    return measure


def _relay(daemon: Daemon, site: Site, calls: Sequence[Call], rate: int, seconds: float, script: Path) -> Figures:
    """One run with a fresh daemon."""
    suite = calls[0].shape.suite
    sample = script.with_name("sample")
    ends = traffic.Protected(srtp.RUN, script, sample, srtp.PROFILES[suite].overhead)
    with running(daemon, site) as daemon_running:
        answered = set_up(daemon_running, calls)
        figures = send_through(Carrier(daemon_running.pid, answered.phones()), rate, seconds, ends)
    keys = [srtp.key_in(sdp, suite) for sdp in answered.to_callers]
    return figures | {"verified": float(srtp.verify_sample(sample, suite, keys))}
