"""The SRTP state of one call, by key: what was received and sent with it outlasts sockets and plans (contract 12)."""

from collections.abc import Callable, Container
from typing import TypeVar

from ngdaemon.media.lane import Sender
from ngdaemon.media.plan import Plan, Protection
from ngdaemon.media.reports import without_shift
from ngdaemon.srtp.context import Inbound, Outbound
from ngdaemon.srtp.keys import Keys

Kept = TypeVar("Kept")

MAX_RETIRED = 16
"""Keys of a call that are out of use, of each direction, whose indices are remembered. The oldest gives way."""


class Contexts:
    """Rollover counters, replay windows and indices of a call.

    They are made at `apply`, and outlast the last plan that has the key, because it may come back: media is taken out
    of a call and put in again with the same `a=crypto`. What is sent would repeat its keystream then, and what was
    received could be replayed, or be of a rollover counter that nobody knows any more (SDES-11).
    """

    __slots__ = ("_former", "_inbound", "_inbounds", "_kept", "_outbound", "_retired", "_senders")

    def __init__(
        self, inbound: Callable[[Keys], Inbound] = Inbound, outbound: Callable[[Keys], Outbound] = Outbound
    ) -> None:
        self._inbound, self._outbound = inbound, outbound
        self._inbounds: dict[Keys, Inbound] = {}
        self._former: dict[Keys, Inbound] = {}
        self._senders: dict[Keys, Sender] = {}
        self._retired: dict[Keys, Sender] = {}
        self._kept: list[Protection] = []

    def receivers(self, protection: Protection, before: tuple[Inbound, ...]) -> tuple[Inbound, ...]:
        """What takes in the packets of a socket, in order; the socket had `before` until now.

        Peers differ in whether a new key begins with new rollover counters: both are tried (SRTP-07).
        """
        found = []
        for keys in protection.receive:
            inbound = self._inbounds.get(keys)
            if inbound is None:
                inbound = self._former.pop(keys) if keys in self._former else self._begun(keys, before)
                self._inbounds[keys] = inbound
            found.append(inbound)
        return tuple(found)

    def _begun(self, keys: Keys, before: tuple[Inbound, ...]) -> Inbound:
        """What takes in packets with a key that is new to the call."""
        inbound = self._inbound(keys)
        if before:
            inbound.expect(before[0].state())
        return inbound

    def sender(self, protection: Protection, before: Sender | None) -> Sender | None:
        """What sends from a socket, which had `before` until now; None while keys are awaited."""
        keys = protection.send
        if keys is None:
            return None
        sender = self._senders.get(keys)
        if sender is None:
            sender = self._retired.pop(keys, None)
            if sender is None:
                sender = Sender(keys, self._outbound(keys))
                if before is not None:
                    sender.numbering.inherit(before.numbering)
            self._senders[keys] = sender
        sender.numbering.start_low(protection.low_start)
        return sender

    def put_back(self, report: bytes, sender: Sender | None) -> bytes:
        """RTCP that arrived where `sender` sends, with the sequence numbers that the sources reported on know.

        Without rtcp-mux a report may come to a port with other keys than what it is about was sent with.
        """
        numberings = [item.numbering for item in self._senders.values()]
        if not any(item.shifted for item in numberings):
            return report
        own = sender.numbering if sender is not None else None
        numberings.sort(key=lambda item: item is not own)

        def shift_of(ssrc: int) -> int:
            return next((item.shift_of(ssrc) for item in numberings if item.has(ssrc)), 0)

        return without_shift(report, shift_of)

    def keep(self, plan: Plan) -> None:
        """Put aside the keys that the plan does not have."""
        protections = [socket.protection for socket in plan.sockets if socket.protection is not None]
        if protections == self._kept:
            return
        self._kept = protections
        receive = {keys for protection in protections for keys in protection.receive}
        send = {protection.send for protection in protections}
        _put_aside(self._inbounds, receive, self._former)
        _put_aside(self._senders, send, self._retired)


def _put_aside(used: dict[Keys, Kept], wanted: Container[Keys | None], aside: dict[Keys, Kept]) -> None:
    """Move what is not wanted any more."""
    for keys in [keys for keys in used if keys not in wanted]:
        aside[keys] = used.pop(keys)
        if len(aside) > MAX_RETIRED:
            del aside[next(iter(aside))]
