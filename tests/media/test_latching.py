"""Learning and source checks, packet by packet: what each mode makes of sources that fit the SDP more or less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.latching import Address, Latching, Verdict, canonical
from ngdaemon.media.plan import LEARNING_WINDOW, Latch, Learning

SIGNALLED = Endpoint("198.51.100.1", 4000)
NAT = "203.0.113.7"
"""The SIP source (`received-from`)."""
EXACT = ("198.51.100.1", 4000)
OTHER_PORT = ("198.51.100.1", 4444)
SAME_PORT = (NAT, 4000)
NOTHING_ALIKE = (NAT, 7777)
REBOUND = (NAT, 7778)
STRANGER = ("192.0.2.66", 4000)

ACCEPTED, LEARNED, REFUSED = Verdict.ACCEPTED, Verdict.LEARNED, Verdict.REFUSED
T0 = 1000.0
LATER = LEARNING_WINDOW
"""Seconds after which learning is over."""


def latch(learning: Learning = Learning.HEURISTIC, *, strict: bool = False, handover: bool = False) -> Latch:
    return Latch(learning, frozenset((SIGNALLED.address, NAT)), generation=1, strict=strict, handover=handover)


def latching(rule: Latch, signalled: Endpoint | None = SIGNALLED) -> Latching:
    return Latching(signalled, rule, T0)


Step = tuple[float, Address, Verdict, Address, bool]
"""Seconds after the plan, source, what is made of the packet, where the peer is afterwards, and whether for good."""

STORIES: dict[str, tuple[Latch, list[Step]]] = {
    "immediate: the first packet confirms": (
        latch(Learning.IMMEDIATE),
        [
            (0.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True),
            (0.1, EXACT, ACCEPTED, NOTHING_ALIKE, True),
        ],
    ),
    "delayed: each new source is used until the first packet after three seconds confirms": (
        latch(Learning.DELAYED),
        [
            (0.0, EXACT, LEARNED, EXACT, False),
            (0.1, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, False),
            (0.2, NOTHING_ALIKE, ACCEPTED, NOTHING_ALIKE, False),
            (2.9, OTHER_PORT, LEARNED, OTHER_PORT, False),
            (LATER, SAME_PORT, LEARNED, SAME_PORT, True),
            (LATER, OTHER_PORT, ACCEPTED, SAME_PORT, True),
        ],
    ),
    "off: the signalled endpoint counts as confirmed": (
        latch(Learning.OFF),
        [
            (0.0, NOTHING_ALIKE, ACCEPTED, EXACT, True),
            (LATER, EXACT, ACCEPTED, EXACT, True),
        ],
    ),
    "heuristic: the signalled endpoint confirms at once": (
        latch(),
        [
            (0.0, EXACT, LEARNED, EXACT, True),
            (0.1, NOTHING_ALIKE, ACCEPTED, EXACT, True),
        ],
    ),
    "heuristic: better sources win, worse ones do not": (
        latch(),
        [
            (0.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, False),
            (0.1, SAME_PORT, LEARNED, SAME_PORT, False),
            (0.2, NOTHING_ALIKE, ACCEPTED, SAME_PORT, False),
            (0.3, OTHER_PORT, LEARNED, OTHER_PORT, False),
            (0.4, SAME_PORT, ACCEPTED, OTHER_PORT, False),
            (LATER, SAME_PORT, LEARNED, OTHER_PORT, True),
            (LATER, SAME_PORT, ACCEPTED, OTHER_PORT, True),
        ],
    ),
    "heuristic: the newest of equals is used, but only a better one is confirmed instead": (
        latch(),
        [
            (0.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, False),
            (0.1, REBOUND, LEARNED, REBOUND, False),
            (LATER, NOTHING_ALIKE, LEARNED, REBOUND, True),
        ],
    ),
    "heuristic: a better source is confirmed after the window too": (
        latch(),
        [
            (0.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, False),
            (LATER, OTHER_PORT, LEARNED, OTHER_PORT, True),
        ],
    ),
    "heuristic: the first source of all may come after the window": (
        latch(),
        [(LATER + 60.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True)],
    ),
    "strict: others are refused after confirmation": (
        latch(Learning.IMMEDIATE, strict=True),
        [
            (0.0, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True),
            (0.1, EXACT, REFUSED, NOTHING_ALIKE, True),
            (0.2, NOTHING_ALIKE, ACCEPTED, NOTHING_ALIKE, True),
        ],
    ),
    "strict, delayed: nothing is refused before confirmation": (
        latch(Learning.DELAYED, strict=True),
        [
            (0.0, EXACT, LEARNED, EXACT, False),
            (0.1, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, False),
            (LATER, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True),
            (LATER, EXACT, REFUSED, NOTHING_ALIKE, True),
        ],
    ),
    "strict, heuristic: what fits less than the best is refused at once": (
        latch(strict=True),
        [
            (0.0, SAME_PORT, LEARNED, SAME_PORT, False),
            (0.1, NOTHING_ALIKE, REFUSED, SAME_PORT, False),
            (0.2, OTHER_PORT, LEARNED, OTHER_PORT, False),
        ],
    ),
    "strict, off: only the signalled endpoint": (
        latch(Learning.OFF, strict=True),
        [
            (0.0, OTHER_PORT, REFUSED, EXACT, True),
            (0.1, EXACT, ACCEPTED, EXACT, True),
        ],
    ),
    "handover: another source takes over after confirmation": (
        latch(handover=True),
        [
            (0.0, EXACT, LEARNED, EXACT, True),
            (0.1, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True),
            (0.2, NOTHING_ALIKE, ACCEPTED, NOTHING_ALIKE, True),
            (0.3, EXACT, LEARNED, EXACT, True),
        ],
    ),
    "handover wins over strict": (
        latch(strict=True, handover=True),
        [
            (0.0, EXACT, LEARNED, EXACT, True),
            (0.1, NOTHING_ALIKE, LEARNED, NOTHING_ALIKE, True),
        ],
    ),
    "handover does nothing without learning": (
        latch(Learning.OFF, strict=True, handover=True),
        [(0.0, OTHER_PORT, REFUSED, EXACT, True)],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_packet_by_packet(story: str) -> None:
    rule, steps = STORIES[story]
    state = latching(rule)
    for after, source, verdict, peer, confirmed in steps:
        assert state.judge(source, True, T0 + after) is verdict, (after, source)
        assert (state.destination, state.confirmed) == (peer, confirmed), (after, source)


@pytest.mark.parametrize("story", STORIES)
def test_a_stranger_changes_no_story(story: str) -> None:
    rule, steps = STORIES[story]
    state = latching(rule)
    for after, source, verdict, peer, confirmed in steps:
        before = state.destination, state.confirmed
        assert state.judge(STRANGER, True, T0 + after) is Verdict.STRANGER
        assert (state.destination, state.confirmed) == before
        assert state.judge(source, True, T0 + after) is verdict
        assert (state.destination, state.confirmed) == (peer, confirmed)


@pytest.mark.parametrize("learning", Learning)
def test_packets_of_the_other_kind_teach_nothing(learning: Learning) -> None:
    state = latching(latch(learning, handover=True))
    for after in (0.0, LATER):
        assert state.judge(NOTHING_ALIKE, False, T0 + after) is Verdict.ACCEPTED
        assert state.destination == EXACT
    assert state.confirmed is (learning is Learning.OFF)


def test_nobody_is_accepted_before_anybody_was_signalled() -> None:
    state = latching(Latch(), None)
    for source in (EXACT, STRANGER):
        assert state.judge(source, True, T0) is Verdict.STRANGER
    assert state.destination is None


def test_a_plausible_source_teaches_nothing_before_its_sdp_is_known() -> None:
    state = latching(latch(Learning.IMMEDIATE), None)
    assert state.judge(NOTHING_ALIKE, True, T0) is Verdict.ACCEPTED
    assert state.destination is None
    assert not state.confirmed


def test_an_operator_may_lift_the_rule() -> None:
    state = latching(latch(Learning.IMMEDIATE)._replace(plausible=None))
    assert state.judge(STRANGER, True, T0) is Verdict.LEARNED
    assert state.destination == STRANGER


def test_the_signalled_address_is_plausible_without_being_listed() -> None:
    state = latching(Latch(Learning.IMMEDIATE, frozenset()))
    assert state.judge(OTHER_PORT, True, T0) is Verdict.LEARNED


def test_what_was_learned_is_not_sent_to_where_asymmetric_was_asked_for() -> None:
    state = latching(latch(Learning.IMMEDIATE, strict=True)._replace(asymmetric=True))
    assert state.judge(NOTHING_ALIKE, True, T0) is Verdict.LEARNED
    assert state.learned == NOTHING_ALIKE
    assert state.destination == SIGNALLED
    assert state.judge(EXACT, True, T0) is Verdict.REFUSED


@pytest.mark.parametrize(("handover", "settled"), [(False, True), (True, False)])
def test_another_source_than_the_peer_is_settled_unless_it_may_take_over(handover: bool, settled: bool) -> None:
    state = latching(latch(Learning.IMMEDIATE, handover=handover))
    assert not state.is_settled(EXACT)
    state.judge(EXACT, True, T0)
    assert state.is_settled(EXACT)
    assert state.is_settled(NOTHING_ALIKE) is settled


class TestRestate:
    def test_the_same_latch_changes_nothing(self) -> None:
        state = latching(latch(Learning.IMMEDIATE))
        state.judge(NOTHING_ALIKE, True, T0)
        state.restate(SIGNALLED, latch(Learning.IMMEDIATE), T0 + 100)
        assert (state.destination, state.confirmed) == (NOTHING_ALIKE, True)

    def test_a_new_generation_learns_anew_and_keeps_sending_to_the_old_peer_meanwhile(self) -> None:
        state = latching(latch(Learning.DELAYED))
        state.judge(NOTHING_ALIKE, True, T0 + LATER)
        state.restate(SIGNALLED, latch(Learning.DELAYED)._replace(generation=2), T0 + 100)
        assert (state.destination, state.confirmed) == (NOTHING_ALIKE, False)
        assert state.judge(REBOUND, True, T0 + 100) is Verdict.LEARNED
        assert (state.destination, state.confirmed) == (REBOUND, False)
        assert state.judge(REBOUND, True, T0 + 100 + LATER - 0.1) is Verdict.ACCEPTED
        assert state.judge(REBOUND, True, T0 + 100 + LATER) is Verdict.LEARNED
        assert state.confirmed

    def test_a_new_generation_forgets_how_well_the_old_peer_fitted(self) -> None:
        state = latching(latch())
        state.judge(EXACT, True, T0)
        state.restate(SIGNALLED, latch()._replace(generation=2), T0 + 100)
        assert state.judge(NOTHING_ALIKE, True, T0 + 100) is Verdict.LEARNED
        assert state.destination == NOTHING_ALIKE

    def test_another_endpoint_is_sent_to_at_once(self) -> None:
        state = latching(latch(Learning.IMMEDIATE))
        state.judge(NOTHING_ALIKE, True, T0)
        moved = Endpoint(SIGNALLED.address, 9000)
        state.restate(moved, latch(Learning.IMMEDIATE)._replace(generation=2), T0 + 1)
        assert (state.destination, state.confirmed) == (moved, False)

    def test_a_peer_that_is_not_plausible_any_more_is_dropped(self) -> None:
        state = latching(latch(Learning.IMMEDIATE))
        state.judge(NOTHING_ALIKE, True, T0)
        only_signalled = frozenset((SIGNALLED.address,))
        state.restate(SIGNALLED, latch(Learning.IMMEDIATE)._replace(plausible=only_signalled), T0 + 1)
        assert (state.destination, state.confirmed) == (SIGNALLED, False)
        assert state.judge(NOTHING_ALIKE, True, T0 + 1) is Verdict.STRANGER

    def test_a_peer_on_hold_is_not_sent_to_and_is_learned_anew_afterwards(self) -> None:
        state = latching(latch(Learning.IMMEDIATE))
        state.judge(NOTHING_ALIKE, True, T0)
        state.restate(None, latch(Learning.IMMEDIATE)._replace(generation=2), T0 + 1)
        on_hold = state.destination
        assert on_hold is None
        assert state.judge(NOTHING_ALIKE, True, T0 + 1) is Verdict.ACCEPTED
        state.restate(SIGNALLED, latch(Learning.IMMEDIATE)._replace(generation=3), T0 + 2)
        afterwards = state.destination, state.confirmed
        assert afterwards == (SIGNALLED, False)

    def test_learning_can_be_switched_off(self) -> None:
        state = latching(latch(Learning.IMMEDIATE))
        state.judge(NOTHING_ALIKE, True, T0)
        state.restate(SIGNALLED, latch(Learning.OFF)._replace(generation=2), T0 + 1)
        assert (state.destination, state.confirmed) == (SIGNALLED, True)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::", "::"),
        ("sip.example.com", None),
        ("192.0.2.001", None),
        ("fe80::1%eth0", None),
        ("", None),
    ],
)
def test_addresses_are_spelled_as_the_socket_layer_does(text: str, spelled: str | None) -> None:
    assert canonical(text) == spelled


def test_spelling_does_not_matter() -> None:
    state = latching(
        Latch(Learning.IMMEDIATE, frozenset(("2001:DB8::0:A",)), strict=True), Endpoint("2001:DB8:0::B", 4000)
    )
    assert state.destination == ("2001:db8::b", 4000)
    assert state.judge(("2001:db8::a", 7, 0, 0), True, T0) is Verdict.LEARNED
    assert state.judge(("2001:db8::a", 7, 1, 0), True, T0) is Verdict.ACCEPTED


def test_a_name_is_no_endpoint() -> None:
    state = latching(Latch(), Endpoint("sip.example.com", 4000))
    assert state.destination is None


SOURCES = st.sampled_from((EXACT, OTHER_PORT, SAME_PORT, NOTHING_ALIKE, REBOUND, STRANGER))


@given(
    st.builds(
        Latch,
        st.sampled_from(Learning),
        st.just(frozenset((NAT,))),
        st.just(1),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none(),
    ),
    st.sampled_from((SIGNALLED, None)),
    st.lists(st.tuples(SOURCES, st.booleans(), st.floats(0, 2)), max_size=30),
)
def test_whatever_comes_the_peer_is_plausible_and_confirmation_lasts(
    rule: Latch, signalled: Endpoint | None, packets: list[tuple[Address, bool, float]]
) -> None:
    state = latching(rule, signalled)
    plausible = {NAT, signalled.address} if signalled is not None else {NAT}
    now = T0
    for source, teaches, pause in packets:
        now += pause
        before = (state.learned, state.confirmed)
        settled = state.is_plausible(source) and state.is_settled(source)
        verdict = state.judge(source, teaches, now)
        assert (verdict is Verdict.STRANGER) is (source[0] not in plausible)
        assert ((state.learned, state.confirmed) != before) is (verdict is Verdict.LEARNED)
        assert state.learned is None or state.is_plausible(state.learned)
        assert state.confirmed or not before[1]
        if settled:
            assert verdict in (Verdict.ACCEPTED, Verdict.REFUSED)
        if rule.asymmetric or rule.learning is Learning.OFF or signalled is None:
            assert state.destination == signalled


class TestSources:
    """`Latch.sources`: something better than an address vouches for the peer (S08)."""

    RULE = Latch(Learning.IMMEDIATE, frozenset((NAT,)), 1, handover=True, sources=frozenset((SIGNALLED,)))

    def test_only_the_exact_endpoints_are_accepted_and_nothing_is_learned(self) -> None:
        state = latching(self.RULE)
        assert (state.destination, state.confirmed) == (SIGNALLED, True)
        for source, verdict in ((EXACT, ACCEPTED), (OTHER_PORT, Verdict.STRANGER), (NOTHING_ALIKE, Verdict.STRANGER)):
            assert state.check(source) is verdict
            assert state.judge(source, True, T0) is verdict
        assert (state.learned, state.destination) == (None, SIGNALLED)
        assert state.is_settled(EXACT)

    def test_none_of_them_means_nobody(self) -> None:
        state = latching(self.RULE._replace(sources=frozenset(), plausible=None))
        assert state.judge(EXACT, True, T0) is Verdict.STRANGER

    def test_any_spelling_will_do(self) -> None:
        rule = Latch(sources=frozenset((Endpoint("2001:DB8:0::1", 5), Endpoint("phone.example.com", 6))))
        state = latching(rule, None)
        assert state.judge(("2001:db8::1", 5, 0, 3), True, T0) is ACCEPTED
        assert (state.destination, state.confirmed) == (None, False)

    def test_what_was_learned_before_is_forgotten_and_learning_begins_anew_after(self) -> None:
        plain = latch(Learning.IMMEDIATE)
        state = latching(plain)
        assert state.judge(NOTHING_ALIKE, True, T0) is LEARNED
        state.restate(SIGNALLED, plain._replace(sources=frozenset((SIGNALLED,))), T0)
        assert (state.destination, state.confirmed) == (SIGNALLED, True)
        assert state.judge(NOTHING_ALIKE, True, T0) is Verdict.STRANGER
        state.restate(SIGNALLED, plain, T0)
        assert state.judge(REBOUND, True, T0) is LEARNED

    def test_other_sources_take_effect_at_once(self) -> None:
        state = latching(self.RULE)
        state.restate(SIGNALLED, self.RULE._replace(sources=frozenset((Endpoint(*OTHER_PORT),))), T0)
        assert (state.judge(EXACT, True, T0), state.judge(OTHER_PORT, True, T0)) == (Verdict.STRANGER, ACCEPTED)


@given(
    st.sampled_from(Learning),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(SOURCES, st.booleans(), st.floats(0, 2)), max_size=12),
)
def test_a_check_says_what_judgement_would_and_changes_nothing(
    learning: Learning, strict: bool, handover: bool, packets: list[tuple[Address, bool, float]]
) -> None:
    """MBX-04: what has to authenticate is checked before, and teaches afterwards."""
    state, now = latching(latch(learning, strict=strict, handover=handover)), T0
    for source, teaches, pause in packets:
        now += pause
        before = (state.learned, state.confirmed, state.destination)
        checked = state.check(source)
        assert (state.learned, state.confirmed, state.destination) == before
        judged = state.judge(source, teaches, now)
        assert checked is (ACCEPTED if judged is LEARNED else judged)
