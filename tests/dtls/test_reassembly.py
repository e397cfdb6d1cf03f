"""HS-06: handshake messages from fragments in any order, doubled and overlapping, within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.dtls.reassembly import AHEAD, MAX_FRAGMENTS, MAX_OCTETS, Message, Partial, Reassembly
from ngdaemon.dtls.records import Fragment

BODY = bytes(range(100))


def piece(start: int, stop: int, sequence: int = 0, body: bytes = BODY, kind: int = 11) -> Fragment:
    return Fragment(kind, len(body), sequence, start, body[start:stop])


@given(st.data())
def test_hs_06_any_cut_in_any_order_makes_the_message(data: st.DataObject) -> None:
    body = data.draw(st.binary(min_size=1, max_size=60))
    cuts = data.draw(st.lists(st.tuples(st.integers(0, len(body)), st.integers(0, len(body))), max_size=12))
    pieces = [piece(min(cut), max(cut), body=body) for cut in cuts]
    half = len(body) // 2
    pieces += [piece(0, half, body=body), piece(half, len(body), body=body)]
    reassembly = Reassembly()
    found = []
    for each in data.draw(st.permutations(pieces)):
        found += reassembly.add(each)
    assert found == [Message(11, 0, body)]
    assert reassembly.due == 1


@given(st.permutations(range(6)), st.randoms(use_true_random=False))
def test_hs_06_messages_are_handed_out_in_order_each_once(order: list[int], random: object) -> None:
    reassembly = Reassembly()
    found = []
    for sequence in [*order, *order]:
        found += reassembly.add(piece(0, 100, sequence))
    assert [message.sequence for message in found] == list(range(6))


def test_hs_06_a_contradiction_discards_the_message_and_not_the_call() -> None:
    reassembly = Reassembly()
    assert reassembly.add(piece(0, 60)) == []
    forged = bytes(100)
    assert reassembly.add(piece(50, 100, body=forged)) == []
    assert reassembly.add(piece(60, 100)) == []  # what was there is gone
    assert reassembly.add(piece(0, 60)) == [Message(11, 0, BODY)]


def test_hs_06_another_length_or_kind_is_a_contradiction() -> None:
    for other in (piece(0, 10, body=BODY + b"x"), piece(0, 10, kind=12)):
        reassembly = Reassembly()
        reassembly.add(piece(0, 60))
        reassembly.add(other)
        assert reassembly.add(piece(60, 100)) == []


def test_a_message_without_body_is_whole() -> None:
    assert Reassembly(3).add(Fragment(14, 0, 3, 0, b"")) == [Message(14, 3, b"")]


def test_what_was_handed_out_is_old_and_what_is_far_ahead_is_ignored() -> None:
    reassembly = Reassembly(2)
    assert reassembly.is_old(piece(0, 100, 1))
    assert not reassembly.is_old(piece(0, 100, 2))
    assert reassembly.add(piece(0, 100, 2 + AHEAD)) == []
    for sequence in range(2, 2 + AHEAD):
        reassembly.add(piece(0, 100, sequence))
    assert reassembly.due == 2 + AHEAD


def test_tim_12_octets_are_bounded() -> None:
    reassembly = Reassembly()
    assert reassembly.add(Fragment(11, MAX_OCTETS + 1, 0, 0, b"x")) == []
    half = MAX_OCTETS // 2
    for sequence in range(1, 4):
        reassembly.add(Fragment(11, half, sequence, 0, b"x"))
    assert sum(partial.length for partial in reassembly._partials.values()) == MAX_OCTETS


def test_tim_12_fragments_are_bounded() -> None:
    reassembly = Reassembly()
    for at in range(MAX_FRAGMENTS):
        reassembly.add(piece(at, at + 1))
    assert reassembly.add(piece(MAX_FRAGMENTS, 100)) == []  # one too many: the message starts afresh
    assert reassembly.add(piece(0, 100)) == [Message(11, 0, BODY)]


def test_a_claim_of_length_takes_no_room() -> None:
    partial = Partial(Fragment(1, MAX_OCTETS, 0, 0, b""))
    partial.add(Fragment(1, MAX_OCTETS, 0, MAX_OCTETS - 1, b"x"))
    assert partial.octets == 1
