"""Flights: when they are sent again, how often, and in datagrams of which size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.dtls.flight import MAX_RESENDS, RESEND_INTERVAL, Clear, Item, Sealed, Sender
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.reassembly import Message, Reassembly
from ngdaemon.dtls.records import Content, fragments, records
from ngdaemon.dtls.seal import CIPHER_SUITES, Seal, Secrets

FLIGHT: list[Item] = [
    Message(11, 1, bytes(range(256)) * 6),
    Message(16, 2, b"key"),
    Message(15, 3, b"signature" * 9),
    Clear(Content.CHANGE_CIPHER_SPEC, b"\x01"),
    Sealed(Content.HANDSHAKE, b"finished"),
]


def sender(policy: Policy | None = None, first_number: int = 0) -> Sender:
    made = Sender(policy or Policy(), first_number)
    made.seal = Seal(Secrets(CIPHER_SUITES[0].name, bytes(48), bytes(32), bytes(32)), is_client=True)
    return made


def messages(datagrams: list[bytes]) -> list[Message]:
    """What a receiver makes of the clear handshake records."""
    reassembly, found = Reassembly(1), []
    for datagram in datagrams:
        for each in records(datagram):
            if each.epoch == 0 and each.content == Content.HANDSHAKE:
                for piece in fragments(each.payload):
                    found += reassembly.add(piece)
    return found


@given(st.integers(150, 3000), st.lists(st.binary(max_size=2500), min_size=1, max_size=5))
def test_hs_07_datagrams_keep_the_size_and_lose_nothing(mtu: int, bodies: list[bytes]) -> None:
    flight: list[Item] = [Message(11, at + 1, body) for at, body in enumerate(bodies)]
    sending = sender(Policy(mtu=mtu))
    sending.send([*flight, *FLIGHT[3:]], 0.0)
    datagrams = sending.transmits()
    assert max(map(len, datagrams)) <= mtu
    assert messages(datagrams) == flight
    last = records(datagrams[-1])[-1]
    assert (last.epoch, last.sequence) == (1, 0)


def test_hs_07_at_most_1200_octets_and_548_after_two_lost_rounds() -> None:
    sending = sender()
    sending.send(FLIGHT, 0.0)
    sizes = []
    for _ in range(4):
        datagrams = sending.transmits()
        sizes.append(max(map(len, datagrams)))
        assert messages(datagrams) == FLIGHT[:3]
        assert sending.due is not None
        sending.handle_timer(sending.due)
    assert 548 < sizes[0] <= 1200
    assert sizes[0] == sizes[1]
    assert sizes[2] <= 548
    assert sizes[3] <= 548


def test_hs_07_a_path_that_was_narrow_stays_so() -> None:
    sending = sender()
    sending.send(FLIGHT, 0.0)
    for _ in range(2):
        assert sending.due is not None
        sending.handle_timer(sending.due)
    sending.transmits()
    sending.send(FLIGHT, 9.0)
    assert max(map(len, sending.transmits())) <= 548


def test_hs_04_sent_again_after_400_ms_and_then_twice_as_long() -> None:
    sending = sender()
    sending.send(FLIGHT, 100.0)
    times: list[float] = []
    while len(times) < 10:
        assert sending.due is not None
        now = sending.due
        sending.handle_timer(now - 0.001)  # too early: nothing
        sending.transmits()
        sending.handle_timer(now)
        assert sending.transmits()
        times.append(round(now - 100.0, 6))
    assert times[:5] == [0.4, 1.2, 2.8, 6.0, 12.4]
    assert round(times[9] - times[8], 6) == 60.0  # TIM-01: the longest wait


def test_tim_02_the_first_wait_can_follow_the_round_trip_time() -> None:
    sending = sender(Policy(first_timeout=0.15))
    sending.send(FLIGHT, 0.0)
    assert sending.due == pytest.approx(0.15)


def test_each_transmission_has_numbers_of_its_own() -> None:
    """Or the peer takes it for a replay, and never learns that its answer was lost."""
    sending = sender(first_number=7)
    sending.send(FLIGHT, 0.0)
    sending.handle_timer(0.4)
    seen = [(each.epoch, each.sequence) for datagram in sending.transmits() for each in records(datagram)]
    assert len(set(seen)) == len(seen)
    assert min(sequence for epoch, sequence in seen if epoch == 0) == 7
    assert [sequence for epoch, sequence in seen if epoch == 1] == [0, 1]


def test_hs_05_asked_again_it_is_sent_at_once_but_not_faster_than_allowed() -> None:
    sending = sender()
    sending.send(FLIGHT, 0.0)
    sending.rest()
    sending.transmits()
    sending.again(RESEND_INTERVAL / 2)
    assert sending.transmits() == []
    sending.again(RESEND_INTERVAL)
    assert messages(sending.transmits()) == FLIGHT[:3]
    sending.again(RESEND_INTERVAL * 1.5)
    assert sending.transmits() == []
    assert sending.due is None


def test_s21_a_flight_is_not_sent_again_without_end() -> None:
    sending = sender()
    sending.send([Message(14, 1, b"")], 0.0)
    sending.transmits()
    for at in range(1, 1000):
        sending.again(float(at))
    assert len(sending.transmits()) == MAX_RESENDS


def test_a_single_record_is_not_part_of_the_flight() -> None:
    sending = sender()
    sending.send([Message(14, 1, b"")], 0.0)
    sending.say(Sealed(Content.ALERT, b"\x01\x00"))
    sending.transmits()
    sending.again(1.0)
    (datagram,) = sending.transmits()
    assert [each.content for each in records(datagram)] == [Content.HANDSHAKE]
