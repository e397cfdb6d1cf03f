"""`python -m benchmarks cycles`: where a packet's CPU time goes in the native forwarder.

perf(1) interrupts the daemon under load some thousand times a second, and writes down where it was. An address in the
module of the forwarder belongs to cryptography when it, or something that it is inlined into, was written in a crate
that has a cipher or a hash; so what such a crate calls of the language's own library counts there too.
"""

import contextlib
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import srtp, traffic
from benchmarks.calls import Call
from benchmarks.carrier import set_up
from benchmarks.daemons import Daemon, Site, running
from benchmarks.measures import SETTLE
from benchmarks.shapes import PLAIN, SDES_CM, SDES_GCM, Shape

FREQUENCY = 4000
"""Times a second at which it is looked where the daemon is."""
FLOWS = 100
LOADS = ((PLAIN, 100_000), (SDES_CM, 80_000), (SDES_GCM, 80_000))
"""Calls, and packets a second over them."""
PARTS = {"kernel": "kernel", "crypto": "cryptography", "ours": "ours", "python": "Python"}
"""What a packet's time is divided into, and its name in the table. All of the process that is nothing else is ours."""
LEAST = 0.01
"""Microseconds per packet from which on a file is in the table."""
MODULE = "ngdaemon_native"
"""What the name of the forwarder's shared object begins with."""

_CRYPTO = re.compile(
    r"/(aead|aes|aes-gcm|block-buffer|cipher|cmov|crypto-common|ctr|ctutils|digest|ghash|hmac|hybrid-array|inout|polyval|sha1"
    r"|universal-hash|zeroize)-\d"
)
_KERNEL = 1 << 63
"""Addresses from here on are the kernel's."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Where the time of one kind of packets goes."""

    shape: Shape
    rate: int
    cpu_us: float
    """CPU microseconds of the daemon per packet."""
    shares: dict[str, float]
    """Of it, by part."""
    files: dict[str, float]
    """Of it, what is ours by where it was written: a source file, or a library."""


def cycles(daemon: Daemon, site: Site, seconds: float) -> list[Cycles]:
    """All loads in turn. Raises DaemonError, LoadError."""
    return [_profiled(daemon, site, shape, rate, seconds) for shape, rate in LOADS]


