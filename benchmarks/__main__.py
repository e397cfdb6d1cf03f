"""`python -m benchmarks COMMAND`: measure, print the table, and on demand write it into the documentation."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import cycles, soak, traffic
from benchmarks.alone import AloneError, alone
from benchmarks.daemons import DAEMONS, ROOT, Site, version_of
from benchmarks.kernel import machine, pin
from benchmarks.measures import FULL, QUICK
from benchmarks.ng import DaemonError
from benchmarks.report import Report, replace_section
from benchmarks.rounds import run_rounds
from benchmarks.suites import SUITES, Suite

DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> int:
    options = _parser().parse_args()
    if options.write and getattr(options, "quick", False):
        print("--quick figures are not for the documentation: leave out --write", file=sys.stderr)
        return 2
    try:
        with alone():
            _prepare(options)
            text, good = COMMANDS.get(options.command, _compare)(options)
    except (AloneError, DaemonError, traffic.LoadError) as failure:
        print(f"benchmarks: {failure}", file=sys.stderr)
        return 1
    print(text)
    if options.write:
        DOCUMENT.write_text(replace_section(DOCUMENT.read_text(), options.command, text))
    return 0 if good else 1


def _prepare(options: argparse.Namespace) -> None:
    if not {options.daemon_core, options.load_core} <= os.sched_getaffinity(0):
        raise traffic.LoadError("two cores are needed, one for the daemon and one for the load: see --daemon-core")
    traffic.build()
    pin(options.load_core)


def _compare(options: argparse.Namespace) -> tuple[str, bool]:
    """A table of one daemon beside another one, and that there is one."""
    report = _measure(options)
    if options.json is not None:
        options.json.write_text(report.json())
    return report.markdown(), True


def _soak(options: argparse.Namespace) -> tuple[str, bool]:
    """A table of samples, and whether all stayed flat."""
    daemon, load = DAEMONS[options.subject], soak.load_of(options)
    title = (
        f"{version_of(daemon)} with {load.calls:,} calls, half of them replaced in {load.turn:g} s, the others with "
        f"{load.rate:,} packets a second together"
    )
    samples = soak.soak(daemon, _site(options), load)
    return f"{_head(title, options)}{soak.table(samples)}", not soak.faults(samples)


def _cycles(options: argparse.Namespace) -> tuple[str, bool]:
    """A table of where time goes, and that there is one."""
    daemon = DAEMONS[options.subject]
    found = cycles.cycles(daemon, _site(options), options.seconds)
    return f"{_head(f'{version_of(daemon)}, packets of 172 bytes', options)}{cycles.table(found)}", True


def _head(title: str, options: argparse.Namespace) -> str:
    day = datetime.now(UTC).date().isoformat()
    return f"{title}: {day}, {machine()}. Made by\n\n    {_command(options)}\n\n"


COMMANDS: dict[str, Callable[[argparse.Namespace], tuple[str, bool]]] = {"soak": _soak, "cycles": _cycles}
"""What is not a comparison: gives its text, and whether all is well."""


def _measure(options: argparse.Namespace) -> Report:
    suite = SUITES[options.command]
    subject, peer = DAEMONS[options.subject], DAEMONS[options.peer]
    effort = QUICK if options.quick else FULL
    if options.rounds is not None:
        effort = replace(effort, rounds=options.rounds)
    return Report(
        suite=suite,
        effort=effort,
        subject=str(subject),
        peer=str(peer),
        versions=(version_of(subject), version_of(peer)),
        machine=machine(),
        command=_command(options),
        day=datetime.now(UTC).date(),
        rounds=run_rounds(suite.measures, subject, peer, _site(options), effort),
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
    defaults = _parser().parse_args([options.command])
    words = ["python -m benchmarks", options.command]
    for name in ("subject", "peer", "rounds", "seconds", "calls", "rate", "turn", "log_level"):
        value = getattr(options, name, None)
        if value != getattr(defaults, name, None):
            shown = f"{value:g}" if isinstance(value, float) else value
            words.append(f"--{name.replace('_', '-')}={shown}")
    return " ".join((*words, "--quick") if getattr(options, "quick", False) else words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure a daemon beside another one.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for suite in SUITES.values():
        _add_comparison(commands.add_parser(suite.name, help=suite.title), suite)
    soaking = commands.add_parser("soak", help="Calls that come and go for an hour: does anything grow, or get lost?")
    _add_subject(soaking, "native")
    soak.add_options(soaking)
    profiling = commands.add_parser("cycles", help="Where a packet's CPU time goes: kernel, cryptography, ours")
    _add_subject(profiling, "native")
    profiling.add_argument("--seconds", type=float, default=10.0, help="of each kind of packets (%(default)g)")
    for each in commands.choices.values():
        _add_site(each)
    return parser


def _add_comparison(parser: argparse.ArgumentParser, suite: Suite) -> None:
    _add_subject(parser, suite.subject)
    parser.add_argument("--peer", choices=DAEMONS, default=suite.peer, help="the one beside it (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all works")
    parser.add_argument("--rounds", type=int, help=f"rounds that count ({FULL.rounds})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every round to a file")


def _add_subject(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--subject", choices=DAEMONS, default=default, help="the daemon in question (%(default)s)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")


def _add_site(parser: argparse.ArgumentParser) -> None:
    site = Site()
    low, high = site.media_ports
    parser.add_argument("--ng-port", type=int, default=site.ng_port, help="control port (%(default)s)")
    parser.add_argument("--media-ports", default=f"{low}-{high}", help="media ports of the daemons (%(default)s)")
    parser.add_argument("--daemon-core", type=int, default=site.daemon_core, help="core of the daemons (%(default)s)")
    parser.add_argument("--load-core", type=int, default=site.load_core, help="core of the load (%(default)s)")
    parser.add_argument("--log-level", type=int, default=site.log_level, help="of the daemons (%(default)s: errors)")


if __name__ == "__main__":
    sys.exit(main())
