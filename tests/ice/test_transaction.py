"""Transactions: when a check is sent again, and when it is given up."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.checklist import Base, Check
from ngdaemon.ice.transaction import RTO, Transaction, Transactions

BASE = Base(1, SocketId(1), Endpoint("198.51.100.1", 5000), 1)
REMOTE = Candidate("1", 1, 1, "203.0.113.1", 5000)


def started(*, nominating: bool = False) -> tuple[Transactions, Transaction]:
    transactions = Transactions()
    check = Check(BASE, REMOTE, REMOTE.endpoint, 1)
    live = Transaction(b"id", check, b"data", True, nominating, RTO, 0.0, RTO)
    transactions.start(live)
    return transactions, live


@pytest.mark.parametrize(
    ("nominating", "times", "end"),
    [(False, [0.5, 1.5, 3.5, 7.5, 15.5, 31.5], 39.5), (True, [0.5, 1.5, 3.5], 7.5)],
)
def test_pauses_double_and_the_last_one_is_the_end(nominating: bool, times: list[float], end: float) -> None:
    """ICE-07, TIM-07, RFC 8489 §6.2.1: RTO 500 ms, Rc 7, Rm 16; who nominates gives up sooner."""
    transactions, live = started(nominating=nominating)
    sent = []
    while (due := transactions.next_due) is not None:
        again, over = transactions.repeat(due)
        sent += [due] * len(again)
        if over:
            assert over == [live]
            assert due == end
    assert sent == times
    assert transactions.find(b"id") is None


def test_a_cancelled_check_is_not_sent_again_but_may_still_be_answered() -> None:
    """RFC 8445 §7.3.1.4."""
    transactions, live = started()
    transactions.cancel(live.check)
    assert transactions.find(b"id") is live
    assert not transactions.under_way(live.check)
    assert transactions.repeat(RTO) == ([], [live])
    assert transactions.find(b"id") is None


def test_nothing_happens_before_its_time() -> None:
    transactions, live = started()
    assert transactions.repeat(RTO - 0.01) == ([], [])
    assert transactions.under_way(live.check)
    transactions.end(live)
    assert transactions.next_due is None