def _profiled(daemon: Daemon, site: Site, shape: Shape, rate: int, seconds: float) -> Cycles:
    words = [srtp.words_of(shape.suite, number) if shape.suite else {} for number in range(FLOWS // 2)]
    calls = [Call(shape, number, site, words[number]) for number in range(FLOWS // 2)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        protected = _script(calls, rate, seconds, directory) if shape.suite else None
        with running(daemon, site) as daemon_running:
            ends = set_up(daemon_running, calls).phones()
            with _profile(daemon_running.pid, directory / "profile", seconds):
                seen = traffic.intact(
                    traffic.run(
                        ends, rate=rate, seconds=seconds, warmup=SETTLE, cpu_of=daemon_running.pid, protected=protected
                    )
                )
            places = located(_addresses(directory / "profile"), mappings(daemon_running.pid))
    if seen.cpu_us is None or not places:
        raise traffic.LoadError("nothing arrived, or nothing was seen of it")
    shares = {part: sum(n for (one, _), n in places.items() if one == part) / places.total() for part in PARTS}
    files = {file: n / places.total() for (part, file), n in places.most_common() if part == "ours"}
    return Cycles(shape, rate, seen.cpu_us, shares, files)


def _script(calls: Sequence[Call], rate: int, seconds: float, directory: Path) -> traffic.Protected:
    suite, script = calls[0].shape.suite, directory / "script"
    srtp.write_script(script, suite, calls, srtp.packets_needed(rate, SETTLE + seconds, FLOWS))
    return traffic.Protected(srtp.RUN, script, directory / "sample", srtp.PROFILES[suite].overhead)


@contextlib.contextmanager
def _profile(pid: int, path: Path, seconds: float) -> Iterator[None]:
    """perf beside what is done, for so many seconds after addresses were learned."""
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-p", str(pid), "-o", str(path)]
    command += ["-D", str(int(1000 * SETTLE)), "--", "sleep", str(SETTLE + seconds)]
    try:
        perf = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise traffic.LoadError("perf is needed (Debian: apt install linux-perf)") from None
    with perf:
        yield
        error = perf.communicate()[1]
    if perf.returncode != 0:
        raise traffic.LoadError(f"perf: {error.strip()}")


def _addresses(profile: Path) -> list[int]:
    """Where the daemon was seen."""
    command = ("perf", "script", "-F", "ip", "-i", str(profile))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line, 16) for line in done.stdout.split()]


# -- what an address belongs to


@dataclass(frozen=True, slots=True)
class Mapping:
    """Part of a file in the memory of a process."""

    start: int
    end: int
    offset: int
    """Of its beginning in the file."""
    path: str


def mappings(pid: int) -> list[Mapping]:
    """The files in the memory of a process."""
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, _, offset, _, _, *path = line.split(maxsplit=5)
        start, _, end = addresses.partition("-")
        if path:
            found.append(Mapping(int(start, 16), int(end, 16), int(offset, 16), path[0]))
    return found


def located(addresses: Iterable[int], where: Sequence[Mapping]) -> Counter[tuple[str, str]]:
    """How often it was seen where: part, and the file it was written in or the library."""
    found: Counter[tuple[str, str]] = Counter()
    module: dict[str, Counter[int]] = {}
    for address, times in Counter(addresses).items():
        mapping = next((one for one in where if one.start <= address < one.end), None)
        name = Path(mapping.path).name if mapping is not None else "?"
        if address >= _KERNEL:
            found["kernel", ""] += times
        elif mapping is not None and name.startswith(MODULE):
            module.setdefault(mapping.path, Counter())[address - mapping.start + mapping.offset] += times
        else:
            found["python" if "python" in name else "ours", name] += times
    for path, offsets in module.items():
        for place, times in zip(_written(Path(path), list(offsets)), offsets.values(), strict=True):
            found[place] += times
    return found


def _written(module: Path, offsets: Sequence[int]) -> list[tuple[str, str]]:
    """The part that each place in the module belongs to, and the file, by all that is inlined there."""
    loaded = _segments(module)
    places = [
        next((offset + shift for low, high, shift in loaded if low <= offset < high), offset) for offset in offsets
    ]
    command = ("addr2line", "-a", "-i", "-e", str(module))
    try:
        done = subprocess.run(
            command, input="".join(f"{place:#x}\n" for place in places), capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise traffic.LoadError("addr2line is needed (Debian: apt install binutils)") from None
    chains = re.split(r"^0x[0-9a-f]+\n", done.stdout, flags=re.MULTILINE)[1:]
    return [attributed(chain) for chain in chains]


def attributed(chain: str) -> tuple[str, str]:
    """Part and file of a place whose inlined functions are in the files of these lines, the innermost first."""
    if found := _CRYPTO.search(chain):
        return "crypto", found[1]
    own = re.search(r"/((?:engine|net|python)/src/\S+\.rs)", chain)
    return "ours", own[1] if own else MODULE


def _segments(module: Path) -> list[tuple[int, int, int]]:
    """Where in a shared object each part begins and ends that is loaded, and how much further it lies in memory."""
    done = subprocess.run(("readelf", "-lW", str(module)), capture_output=True, text=True, check=True)
    loads = re.findall(r"^ +LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+)", done.stdout, re.MULTILINE)
    numbers = ([int(number, 16) for number in load] for load in loads)
    return [(offset, offset + size, address - offset) for offset, address, size in numbers]


def _kind(one: Cycles) -> str:
    return f"{one.shape.suite or 'plain'}, {one.rate // 1000} kpps"


def table(found: Sequence[Cycles]) -> str:
    """The parts in microseconds per packet, as Markdown."""
    lines = [f"| packets | CPU per packet | {' | '.join(PARTS.values())} |", f"|---|--:|{'--:|' * len(PARTS)}"]
    for one in found:
        values = (f"{one.cpu_us * one.shares[part]:.2f} µs ({100 * one.shares[part]:.0f} %)" for part in PARTS)
        lines.append(f"| {_kind(one)} | {one.cpu_us:.2f} µs | {' | '.join(values)} |")
    lines += ["", "Ours, by where it was written:", "", "| file | " + " | ".join(_kind(one) for one in found) + " |"]
    lines += [f"|---|{'--:|' * len(found)}", *_files(found)]
    return "\n".join(lines) + "\n"


def _files(found: Sequence[Cycles]) -> Iterator[str]:
    """A line for each file that matters somewhere."""
    spent = {file: [one.cpu_us * one.files.get(file, 0.0) for one in found] for each in found for file in each.files}
    for file, values in sorted(spent.items(), key=lambda item: -max(item[1])):
        if max(values) >= LEAST:
            yield f"| {file} | {' | '.join(f'{value:.3f} µs' for value in values)} |"
