"""Who is meant (ng-protocol.md §3.1, "Branches and tags")."""

from ngdaemon.base.ids import CallId, Tag
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Leg, LegId
from ngdaemon.ng.options import Options, parse

NOW = 7


class Dialogue:
    """A call in which offers and answers go to and fro, without their SDP."""

    def __init__(self) -> None:
        self.call = Call(CallId("call"), NOW, NOW)

    def offer(self, from_tag: str, to_tag: str | None = None, branch: str | None = None, *flags: str) -> Leg:
        """The receiver."""
        self.call, sender, receiver = parties.for_offer(self.call, _options(from_tag, to_tag, branch, flags), NOW)
        self._has_spoken(sender)
        return receiver

    def answer(self, from_tag: str, to_tag: str, branch: str | None = None, *flags: str) -> Leg:
        """The answerer."""
        options = _options(from_tag, to_tag, branch, flags)
        self.call, answerer, offerer = parties.for_answer(self.call, options, NOW)
        self._has_spoken(answerer)
        self.offerer = offerer
        return answerer

    def mark(self, leg: Leg, **facts: object) -> None:
        self.call = parties.with_leg(self.call, self.call.leg(leg.id)._replace(**facts))  # type: ignore[arg-type]

    def _has_spoken(self, leg: Leg) -> None:
        self.mark(leg, answered=True)

    @property
    def pairs(self) -> set[frozenset[str]]:
        """Who is joined to whom, by tags; untagged parties by their number in brackets."""
        assert {(item.source, item.subscriber) for item in self.call.subscriptions} == {
            (item.subscriber, item.source) for item in self.call.subscriptions
        }, "a one-way subscription"
        return {frozenset((self.name(item.source), self.name(item.subscriber))) for item in self.call.subscriptions}

    def name(self, number: LegId) -> str:
        return self.call.leg(number).tag or f"<{number}>"


def _options(from_tag: str, to_tag: str | None, branch: str | None, flags: tuple[str, ...]) -> Options:
    given = {"from-tag": from_tag, "to-tag": to_tag, "via-branch": branch, "flags": list(flags)}
    return parse({key: value for key, value in given.items() if value is not None})


def pairs(*names: str) -> set[frozenset[str]]:
    return {frozenset(name.split()) for name in names}


def test_a_first_offer_makes_the_offerer_and_an_untagged_receiver_of_that_branch() -> None:
    dialogue = Dialogue()
    receiver = dialogue.offer("a", branch="x")
    assert [(leg.tag, leg.via_branch, leg.created) for leg in dialogue.call.legs] == [("a", "", NOW), ("", "x", NOW)]
    assert receiver.id == 1
    assert dialogue.pairs == pairs("a <1>")


def test_a_repeated_offer_goes_to_the_same_party() -> None:
    dialogue = Dialogue()
    for _ in range(3):
        assert dialogue.offer("a").id == 1
    for _ in range(3):
        assert dialogue.offer("a", branch="x").id == 2
    assert len(dialogue.call.legs) == 3


def test_another_branch_is_another_party_and_both_are_joined_to_the_offerer() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    dialogue.offer("a", branch="y")
    assert dialogue.pairs == pairs("a <1>", "a <2>")
    assert dialogue.offer("a", branch="x").id == 1


def test_an_answer_gives_the_branch_its_tag_and_leaves_the_others_alone() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    dialogue.offer("a", branch="y")
    answerer = dialogue.answer("a", "b", branch="x")
    assert (answerer.id, answerer.tag, answerer.via_branch) == (1, "b", "x")
    assert dialogue.pairs == pairs("a b")
    assert [leg.ended for leg in dialogue.call.legs] == [False, False, False]


def test_forked_answers_move_the_offerer_from_branch_to_branch() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    dialogue.offer("a", branch="y")
    dialogue.answer("a", "b", branch="x")
    dialogue.answer("a", "c", branch="y")
    assert dialogue.pairs == pairs("a c")
    dialogue.answer("a", "b", branch="x")
    assert dialogue.pairs == pairs("a b")
    assert [leg.tag for leg in dialogue.call.legs] == ["a", "b", "c"]


def test_an_answer_without_branch_is_of_the_party_that_was_asked_last() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    dialogue.offer("a", branch="y")
    assert dialogue.answer("a", "b").via_branch == "y"


