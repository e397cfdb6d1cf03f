"""How values are written."""

import pytest

from ngdaemon.config.values import (
    FLAG,
    INTERFACE,
    LIMIT,
    LISTEN,
    NETWORK,
    PORT,
    WHOLE_LIMIT,
    AliasSpec,
    InterfaceSpec,
    Kind,
    ListenSpec,
    choice,
    integer,
    read_ports,
)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("192.0.2.1", InterfaceSpec("default", "192.0.2.1")),
        ("pub/192.0.2.1", InterfaceSpec("pub", "192.0.2.1")),
        ("pub/192.0.2.1!198.51.100.1", InterfaceSpec("pub", "192.0.2.1", "198.51.100.1")),
        ("192.0.2.1!198.51.100.1", InterfaceSpec("default", "192.0.2.1", "198.51.100.1")),
        ("pub:1/2001:db8::1", InterfaceSpec("pub:1", "2001:db8::1")),
        ("six/[2001:db8::1]", InterfaceSpec("six", "2001:db8::1")),
        ("int/eth0", InterfaceSpec("int", "eth0")),
        ("any", InterfaceSpec("default", "any")),
        ("media.example.net", InterfaceSpec("default", "media.example.net")),
        ("other=pub", AliasSpec("other", "pub")),
    ],
)
def test_interfaces_are_written_as_rtpengine_has_them(text: str, spec: object) -> None:
    assert INTERFACE.read(text) == spec


@pytest.mark.parametrize(
    "text", ["", "pub/", "/192.0.2.1", "pub/192.0.2.1!", "a b/192.0.2.1", "pub/192.0.2.1/24", "=pub", "x="]
)
def test_an_interface_that_names_nothing_usable_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        INTERFACE.read(text)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("2223", ListenSpec(None, 2223)),
        ("127.0.0.1:2223", ListenSpec("127.0.0.1", 2223)),
        ("localhost:2223", ListenSpec("localhost", 2223)),
        ("[::1]:2223", ListenSpec("::1", 2223)),
        ("::1:2223", ListenSpec("::1", 2223)),
        ("eth0:2223", ListenSpec("eth0", 2223)),
        (":2223", ListenSpec(None, 2223)),
    ],
)
def test_listeners_are_an_optional_host_and_a_port(text: str, spec: ListenSpec) -> None:
    assert LISTEN.read(text) == spec


@pytest.mark.parametrize("text", ["", "localhost", "localhost:", "127.0.0.1:0", "127.0.0.1:70000", "a:b:c:2223"])
def test_a_listener_without_a_usable_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        LISTEN.read(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FLAG, "true", True),
        (FLAG, "No", False),
        (PORT, "0x1F90", 8080),
        (PORT, "65535", 65535),
        (integer(-1, 7, cap=True), "9", 7),
        (integer(-1), "-1", -1),
        (LIMIT, "2.5", 2.5),
        (LIMIT, "0", None),
        (LIMIT, "-1", None),
        (WHOLE_LIMIT, "10000000", 10_000_000),
        (choice("pcap", "proc"), "PCAP", "pcap"),
    ],
)
def test_values_are_read(kind: Kind, text: str, value: object) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        (FLAG, "maybe", "is not true or false"),
        (PORT, "0", "is not a number from 1 to 65535"),
        (PORT, "65536", "is not a number from 1 to 65535"),
        (PORT, "1_0", "is not a number from 1 to 65535"),
        (PORT, "", "is not a number from 1 to 65535"),
        (integer(1), "x", "is not a number from 1 up"),
        (LIMIT, "nan", "is not a number"),
        (choice("a", "b"), "c", "is not one of a, b"),
        (NETWORK, "10.0.0.0/33", "is not an address or a network like 198.51.100.0/24"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_allowed(kind: Kind, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{complaint}$"):
        kind.read(text)


def test_a_single_address_is_a_network() -> None:
    assert str(NETWORK.read("198.51.100.7")) == "198.51.100.7/32"


def test_ports_are_single_or_ranges() -> None:
    assert read_ports(["5000", "6000-6002"]) == {5000, 6000, 6001, 6002}
