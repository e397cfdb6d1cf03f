"""What of a link steers plans, and what is only told."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.call.links import NO_LINK, Link, Path, Slot
from ngdaemon.call.model import LegId
from ngdaemon.dtls.states import State
from ngdaemon.ice.candidate import RTP
from ngdaemon.ice.report import Progress
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import ROWS
from tests.support.daemon import CALL
from tests.support.peer import TO_PLAIN, Peer, Site
from tests.support.sdp import audio

THERE = Endpoint("192.0.2.1", 5000)
KEYS = Keys(ROWS[0], bytes(ROWS[0].key), bytes(ROWS[0].salt))


@pytest.mark.parametrize(
    "other",
    [
        Link(path=Path(SocketId(1), THERE)),
        Link(sources={SocketId(1): frozenset({THERE})}),
        Link(receive=(KEYS,)),
        Link(send=KEYS),
        Link(held=frozenset({THERE})),
    ],
)
def test_ways_sources_and_keys_ask_for_another_plan(other: Link) -> None:
    assert other != NO_LINK


def test_what_is_only_told_is_not_in_the_links_that_plans_are_made_of() -> None:
    site = Site()
    peer = Peer(site, Endpoint("198.51.100.1", 40000))
    site.daemon.offer(peer.describe(), **TO_PLAIN)
    peer.hear(site.daemon.answer(audio("198.51.100.2", 4000)))
    assert site.run(3.0, until=lambda: site.is_open(peer))
    transports = site.daemon.controller._service.registry.transports
    links, shown = transports.links(CallId(CALL)), transports.shown(CallId(CALL))
    for slot, link in links.items():
        assert link == shown[slot]._replace(status=None, progress=None)
    status = shown[Slot(LegId(0), 0, RTP)].status
    assert status is not None
    assert status.state is State.VERIFIED
    assert shown[Slot(LegId(0), 0, RTP)].progress is Progress.USABLE
