"""Names and addresses, looked up on a host that is a table."""

import pytest

from ngdaemon.base.endpoint import Endpoint, Family, Interface
from ngdaemon.config import Config
from ngdaemon.config.draft import draft
from ngdaemon.config.sources import Given, Problems, Sources
from ngdaemon.config.values import PortRange
from ngdaemon.shell.interfaces import SystemHost, finish


class TableHost:
    """A host with two wires."""

    def __init__(self, *, default_route: bool = True, ip6: bool = True) -> None:
        self.default_route = default_route
        self.ip6 = ip6

    def adapters(self) -> dict[str, list[str]]:
        return {
            "lo": ["127.0.0.1", "::1"],
            "eth0": ["203.0.113.1", "2001:db8::1"],
            "eth1": ["10.0.0.1", "10.0.0.2"],
            "tun0": [],
        }

    def lookup(self, name: str) -> list[str]:
        names = {"localhost": ["127.0.0.1", "::1"], "far.example": ["198.51.100.9"], "near.example": ["203.0.113.1"]}
        return names.get(name, [])

    def refuses(self, address: str) -> str | None:
        own = [item for found in self.adapters().values() for item in found] + ["0.0.0.0"] + ["::"] * self.ip6
        return None if address in own else "is not an address of this host"

    def outgoing(self, family: Family) -> str | None:
        if not self.default_route or (family is Family.IP6 and not self.ip6):
            return None
        return {Family.IP4: "203.0.113.1", Family.IP6: "2001:db8::1"}[family]


def settle(
    options: dict[str, tuple[str, ...]],
    host: TableHost | None = None,
    sections: dict[str, dict[str, str]] | None = None,
) -> tuple[Config | None, list[str]]:
    problems = Problems()
    given = {name: Given(texts, "command line") for name, texts in options.items()}
    made = draft(Sources(given, sections or {}, None), problems)
    return finish(made, host or TableHost(), problems), problems.mistakes


def interfaces(*specs: str) -> list[tuple[str, str, str]]:
    config, mistakes = settle({"interface": specs})
    assert mistakes == []
    assert config is not None
    return [(item.name, item.address, item.advertised) for item in config.interfaces]


def test_with_nothing_given_the_default_route_has_the_media() -> None:
    config, _ = settle({})
    assert config is not None
    assert config.interfaces == (
        Interface("default", "203.0.113.1", "203.0.113.1"),
        Interface("default", "2001:db8::1", "2001:db8::1"),
    )
    assert config.listen_ng == (Endpoint("127.0.0.1", 2223),)


def test_without_default_route_loopback_has_the_media() -> None:
    config, _ = settle({}, TableHost(default_route=False))
    assert config is not None
    assert config.interfaces == (Interface("default", "127.0.0.1", "127.0.0.1"),)


def test_an_address_is_advertised_as_itself_or_as_another() -> None:
    assert interfaces("203.0.113.1", "priv/10.0.0.1!198.51.100.1") == [
        ("default", "203.0.113.1", "203.0.113.1"),
        ("priv", "10.0.0.1", "198.51.100.1"),
    ]


def test_a_system_interface_stands_for_all_its_addresses() -> None:
    assert interfaces("pub/eth0") == [("pub", "203.0.113.1", "203.0.113.1"), ("pub", "2001:db8::1", "2001:db8::1")]


def test_an_advertised_address_is_told_for_its_own_family_only() -> None:
    assert interfaces("pub/eth0!198.51.100.1") == [
        ("pub", "203.0.113.1", "198.51.100.1"),
        ("pub", "2001:db8::1", "2001:db8::1"),
    ]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1"])
def test_an_address_that_no_phone_can_send_to_is_refused(address: str) -> None:
    _, mistakes = settle({"interface": (address,)})
    assert [text for text in mistakes if f"{address} is no address that a phone could send to" in text]


def test_a_host_name_is_looked_up() -> None:
    assert interfaces("near.example") == [("default", "203.0.113.1", "203.0.113.1")]


def test_any_is_all_but_loopback() -> None:
    assert [address for _, address, _ in interfaces("any")] == ["203.0.113.1", "2001:db8::1", "10.0.0.1", "10.0.0.2"]


