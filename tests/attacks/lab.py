"""The lab: a relay with the daemon, two hosts with phones, and one with a stranger, all on one network."""

import itertools
import json
from pathlib import Path
from typing import Any

import bencodepy

from ngdaemon.base.endpoint import Endpoint
from tests.interop.gateway import Gateway, daemon_under_test
from tests.interop.network import Host, Network
from tests.interop.tap import Datagram, Tap

from .peer import Peer
from .stage import Stage
from .stranger import Stranger

RELAY, _ALICE, _BOB, _STRANGER = 1, 10, 11, 66
NG_PORT = 2223
PORTS = range(30000, 30200)
_serial = itertools.count(1)


class Lab:
    """Hosts and the daemon with its default configuration; `start` takes further options."""

    def __init__(self, folder: Path) -> None:
        self.network = Network()
        self.relay = self.network.host("relay", RELAY)
        self.alice_host = self.network.host("alice", _ALICE)
        self.bob_host = self.network.host("bob", _BOB)
        self.stranger_host = self.network.host("stranger", _STRANGER)
        self.gateway = Gateway(self.relay, [self.relay.address, self.relay.address6], NG_PORT, folder)
        self.stage = Stage()
        self.wire = Tap(self.relay)
        """Everything that comes to the relay and leaves it."""

    @property
    def is_ours(self) -> bool:
        return daemon_under_test() == "ngdaemon"

    def start(self, *options: str) -> None:
        self.gateway.start(f"--port-min={PORTS.start}", f"--port-max={PORTS.stop - 1}", *options)

    def stranger(self, ipv6: bool = False) -> Stranger:
        return self.stage.enter(Stranger(self.stranger_host, ipv6))

    def call(self, caller: Peer, callee: Peer) -> "Call":
        """A call between two phones, which take part in the stage from now on."""
        for peer in (caller, callee):
            self.stage.enter(peer)
        return Call(self, caller, callee)

    def ask(self, **request: Any) -> dict[str, Any]:
        """The reply to an NG request; hyphens in keys are underscores here. {} when none comes within 5 s."""
        body = {key.replace("_", "-"): item for key, item in request.items()}
        cookie = f"lab{next(_serial)}".encode()
        with self.relay.udp("127.0.0.1") as sock:
            sock.settimeout(5)
            sock.sendto(cookie + b" " + bencodepy.encode(body), ("127.0.0.1", NG_PORT))
            try:
                reply = sock.recv(65535)
            except TimeoutError:
                return {}
        decoded: dict[str, Any] = _text(bencodepy.decode(reply.partition(b" ")[2]))
        return decoded

    def log(self) -> str:
        """What the daemon has said so far."""
        assert self.gateway.process
        return self.gateway.process.output()

    def sent_to(self, host: Host) -> list[Datagram]:
        """What the relay has sent to a host."""
        addresses = (host.address, host.address6)
        return [item for item in self.wire.datagrams() if item.outgoing and item.destination.address in addresses]

    def on_the_wire(self, mark: bytes, outgoing: bool = True) -> list[Datagram]:
        """What has left the relay, or come to it, with these octets in clear."""
        return [item for item in self.wire.datagrams() if item.outgoing is outgoing and mark in item.data]

    def close(self) -> None:
        self.stage.close()
        self.wire.close()
        self.gateway.close()
        self.network.close()


class Call:
    """Offer and answer between two phones, as a proxy would pass them on."""

    def __init__(self, lab: Lab, caller: Peer, callee: Peer) -> None:
        self.lab = lab
        self.caller, self.callee = caller, callee
        self.id = f"call-{next(_serial)}"
        self.offered = self.answered = ""
        """What the daemon made of the last offer and answer."""
        self.refusal = ""
        """How the daemon refused, in the words of a test."""
        self._version = 0

    def offer(self, sdp: str = "", **options: Any) -> str:
        """Pass the caller's offer on to the callee; AssertionError when it is refused."""
        self._version += 1
        reply = self.try_offer(sdp or self.caller.describe(self._version), **options)
        assert reply.get("result") == "ok", reply
        self.offered = reply["sdp"]
        self.callee.listen_to(self.offered)
        return self.offered

    def answer(self, sdp: str = "", **options: Any) -> str:
        """Pass the callee's answer back."""
        reply = self.try_answer(sdp or self.callee.describe(self._version), **options)
        assert reply.get("result") == "ok", reply
        self.answered = reply["sdp"]
        self.caller.listen_to(self.answered)
        return self.answered

    def set_up(self, **options: Any) -> None:
        """Offer and answer, and both begin to talk."""
        self.offer(**options)
        self.answer()
        self.talk()

    def talk(self) -> None:
        self.caller.talking = self.callee.talking = True

    def try_offer(self, sdp: str, **options: Any) -> dict[str, Any]:
        return self.lab.ask(command="offer", call_id=self.id, from_tag="caller", sdp=sdp, **options)

    def try_answer(self, sdp: str, **options: Any) -> dict[str, Any]:
        return self.lab.ask(command="answer", call_id=self.id, from_tag="caller", to_tag="callee", sdp=sdp, **options)

    def query(self) -> dict[str, Any]:
        return self.lab.ask(command="query", call_id=self.id)

    def delete(self) -> dict[str, Any]:
        return self.lab.ask(command="delete", call_id=self.id, from_tag="caller")

    def heard(self, packets: int = 25, seconds: float = 10.0) -> bool:
        """Whether both phones come to hear so many more packets of each other."""
        caller, callee = self.caller, self.callee
        at_caller, at_callee = caller.hears(callee) + packets, callee.hears(caller) + packets
        return self.lab.stage.reached(
            lambda: caller.hears(callee) >= at_caller and callee.hears(caller) >= at_callee, seconds
        )

    def ports(self) -> tuple[Endpoint, Endpoint]:
        """The daemon's ports that face the caller and the callee."""
        assert self.caller.to
        assert self.callee.to
        return self.caller.to, self.callee.to


def shown(reply: dict[str, Any]) -> str:
    """A reply as text, to search it."""
    return json.dumps(reply, default=str)


def _text(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode(errors="replace")
        case dict():
            return {_text(key): _text(item) for key, item in value.items()}
        case list():
            return [_text(item) for item in value]
    return value
