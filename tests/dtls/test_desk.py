"""The desk: hellos in fragments, strangers without a cookie, and how little is kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.desk import MAX_PROVEN, MAX_UNPROVEN, PARTIAL_SECONDS, UNPROVEN_OCTETS, Answer, Arrival, Desk
from ngdaemon.dtls.hello import hello_verify_request
from ngdaemon.dtls.reassembly import MAX_OCTETS
from ngdaemon.dtls.records import Fragment
from tests.dtls.rig import COOKIES, PEER, STRANGER
from tests.dtls.test_hello import extension, hello, opening, use_srtp

BIG = use_srtp(1) + extension(51, bytes(range(256)) * 5)
"""As large as a post-quantum key share makes a hello."""


def cut(body: bytes, size: int = 500, sequence: int = 0) -> list[Fragment]:
    return [Fragment(1, len(body), sequence, at, body[at : at + size]) for at in range(0, len(body), size)]


def with_cookie(path: Endpoint, now: float = 0.0) -> bytes:
    return hello(cookie=COOKIES.make(path, opening(hello()), now), extensions=BIG)


def test_hs_09_a_stranger_is_asked_for_a_cookie_and_forgotten() -> None:
    desk = Desk(COOKIES)
    (piece,) = cut(hello())
    cookie = COOKIES.make(STRANGER, opening(hello()), 0.0)
    for _ in range(1000):
        assert desk.take(STRANGER, piece, 3, False, 0.0) == Answer(hello_verify_request(cookie, 3))
    assert desk._waiting == {}


def test_hs_08_a_stranger_is_asked_on_the_first_fragment_whatever_the_order() -> None:
    desk = Desk(COOKIES)
    for piece in reversed(cut(hello(extensions=BIG))):
        answer = desk.take(STRANGER, piece, 0, False, 0.0)
        assert isinstance(answer, Answer) is (piece.offset == 0)
    assert desk._waiting == {}


@given(st.permutations(range(3)))
def test_s23_a_hello_in_three_shuffled_fragments_arrives(order: list[int]) -> None:
    for sequence, body, trusted in ((0, hello(extensions=BIG), True), (1, with_cookie(PEER), False)):
        desk = Desk(COOKIES)
        pieces = cut(body, sequence=sequence)
        assert len(pieces) == 3
        results = [desk.take(PEER, pieces[at], 10 + at, trusted, 0.0) for at in order]
        assert results[:2] == [None, None]
        arrived = results[2]
        assert isinstance(arrived, Arrival)
        assert arrived.message == (1, sequence, body)
        assert arrived.record_number == 10
        assert desk._waiting == {}


def test_s04_a_peer_that_answers_the_request_for_a_cookie_that_somebody_else_caused_is_heard() -> None:
    """HS-09: hellos with its source are forged; its own hello answers whichever request comes first."""
    desk = Desk(COOKIES)
    (forged,) = cut(hello(random=b"x" * 32, session=b"s"))
    asked = desk.take(PEER, forged, 0, False, 0.0, known=True)
    cookie = COOKIES.make(PEER, opening(hello()).of_anyone(), 0.0)
    assert asked == Answer(hello_verify_request(cookie, 0))
    pieces = cut(hello(cookie=cookie, extensions=BIG), sequence=1)
    assert len(pieces) > 1
    for known in (True, False):
        arrivals = [desk.take(PEER, piece, 1, False, 0.0, known=known) for piece in pieces]
        assert any(isinstance(item, Arrival) for item in arrivals) is known


def test_a_wrong_cookie_in_an_answer_gets_nothing() -> None:
    desk = Desk(COOKIES)
    for piece in cut(hello(cookie=b"w" * 32), sequence=1):
        assert desk.take(STRANGER, piece, 0, False, 0.0) is None
    assert desk._waiting == {}


def test_a_stale_cookie_in_a_first_hello_gets_a_fresh_one() -> None:
    (piece,) = cut(hello(cookie=b"w" * 32))
    assert isinstance(Desk(COOKIES).take(STRANGER, piece, 0, False, 0.0), Answer)


def test_a_hello_cut_within_its_opening_shows_nothing() -> None:
    desk = Desk(COOKIES)
    for piece in cut(hello(), size=20):
        assert desk.take(STRANGER, piece, 0, False, 0.0) is None
    assert desk._waiting == {}


def test_hs_06_a_contradiction_discards_the_hello_and_not_the_next_one() -> None:
    desk = Desk(COOKIES)
    pieces = cut(hello(extensions=BIG))
    desk.take(PEER, pieces[0], 0, True, 0.0)
    desk.take(PEER, pieces[0]._replace(data=bytes(500)), 0, True, 0.0)
    assert desk.take(PEER, pieces[1], 0, True, 0.0) is None
    assert desk.take(PEER, pieces[2], 0, True, 0.0) is None
    assert isinstance(desk.take(PEER, pieces[0], 0, True, 0.0), Arrival)


@pytest.mark.parametrize("trusted", [True, False])
def test_s04_what_is_kept_of_unfinished_hellos_is_bounded(trusted: bool) -> None:
    desk = Desk(COOKIES)
    for number in range(1000):
        path = Endpoint("203.0.113.3", number)
        desk.take(path, Fragment(1, 9000, 1, 100, bytes(1000)), 0, trusted, 0.0)
    assert len(desk._waiting) == (MAX_PROVEN if trusted else MAX_UNPROVEN)


def test_s04_a_single_stranger_cannot_fill_it_either() -> None:
    desk = Desk(COOKIES)
    for at in range(0, 20000, 1000):
        desk.take(STRANGER, Fragment(1, 20000, 1, at, bytes(1000)) if at else cut(hello())[0], 0, False, 0.0)
        assert sum(waiting.partial.octets for waiting in desk._waiting.values()) <= UNPROVEN_OCTETS


def test_tim_12_a_hello_that_claims_too_much_is_ignored() -> None:
    desk = Desk(COOKIES)
    assert desk.take(PEER, Fragment(1, MAX_OCTETS + 1, 0, 0, hello()), 0, True, 0.0) is None
    assert desk._waiting == {}


def test_an_unfinished_hello_is_forgotten_after_a_while() -> None:
    desk = Desk(COOKIES)
    pieces = cut(hello(extensions=BIG))
    desk.take(PEER, pieces[0], 0, True, 0.0)
    desk.take(PEER, pieces[1], 0, True, 1.0)
    late = PARTIAL_SECONDS + 0.1
    assert desk.take(PEER, pieces[2], 0, True, late) is None
