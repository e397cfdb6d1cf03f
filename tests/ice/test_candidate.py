"""Candidates: what is read, what is refused, priorities, foundations, and where nothing is sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice import candidate
from ngdaemon.ice.candidate import Candidate

HOST = "842163049 1 udp 1677729535 192.0.2.7 44323 typ srflx raddr 10.0.0.1 rport 44323 generation 0 network-cost 999"


def test_a_browser_candidate_is_read_and_written_as_it_was() -> None:
    found = candidate.parse(HOST)
    assert found == Candidate(
        "842163049", 1, 1677729535, "192.0.2.7", 44323, "srflx", "10.0.0.1", 44323,
        (("generation", "0"), ("network-cost", "999")), "udp",
    )  # fmt: skip
    assert str(found) == HOST
    assert found.usable
    assert found.endpoint == Endpoint("192.0.2.7", 44323)


def test_the_name_of_the_attribute_may_stand_before_the_value() -> None:
    assert candidate.parse("candidate:" + HOST) == candidate.parse(HOST)


@pytest.mark.parametrize(
    "text",
    [
        "1 1 TCP 1 192.0.2.1 9 typ host tcptype active",
        "",
        "1 1 UDP 1 192.0.2.1 9",
        "1 1 UDP 1 192.0.2.1 9 type host",
        "1 0 UDP 1 192.0.2.1 9 typ host",
        "1 257 UDP 1 192.0.2.1 9 typ host",
        "1 1 UDP 0 192.0.2.1 9 typ host",
        "1 1 UDP 2147483648 192.0.2.1 9 typ host",
        "1 1 UDP 1 192.0.2.1 65536 typ host",
        "1 1 UDP -1 192.0.2.1 9 typ host",
        "1 1 UDP ٣ 192.0.2.1 9 typ host",
        "1_1 1 UDP 1 192.0.2.1 9 typ host",
        "a" * 33 + " 1 UDP 1 192.0.2.1 9 typ host",
        "1 1 UDP 1 192.0.2.1 9 typ srflx raddr 192.0.2.2 rport 65536",
        "1 1 UDP 1 192.0.2.1 9 typ srflx raddr 192.0.2.2 rport x",
        "1 1 UDP 1 192.0.2.1 9 typ host odd",
    ],
)
def test_tcp_and_bad_candidates_are_none(text: str) -> None:
    assert candidate.parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "1 1 UDP 1 0a1b2c3d-aaaa-bbbb-cccc-000000000000.local 9 typ host",
        "1 1 UDP 1 host.example 9 typ host",
        "1 1 UDP 1 fe80::1%eth0 9 typ host",
        "1 1 UDP 1 192.0.2.1 0 typ host",
        "1 3 UDP 1 192.0.2.1 9 typ host",
    ],
)
def test_names_and_unknown_components_are_kept_but_not_used(text: str) -> None:
    found = candidate.parse(text)
    assert found is not None
    assert not found.usable


def test_ip6_addresses_have_one_spelling() -> None:
    found = candidate.parse("1 1 UDP 1 2001:DB8:0:0::0:1 9 typ HOST")
    assert found is not None
    assert found.endpoint == Endpoint("2001:db8::1", 9)
    assert found.typ == "host"


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    candidate.parse(text)
    candidate.parse("1 1 UDP 1 " + text)
    candidate.parse("1 1 UDP 1 192.0.2.1 9 typ host " + text)


@pytest.mark.parametrize(
    ("typ", "component", "index", "expected"),
    [
        ("host", 1, 0, 2130706431),
        ("host", 2, 0, 2130706430),
        ("host", 1, 1, 2130706175),
        ("relay", 1, 0, 16777215),
        ("prflx", 1, 0, 1862270975),
        ("srflx", 1, 0, 1694498815),
    ],
)
def test_priorities(typ: str, component: int, index: int, expected: int) -> None:
    """ICE-03: 2^24 type + 2^8 local + 256 - component; types 126, 110, 100, 0."""
    assert candidate.priority(typ, component, index) == expected


def test_priority_of_a_pair() -> None:
    """RFC 8445 §6.1.2.3."""
    assert candidate.pair_priority(5, 3) == (3 << 32) + 2 * 5 + 1
    assert candidate.pair_priority(3, 5) == (3 << 32) + 2 * 5


def test_foundations_are_fixed_for_an_address_and_a_type() -> None:
    one = candidate.foundation("192.0.2.1")
    assert one == candidate.foundation("192.0.2.1")
    others = {candidate.foundation("192.0.2.2"), candidate.foundation("192.0.2.1", "relay")}
    assert one not in others
    assert len(others) == 2
    assert len(one) == candidate.FOUNDATION
    assert candidate.parse(f"{one} 1 UDP 1 192.0.2.1 9 typ host") is not None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.1", True),
        ("10.1.2.3", True),
        ("2001:db8::1", True),
        ("fd00::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("::1", False),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:192.0.2.1", False),
        ("2002:7f00:1::", False),
        ("host.example", False),
        ("::127.0.0.1", False),
    ],
)
def test_default_policy(address: str, allowed: bool) -> None:
    """S13: checks go to no loopback, link-local, metadata, multicast, unspecified or mapped address."""
    assert candidate.permitted(Endpoint(address, 5000)) is allowed


def test_nothing_is_sent_to_port_zero() -> None:
    assert not candidate.permitted(Endpoint("192.0.2.1", 0))
