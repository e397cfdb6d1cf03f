"""The part that an agent plays, and what it shares between its sessions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.base.sources import Rng
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import Policy
from ngdaemon.ice.checklist import Base
from ngdaemon.ice.pacing import Pacer
from ngdaemon.ice.report import Event, Transmit


@dataclass(slots=True)
class Role:
    """Of a session. The controlling side nominates; a lite one answers checks and sends none."""

    controlling: bool
    lite: bool
    tie: int
    """The tie-breaker of role conflicts, 64 random bits."""

    @property
    def nominates(self) -> bool:
        return self.controlling and not self.lite

    def outranks(self, message: stun.Message) -> bool | None:
        """Whether the peer claims our role and has to give way (True), or we have to (False); None for no conflict.

        The greater tie-breaker controls, and ours counts as greater when they are equal (ICE-05).
        """
        claim = message.number(stun.ICE_CONTROLLING if self.controlling else stun.ICE_CONTROLLED)
        if claim is None:
            return None
        if self.lite:
            return not self.controlling or None  # whoever checks a lite agent controls
        return self.controlling == (self.tie >= claim)


@dataclass(slots=True)
class Surroundings:
    """What all sessions of an agent share."""

    rng: Rng
    pacer: Pacer
    permitted: Policy
    bases: dict[SocketId, Base] = field(default_factory=dict)
    out: list[Transmit] = field(default_factory=list)

    def components(self) -> set[int]:
        return {base.component for base in self.bases.values()}

    def send(self, base: Base, data: bytes, to: Endpoint) -> None:
        self.out.append(Transmit(base.socket, data, to))

    def may_check(self, endpoint: Endpoint) -> bool:
        """Whether checks may be sent there: permitted, and not to ourselves."""
        own = any(base.local == endpoint for base in self.bases.values())
        return not own and self.permitted(endpoint)


Report = Callable[[Event], None]
