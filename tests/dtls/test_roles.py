"""SET-01: every cell of the tables of roles (standards §4)."""

import pytest

from ngdaemon.dtls.roles import (
    OFFERED_SETUP,
    Fate,
    Role,
    Setup,
    Verdict,
    parse_setup,
    role_after_answer,
    role_for_offer,
    verdict_on_answer,
    verdict_on_offer,
)

A, P = Role.ACTIVE, Role.PASSIVE
KEEP, RENEW = Fate.KEEP, Fate.RENEW
REFUSED = Verdict(None, Fate.REFUSE)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("active", Setup.ACTIVE),
        ("passive", Setup.PASSIVE),
        ("actpass", Setup.ACTPASS),
        ("holdconn", Setup.HOLDCONN),
        (" ActPass ", Setup.ACTPASS),
        ("both", Setup.INVALID),
        ("", Setup.INVALID),
        ("invalid", Setup.INVALID),
        (None, None),
    ],
)
def test_set_01_words(value: str | None, meaning: Setup | None) -> None:
    assert parse_setup(value) is meaning


@pytest.mark.parametrize(
    ("offered", "preferring_active", "preferring_passive"),
    [
        (Setup.ACTPASS, A, P),
        (Setup.ACTIVE, P, P),
        (Setup.PASSIVE, A, A),
        (Setup.HOLDCONN, None, None),
        (Setup.INVALID, None, None),
        (None, P, P),
    ],
)
def test_set_01_our_answer(
    offered: Setup | None, preferring_active: Role | None, preferring_passive: Role | None
) -> None:
    assert role_for_offer(offered) is preferring_active
    assert role_for_offer(offered, A) is preferring_active
    assert role_for_offer(offered, P) is preferring_passive


@pytest.mark.parametrize(
    ("answered", "strict", "lenient"),
    [
        (Setup.ACTIVE, P, P),
        (Setup.PASSIVE, A, A),
        (Setup.ACTPASS, None, A),
        (Setup.HOLDCONN, None, None),
        (Setup.INVALID, None, None),
        (None, A, A),
    ],
)
def test_set_01_our_role_after_an_answer(answered: Setup | None, strict: Role | None, lenient: Role | None) -> None:
    assert role_after_answer(answered) is strict
    assert role_after_answer(answered, lenient=True) is lenient


def test_set_01_our_offers_leave_the_choice() -> None:
    assert OFFERED_SETUP is Setup.ACTPASS


@pytest.mark.parametrize(
    ("offered", "ours", "same", "verdict"),
    [
        (Setup.ACTPASS, A, True, Verdict(A, KEEP)),
        (Setup.ACTPASS, P, True, Verdict(P, KEEP)),
        (Setup.ACTPASS, A, False, Verdict(A, RENEW)),
        (Setup.ACTPASS, P, False, Verdict(A, RENEW)),
        (Setup.ACTIVE, P, True, Verdict(P, KEEP)),
        (Setup.ACTIVE, P, False, Verdict(P, RENEW)),
        (Setup.ACTIVE, A, True, Verdict(P, RENEW)),
        (Setup.ACTIVE, A, False, Verdict(P, RENEW)),
        (Setup.PASSIVE, A, True, Verdict(A, KEEP)),
        (Setup.PASSIVE, A, False, Verdict(A, RENEW)),
        (Setup.PASSIVE, P, True, Verdict(A, RENEW)),
        (Setup.PASSIVE, P, False, Verdict(A, RENEW)),
        (None, A, True, Verdict(A, KEEP)),
        (None, P, True, Verdict(P, KEEP)),
        (None, A, False, Verdict(P, RENEW)),
        (None, P, False, Verdict(P, RENEW)),
        *(
            (setup, ours, same, REFUSED)
            for setup in (Setup.HOLDCONN, Setup.INVALID)
            for ours in Role
            for same in (True, False)
        ),
    ],
)
def test_set_01_peer_offers_again(offered: Setup | None, ours: Role, same: bool, verdict: Verdict) -> None:
    assert verdict_on_offer(offered, ours, same) == verdict


@pytest.mark.parametrize(
    ("answered", "ours", "same", "verdict"),
    [
        (Setup.ACTIVE, P, True, Verdict(P, KEEP)),
        (Setup.ACTIVE, P, False, Verdict(P, RENEW)),
        (Setup.ACTIVE, A, True, Verdict(P, RENEW)),
        (Setup.PASSIVE, A, True, Verdict(A, KEEP)),
        (Setup.PASSIVE, A, False, Verdict(A, RENEW)),
        (Setup.PASSIVE, P, True, Verdict(A, RENEW)),
        (None, A, True, Verdict(A, KEEP)),
        (None, P, True, Verdict(P, KEEP)),
        (None, P, False, Verdict(A, RENEW)),
        (Setup.ACTPASS, P, True, REFUSED),
        (Setup.HOLDCONN, A, True, REFUSED),
        (Setup.INVALID, A, True, REFUSED),
    ],
)
def test_set_01_peer_answers_our_later_offer(answered: Setup | None, ours: Role, same: bool, verdict: Verdict) -> None:
    assert verdict_on_answer(answered, ours, same) == verdict


def test_set_01_lenience_reaches_later_answers() -> None:
    assert verdict_on_answer(Setup.ACTPASS, A, True, lenient=True) == Verdict(A, KEEP)
