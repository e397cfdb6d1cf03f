"""Two agents find a path to each other."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice.report import Selected
from tests.ice.rig import Party, World, introduce


def meet() -> tuple[World, Party, Party]:
    world = World()
    offerer = Party(world, "198.51.100.1", controlling=True, seed=1)
    answerer = Party(world, "203.0.113.1", seed=2)
    return world, offerer, answerer


def test_two_full_agents_agree_on_a_pair() -> None:
    world, offerer, answerer = meet()
    introduce(offerer, answerer)
    assert world.until(offerer) < 1.0
    assert world.until(answerer) < 1.0
    chosen = offerer.agent.selected(1)
    assert chosen is not None
    assert chosen.remote == Endpoint("203.0.113.1", 5000)
    mirrored = answerer.agent.selected(1)
    assert mirrored is not None
    assert (mirrored.local, mirrored.remote) == (chosen.remote, chosen.local)
    assert offerer.heard(Selected) == [Selected(1, chosen)]
