"""The one timer."""

import pytest
from twisted.internet.task import Clock

from ngdaemon.shell.clock import Alarm


class Core:
    """Deadlines, and when they were handled."""

    def __init__(self) -> None:
        self.deadlines: list[float] = []
        self.handled: list[float] = []
        self.fails = False

    def next_timeout(self) -> float | None:
        return min(self.deadlines, default=None)

    def handle(self, now: float) -> None:
        self.handled.append(now)
        if self.fails:
            raise RuntimeError("broken")
        self.deadlines = [due for due in self.deadlines if due > now]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def alarm(clock: Clock, core: Core) -> Alarm:
    return Alarm(clock, core.next_timeout, core.handle)


def test_it_goes_off_when_something_is_due(clock: Clock, core: Core, alarm: Alarm) -> None:
    core.deadlines = [5.0, 7.0]
    alarm.rearm()
    clock.advance(4.9)
    assert core.handled == []
    clock.pump([0.2, 2.0])
    assert core.handled == [pytest.approx(5.1), pytest.approx(7.1)]


def test_an_earlier_deadline_moves_it_forward(clock: Clock, core: Core, alarm: Alarm) -> None:
    core.deadlines = [5.0]
    alarm.rearm()
    core.deadlines = [2.0]
    alarm.rearm()
    clock.advance(2.0)
    assert core.handled == [2.0]


def test_a_deadline_that_moved_backward_is_not_handled_early(clock: Clock, core: Core, alarm: Alarm) -> None:
    core.deadlines = [2.0]
    alarm.rearm()
    core.deadlines = [5.0]
    alarm.rearm()
    clock.advance(3.0)
    assert core.handled == []
    clock.advance(2.0)
    assert core.handled == [5.0]


def test_nothing_is_armed_without_deadlines(clock: Clock, core: Core, alarm: Alarm) -> None:
    alarm.rearm()
    assert clock.getDelayedCalls() == []
    core.deadlines = [1.0]
    alarm.rearm()
    clock.advance(1.0)
    assert clock.getDelayedCalls() == []


def test_a_failure_ends_no_other_timer(
    clock: Clock, core: Core, alarm: Alarm, caplog: pytest.LogCaptureFixture
) -> None:
    core.deadlines, core.fails = [1.0], True
    alarm.rearm()
    clock.advance(1.0)
    assert "broken" in caplog.text
    core.fails = False
    clock.advance(1.0)
    assert core.handled == [1.0, 2.0]
    assert core.deadlines == []


def test_a_cancelled_alarm_stays_silent(clock: Clock, core: Core, alarm: Alarm) -> None:
    core.deadlines = [1.0]
    alarm.rearm()
    alarm.cancel()
    clock.advance(2.0)
    assert core.handled == []
