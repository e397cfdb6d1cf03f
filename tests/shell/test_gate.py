"""Who may speak NG."""

from ipaddress import ip_network

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.config.settings import PRIVATE_NETWORKS
from ngdaemon.shell.gate import KNOWN_SOURCES, REPORT_SECONDS, Gate


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "172.31.0.1", "169.254.0.1", "100.64.0.1"])
def test_near_sources_may_speak_by_default(host: str) -> None:
    assert Gate(PRIVATE_NETWORKS).admit((host, 5060), 0.0) == Endpoint(host, 5060)


@pytest.mark.parametrize("host", ["::1", "fd00::1", "fe80::1"])
def test_near_sources_may_speak_over_ipv6(host: str) -> None:
    assert Gate(PRIVATE_NETWORKS).admit((host, 5060, 0, 2), 0.0) == Endpoint(host, 5060)


@pytest.mark.parametrize("address", [("198.51.100.1", 1), ("172.32.0.1", 1), ("2001:db8::1", 1, 0, 0)])
def test_far_sources_may_not(address: tuple[str, int]) -> None:
    gate = Gate(PRIVATE_NETWORKS)
    assert gate.admit(address, 0.0) is None
    assert gate.admit(address, 0.0) is None
    assert gate.refused == 2


def test_an_ipv4_source_on_an_ipv6_socket_is_itself() -> None:
    gate = Gate(PRIVATE_NETWORKS)
    assert gate.admit(("::ffff:10.0.0.1", 5060, 0, 0), 0.0) == Endpoint("10.0.0.1", 5060)
    assert gate.admit(("::ffff:198.51.100.1", 5060, 0, 0), 0.0) is None


def test_new_networks_hold_for_known_sources_too() -> None:
    gate = Gate(PRIVATE_NETWORKS)
    assert gate.admit(("10.0.0.1", 1), 0.0) is not None
    gate.allow([ip_network("198.51.100.0/24")])
    assert gate.admit(("10.0.0.1", 1), 0.0) is None
    assert gate.admit(("198.51.100.1", 1), 0.0) is not None


def test_what_is_remembered_is_bounded() -> None:
    gate = Gate(PRIVATE_NETWORKS)
    for port in range(KNOWN_SOURCES + 100):
        gate.admit(("198.51.100.1", port), 0.0)
    assert len(gate._known) <= KNOWN_SOURCES


def test_a_flood_of_refused_requests_is_told_of_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(PRIVATE_NETWORKS)
    for _ in range(100):
        gate.admit(("198.51.100.1", 1), 1000.0)
    gate.admit(("198.51.100.2", 1), 1000.0 + REPORT_SECONDS)
    assert [entry.message for entry in caplog.records] == [
        "dropped 1 NG requests from sources that may not speak to us, the last from 198.51.100.1; see allow-ng",
        "dropped 100 NG requests from sources that may not speak to us, the last from 198.51.100.2; see allow-ng",
    ]
