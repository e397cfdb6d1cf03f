"""Addresses are read as numbers or not at all."""

import pytest

from ngdaemon.base.endpoint import LONGEST_ADDRESS, parse_address


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "::", "1111:2222:3333:4444:5555:6666:123.123.123.123"])
def test_numeric_addresses_are_read(text: str) -> None:
    assert str(parse_address(text)) in (text, "1111:2222:3333:4444:5555:6666:7b7b:7b7b")
    assert parse_address(text) == parse_address(text)


def test_the_longest_spelling_is_read_and_nothing_longer() -> None:
    longest = "1111:2222:3333:4444:5555:6666:123.123.123.123"
    assert len(longest) == LONGEST_ADDRESS
    assert parse_address(longest) is not None
    assert parse_address(longest + "4") is None
    assert parse_address("1" * 100_000) is None


@pytest.mark.parametrize("text", ["", "host.example", "192.0.2.256", "192.0.2.01", "fe80::1%eth0", "2001:db8::g", "1"])
def test_everything_else_is_no_address(text: str) -> None:
    assert parse_address(text) is None