def test_a_new_tag_of_a_party_that_has_one_is_an_alias() -> None:
    dialogue = Dialogue()
    dialogue.offer("a")
    dialogue.answer("a", "b1")
    answerer = dialogue.answer("a", "b2")
    assert (answerer.id, answerer.tag, answerer.aliases) == (1, "b2", ("b1",))
    assert dialogue.pairs == pairs("a b2")
    for tag in ("b1", "b2"):
        found = parties.find(dialogue.call, tag)
        assert found is not None
        assert found.id == 1


def test_a_new_tag_is_a_new_party_with_the_flag_new_branch() -> None:
    dialogue = Dialogue()
    dialogue.offer("a")
    dialogue.answer("a", "b1")
    answerer = dialogue.answer("a", "b2", None, "new-branch")
    assert (answerer.id, answerer.tag, answerer.aliases) == (2, "b2", ())
    assert dialogue.pairs == pairs("a b2")


def test_a_new_tag_after_a_final_response_is_a_new_party() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    first = dialogue.answer("a", "b1", branch="x")
    dialogue.mark(first, final=True)
    assert dialogue.answer("a", "b2").id == 2
    assert dialogue.answer("a", "b3", branch="x").id == 3


def test_a_later_offer_to_an_unknown_tag_goes_to_a_new_untagged_party() -> None:
    dialogue = Dialogue()
    dialogue.offer("a")
    dialogue.answer("a", "b")
    receiver = dialogue.offer("a", "c")
    assert (receiver.id, receiver.tag) == (2, "")
    assert dialogue.pairs == pairs("a <2>")
    assert dialogue.answer("a", "c").id == 2
    assert dialogue.pairs == pairs("a c")


def test_an_offer_of_the_callee_goes_back_to_the_caller() -> None:
    dialogue = Dialogue()
    dialogue.offer("a")
    dialogue.answer("a", "b")
    assert dialogue.offer("b", "a").tag == "a"
    assert dialogue.answer("b", "a").tag == "a"
    assert dialogue.pairs == pairs("a b")
    assert len(dialogue.call.legs) == 2


def test_an_offer_to_one_of_several_parties_ends_what_the_offerer_had_with_others() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    dialogue.answer("a", "b", branch="x")
    dialogue.offer("a", branch="y")
    dialogue.answer("a", "c", branch="y")
    assert dialogue.offer("a", "b").tag == "b"
    assert dialogue.pairs == pairs("a b")


def test_an_offer_to_oneself_goes_to_a_new_party() -> None:
    dialogue = Dialogue()
    assert dialogue.offer("a", "a").id == 1
    assert dialogue.pairs == pairs("a <1>")


def test_an_answer_with_tags_that_nobody_has_makes_new_parties() -> None:
    dialogue = Dialogue()
    answerer = dialogue.answer("x", "y", branch="z")
    assert (answerer.tag, answerer.via_branch, dialogue.offerer.tag) == ("y", "z", "")
    assert dialogue.pairs == pairs("y <1>")


def test_a_party_that_has_ended_is_not_found() -> None:
    dialogue = Dialogue()
    dialogue.offer("a", branch="x")
    answerer = dialogue.answer("a", "b", branch="x")
    dialogue.mark(answerer, ended=True)
    assert parties.find(dialogue.call, "b") is None
    assert dialogue.offer("a", branch="x").id == 2


def test_an_empty_tag_is_that_of_the_sender_who_sent_one_before() -> None:
    dialogue = Dialogue()
    assert parties.find(dialogue.call, "") is None
    receiver = dialogue.offer("")
    found = parties.find(dialogue.call, "")
    assert found is not None
    assert (found.id, receiver.id) == (0, 1)
    assert dialogue.offer("").id == 1
    assert parties.find(dialogue.call, None) is None


def test_a_leg_is_known_by_its_tag_and_its_aliases_but_not_by_none() -> None:
    leg = Leg(LegId(0), Tag("b2"), NOW, aliases=(Tag("b1"),))
    assert [leg.has_tag(tag) for tag in ("b1", "b2", "b", "")] == [True, True, False, False]
    assert not Leg(LegId(0), Tag(""), NOW).has_tag("")
