"""Which address faces a leg (ng-protocol.md §3.2)."""

import pytest

from ngdaemon.base.endpoint import Family, Interface
from ngdaemon.call.interfaces import Interfaces

NAMED = Interfaces(
    [
        Interface("int", "192.0.2.1", "192.0.2.1"),
        Interface("int", "192.0.2.2", "192.0.2.2"),
        Interface("dual", "192.0.2.3", "192.0.2.3"),
        Interface("dual", "2001:db8::3", "2001:db8::3"),
        Interface("six", "2001:db8::4", "2001:db8::4"),
    ]
)


@pytest.mark.parametrize(
    ("name", "family", "address"),
    [
        (None, Family.IP4, "192.0.2.1"),
        (None, Family.IP6, "2001:db8::3"),
        ("", Family.IP6, "2001:db8::3"),
        ("int", Family.IP4, "192.0.2.1"),
        ("int", Family.IP6, "192.0.2.1"),
        ("dual", Family.IP4, "192.0.2.3"),
        ("dual", Family.IP6, "2001:db8::3"),
        ("six", Family.IP4, "2001:db8::4"),
        ("six", Family.IP6, "2001:db8::4"),
        ("nowhere", Family.IP4, "192.0.2.1"),
        ("nowhere", Family.IP6, "2001:db8::3"),
        ("internal", Family.IP6, "192.0.2.1"),
        ("external", Family.IP4, "2001:db8::3"),
    ],
)
def test_the_address_of_an_interface(name: str | None, family: Family, address: str) -> None:
    assert NAMED.choose(name, family).address == address


def test_interfaces_of_those_names_are_no_choice_of_family() -> None:
    named = Interfaces([Interface("internal", "192.0.2.1", "192.0.2.1"), Interface("external", "192.0.2.2", "")])
    assert named.choose("external", Family.IP4).address == "192.0.2.2"
    assert named.choose("internal", Family.IP6).address == "192.0.2.1"


def test_the_first_one_stands_in_for_a_family_that_is_not_there() -> None:
    assert Interfaces([Interface("a", "192.0.2.1", "")]).choose(None, Family.IP6).address == "192.0.2.1"
