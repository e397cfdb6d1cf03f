"""A call of which Alice's side is secured, Bob's is clear; the ports are those of `tests/media/rig.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from ngdaemon.media.plan import Carries, Latch, Learning, Protection, Route, Socket
from tests.media.judge import CM_80, Far, keys
from tests.media.rig import ALICE, BOB, A, B, Rig, Sent

HERS, OURS = keys(1), keys(2)
"""What Alice sends with, and what is sent to her with."""

ROUTES = (
    Route(A, B, Carries.RTP),
    Route(B, A, Carries.RTP),
    Route(A, B, Carries.RTCP),
    Route(B, A, Carries.RTCP),
)
"""Each port carries RTP and RTCP (rtcp-mux)."""

LATCH = Latch(Learning.IMMEDIATE, frozenset((ALICE.address,)), generation=1)


@dataclass
class SecuredCall:
    """Alice with SRTP at port A, Bob without at port B."""

    rig: Rig
    alice: Far
    protection: Protection
    latch: Latch = LATCH
    bob_protection: Protection | None = None

    def sockets(self) -> list[Socket]:
        bob = Latch(Learning.IMMEDIATE, frozenset((BOB.address,)), generation=1)
        return [
            Socket(A, ALICE, self.latch, muxed=True, protection=self.protection),
            Socket(B, BOB, bob, muxed=True, protection=self.bob_protection),
        ]

    def plan(self, routes: Sequence[Route] = ROUTES, **changes: object) -> None:
        """State the call, with other fields of Alice's protection."""
        self.protection = self.protection._replace(**changes)  # type: ignore[arg-type]
        self.rig.apply(self.sockets(), routes)

    def say(self, packet: bytes) -> list[Sent]:
        """Alice sends a clear RTP packet protected: what left because of it."""
        return self.rig.receive(A, self.alice.rtp(packet), ALICE)

    def report(self, packet: bytes) -> list[Sent]:
        """Alice sends an RTCP packet protected."""
        return self.rig.receive(A, self.alice.rtcp(packet), ALICE)

    def hears(self, packet: bytes) -> list[bytes]:
        """Bob sends a clear RTP packet: what Alice makes of what reaches her."""
        return [self.alice.open_rtp(item.data) for item in self.rig.receive(B, packet, BOB) if item.socket == A]


def secured_call(suite: str = CM_80, latch: Latch = LATCH, routes: Sequence[Route] = ROUTES) -> SecuredCall:
    """A call that was answered."""
    hers, ours = keys(1, suite), keys(2, suite)
    rig = Rig()
    rig.open()
    rig.open()  # A_RTCP, which is not used
    rig.open()
    call = SecuredCall(rig, Far(hers, ours), Protection((hers,), ours), latch)
    call.plan(routes)
    return call
