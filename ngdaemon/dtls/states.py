"""The states of an association, the moves between them (MOD-04), and the events that tell of them."""

from typing import NamedTuple

from ngdaemon.base.choice import Choice
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.fingerprint import Fingerprint


class State(Choice):
    """Where an association stands (MOD-04)."""

    NEW = "new"
    HANDSHAKING = "handshaking"
    KEYED = "keyed"
    """The handshake is done, but who the peer should be is not known."""
    VERIFIED = "verified"
    REJECTED = "rejected"
    DRAINING = "draining"
    """Another association takes its place; it still receives."""
    CLOSED = "closed"
    FAILED = "failed"


class Cause(Choice):
    """What moves an association."""

    STARTED = "a hello was sent or received"
    UNJUDGED = "finished before it can be judged"
    MATCH = "the certificate is the announced one"
    MISMATCH = "the certificate is another one, and no further description will come"
    HELD_TOO_LONG = "no description came"
    RENEWED = "another association was agreed on"
    DRAINED = "the old keys are of no more use"
    PEER_CLOSED = "the peer closed, authentically"
    BROKEN = "the handshake cannot go on"
    DEADLINE = "the handshake took too long"
    ENDED = "it is not wanted any more"


_S, _C = State, Cause

MOVES = {
    (_S.NEW, _C.STARTED): _S.HANDSHAKING,
    (_S.NEW, _C.ENDED): _S.CLOSED,
    (_S.HANDSHAKING, _C.UNJUDGED): _S.KEYED,
    (_S.HANDSHAKING, _C.MATCH): _S.VERIFIED,
    (_S.HANDSHAKING, _C.MISMATCH): _S.REJECTED,
    (_S.HANDSHAKING, _C.BROKEN): _S.FAILED,
    (_S.HANDSHAKING, _C.DEADLINE): _S.FAILED,
    (_S.HANDSHAKING, _C.ENDED): _S.CLOSED,
    (_S.KEYED, _C.MATCH): _S.VERIFIED,
    (_S.KEYED, _C.MISMATCH): _S.REJECTED,
    (_S.KEYED, _C.HELD_TOO_LONG): _S.REJECTED,
    (_S.KEYED, _C.PEER_CLOSED): _S.CLOSED,
    (_S.KEYED, _C.ENDED): _S.CLOSED,
    (_S.VERIFIED, _C.RENEWED): _S.DRAINING,
    (_S.VERIFIED, _C.PEER_CLOSED): _S.CLOSED,
    (_S.VERIFIED, _C.ENDED): _S.CLOSED,
    (_S.DRAINING, _C.DRAINED): _S.CLOSED,
    (_S.DRAINING, _C.PEER_CLOSED): _S.CLOSED,
    (_S.DRAINING, _C.ENDED): _S.CLOSED,
}
"""Every legal move. Anything else is a bug of ours, and raises KeyError."""

LIVE = (_S.HANDSHAKING, _S.VERIFIED, _S.KEYED, _S.DRAINING)
KEYS_USABLE = (_S.VERIFIED, _S.DRAINING)
DONE = (_S.VERIFIED, _S.KEYED, _S.DRAINING)


class Established(NamedTuple):
    """The peer is who it should be: the keys may be used."""

    path: Endpoint


class Held(NamedTuple):
    """A handshake is done before a description says who the peer should be: media from there may be held (MBX-06)."""

    path: Endpoint


class Retired(NamedTuple):
    """An association that another one replaced, or that was held in vain, is over."""

    path: Endpoint


class Mismatch(NamedTuple):
    """The peer has another certificate than announced (FP-10, FP-11)."""

    path: Endpoint
    seen: Fingerprint


class Failed(NamedTuple):
    """A handshake came to nothing."""

    path: Endpoint
    reason: str


class Closed(NamedTuple):
    """The peer closed an association whose keys were in use (HS-16). The call goes on without them."""

    path: Endpoint


Event = Held | Established | Mismatch | Failed | Closed | Retired
