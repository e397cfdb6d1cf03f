"""A long call as it may happen: phones speak for a while, move, number anew, flood, and one plan follows the other.

Where the random stories of `test_equal.py` go anywhere, this goes deep: most packets pass, and state has time to grow.
"""

from dataclasses import dataclass, field
from random import Random

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.media.plan import Carries, Hold, Latch, Learning, Plan, Protection, Route, Selector, Socket
from ngdaemon.srtp.context import Outbound, Refused
from ngdaemon.srtp.keys import Keys
from tests.conformance.pair import CALLS, Pair
from tests.media.judge import keys
from tests.support import packets
from tests.support.packets import rtp

CALL = CALLS[0]
SUITES = (
    "AES_CM_128_HMAC_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32",
    "AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM",
    "AES_256_CM_HMAC_SHA1_80",
    "AES_192_CM_HMAC_SHA1_32",
    "NULL_HMAC_SHA1_80",
)
KINDS = (0, 8, 96, 101)
PORTS = 5
MEDIAS = (
    Selector(b"a", 1, frozenset((1, 2)), frozenset((0, 8))),
    Selector(b"v", 1, frozenset((3,)), frozenset((96,))),
)
EXTENSIONS = (b"\x10a\x00\x00", b"\x10v\x00\x00", b"\x20\x07\x00\x00", b"\x00\x10v\x00", b"\xf0a\x10v")
LONG_EXTENSIONS = (b"\x01\x01a\x00", b"\x01\x01v\x00", b"\x07\x00\x01\x01v\x00\x00\x00", b"\x01\x09v\x00")
"""With a header of two octets for each element (RFC 8285 §4.3)."""


@dataclass
class Phone:
    """Someone at an address who sends to one port, with one key for all that it says."""

    port: SocketId
    at: Endpoint
    keys: Keys
    sequences: dict[int, int] = field(default_factory=dict)
    """The next one of each SSRC."""

    def __post_init__(self) -> None:
        self.out = Outbound(self.keys)