def test_an_alias_is_a_second_name_wherever_it_stands() -> None:
    assert interfaces("other=pub", "pub/203.0.113.1", "third=other") == [
        ("pub", "203.0.113.1", "203.0.113.1"),
        ("other", "203.0.113.1", "203.0.113.1"),
        ("third", "203.0.113.1", "203.0.113.1"),
    ]


HAS = "; it has 127.0.0.1, ::1, 203.0.113.1, 2001:db8::1, 10.0.0.1, 10.0.0.2"


@pytest.mark.parametrize(
    ("spec", "mistake"),
    [
        ("198.51.100.9", f"198.51.100.9 is not an address of this host{HAS}"),
        ("eth7", "eth7 is neither a system interface (lo, eth0, eth1, tun0) nor a host name that can be looked up"),
        ("far.example", f"far.example is 198.51.100.9: not of this host{HAS}"),
        ("tun0", "the system interface tun0 has no address"),
        ("10.0.0.1!2001:db8::2", "10.0.0.1 and the address advertised for it, 2001:db8::2, are of different families"),
        ("10.0.0.1!me.example", "me.example is not an address that could be advertised"),
        ("x=y", "x=y: there is no interface y"),
    ],
)
def test_an_interface_that_is_not_there_is_a_mistake(spec: str, mistake: str) -> None:
    config, mistakes = settle({"interface": (spec,)})
    assert config is None
    assert mistakes == [f"command line: interface: {mistake}"]


def test_all_mistakes_are_named_and_consequences_are_not() -> None:
    _, mistakes = settle({"interface": ("a/192.0.2.77", "b=a", "eth9"), "listen-ng": ("192.0.2.78:2223",)})
    assert [mistake.split()[3] for mistake in mistakes] == ["192.0.2.77", "eth9", "192.0.2.78"]


def test_a_port_alone_listens_on_both_families() -> None:
    config, _ = settle({"listen-ng": ("2223",)})
    assert config is not None
    assert config.listen_ng == (Endpoint("0.0.0.0", 2223), Endpoint("::", 2223))
    config, _ = settle({"listen-ng": ("2223",)}, TableHost(ip6=False))
    assert config is not None
    assert config.listen_ng == (Endpoint("0.0.0.0", 2223),)


def test_a_name_listens_on_all_its_addresses_once() -> None:
    config, _ = settle({"listen-ng": ("localhost:2223", "127.0.0.1:2223", "eth1:2224")})
    assert config is not None
    assert [str(item) for item in config.listen_ng] == [
        "127.0.0.1:2223",
        "[::1]:2223",
        "10.0.0.1:2224",
        "10.0.0.2:2224",
    ]


def test_the_hosts_own_addresses_may_speak_unless_networks_are_named() -> None:
    config, _ = settle({})
    assert config is not None
    assert {"203.0.113.1/32", "2001:db8::1/128", "127.0.0.0/8", "10.0.0.0/8"} <= {str(item) for item in config.allow_ng}
    config, _ = settle({"allow-ng": ("198.51.100.0/24",)})
    assert config is not None
    assert [str(item) for item in config.allow_ng] == ["198.51.100.0/24"]


def test_ports_of_an_interface_are_completed_by_those_of_the_daemon() -> None:
    config, _ = settle(
        {"interfaces-config": ("i",), "port-max": ("31000",)},
        sections={"i-pub": {"address": "203.0.113.1", "port-min": "30500"}, "i-priv": {"address": "10.0.0.1"}},
    )
    assert config is not None
    assert config.ports("203.0.113.1") == PortRange(30500, 31000)
    assert config.ports("10.0.0.1") == PortRange(30000, 31000)


# -- the host that the tests run on


def test_loopback_can_be_bound_and_a_documentation_address_cannot() -> None:
    host = SystemHost()
    assert host.refuses("127.0.0.1") is None
    assert host.refuses("198.51.100.9") == "is not an address of this host"


def test_loopback_is_among_the_adapters_and_link_local_addresses_are_not() -> None:
    addresses = [address for found in SystemHost().adapters().values() for address in found]
    assert "127.0.0.1" in addresses
    assert not any(address.startswith("fe80:") for address in addresses)


def test_a_name_that_cannot_exist_has_no_address() -> None:
    assert SystemHost().lookup("host.invalid") == []
    assert SystemHost().lookup("a" * 70) == []
