"""What a declared type also accepts (ng-protocol.md §1.3)."""

import pytest
from hypothesis import given

from ngdaemon.ng.values import _spelled, integer, listed, source_address, strings, unescaped

from .documents import values


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (-5, -5), ("184", 184), ("-1", -1), ("+7", 7), ("0x10", 16), ("-0X1f", -31), ("010", 10), ("0", 0)],
)
def test_integers_may_be_strings(value: object, number: int) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(("value", "number"), [(True, 1), (False, 0), (1.9, 1), (-3.0, -3)])
def test_integers_may_be_booleans_and_fractions_of_json(value: object, number: int) -> None:
    result = integer(value)
    assert result == number
    assert type(result) is int


@pytest.mark.parametrize("value", [10**4000, "9" * 20, 1e300])
def test_integers_end_at_64_bits(value: object) -> None:
    assert integer(value) == 2**63 - 1


@pytest.mark.parametrize(
    "value",
    [
        *("", "-", "x", "30ms", " 30", "3 0", "1_0", "1.5", "²", "٣", "0x", "9" * 100),
        *(None, [5], {"a": 5}, float("inf"), float("nan")),
    ],
)
def test_other_values_are_no_integers(value: object) -> None:
    assert integer(value) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["a", "b"], ["a", "b"]),
        (["a,b"], ["a,b"]),
        ("a,b", ["a", "b"]),
        ("a", ["a"]),
        ("a,,b,", ["a", "b"]),
        ("", []),
        ([1, "a", ["b"], None], ["a"]),
    ],
)
def test_a_list_may_be_one_string_with_commas(value: object, found: list[str]) -> None:
    assert strings(value) == found


@pytest.mark.parametrize("value", [5, None, {"a": "b"}, 1.5, True])
def test_other_values_are_no_lists(value: object) -> None:
    assert strings(value) is None


def test_some_lists_have_to_be_lists() -> None:
    assert listed(["int", 5, "ext"]) == ["int", "ext"]
    assert listed("int,ext") is None


def test_escapes_of_proxy_scripts() -> None:
    assert unescaped("x-eq--1..two") == "x-eq=1 two"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (["IP4", "198.51.100.7"], "198.51.100.7"),
        (["IP6", "2001:DB8::0:1"], "2001:db8::1"),
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_source_addresses(value: object, address: str) -> None:
    assert source_address(value) == address


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["192.0.2.4"],
        ["IP4"],
        ["IP4", "not-an-address"],
        ["IP4", "2001:db8::1"],
        ["IP6", "192.0.2.4"],
        ["IP5", "192.0.2.4"],
        ["IP4", 5],
        [["IP4"], "192.0.2.4"],
        ["IP4", "192.0.2.4", "x"],
        ["IP6", "fe80::1%eth0"],
        "host.example.net",
        "",
        5,
        None,
        {"IP4": "192.0.2.4"},
    ],
)
def test_unusable_source_addresses(value: object) -> None:
    assert source_address(value) is None


@given(values())
def test_any_value_is_read_or_passed_over(value: object) -> None:
    assert isinstance(integer(value), int | None)
    assert isinstance(source_address(value), str | None)
    assert all(isinstance(item, str) for item in (*(strings(value) or ()), *(listed(value) or ())))


def test_only_short_addresses_are_remembered() -> None:
    """S06."""
    before = _spelled.cache_info().currsize
    assert [source_address("1" * length) for length in range(100, 120)] == [None] * 20
    assert _spelled.cache_info().currsize == before
