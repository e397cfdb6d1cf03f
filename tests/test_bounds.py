"""Timers and bounds that the requirements fix: that the daemon has these values, not only some."""

import pytest

from ngdaemon.config import Config
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.reassembly import MAX_FRAGMENTS, MAX_OCTETS
from ngdaemon.ice import pacing
from ngdaemon.media.plan import HELD_PACKETS, HELD_SECONDS
from ngdaemon.srtp.keys import REPLAY_WINDOW


def test_tim_01_a_handshake_is_sent_again_after_400_ms_then_twice_as_long_up_to_a_minute() -> None:
    assert (Policy().first_timeout, Policy().longest_timeout) == (0.4, 60.0)


def test_tim_03_a_handshake_has_30_seconds() -> None:
    assert Policy().handshake == 30.0
    assert Config().dtls_timeout == 30


def test_tim_04_early_media_is_held_for_a_second_and_64_packets_a_source() -> None:
    assert (HELD_SECONDS, HELD_PACKETS) == (1.0, 64)


def test_tim_07_checks_are_paced() -> None:
    assert (pacing.TA, pacing.TA_HOST) == (0.05, 0.005)


def test_tim_09_the_keys_of_a_renewed_association_live_for_5_seconds() -> None:
    assert Policy().drain == 5.0


def test_tim_10_ports_rest_before_they_are_used_again() -> None:
    assert 2 <= Config().port_quarantine <= 5


def test_tim_12_handshakes_are_put_together_within_bounds() -> None:
    assert (MAX_OCTETS, MAX_FRAGMENTS) == (65536, 32)


def test_tim_13_four_handshakes_of_a_component_may_be_unfinished() -> None:
    assert Policy().unfinished == 4


@pytest.mark.parametrize("least", [64, 1024])
def test_tim_14_replay_lists_are_wide(least: int) -> None:
    assert least <= REPLAY_WINDOW
