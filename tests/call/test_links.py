"""What of a link steers plans, and what is only told."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.call.links import NO_LINK, Link, Path
from ngdaemon.dtls.certificate import make
from ngdaemon.dtls.component import Component
from ngdaemon.dtls.hello import Cookies
from ngdaemon.ice.report import Progress
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import ROWS
from tests.dtls.rig import FixedWall
from tests.support.rng import SeededRng

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
    assert other.ways != NO_LINK.ways


def test_what_is_only_told_asks_for_none() -> None:
    rng = SeededRng()
    status = Component(make(rng, FixedWall()), Cookies(bytes(32))).status()
    assert Link(progress=Progress.SELECTED, status=status).ways == NO_LINK.ways
