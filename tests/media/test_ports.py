"""Which port comes next, and what happens when there is none."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId
from ngdaemon.config.values import PortRange
from ngdaemon.media.ports import TAKEN_REST, TRIES, Ports, PortsExhausted
from tests.support.forwarder import FakeForwarder
from tests.support.rng import SeededRng

CALL = CallId("call")
HERE, THERE = "192.0.2.1", "192.0.2.2"
REST = 5.0


class Desk:
    """Ports with a forwarder; opening and giving back as calls do."""

    def __init__(self, first: int = 30000, last: int = 30099, seed: int = 1, own: dict[str, PortRange] | None = None):
        self.ports = Ports(first, last, REST, SeededRng(seed), own)
        self.forwarder = FakeForwarder()
        self.now = 0.0

    def pair(self, address: str = HERE) -> int:
        return self.ports.open(CALL, address, True, self.forwarder, self.now)[0]

    def single(self, address: str = HERE) -> int:
        return self.ports.open(CALL, address, False, self.forwarder, self.now)[0]

    def give_back(self, *ports: int, address: str = HERE, told: bool = True) -> None:
        for port in ports:
            for number, (_, local) in list(self.forwarder.bound.items()):
                if local == (address, port):
                    self.forwarder.unbind(number)
            (self.ports.release if told else self.ports.put_back)(address, port, self.now)


def test_a_pair_is_an_even_port_and_the_next_one() -> None:
    desk = Desk()
    for _ in range(50):
        port, sockets = desk.ports.open(CALL, HERE, True, desk.forwarder, 0.0)
        assert port % 2 == 0
        assert [desk.forwarder.bound[number][1] for number in sockets] == [(HERE, port), (HERE, port + 1)]
    assert sorted(desk.forwarder.ports_of(CALL)) == list(range(30000, 30100))


def test_pairs_are_spread_over_the_range_in_an_order_that_the_seed_gives() -> None:
    one, again, other = Desk(seed=1), Desk(seed=1), Desk(seed=2)
    order = [one.pair() for _ in range(50)]
    assert order == [again.pair() for _ in range(50)]
    assert order != [other.pair() for _ in range(50)]
    assert order != sorted(order)


def test_each_address_has_its_own_ports() -> None:
    desk = Desk(30000, 30001)
    assert desk.pair(HERE) == desk.pair(THERE) == 30000
    assert desk.ports.used(HERE) == desk.ports.used(THERE) == 2


def test_an_address_may_have_a_range_of_its_own_with_holes() -> None:
    own = {THERE: PortRange(40001, 40006, frozenset((40004,)))}
    desk = Desk(own=own)
    assert desk.pair(THERE) == 40002
    assert sorted(desk.single(THERE) for _ in range(3)) == [40001, 40005, 40006]
    with pytest.raises(PortsExhausted):
        desk.single(THERE)
    assert desk.ports.usage(THERE, 0.0).total == 5


def test_single_ports_share_pairs() -> None:
    desk = Desk(30000, 30003)
    assert sorted(desk.single() for _ in range(4)) == [30000, 30001, 30002, 30003]


def test_a_pair_that_was_split_becomes_whole_again() -> None:
    desk = Desk(30000, 30001)
    desk.single()
    desk.single()
    desk.give_back(30000, 30001)
    desk.now = REST
    assert desk.pair() == 30000


def test_a_port_that_lost_its_partner_serves_as_single() -> None:
    desk = Desk(30000, 30001)
    desk.pair()
    desk.give_back(30001)
    with pytest.raises(PortsExhausted):
        desk.single()
    desk.now = REST
    assert desk.single() == 30001


def test_what_was_given_back_rests() -> None:
    desk = Desk(30000, 30001)
    desk.give_back(desk.pair(), 30001)
    desk.now = REST - 0.1
    with pytest.raises(PortsExhausted):
        desk.pair()
    desk.now = REST
    assert desk.pair() == 30000


def test_a_port_comes_back_only_after_all_others_had_their_turn() -> None:
    desk = Desk()
    used = []
    for _ in range(150):
        port = desk.pair()
        used.append(port)
        desk.give_back(port, port + 1)
        desk.now += REST
    for number, port in enumerate(used):
        assert port not in used[number + 1 : number + 50]


def test_ports_that_nobody_was_told_need_no_rest_and_stand_before_those_that_rest() -> None:
    desk = Desk(30000, 30003)
    told, untold = desk.pair(), desk.pair()
    desk.give_back(told, told + 1)
    desk.give_back(untold, untold + 1, told=False)
    assert desk.pair() == untold


def test_giving_back_twice_or_what_was_never_opened_changes_nothing() -> None:
    desk = Desk()
    port = desk.pair()
    desk.give_back(port, port, port + 1, port + 1)
    for stranger in (port, 29999, 30100, 1, 65535):
        desk.ports.release(HERE, stranger, 0.0)
    desk.ports.release("203.0.113.9", 30000, 0.0)
    assert (desk.ports.usage(HERE, 0.0).used, desk.ports.usage(HERE, 0.0).resting) == (0, 2)


def test_usage_counts_ports() -> None:
    desk = Desk()
    desk.pair()
    desk.single()
    desk.give_back(desk.pair())
    usage = desk.ports.usage(HERE, 0.0)
    assert (usage.total, usage.used, usage.free, usage.resting) == (100, 4, 96, 1)


def test_an_exhausted_range_is_explained() -> None:
    desk = Desk(30000, 30003)
    desk.pair()
    desk.give_back(desk.pair())
    with pytest.raises(PortsExhausted) as caught:
        desk.pair()
    text = str(caught.value)
    for word in (HERE, "30000-30003", "3 are in use", "1 rest", "port-max", "port-quarantine"):
        assert word in text


def test_ports_of_other_programs_are_passed_over() -> None:
    desk = Desk(30000, 30009)
    desk.forwarder.taken = {Endpoint(HERE, port) for port in (30001, 30002, 30004, 30005)}
    assert {desk.pair(), desk.pair()} == {30006, 30008}
    with pytest.raises(PortsExhausted):
        desk.pair()
    desk.forwarder.taken.clear()
    desk.now = TAKEN_REST
    assert {desk.pair() for _ in range(3)} == {30000, 30002, 30004}


def test_half_bound_pairs_leak_nothing_s19() -> None:
    desk = Desk(30000, 33999)
    desk.forwarder.taken = {Endpoint(HERE, port) for port in range(30001, 34000, 2)}
    for _ in range(200):
        with pytest.raises(PortsExhausted):
            desk.pair()
        assert desk.forwarder.bound == {}
        desk.now += 1.0
    assert desk.ports.used(HERE) == 0


def test_a_request_gives_up_after_some_tries() -> None:
    desk = Desk(30000, 33999)
    desk.forwarder.taken = {Endpoint(HERE, port) for port in range(30000, 34000)}
    with pytest.raises(PortsExhausted):
        desk.pair()
    assert desk.ports.usage(HERE, 0.0).resting == 2 * TRIES


@pytest.mark.parametrize("room", [0, 1])
def test_a_system_without_room_stops_the_search_and_nothing_is_lost(room: int) -> None:
    desk = Desk(30000, 30001)
    desk.forwarder.room = room
    with pytest.raises(PortUnavailable) as caught:
        desk.pair()
    assert caught.value.exhausted
    assert desk.forwarder.bound == {}
    desk.forwarder.room = None
    assert desk.pair() == 30000


@given(st.lists(st.tuples(st.sampled_from(("pair", "single", "back", "wait")), st.integers(0, 99)), max_size=120))
def test_a_port_is_never_used_twice_nor_before_it_rested(steps: list[tuple[str, int]]) -> None:
    desk = Desk(30001, 30018)
    held: list[int] = []
    rested: dict[int, float] = {}
    for step, number in steps:
        if step == "wait":
            desk.now += number / 10
        elif step == "back":
            if held:
                port = held.pop(number % len(held))
                desk.give_back(port)
                rested[port] = desk.now + REST
        else:
            try:
                first = desk.pair() if step == "pair" else desk.single()
            except PortsExhausted:
                continue
            for port in (first, first + 1) if step == "pair" else (first,):
                assert rested.get(port, 0.0) <= desk.now
                held.append(port)
        assert Counter(held) == Counter(desk.forwarder.ports_of(CALL))
        usage = desk.ports.usage(HERE, desk.now)
        assert usage.used == len(held)
        assert usage.total == 18


def test_all_ports_can_be_used_again_in_any_shape() -> None:
    desk = Desk(30001, 30018)
    singles = [desk.single() for _ in range(18)]
    assert sorted(singles) == list(range(30001, 30019))
    desk.give_back(*singles)
    desk.now = REST
    assert sorted(desk.pair() for _ in range(8)) == list(range(30002, 30018, 2))
    assert sorted(desk.single() for _ in range(2)) == [30001, 30018]
