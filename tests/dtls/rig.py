"""Two DTLS ends over a network without sockets, and identities that every test may share."""

from collections.abc import Callable

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.association import Association
from ngdaemon.dtls.certificate import Identity, make
from ngdaemon.dtls.component import Component
from ngdaemon.dtls.hello import Cookies
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Event
from tests.support.clock import Clock
from tests.support.network import Network, Weather
from tests.support.rng import SeededRng

OURS, PEER, STRANGER = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 50000), Endpoint("203.0.113.3", 6666)
COOKIES = Cookies(bytes(range(32)))


class FixedWall:
    """A `Wall` at the beginning of October 2026."""

    def microseconds(self) -> int:
        return 1_790_812_800_000_000


def identity(seed: int = 1) -> Identity:
    return make(SeededRng(seed), FixedWall())


A, B, C = identity(1), identity(2), identity(3)
"""Ours, the peer's, and somebody else's."""


def remote(whose: Identity, final: bool = True, tls_id: str | None = None) -> Remote:
    """What a description with this identity says."""
    return Remote(frozenset({whose.fingerprint()}), None, tls_id, final)


def component(whose: Identity, policy: Policy | None = None) -> Component:
    return Component(whose, COOKIES, policy)


class End:
    """A component at an endpoint of a network. It sends what it has to send at once."""

    def __init__(self, network: Network, at: Endpoint, whose: Identity, policy: Policy | None = None) -> None:
        self.component = component(whose, policy)
        self.at = at
        self.vouched: Callable[[Endpoint], bool] = lambda _: True
        self.sent: list[tuple[float, bytes]] = []
        self.happened: list[Event] = []
        self._network = network
        network.attach(at, self.receive)

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        self.component.receive(source, datagram, now, self.vouched(source))
        self.flush()

    def expect(self, whose: Remote, role: Role, renew: bool = False) -> None:
        self.component.expect(whose, role, self._network.clock.now, renew)
        self.flush()

    def reach(self, path: Endpoint) -> None:
        self.component.reach(path, self._network.clock.now)
        self.flush()

    def close(self) -> None:
        self.component.close(self._network.clock.now)
        self.flush()

    def handle_timer(self) -> None:
        self.component.handle_timer(self._network.clock.now)
        self.flush()

    def flush(self) -> None:
        for path, datagram in self.component.transmits():
            self.sent.append((self._network.clock.now, datagram))
            self._network.send(datagram, self.at, path)
        self.happened += self.component.events()

    @property
    def verified(self) -> bool:
        return self.component.verified_path is not None


class Site:
    """A network with ends on it."""

    def __init__(self, seed: int = 1, weather: Weather | None = None) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, seed, weather)
        self.ends: list[End] = []

    def end(self, at: Endpoint, whose: Identity, policy: Policy | None = None) -> End:
        made = End(self.network, at, whose, policy)
        self.ends.append(made)
        return made

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, with arrivals and timers as they come, at most until the condition holds."""
        limit = self.clock.now + seconds
        while not until() and self.clock.now < limit:
            dues = [due for end in self.ends if (due := end.component.next_timeout()) is not None]
            due = min([*dues, self.clock.now + 0.01, limit])
            self.network.run(max(due - self.clock.now, 0.0))
            for end in self.ends:
                end.handle_timer()


def pair(
    seed: int = 1, weather: Weather | None = None, policy: Policy | None = None, ours: Role = Role.ACTIVE
) -> tuple[Site, End, End]:
    """A site with our end and the peer's, which know each other's description. Nothing was sent yet."""
    site = Site(seed, weather)
    us, peer = site.end(OURS, A, policy), site.end(PEER, B, policy)
    us.component.expect(remote(B), ours, site.clock.now)
    peer.component.expect(remote(A), ours.other, site.clock.now)
    return site, us, peer


def connected(seed: int = 1, ours: Role = Role.ACTIVE) -> tuple[Site, End, End]:
    """A site on which both ends are verified."""
    site, us, peer = pair(seed, ours=ours)
    go(us, peer)
    site.run(1.0, until=lambda: us.verified and peer.verified)
    assert us.verified
    assert peer.verified
    return site, us, peer


def go(us: End, peer: End) -> None:
    """Tell both where the other is: whoever is client starts."""
    us.reach(peer.at)
    peer.reach(us.at)


def same_keys(us: Component, peer: Component) -> bool:
    """Whether what one sends with is what the other receives with, both ways."""
    (our_receive, our_send), (peer_receive, peer_send) = us.keys(), peer.keys()
    return (
        our_send is not None
        and peer_send is not None
        and our_send in peer_receive
        and peer_send in our_receive
        and our_send != peer_send
    )


def exchange(client: Association, server: Component, path: Endpoint, now: float) -> None:
    """Carry datagrams between a lone association and a component, until both are silent."""
    while True:
        up = client.transmits()
        for datagram in up:
            server.receive(path, datagram, now)
        down = [datagram for to, datagram in server.transmits() if to == path]
        for datagram in down:
            client.receive(datagram, now)
        if not up and not down:
            return
