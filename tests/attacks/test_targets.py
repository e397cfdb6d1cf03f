"""SDP that aims media at addresses where it has no business (S13)."""

from collections.abc import Iterator

import pytest

from ngdaemon.base.endpoint import Endpoint
from tests.interop.tap import Datagram, Tap

from .dtls import DtlsPeer
from .lab import NG_PORT, RELAY, Lab
from .peer import Peer
from .verdict import Verdicts

pytestmark = pytest.mark.interop

_PORT = 4000
_TARGETS = {
    "loopback": "127.0.0.1",
    "another loopback address": "127.9.9.9",
    "our control port": f"127.0.0.1:{NG_PORT}",
    "this network": "0.0.0.1",
    "metadata service": "169.254.169.254",
    "multicast": "224.0.0.251",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 link-local": "fe80::1",
    "IPv6 multicast": "ff02::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
}


@pytest.fixture
def loopback(lab: Lab) -> Iterator[Tap]:
    """What passes the loopback interface of the relay."""
    lab.relay.run("ip", "route", "add", "default", "dev", "eth0")
    lab.stranger_host.run("ip", "addr", "add", f"{_TARGETS['metadata service']}/32", "dev", "eth0")
    tap = Tap(lab.relay, "lo")
    yield tap
    tap.close()


@pytest.mark.parametrize("place", ["c=", "a=rtcp", "a=candidate"])
def test_media_is_not_sent_to_forbidden_addresses_s13(lab: Lab, loopback: Tap, verdict: Verdicts, place: str) -> None:
    """S13: named as connection, as address for RTCP, or as candidate; refused, or accepted and never sent to."""
    hits = []
    for name, target in _TARGETS.items():
        address, _, port = target.partition(":") if target.count(":") == 1 else (target, "", "")
        endpoint = Endpoint(address, int(port or _PORT))
        _call(lab, place, endpoint)
        if any(_is_hit(item, endpoint) for tap in (loopback, lab.wire) for item in tap.datagrams()):
            hits.append(name)
    measured = f"sent to {', '.join(hits)}" if hits else "sent to none of them"
    verdict("S13", f"{len(_TARGETS)} forbidden addresses in {place}", not hits, measured)


def _is_hit(item: Datagram, target: Endpoint) -> bool:
    """Whether media or a check went to the target, in any spelling of its address; requests of the lab are neither."""
    addresses = (target.address, target.address.removeprefix("::ffff:"))
    hit = item.outgoing and item.destination.address in addresses and item.destination.port == target.port
    return hit and not item.data.startswith(b"lab")


def _call(lab: Lab, place: str, target: Endpoint) -> str:
    """Offer a target, let the other side talk to it; what the daemon said."""
    ipv6 = ":" in target.address and place != "a=candidate"
    caller = _Checked(lab, target) if place == "a=candidate" else _Aimed(lab, target, place, ipv6)
    callee = DtlsPeer("bob", lab.bob_host, ice=True) if place == "a=candidate" else Peer("bob", lab.bob_host, ipv6)
    call = lab.call(caller, callee)
    reply = call.try_offer(caller.describe())
    if reply.get("result") != "ok":
        return "refused"
    callee.listen_to(reply["sdp"])
    reply = call.try_answer(callee.describe())
    if reply.get("result") != "ok":
        return "answer refused"
    callee.talking = True
    if callee.to and place == "a=rtcp":
        rtcp = Endpoint(callee.to.address, callee.to.port + 1)
        for _ in range(5):
            callee.send(bytes.fromhex("80c9000112345678"), rtcp)
    lab.stage.play(0.4)
    callee.talking = False
    call.delete()
    return "accepted"


class _Checked(DtlsPeer):
    """A browser whose only candidate is somebody else."""

    def __init__(self, lab: Lab, target: Endpoint) -> None:
        super().__init__("alice", lab.alice_host, ice=True)
        assert self.ice
        self.ice.told = target


class _Aimed(Peer):
    """A phone that names somebody else as itself."""

    def __init__(self, lab: Lab, target: Endpoint, place: str, ipv6: bool) -> None:
        super().__init__("alice", lab.alice_host, ipv6)
        self._target = target
        self._place = place

    def describe(self, version: int = 1) -> str:
        text = super().describe(version)
        family = "IP6" if ":" in self._target.address else "IP4"
        address, port = self._target
        if self._place == "a=rtcp":
            return f"{text}a=rtcp:{port} IN {family} {address}\r\n"
        text = text.replace(f"c=IN {family} {self.endpoint.address}", f"c=IN {family} {address}")
        return text.replace(f"m=audio {self.endpoint.port} ", f"m=audio {port} ")


def test_the_lab_sees_what_is_sent_to_an_address_that_is_allowed(lab: Lab, loopback: Tap) -> None:
    """The same call to a host of the network: what the other tests count is there to be counted."""
    target = Endpoint(lab.stranger_host.address, _PORT)
    assert _call(lab, "c=", target) == "accepted"
    assert [item for item in lab.wire.datagrams() if item.outgoing and item.destination == target]
    assert lab.relay.address == f"192.0.2.{RELAY}"
