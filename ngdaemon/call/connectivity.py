"""What a leg said of ICE for one media, and what it was told: frozen facts.

How they come about is in `negotiation/icing.py`; the agent that acts on them is in `ngdaemon/ice`.
"""

from typing import NamedTuple

from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.credentials import Credentials


class SaidIce(NamedTuple):
    """What the newest session description of a leg says of ICE for one media."""

    credentials: Credentials | None
    """None where they cannot be used: then we answer checks and send none."""
    ufrag: str
    pwd: str
    candidates: tuple[Candidate, ...] = ()
    lite: bool = False
    trickle: bool = False
    ended: bool = False
    """There will be no other candidates."""
    ice2: bool = False
    mismatched: bool = False
    """The address of the media is none of the candidates: something on the way has changed it (ICE-10)."""

    def __repr__(self) -> str:
        return f"SaidIce({self.ufrag}, {len(self.candidates)} candidates)"


class Ice(NamedTuple):
    """What we told a leg of ICE for one media."""

    local: Credentials
    trickle: bool = False
    ice2: bool = False
    borrowed: str = ""
    """`optional` or `force-relay`: the other leg's own attributes pass, ours are added (`BORROWING`)."""
    relayed: bool = False
    """Our candidates are called relayed ones."""


def is_restart(now: SaidIce | None, last: SaidIce | None) -> bool:
    """Whether a leg comes with other credentials than those that were answered, or answered us (ICE-08)."""
    return now is not None and last is not None and (last.ufrag, last.pwd) != (now.ufrag, now.pwd)
