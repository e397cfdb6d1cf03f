"""A secured leg through everything that signalling and a bad network can do to it, in random order."""

from collections.abc import Callable
from itertools import cycle
from random import Random

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.plan import Plan
from ngdaemon.srtp.keys import Keys
from tests.support.network import Weather
from tests.support.peer import TO_PLAIN, Peer, Site, identity
from tests.support.sdp import audio

PEER, PHONE = Endpoint("198.51.100.1", 50000), audio("198.51.100.2", 4000)
LIAR = 99
STEPS = 12
ATTEMPTS = 2
"""A flight of a former handshake that is on its way can break the first one at the peer, who does not begin again."""


class Storm:
    """A call, and what may befall it."""

    def __init__(self, seed: int, *, ice: bool) -> None:
        self.random = Random(seed)
        self.ice = ice
        self.site = Site(Weather(loss=0.1, doubling=0.1, delay=0.01, jitter=0.05), seed)
        self.peer = Peer(self.site, PEER, ice=ice, tls_id=self.random.choice(["", "t" * 32]))
        self.identities = cycle((1, 2, 3))
        self.false: set[Keys] = set()
        """Keys of handshakes with another certificate than was signalled."""
        self.acts: list[Callable[[], None]] = [
            self.reoffer,
            self.renew,
            self.lie,
            self.be_mute,
            self.wait,
            self.hold_far,
        ]
        if ice:
            self.acts.append(self.restart)
        self.renew()

    def step(self) -> None:
        self.random.choice(self.acts)()
        self.site.run(self.random.choice([0.0, 0.05, 0.5, 3.0]), until=self.note)

    def note(self) -> bool:
        if self.peer.claims is not self.peer.identity:
            for desk in self.peer.desks.values():
                receive, send = desk.keys()
                self.false.update(receive, () if send is None else (send,))
        return False

    def reoffer(self) -> None:
        """The peer says the same again, and hears the answer or not."""
        self.site.daemon.offer(self.peer.describe(), **TO_PLAIN)
        told = self.site.daemon.answer(PHONE)
        if not self.peer.mute:
            self.peer.hear(told)

    def renew(self) -> None:
        """Another certificate."""
        self.peer.tls_id = self.peer.tls_id and f"{self.random.getrandbits(128):032x}"
        self.peer.renew_desks(next(self.identities))
        self.restart() if self.ice else self.reoffer()

    def lie(self) -> None:
        """Another certificate than the SDP says."""
        self.peer.tls_id = self.peer.tls_id and f"{self.random.getrandbits(128):032x}"
        self.peer.renew_desks(LIAR)
        self.peer.claims = identity(4)
        self.reoffer()

    def restart(self) -> None:
        self.peer.restart_ice()
        self.reoffer()

    def be_mute(self) -> None:
        self.peer.mute = not self.peer.mute

    def wait(self) -> None:
        self.site.run(self.random.choice([1.0, 10.0, 35.0]), until=self.note)

    def comes_up(self) -> bool:
        """An honest exchange, and whether it brings the call up."""
        self.renew()
        return self.site.run(10.0, until=lambda: self.site.is_open(self.peer))

    def hold_far(self) -> None:
        """The far leg goes on hold, or comes back."""
        self.site.daemon.answer(PHONE + self.random.choice(["a=sendonly\r\n", "a=inactive\r\n", ""]))


@pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
@pytest.mark.parametrize("seed", range(10))
def test_no_storm_lets_a_wrong_peer_in_or_keeps_the_right_one_out(seed: int, ice: bool) -> None:
    """FP-10, FP-11, MOD-04, TID-06, S07, S09: in every plan; and in the end an honest exchange brings the call up."""
    storm = Storm(seed, ice=ice)
    for _ in range(STEPS):
        storm.step()
    storm.peer.mute, storm.site.network.weather = False, Weather()
    assert any(storm.comes_up() for _ in range(ATTEMPTS))
    assert storm.site.facing(storm.peer).signalled == PEER
    used = {key for plan in storm.site.plans() for key in keys_of(plan)}
    assert used
    assert used.isdisjoint(storm.false)


def keys_of(plan: Plan) -> set[Keys]:
    found = [socket.protection for socket in plan.sockets if socket.protection is not None]
    return {key for item in found for key in (*item.receive, item.send) if key is not None}
