"""A plan that follows another one with the same facts takes from it what the changed links do not concern."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.call.links import NOWHERE
from ngdaemon.call.planner import Planner, plan
from ngdaemon.media.plan import Learning
from tests.support.daemon import CALL
from tests.support.peer import TO_PLAIN, Peer, Site
from tests.support.sdp import audio


def secured() -> Site:
    """A call from a browser to a phone, answered, in which nothing was heard yet."""
    site = Site()
    peer = Peer(site, Endpoint("198.51.100.1", 40000))
    site.daemon.offer(peer.describe(), **TO_PLAIN)
    peer.hear(site.daemon.answer(audio("198.51.100.2", 4000)))
    return site


def test_what_links_do_not_concern_is_the_same_data_and_all_is_as_if_planned_anew() -> None:
    site = secured()
    registry = site.daemon.controller._service.registry
    call = registry.get(CallId(CALL))
    assert call is not None
    early = dict(registry.transports.links(call.id))
    assert site.run(3.0, until=lambda: any(link.send for link in registry.transports.links(call.id).values()))
    late = dict(registry.transports.links(call.id))

    planner = Planner(call, Learning.HEURISTIC)
    first, second = planner.plan(early), planner.plan(late)
    assert first == plan(call, Learning.HEURISTIC, early, NOWHERE)
    assert second == plan(call, Learning.HEURISTIC, late, NOWHERE)
    assert first != second
    before = {id(socket) for socket in first.sockets}
    concerned = [socket for socket in second.sockets if id(socket) not in before]
    phone = call.legs[1].medias[0].ports
    assert phone is not None
    assert concerned
    assert phone.rtp.socket not in {socket.id for socket in concerned}
    assert second.routes is first.routes
