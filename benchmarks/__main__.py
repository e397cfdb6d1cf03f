"""`python -m benchmarks SUITE`: measure, print the table, and on demand write it into the documentation."""

import argparse
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import traffic
from benchmarks.alone import AloneError, alone
from benchmarks.daemons import DAEMONS, ROOT, Site, version_of
from benchmarks.kernel import machine, pin
from benchmarks.measures import FULL, QUICK
from benchmarks.ng import DaemonError
from benchmarks.report import Report, replace_section
from benchmarks.rounds import run_rounds
from benchmarks.suites import SUITES

DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> int:
    options = _parser().parse_args()
    if options.write and options.quick:
        print("--quick figures are not for the documentation: leave out --write", file=sys.stderr)
        return 2
    try:
        with alone():
            report = _measure(options)
    except (AloneError, DaemonError, traffic.LoadError) as failure:
        print(f"benchmarks: {failure}", file=sys.stderr)
        return 1
    print(report.markdown())
    if options.json is not None:
        options.json.write_text(report.json())
    if options.write:
        DOCUMENT.write_text(replace_section(DOCUMENT.read_text(), report.suite.name, report.markdown()))
    return 0


def _measure(options: argparse.Namespace) -> Report:
    suite, subject, peer = SUITES[options.suite], DAEMONS[options.subject], DAEMONS[options.peer]
    effort = QUICK if options.quick else FULL
    if options.rounds is not None:
        effort = replace(effort, rounds=options.rounds)
    site = _site(options)
    if not {site.daemon_core, site.load_core} <= os.sched_getaffinity(0):
        raise traffic.LoadError("two cores are needed, one for the daemon and one for the load: see --daemon-core")
    traffic.build()
    versions = (version_of(subject), version_of(peer))
    pin(site.load_core)
    return Report(
        suite=suite,
        effort=effort,
        subject=subject.name,
        peer=peer.name,
        versions=versions,
        machine=machine(),
        command=_command(options),
        day=datetime.now(UTC).date(),
        rounds=run_rounds(suite.measures, subject, peer, site, effort),
    )


def _site(options: argparse.Namespace) -> Site:
    low, _, high = options.media_ports.partition("-")
    return Site(
        ng_port=options.ng_port,
        media_ports=(int(low), int(high)),
        daemon_core=options.daemon_core,
        load_core=options.load_core,
        log_level=options.log_level,
    )


def _command(options: argparse.Namespace) -> str:
    """The command that measures the same, without where it found room and where the result goes."""
    defaults = _parser().parse_args([options.suite])
    words = ["python -m benchmarks", options.suite]
    for name in ("subject", "peer", "rounds", "log_level"):
        value = getattr(options, name)
        if value != getattr(defaults, name):
            words.append(f"--{name.replace('_', '-')}={value}")
    return " ".join((*words, "--quick") if options.quick else words)


def _parser() -> argparse.ArgumentParser:
    site = Site()
    low, high = site.media_ports
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure a daemon beside another one.")
    parser.add_argument("suite", choices=SUITES, help="the table to make")
    parser.add_argument("--subject", choices=DAEMONS, default="ngdaemon", help="the daemon in question (%(default)s)")
    parser.add_argument("--peer", choices=DAEMONS, default="rtpengine", help="the one beside it (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all works")
    parser.add_argument("--rounds", type=int, help=f"rounds that count ({FULL.rounds})")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every round to a file")
    parser.add_argument("--ng-port", type=int, default=site.ng_port, help="control port (%(default)s)")
    parser.add_argument("--media-ports", default=f"{low}-{high}", help="media ports of the daemons (%(default)s)")
    parser.add_argument("--daemon-core", type=int, default=site.daemon_core, help="core of the daemons (%(default)s)")
    parser.add_argument("--load-core", type=int, default=site.load_core, help="core of the load (%(default)s)")
    parser.add_argument("--log-level", type=int, default=site.log_level, help="of the daemons (%(default)s: errors)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
