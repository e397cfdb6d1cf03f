"""Protected packets of the load generator: made ahead, counted without a key, and judged by libsrtp afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import srtp, traffic
from benchmarks.calls import Call
from benchmarks.daemons import Site
from benchmarks.shapes import PLAIN, SDES_CM, SDES_GCM, Shape
from tests.benchmarks.relay import Tamper, relay

RATE, WARMUP, SECONDS = 1000, 0.2, 0.5
SAMPLED = 16
"""One of so many packets of a flow is kept."""

THEIR_KEY = bytes(range(30))
"""Of a relay, as master key and salt are of the suite under test."""

Relay = Callable[[Shape], Tamper]
PROTECTED, CLEAR = 0, 1
"""Numbers of the ends."""


def honest(shape: Shape) -> Tamper:
    """Decrypts what comes from the phone with SRTP, and encrypts what goes to it."""
    key = THEIR_KEY[: srtp.PROFILES[shape.suite].key]
    incoming = srtp.incoming(shape.suite, srtp.key_of(shape.suite, 0))
    outgoing = srtp.outgoing(shape.suite, key)

    def forward(_number: int, packet: bytes) -> list[bytes]:
        return [incoming.unprotect(packet) if packet[11] == PROTECTED else outgoing.protect(packet)]

    return forward


def run(directory: Path, shape: Shape, tamper: Tamper, count: int = 1000) -> tuple[traffic.Traffic, Path]:
    """Traffic between a phone with SRTP and one without; with the file of samples."""
    ends = traffic.Protected(srtp.RUN, directory / "script", directory / "sample", srtp.PROFILES[shape.suite].overhead)
    srtp.write_script(ends.script, shape.suite, [Call(shape, 0, Site())], count)
    with relay(tamper) as lines:
        lines[PROTECTED] += " protected"
        seen = traffic.run(lines, rate=RATE, seconds=SECONDS, warmup=WARMUP, protected=ends)
    return seen, ends.sample


@pytest.mark.parametrize("shape", [SDES_CM, SDES_GCM], ids=lambda shape: shape.suite)
def test_what_a_relay_decrypts_and_encrypts_arrives_whole(shape: Shape, tmp_path: Path) -> None:
    seen, sample = run(tmp_path, shape, honest(shape))
    assert (seen.sent, seen.received, seen.damaged, seen.stray) == (500, 500, 0, 0)
    kept = srtp.verify_sample(sample, shape.suite, [THEIR_KEY[: srtp.PROFILES[shape.suite].key]])
    assert kept == len([number for number in range(100, 350) if number % SAMPLED == 0])


def test_packets_under_another_key_than_the_announced_one_are_told(tmp_path: Path) -> None:
    _, sample = run(tmp_path, SDES_CM, honest(SDES_CM))
    with pytest.raises(traffic.LoadError, match="cannot be decrypted"):
        srtp.verify_sample(sample, SDES_CM.suite, [bytes(30)])


def test_other_content_under_the_right_key_is_told(tmp_path: Path) -> None:
    outgoing = srtp.outgoing(SDES_CM.suite, THEIR_KEY)

    def change(_number: int, packet: bytes) -> list[bytes]:
        return [] if packet[11] == PROTECTED else [outgoing.protect(packet[:-1] + b"\0")]

    _, sample = run(tmp_path, SDES_CM, change)
    with pytest.raises(traffic.LoadError, match="is not what was sent"):
        srtp.verify_sample(sample, SDES_CM.suite, [THEIR_KEY])


def test_a_relay_that_decrypts_and_encrypts_nothing_damages_all(tmp_path: Path) -> None:
    seen, sample = run(tmp_path, SDES_CM, lambda _number, packet: [packet])
    assert (seen.received, seen.damaged) == (500, 500)
    assert srtp.verify_sample(sample, SDES_CM.suite, [THEIR_KEY]) == 0


def test_a_script_that_is_too_short_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(traffic.LoadError, match="only 200 protected packets"):
        run(tmp_path, SDES_CM, honest(SDES_CM), count=200)


def test_a_script_of_other_packets_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(bytes(100))
    ends = traffic.Protected(srtp.RUN, script, tmp_path / "sample", 10)
    with pytest.raises(traffic.LoadError, match="does not have as many packets of 182 octets"):
        traffic.run(["127.0.0.1 0 127.0.0.1 9 0 protected"], rate=RATE, seconds=0.1, protected=ends)


def test_protected_ends_need_a_script() -> None:
    with pytest.raises(traffic.LoadError, match="need --protected and --sample"):
        traffic.run(["127.0.0.1 0 127.0.0.1 9 0 protected"], rate=RATE, seconds=0.1)


def test_the_script_is_long_enough_for_the_run() -> None:
    assert srtp.packets_needed(rate=1000, seconds=1.5, ends=20) == 76


def test_the_callers_of_calls_with_sdes_are_protected_and_say_their_key() -> None:
    call = Call(SDES_GCM, 3, Site(), srtp.words_of(SDES_GCM.suite, 3))
    offer = call.offer().decode()
    assert srtp.key_in(offer.replace("\r\n", "\n"), SDES_GCM.suite) == srtp.key_of(SDES_GCM.suite, 3)
    assert srtp.key_of(SDES_GCM.suite, 3) != srtp.key_of(SDES_GCM.suite, 4)
    with pytest.raises(traffic.LoadError, match="no key for AEAD_AES_128_GCM"):
        srtp.key_in(Call(PLAIN, 3, Site()).offer().decode(), SDES_GCM.suite)
