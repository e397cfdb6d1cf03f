"""`o=` and its version, by the `replace` options (ng-protocol.md §4.9)."""

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon

ALICE, BOB = "198.51.100.1", "198.51.100.2"
FIRST = "alice 53 7 IN IP4 198.51.100.1"
OTHER = "anna 54 9 IN IP4 198.51.100.7"


def text(origin: str, *attributes: str) -> str:
    return sdp.joined(
        ("v=0", f"o={origin}", "s=-", f"c=IN IP4 {ALICE}", "t=0 0", "m=audio 4000 RTP/AVP 0", *attributes)
    )


def told(daemon: Daemon, origin: str, *attributes: str, replace: tuple[str, ...] = ()) -> str:
    """The origin that the callee is told for an offer with this one."""
    return sdp.parts(daemon.offer(text(origin, *attributes), replace=list(replace)))[0][1].removeprefix("o=")


@pytest.mark.parametrize(
    ("replace", "first", "again", "changed"),
    [
        ((), FIRST, "alice 53 9 IN IP4 198.51.100.1", OTHER),
        (("session-connection",), FIRST, "alice 53 9 IN IP4 198.51.100.1", OTHER),
        (("username",), FIRST, "alice 53 9 IN IP4 198.51.100.1", "alice 54 9 IN IP4 198.51.100.7"),
        (("session-name",), FIRST, "alice 53 9 IN IP4 198.51.100.1", OTHER),
        (
            ("origin",),
            "alice 53 7 IN IP4 192.0.2.1",
            "alice 53 9 IN IP4 192.0.2.1",
            "anna 54 9 IN IP4 192.0.2.1",
        ),
        (("sdp-version",), FIRST, FIRST, "anna 54 8 IN IP4 198.51.100.7"),
        (
            ("force-increment-sdp-ver",),
            FIRST,
            "alice 53 8 IN IP4 198.51.100.1",
            "anna 54 9 IN IP4 198.51.100.7",
        ),
        (
            ("origin-full",),
            "alice 53 7 IN IP4 192.0.2.1",
            "alice 53 7 IN IP4 192.0.2.1",
            "alice 53 7 IN IP4 192.0.2.1",
        ),
        (
            ("origin", "sdp-version"),
            "alice 53 7 IN IP4 192.0.2.1",
            "alice 53 7 IN IP4 192.0.2.1",
            "anna 54 8 IN IP4 192.0.2.1",
        ),
    ],
)
def test_what_is_replaced(replace: tuple[str, ...], first: str, again: str, changed: str) -> None:
    daemon = Daemon()
    assert told(daemon, FIRST, replace=replace) == first
    assert told(daemon, "alice 53 9 IN IP4 198.51.100.1", replace=replace) == again
    assert told(daemon, OTHER, replace=replace) == changed


@pytest.mark.parametrize("replace", ["sdp-version", "origin-full"])
def test_a_version_of_ours_goes_up_when_the_text_changes_and_only_then(replace: str) -> None:
    daemon = Daemon()
    versions = [
        told(daemon, FIRST, *attributes, replace=(replace,)).split(" ")[2]
        for attributes in ((), (), ("a=x",), ("a=x",), ("a=sendonly",), ())
    ]
    assert versions == ["7", "7", "8", "8", "9", "10"]


def test_an_address_that_was_told_first_stays_although_it_was_not_ours() -> None:
    daemon = Daemon()
    assert told(daemon, FIRST) == FIRST
    assert told(daemon, FIRST, replace=("origin",)) == FIRST


def test_the_advertised_address_of_the_interface_is_ours() -> None:
    daemon = Daemon()
    out = daemon.offer(text(FIRST), replace=["origin"], direction=["int", "nat"])
    assert sdp.parts(out)[0][1] == "o=alice 53 7 IN IP4 203.0.113.9"


def test_an_address_of_ours_has_its_own_family() -> None:
    daemon = Daemon()
    out = daemon.offer(text(FIRST), replace=["origin"], address_family="IP6")
    assert sdp.parts(out)[0][1] == "o=alice 53 7 IN IP6 2001:db8::1"


def test_versions_belong_to_the_party_that_is_told() -> None:
    daemon = Daemon()
    assert told(daemon, FIRST, replace=("sdp-version",)).split(" ")[2] == "7"
    bob = text("bob 1 100 IN IP4 198.51.100.2")
    answers = [sdp.parts(daemon.answer(bob, replace=["sdp-version"]))[0][1].split(" ")[2] for _ in range(2)]
    assert answers == ["100", "100"]
    back = daemon.offer(text("bob 1 101 IN IP4 198.51.100.2", "a=x"), from_tag="b", to_tag="a", replace=["sdp-version"])
    assert sdp.parts(back)[0][1].split(" ")[2] == "101"


@pytest.mark.parametrize(
    ("version", "first", "next_one"),
    [
        ("18446744073709551615", "18446744073709551615", "0"),
        ("x", "0", "1"),
    ],
)
def test_versions_stay_within_64_bits(version: str, first: str, next_one: str) -> None:
    daemon = Daemon()
    origin = f"alice 53 {version} IN IP4 198.51.100.1"
    words = [told(daemon, origin, replace=("force-increment-sdp-ver",)).split(" ")[2] for _ in range(2)]
    assert words == [first, next_one]


def test_a_version_of_any_length_is_passed_on_and_counts_as_none() -> None:
    origin = f"alice 53 {'7' * 5000} IN IP4 198.51.100.1"
    assert told(Daemon(), origin) == origin
    assert told(Daemon(), origin, replace=("sdp-version",)) == "alice 53 0 IN IP4 198.51.100.1"
