"""How often checks start and strangers are answered."""

from itertools import pairwise

from ngdaemon.ice.pacing import TA, TA_HOST, HostPacer, Pacer, RateCap


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
