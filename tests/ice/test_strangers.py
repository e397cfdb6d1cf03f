"""Strangers and garbage at an agent: nothing is answered at length, nothing changes, nothing raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import stun
from ngdaemon.ice.agent import FIRST_NEWCOMERS, NEWCOMERS, REFUSALS
from tests.ice.rig import Party, World, forge, introduce, requests

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"
SOCKET = SocketId(1)
STRANGER = Endpoint("192.0.2.66", 6666)


def connected(*, lite: bool = False) -> tuple[World, Party, Party]:
    world = World()
    ours = Party(world, OFFERER, lite=lite, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    introduce(peer, ours)
    world.until(ours)
    world.run(1.0)
    return world, ours, peer


def answer_to(party: Party, data: bytes, now: float, source: Endpoint = STRANGER) -> stun.Message | None:
    """What the agent says to that datagram, at once."""
    before = len(party.sent)
    party.receive(SOCKET, data, source, now)
    sent = [(message, to) for _, _, message, to in party.sent[before:] if to == source]
    assert all(len(message) <= len(data) for message, _ in sent), "an answer is longer than the question"
    return stun.parse(sent[0][0]) if sent else None


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
@pytest.mark.parametrize(
    ("username", "password", "code"),
    [(None, "guessed password", 401), ("someone:else", None, 401), (":", None, 401), ("", None, 401)],
)
def test_wrong_username_or_integrity_is_refused_and_changes_nothing(
    lite: bool, username: str | None, password: str | None, code: int
) -> None:
    """STUN-01, S08, S04: no source is accepted, no pair changes, and the answer is no longer than the question."""
    world, ours, peer = connected(lite=lite)
    pair = ours.agent.selected(1)
    data = forge(ours, peer=peer.agent.local.ufrag, username=username, password=password)
    answer = answer_to(ours, data, world.clock.now)
    assert answer is not None
    assert answer.error == code
    assert not ours.agent.accepts(SOCKET, STRANGER)
    world.run(1.0)
    assert ours.agent.selected(1) == pair
    assert not [to for _, _, to in requests(ours) if to == STRANGER]


def test_requests_without_credentials_are_bad_requests_if_long_enough() -> None:
    """STUN-01, S21: 400 only if the reply is no longer than the request, else nothing."""
    world, ours, _ = connected()
    assert answer_to(ours, stun.binding_request_bare(bytes(12)), world.clock.now) is None
    padded = stun.build(stun.REQUEST, bytes(12), [(0x8022, b"a phone of some kind")])
    answer = answer_to(ours, padded, world.clock.now)
    assert answer is not None
    assert answer.error == 400


def test_strangers_are_answered_at_a_bounded_rate() -> None:
    """S21: rate cap."""
    world, ours, _ = connected()
    data = forge(ours, password="guessed password")
    before = len(ours.sent)
    for _ in range(1000):
        ours.receive(SOCKET, data, STRANGER, world.clock.now)
    assert len(ours.sent) - before == REFUSALS


def test_a_flood_of_strangers_does_not_keep_the_peer_from_being_answered() -> None:
    """S21, S04: authentic requests are not under the cap."""
    world, ours, peer = connected()
    for _ in range(1000):
        ours.receive(SOCKET, forge(ours, password="guessed password"), STRANGER, world.clock.now)
    world.run(60.0, step=0.1)
    assert peer.agent.may_send(1) is not None


def test_an_authentic_answer_is_smaller_than_the_check() -> None:
    """S21."""
    world, ours, peer = connected()
    answer = answer_to(ours, forge(ours, peer=peer.agent.local.ufrag), world.clock.now, Endpoint(ANSWERER, 5000))
    assert answer is not None
    assert answer.kind == stun.SUCCESS
    assert answer.mapped == Endpoint(ANSWERER, 5000)


def test_unknown_required_attributes_are_named_in_a_420() -> None:
    """STUN-01, S09."""
    world, ours, peer = connected()
    data = forge(ours, peer=peer.agent.local.ufrag, extra=((0x0019, b"abcd"), (0x7F00, b"")))
    answer = answer_to(ours, data, world.clock.now)
    assert answer is not None
    assert answer.error == 420
    assert answer.attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x00\x19\x7f\x00"
    assert answer.authentic(ours.agent.local.pwd.encode())
    assert not ours.agent.accepts(SOCKET, STRANGER)


def test_unknown_optional_attributes_do_no_harm() -> None:
    """S09: browsers send some of their own."""
    world, ours, peer = connected()
    data = forge(ours, peer=peer.agent.local.ufrag, extra=((0xC057, b"\0\1\0\x0a"), (0xC001, b"\0\0\0\1")))
    answer = answer_to(ours, data, world.clock.now)
    assert answer is not None
    assert answer.kind == stun.SUCCESS


def test_a_check_that_somebody_overheard_and_repeats_is_dropped() -> None:
    """S08, S21: a copy from elsewhere makes us neither answer nor check nor accept the copyist."""
    world, ours, peer = connected()
    _, check, _ = requests(peer)[-1]
    assert answer_to(ours, check.data, world.clock.now) is None
    assert not ours.agent.accepts(SOCKET, STRANGER)
    assert answer_to(ours, check.data, world.clock.now, Endpoint(ANSWERER, 5000)) is not None


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_a_check_that_was_overheard_is_of_no_use_however_much_later_it_is_repeated(lite: bool) -> None:
    """S08, S21, HS-10: hours later, after thousands of others, it neither moves media nor lets its copyist in."""
    world, ours, peer = connected(lite=lite)
    there, use = Endpoint(ANSWERER, 5000), ((stun.USE_CANDIDATE, b""),)
    overheard = forge(ours, peer=peer.agent.local.ufrag, extra=use, transaction=b"overheard123")
    assert answer_to(ours, overheard, world.clock.now, there) is not None
    pair = ours.agent.may_send(1)
    for number in range(2000):
        check = forge(ours, peer=peer.agent.local.ufrag, transaction=number.to_bytes(12))
        ours.receive(SOCKET, check, there, world.clock.now + 5.0 * number)
    assert answer_to(ours, overheard, world.clock.now + 10_000.0) is None
    assert not ours.agent.accepts(SOCKET, STRANGER)
    assert ours.agent.may_send(1) == pair


@pytest.mark.parametrize("known", [True, False], ids=["answered", "early"])
def test_a_peer_that_names_ever_new_sources_makes_us_send_to_few_of_them(known: bool) -> None:
    """S21, S13: it has the password, and forges the sources of its checks."""
    world = World()
    ours = Party(world, OFFERER, controlling=True, seed=1)
    peer = Party(world, ANSWERER, seed=2)
    if known:
        introduce(ours, peer)
        world.until(ours)
    for number in range(1000):
        data = forge(ours, peer=peer.agent.local.ufrag, controlling=False, transaction=number.to_bytes(12))
        ours.receive(SOCKET, data, Endpoint(f"192.0.2.{1 + number % 250}", 7000 + number), world.clock.now)
        world.run(0.001, step=0.001)
    named = {to for _, _, _, to in ours.sent if to.address.startswith("192.0.2.")}
    assert FIRST_NEWCOMERS <= len(named) <= FIRST_NEWCOMERS + NEWCOMERS
    assert len(ours.agent.accepted(SOCKET)) <= len(named) + 1
    world.run(1.0)
    late = forge(ours, peer=peer.agent.local.ufrag, controlling=False, transaction=b"a later one.")
    assert answer_to(ours, late, world.clock.now) is not None, "a peer that moves is not heard afterwards"


@pytest.mark.parametrize("count", [1, 250])
def test_sources_that_know_the_password_do_not_displace_the_peer(count: int) -> None:
    """S08, S09: a pair in use is never given up for one that is only checked."""
    world = World()
    ours = Party(world, OFFERER, lite=True, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    ours.hear(peer.description(only=[]))
    peer.hear(ours.description())
    world.until(ours)
    pair = ours.agent.selected(1)
    for number in range(count):
        data = forge(ours, peer=peer.agent.local.ufrag, transaction=number.to_bytes(12))
        ours.receive(SOCKET, data, Endpoint(f"192.0.2.{1 + number}", 7000), world.clock.now)
    assert ours.agent.selected(1) == ours.agent.may_send(1) == pair
    assert pair is not None
    assert ours.agent.accepts(SOCKET, pair.remote)


def test_who_answers_in_place_of_the_peer_is_not_believed() -> None:
    """S08: an answer from another address makes no pair, even if it is authentic."""
    world = World()
    ours = Party(world, OFFERER, controlling=True, seed=1)
    peer = Party(world, ANSWERER, seed=2)
    ours.hear(peer.description())
    _, check, _ = requests(ours)[0]
    mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(Endpoint(OFFERER, 5000), check.transaction))
    answer = stun.build(stun.SUCCESS, check.transaction, [mapped], peer.agent.local.pwd.encode())
    assert not ours.agent.receive(SOCKET, answer, STRANGER, world.clock.now)
    assert ours.agent.may_send(1) is None
    assert ours.agent.receive(SOCKET, answer, Endpoint(ANSWERER, 5000), world.clock.now)
    assert ours.agent.may_send(1) is not None


def test_indications_are_taken_and_change_nothing() -> None:
    world, ours, _ = connected()
    before = len(ours.sent)
    ours.receive(SOCKET, stun.build(stun.INDICATION, bytes(12), []), STRANGER, world.clock.now)
    assert len(ours.sent) == before
    assert not ours.agent.accepts(SOCKET, STRANGER)


def test_deleting_during_a_check_leaves_nothing_behind() -> None:
    """S09: sockets go while checks are under way; late datagrams and timers find nothing."""
    world = World()
    ours = Party(world, OFFERER, controlling=True, seed=1)
    peer = Party(world, ANSWERER, seed=2)
    introduce(ours, peer)
    _, check, _ = requests(ours)[0]
    ours.agent.drop_base(SOCKET)
    mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(Endpoint(OFFERER, 5000), check.transaction))
    answer = stun.build(stun.SUCCESS, check.transaction, [mapped], peer.agent.local.pwd.encode())
    assert not ours.agent.receive(SOCKET, answer, Endpoint(ANSWERER, 5000), world.clock.now)
    sent = len(ours.sent)
    world.run(60.0, step=0.1)
    assert len(ours.sent) == sent
    assert ours.agent.may_send(1) is None
    assert ours.agent.complete is True or ours.agent.selected(1) is None


def test_dropped_datagrams_are_counted() -> None:
    world, ours, _ = connected()
    before = ours.agent.dropped
    for data in (b"", b"\0", b"\0\1\0\0", bytes(600), forge(ours, password="guessed password")):
        ours.receive(SOCKET, data, STRANGER, world.clock.now)
    assert ours.agent.dropped == before + 5


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=600),
            st.tuples(
                st.sampled_from(sorted(stun.KINDS)),
                st.lists(
                    st.tuples(
                        st.one_of(st.sampled_from(sorted(stun.KNOWN)), st.integers(0, 0xFFFF)), st.binary(max_size=64)
                    ),
                    max_size=6,
                ),
                st.booleans(),
            ),
        ),
        max_size=8,
    ),
    st.booleans(),
    st.booleans(),
)
def test_no_sequence_of_datagrams_raises_or_opens_the_path(
    datagrams: list[bytes | tuple[int, list[tuple[int, bytes]], bool]], lite: bool, known: bool
) -> None:
    """S09, STUN-01: garbage, and authentic nonsense of the peer itself, at any stage."""
    world = World()
    ours = Party(world, OFFERER, lite=lite, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    peer.mute = True
    if known:
        ours.hear(peer.description())
    for count, datagram in enumerate(datagrams):
        if isinstance(datagram, tuple):
            kind, attributes, named = datagram
            name = [(stun.USERNAME, f"{ours.agent.local.ufrag}:{peer.agent.local.ufrag}".encode())] if named else []
            data = stun.build(kind, count.to_bytes(12), name + attributes, ours.agent.local.pwd.encode())
        else:
            data = datagram
        ours.receive(SOCKET, data, STRANGER, world.clock.now)
        world.run(0.05)
    pair = ours.agent.may_send(1)
    assert pair is None or lite, "no check of ours was answered"
