"""How often checks start and strangers are answered."""

from ngdaemon.ice.pacing import TA, TA_HOST, Pacer, RateCap


def test_an_agent_starts_a_check_every_50_ms() -> None:
    """ICE-07, TIM-07: Ta."""
    pacer = Pacer()
    assert TA == 0.05
    assert pacer.take(10.0)
    assert not pacer.take(10.049)
    assert pacer.free_at == 10.05
    assert pacer.take(10.05)


def test_all_agents_of_a_host_together_start_a_check_every_5_ms() -> None:
    """ICE-07, TIM-07: one pacer stands behind those of all agents."""
    host = Pacer(TA_HOST)
    assert TA_HOST == 0.005
    agents = [Pacer(behind=host) for _ in range(3)]
    assert agents[0].take(10.0)
    assert not agents[1].take(10.004)
    assert agents[1].free_at == 10.005
    assert agents[1].take(10.005)
    assert not agents[0].take(10.011)
    assert agents[2].take(10.011)


def test_a_rate_cap_lets_a_burst_pass_and_then_its_rate() -> None:
    """S21."""
    cap = RateCap(rate=2.0, burst=3.0, now=0.0)
    assert [cap.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not cap.take(0.4)
    assert cap.take(0.9)
    assert [cap.take(100.0) for _ in range(4)] == [True, True, True, False]
