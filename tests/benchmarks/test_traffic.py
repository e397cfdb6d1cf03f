"""The load generator counts what a relay did to its packets: exactly, as the relay here does it by number."""

import os
import socket
import time
from collections.abc import Callable

import pytest

from benchmarks import traffic
from tests.benchmarks.relay import Tamper, relay

RATE = 1000
WARMUP = 0.2
SECONDS = 0.5
EACH_TENTH = 50
"""How often one of ten happens in the measured period: 500 packets, of two flows, numbered from 100 in each."""


def faithful(_number: int, packet: bytes) -> list[bytes]:
    return [packet]


def run(tamper: Tamper, *, cpu_of: int = 0) -> traffic.Traffic:
    with relay(tamper) as lines:
        return traffic.run(lines, rate=RATE, seconds=SECONDS, warmup=WARMUP, cpu_of=cpu_of)


def test_all_packets_of_a_faithful_relay_arrive_in_order_and_whole() -> None:
    seen = run(faithful)
    assert (seen.ends, seen.sent, seen.received, seen.lost, seen.bytes) == (2, 500, 500, 0, 500 * 172)
    assert (seen.reordered, seen.duplicate, seen.damaged, seen.stray, seen.refused) == (0, 0, 0, 0, 0)
    assert seen.warmup_sent == 200
    assert seen.p50_us is not None
    assert seen.p99_us is not None
    assert seen.max_us is not None
    assert 0 < seen.p50_us <= seen.p99_us <= seen.max_us


def test_packets_that_a_relay_drops_are_lost() -> None:
    seen = run(lambda number, packet: [] if number % 10 == 0 else [packet])
    assert (seen.lost, seen.received, seen.reordered) == (EACH_TENTH, 500 - EACH_TENTH, 0)
    assert seen.loss_percent == 10.0


def test_a_packet_that_overtakes_makes_the_other_one_reordered() -> None:
    held: dict[bytes, bytes] = {}

    def swap(number: int, packet: bytes) -> list[bytes]:
        flow = packet[8:12]
        if number % 10 == 5:
            held[flow] = packet
            return []
        return [packet, held.pop(flow)] if flow in held else [packet]

    seen = run(swap)
    assert (seen.reordered, seen.lost, seen.duplicate) == (EACH_TENTH, 0, 0)


def test_a_packet_that_comes_twice_is_received_once() -> None:
    seen = run(lambda number, packet: [packet, packet] if number % 10 == 3 else [packet])
    assert (seen.duplicate, seen.received, seen.lost) == (EACH_TENTH, 500, 0)


@pytest.mark.parametrize(
    "change", [lambda packet: packet[:-1] + b"\0", lambda packet: packet[:-1]], ids=["content", "length"]
)
def test_a_changed_payload_is_damage(change: Callable[[bytes], bytes]) -> None:
    seen = run(lambda number, packet: [change(packet)] if number % 10 == 7 else [packet])
    assert (seen.damaged, seen.received) == (EACH_TENTH, 500)
    with pytest.raises(traffic.LoadError, match="50 packets arrived damaged"):
        traffic.intact(seen)


def test_packets_of_nobody_are_strays() -> None:
    foreign = b"\x80\x08\0\1\0\0\0\0\1\2\3\4" + bytes(160)
    seen = run(lambda number, packet: [packet, foreign] if number % 10 == 8 and number >= 100 else [packet])
    assert (seen.stray, seen.received, seen.lost) == (EACH_TENTH, 500, 0)


def test_packets_of_an_earlier_run_are_stale() -> None:
    def repeat(number: int, packet: bytes) -> list[bytes]:
        earlier = packet[:9] + bytes((packet[9] ^ 1,)) + packet[10:]
        return [packet, earlier] if number % 10 == 8 and number >= 100 else [packet]

    seen = run(repeat)
    assert (seen.stale, seen.stray, seen.received, seen.lost) == (EACH_TENTH, 0, 500, 0)


def test_packets_that_come_when_all_is_over_are_overdue() -> None:
    def fall_behind(number: int, packet: bytes) -> list[bytes]:
        if number == 190:
            time.sleep(5 * traffic.GRACE)
        return [packet]

    with relay(fall_behind) as lines:
        seen = traffic.run(lines, rate=RATE, seconds=0.2, warmup=WARMUP)
    assert (seen.sent, seen.received, seen.lost) == (200, 200, 0)
    assert 20 <= seen.overdue < 200


def test_the_warm_up_may_have_another_rate_and_bursts_come_after_it() -> None:
    with relay(faithful) as lines:
        seen = traffic.run(lines, rate=RATE, seconds=SECONDS, warmup=WARMUP, warmup_rate=RATE / 2, burst=5)
    assert seen.warmup_sent == 100
    assert (seen.sent, seen.received, seen.reordered, seen.damaged, seen.stray) == (500, 500, 0, 0, 0)


def test_nothing_arrives_where_nobody_relays() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        lines = [f"127.0.0.1 0 127.0.0.1 {port} {partner}" for partner in (1, 0)]
        seen = traffic.run(lines, rate=RATE, seconds=0.1, linger=0.05)
    assert (seen.sent, seen.received, seen.lost) == (100, 0, 100)
    assert (seen.p50_us, seen.p99_us, seen.max_us, seen.cpu_us) == (None, None, None, None)


def test_the_cpu_time_of_the_named_process_is_read() -> None:
    seen = run(faithful, cpu_of=os.getpid())
    assert seen.cpu > 0
    assert seen.cpu_us == pytest.approx(1e6 * seen.cpu / seen.received)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "line 1 of the input is not an end"),
        (["127.0.0.1 0 127.0.0.1 9 0", "nonsense"], "line 2 of the input is not an end"),
        (["127.0.0.1 0 127.0.0.1 9 1"], "end 0 has no partner"),
        (["localhost 0 127.0.0.1 9 0"], "localhost port 0"),
        (["240.0.0.1 0 127.0.0.1 9 0"], "cannot bind 240.0.0.1"),
    ],
)
def test_ends_that_cannot_be_used_are_named(lines: list[str], message: str) -> None:
    with pytest.raises(traffic.LoadError, match=message):
        traffic.run(lines, rate=RATE, seconds=0.1)