class Life:
    """A call with some ports, each of which faces a phone."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.pair = Pair()
        self.ports = [self.pair.open(CALL, Endpoint("192.0.2.1", 30000 + number)) for number in range(PORTS)]
        self.keys = [self.drawn(seed * 100 + number) for number in range(2 * PORTS)]
        self.phones = [
            Phone(port, Endpoint(f"198.51.100.{port}", 4000), self.keys[index]) for index, port in enumerate(self.ports)
        ]
        self.secured: set[SocketId] = set()
        self.generation = 0
        self.replan()

    def live(self, steps: int) -> None:
        doings = (self.speak, self.speak, self.speak, self.report, self.disturb, self.replan, self.rest, self.flood)
        weights = (30, 10, 10, 15, 10, 6, 6, 2)
        for doing in self.rng.choices(doings, weights, k=steps):
            doing()
        self.pair.apply(CALL, Plan())

    def drawn(self, seed: int) -> Keys:
        """Keys of any suite, some with session parameters."""
        made = keys(seed, self.rng.choice(SUITES))
        return made._replace(
            mki=self.rng.choice((b"", b"", b"", b"\x01", b"\x00\x07")),
            encrypted=self.rng.random() < 0.9,
            rtcp_encrypted=self.rng.random() < 0.9,
            authenticated=made.suite.name.startswith("AEAD") or self.rng.random() < 0.95,
            kdr=self.rng.choice((0, 0, 0, 4)),
            window=self.rng.choice((1024, 1024, 64)),
        )

    # what phones do

    def speak(self) -> None:
        """A phone sends some packets, of which a few get lost, come twice, or too late."""
        phone, ssrc = self.rng.choice(self.phones), self.rng.choice((1, 2, 3, 4))
        if ssrc not in phone.sequences or self.rng.random() < 0.05:
            phone.sequences[ssrc] = self.rng.choice((0, 65500, 40000, self.rng.randrange(65536)))
        late: list[int] = []
        for _ in range(self.rng.choice((1, 5, 30))):
            sequence = phone.sequences[ssrc]
            phone.sequences[ssrc] = (sequence + 1) % 65536
            fate = self.rng.random()
            if fate < 0.03:
                continue
            if fate < 0.06:
                late.append(sequence)
                continue
            self.say(phone, ssrc, sequence)
            if fate > 0.97:
                self.say(phone, ssrc, sequence)
            if late and fate > 0.8:
                self.say(phone, ssrc, late.pop())

    def say(self, phone: Phone, ssrc: int, sequence: int) -> None:
        clear = rtp(
            sequence,
            ssrc=ssrc,
            payload_type=self.rng.choice(KINDS) if self.rng.random() < 0.2 else 0,
            payload=self.rng.randbytes(self.rng.choice((20, 20, 20, 0, 700))),
            marker=self.rng.random() < 0.05,
            csrcs=(9, 10) if self.rng.random() < 0.02 else (),
            extension=self.rng.choice(EXTENSIONS) if self.rng.random() < 0.05 else None,
        )
        if self.rng.random() < 0.02:
            extended = rtp(sequence, ssrc=ssrc, payload=bytes(20), extension=self.rng.choice(LONG_EXTENSIONS))
            clear = extended.replace(b"\xbe\xde", b"\x10\x00", 1)
        self.send(phone, clear)

    def report(self) -> None:
        """A phone reports on what it might have heard, and asks for key frames."""
        phone = self.rng.choice(self.phones)
        heard = [
            packets.block(ssrc, highest=self.rng.choice((sequence, 65536 + sequence, self.rng.randrange(2**32))))
            for other in self.phones
            for ssrc, sequence in other.sequences.items()
        ]
        blocks = self.rng.sample(heard, min(len(heard), self.rng.randrange(3)))
        mine = self.rng.choice((1, 2, 3, 4))
        parts = [
            packets.sender_report(mine, blocks) if self.rng.random() < 0.5 else packets.receiver_report(mine, blocks)
        ]
        if self.rng.random() < 0.5:
            parts.append(packets.description(mine))
        if self.rng.random() < 0.3:
            lost = self.rng.randbytes(2) + b"\x00\x0f"
            parts.append(packets.transport_feedback(mine, self.rng.choice((1, 2, 3)), lost))
        if self.rng.random() < 0.3:
            parts.append(packets.payload_feedback(mine, self.rng.choice((1, 2, 3))))
        self.send(phone, b"".join(parts))

    def send(self, phone: Phone, clear: bytes) -> None:
        data = clear
        if phone.port in self.secured:
            try:
                data = phone.out.rtcp(clear) if 192 <= clear[1] <= 223 else phone.out.rtp(clear)
            except Refused:
                return
        self.pair.receive(phone.port, data, phone.at)

    def disturb(self) -> None:
        """Something that should not be there: a spoilt packet, a wrong key, a check, a stranger, a phone that moved."""
        phone, rng = self.rng.choice(self.phones), self.rng
        kind = rng.randrange(6)
        if kind == 0:
            self.pair.receive(phone.port, rng.randbytes(rng.randrange(60)), phone.at)
        elif kind == 1:
            self.pair.receive(phone.port, b"\x80" + rng.randbytes(rng.randrange(60)), phone.at)
        elif kind == 2:
            self.pair.receive(phone.port, b"\x00\x01\x00\x00" + rng.randbytes(16), Endpoint("203.0.113.9", 9))
        elif kind == 3:
            wrong = Outbound(keys(rng.randrange(2**20)))
            for number in range(rng.choice((1, 25))):
                self.pair.receive(phone.port, wrong.rtp(rtp(number, ssrc=rng.choice((1, 9)))), phone.at)
        elif kind == 4:
            phone.at = phone.at._replace(port=rng.randrange(1024, 65536))
        else:
            phone.keys = rng.choice(self.keys)
            phone.out = Outbound(phone.keys)
            phone.sequences.clear()

    def flood(self) -> None:
        """Many sources at once."""
        phone = self.rng.choice(self.phones)
        many, start = self.rng.choice((20, 70, 300)), self.rng.randrange(65536)
        addresses = self.rng.choice((1, 80))
        for number in range(many):
            home = phone.at
            if addresses > 1:
                phone.at = Endpoint(f"198.51.100.{number % 250}", 1024 + number)
            self.say(phone, 100 + number % self.rng.choice((many, 3)), (start + number) % 65536)
            phone.at = home

    # what control does

    def rest(self) -> None:
        """Time goes by, in which a phone may vanish."""
        if self.rng.random() < 0.1:
            self.pair.refuse(self.rng.choice(self.phones).at)
        self.pair.wait(self.rng.choice((0.02, 0.02, 0.4, 1.1, 3.2)))

    def replan(self) -> None:
        """A new plan, mostly one under which everything goes on."""
        rng = self.rng
        self.generation += rng.random() < 0.5
        named = [port for port in self.ports if rng.random() < 0.95]
        for port in [port for port in self.ports if port not in named]:
            self.move(port)
        sockets = [self.socket(phone) for phone in self.phones if phone.port in named]
        self.secured = {socket.id for socket in sockets if socket.protection is not None}
        self.pair.apply(CALL, Plan(tuple(sockets), tuple(self.routes(named))))

    def move(self, port: SocketId) -> None:
        """A phone gets another port, and the old one is closed by the plan."""
        index = self.ports.index(port)
        number = self.pair.open(CALL, Endpoint("192.0.2.2", 1024 + len(self.pair.local)))
        self.ports[index] = self.phones[index].port = number

    def socket(self, phone: Phone) -> Socket:
        rng = self.rng
        latch = Latch(
            rng.choice((Learning.HEURISTIC, *Learning)),
            rng.choice((None, None, frozenset((phone.at.address,)))),
            self.generation,
            strict=rng.random() < 0.1,
            handover=rng.random() < 0.2,
            asymmetric=rng.random() < 0.1,
            sources=frozenset((phone.at,)) if rng.random() < 0.1 else None,
        )
        signalled = phone.at if rng.random() < 0.9 else None
        if rng.random() < 0.05:
            signalled = self.pair.local[rng.choice(self.ports)]
        return Socket(
            phone.port,
            signalled,
            latch,
            muxed=rng.random() < 0.8,
            nat_wait=rng.random() < 0.05,
            pierce=rng.random() < 0.1,
            relay_only=rng.random() < 0.02,
            protection=self.protection(phone),
        )

    def protection(self, phone: Phone) -> Protection | None:
        """The first two ports are clear mostly, the others are secured."""
        rng = self.rng
        if rng.random() < (0.9 if phone.port <= 2 else 0.15):
            return None
        receive: tuple[Keys, ...] = (phone.keys,)
        if rng.random() < 0.3:
            receive = (rng.choice(self.keys), phone.keys)
        if rng.random() < 0.2:
            receive = ()
        send = rng.choice(self.keys[PORTS:]) if rng.random() < 0.3 else self.keys[PORTS + self.phones.index(phone)]
        return Protection(
            receive,
            send if rng.random() < 0.9 else None,
            rng.choice((None, Hold(), Hold(frozenset((phone.at,))))),
            low_start=rng.random() < 0.3,
        )

    def routes(self, named: list[SocketId]) -> list[Route]:
        """From each port to some others; of a BUNDLE by media."""
        rng, made = self.rng, []
        for source in named:
            bundled = rng.random() < 0.2
            sinks = rng.sample(named, min(len(named), rng.choice((1, 1, 1, 2, 3))))
            for index, sink in enumerate(sinks):
                selector = MEDIAS[index % 2] if bundled else None
                made.append(
                    Route(
                        source,
                        sink,
                        Carries.RTP,
                        only=frozenset((0, 101)) if rng.random() < 0.05 else None,
                        dropped=frozenset((101,)) if rng.random() < 0.1 else frozenset(),
                        silenced=((0, 0xFF),) if rng.random() < 0.05 else (),
                        mirror=rng.random() < 0.05,
                        selector=selector,
                    )
                )
                made.append(Route(source, sink, Carries.RTCP, drop_feedback=rng.random() < 0.3, selector=selector))
        return made
