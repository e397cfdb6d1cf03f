"""How often checks start and strangers are answered."""

from itertools import pairwise

from ngdaemon.ice.pacing import AHEAD, FIRST_AHEAD, TA, TA_HOST, HostPacer, Pacer, RateCap


def test_an_agent_starts_a_check_every_50_ms() -> None:
    """ICE-07, TIM-07: Ta."""
    pacer = Pacer()
    assert TA == 0.05
    assert pacer.take(10.0)
    assert not pacer.take(10.049)
    assert pacer.free_at == 10.05
    assert pacer.take(10.05)


def test_all_agents_of_a_host_together_start_a_check_every_5_ms() -> None:
    """ICE-07, TIM-07: one host pacer stands behind those of all agents."""
    assert TA_HOST == 0.005
    host = HostPacer()
    agents = [Pacer(host=host) for _ in range(100)]
    starts: list[float] = []
    now = 10.0
    waiting = agents[:]
    wakes = 0
    while waiting:
        for agent in [each for each in waiting if each.free_at <= now]:
            wakes += 1
            if agent.take(now):
                starts.append(now)
                waiting.remove(agent)
        if waiting:
            now = max(now, min(agent.free_at for agent in waiting))
    assert starts[0] == 10.0
    assert all(later - sooner > 0.00499 for sooner, later in pairwise(starts))
    assert wakes <= 2 * len(agents), "agents wake each other up"


def test_a_moment_that_was_not_used_is_not_kept_for_long() -> None:
    host = HostPacer()
    busy, late = Pacer(host=host), Pacer(host=host)
    assert busy.take(10.0)
    assert not late.take(10.001)
    assert busy.take(12.0)
    assert not late.take(12.001)
    assert late.take(12.005)


def test_a_rate_cap_lets_a_burst_pass_and_then_its_rate() -> None:
    """S21."""
    cap = RateCap(rate=2.0, burst=3.0, now=0.0)
    assert [cap.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not cap.take(0.4)
    assert cap.take(0.9)
    assert [cap.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_a_check_that_goes_ahead_waits_for_nobody_who_does_not() -> None:
    """ICE-07: what old calls try in vain does not keep a new one waiting; still 5 ms lie between any two."""
    host = HostPacer()
    crowd = [Pacer(host=host) for _ in range(100)]
    starts = [10.0]
    assert crowd[0].take(10.0)
    assert not any(agent.take(10.0) for agent in crowd)
    newcomers = [Pacer(host=host) for _ in range(3)]
    assert not any(agent.take(10.001, ahead=True) for agent in newcomers)
    assert [round(agent.free_at, 3) for agent in newcomers] == [10.005, 10.01, 10.015]
    waiting = [*crowd[1:], *newcomers]
    order = []
    while waiting:
        now = min(agent.free_at for agent in waiting)
        first = next(agent for agent in waiting if agent.free_at <= now)
        if first.take(now, ahead=first in newcomers):
            starts.append(now)
            order.append(first)
            waiting.remove(first)
    assert order == [*newcomers, *crowd[1:]]
    assert all(later - sooner > 0.00499 for sooner, later in pairwise(starts))
    assert starts[-1] < 10.0 + len(starts) * TA_HOST


def test_an_agent_goes_ahead_a_few_times_only() -> None:
    """ICE-07, S21: a peer that triggers checks without end waits like everybody else."""
    host = HostPacer()
    crowd = [Pacer(host=host) for _ in range(1000)]
    greedy = Pacer(host=host)
    for agent in crowd:
        agent.take(10.0)
    now, taken = 10.001, 0
    while now < 11.0:
        taken += greedy.take(now, ahead=True)
        now += 0.001
    assert taken <= FIRST_AHEAD + AHEAD


def test_who_waits_may_go_ahead_later() -> None:
    """ICE-07: a peer checks us while we wait for our turn."""
    host = HostPacer()
    for agent in [Pacer(host=host) for _ in range(100)]:
        agent.take(10.0)
    waiting = Pacer(host=host)
    assert not waiting.take(10.0)
    assert round(waiting.free_at, 3) == 10.5
    assert not waiting.take(10.001, ahead=True)
    assert round(waiting.free_at, 3) == 10.005
    assert waiting.take(10.0051)
