"""Fragments and passwords: what we send, what we accept, what is shown."""

import pytest

from ngdaemon.ice import credentials
from ngdaemon.ice.report import Remote
from tests.support.rng import SeededRng


def test_ours_are_8_and_26_characters_and_never_the_same() -> None:
    """ICE-02: at least 24 and 128 random bits."""
    rng = SeededRng()
    made = [credentials.fresh(rng) for _ in range(50)]
    assert {(len(each.ufrag), len(each.pwd)) for each in made} == {(8, 26)}
    assert all(each.valid for each in made)
    assert len({each.ufrag for each in made}) == len({each.pwd for each in made}) == 50


@pytest.mark.parametrize(
    ("ufrag", "pwd", "accepted"),
    [
        (4, 22, True),
        (256, 256, True),
        (3, 22, False),
        (257, 22, False),
        (4, 21, False),
        (4, 257, False),
    ],
)
def test_lengths_that_are_accepted(ufrag: int, pwd: int, accepted: bool) -> None:
    """ICE-02: 4 to 256 and 22 to 256 characters."""
    assert (credentials.received("u" * ufrag, "p" * pwd) is not None) is accepted


@pytest.mark.parametrize("character", [" ", "-", "\n", "é", "=", ":"])
def test_other_characters_are_refused(character: str) -> None:
    assert credentials.received("abcd" + character, "p" * 22) is None
    assert credentials.received("abcd", "p" * 22 + character) is None


def test_passwords_are_not_shown() -> None:
    """S17."""
    found = credentials.received("abcd", "p" * 22)
    for shown in (repr(found), str(found), f"{found}", repr(Remote("abcd", "p" * 22)), str(Remote("abcd", "p" * 22))):
        assert "ppp" not in shown
        assert "abcd" in shown
