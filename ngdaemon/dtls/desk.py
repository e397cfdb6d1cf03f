"""The desk in front of the handshakes of a component: takes fragments of hellos, hands on whole and proven ones."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.hello import Cookies, Opening, hello_verify_request, read_opening
from ngdaemon.dtls.reassembly import MAX_FRAGMENTS, MAX_OCTETS, Message, Partial
from ngdaemon.dtls.records import Fragment

PARTIAL_SECONDS = 5.0
"""An unfinished hello is forgotten after this long."""

MAX_PROVEN = 4
"""Unfinished hellos of sources that are vouched for or showed a cookie (TIM-13). Of more the oldest goes."""

MAX_UNPROVEN = 2
UNPROVEN_OCTETS = 4096
"""What is kept of sources that may yet show one: the later fragments of a hello can come before the first."""


class Arrival(NamedTuple):
    """A whole hello whose source receives what is sent to it, or is vouched for."""

    message: Message
    record_number: int
    """Of the record with its first octets; the answer starts there (RFC 6347 §4.2.1)."""


class Answer(NamedTuple):
    """A datagram to the source: it shall show that it receives there."""

    datagram: bytes


class _Waiting:
    """A hello of which not all is here."""

    __slots__ = ("partial", "proven", "record_number", "since")

    def __init__(self, fragment: Fragment, now: float) -> None:
        self.partial = Partial(fragment)
        self.proven = False
        self.record_number = 0
        self.since = now


class Desk:
    """Bounded, and stateless towards sources that have shown nothing."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies
        self._waiting: dict[tuple[Endpoint, int], _Waiting] = {}

    def take(
        self, path: Endpoint, fragment: Fragment, record_number: int, trusted: bool, now: float, known: bool = False
    ) -> Arrival | Answer | None:
        """Take a fragment of a ClientHello. `trusted`: no cookie is asked of this path.

        `known`: there is a peer at this path. Whoever forges hellos from there makes us send it requests for cookies,
        and it answers the first of them with its own hello: so one cookie serves for all hellos from there.
        """
        self._expire(now)
        opening = read_opening(fragment.data) if fragment.offset == 0 else None
        if known and opening is not None:
            opening = opening.of_anyone()
        proven = trusted or (opening is not None and self._cookies.valid(path, opening, now))
        if not proven and fragment.sequence == 0:  # without a cookie there is nothing to wait for
            return None if opening is None else self._ask(path, opening, record_number, now)
        if not proven and opening is not None:
            return None  # it was asked already, and answers wrongly
        return self._add(path, fragment, record_number, proven, known, now)

    def _ask(self, path: Endpoint, opening: Opening, record_number: int, now: float) -> Answer:
        return Answer(hello_verify_request(self._cookies.make(path, opening, now), record_number))

    def _add(
        self, path: Endpoint, fragment: Fragment, record_number: int, proven: bool, known: bool, now: float
    ) -> Arrival | None:
        if fragment.length > MAX_OCTETS:
            return None
        key = (path, fragment.sequence)
        waiting = self._waiting.setdefault(key, _Waiting(fragment, now))
        partial = waiting.partial
        if fragment.offset == 0:
            waiting.record_number = record_number
        if not partial.add(fragment) or partial.count > MAX_FRAGMENTS:
            del self._waiting[key]
            return None
        waiting.proven |= proven or self._is_proven(path, partial, known, now)
        body = partial.message
        if waiting.proven and body is not None:
            del self._waiting[key]
            return Arrival(Message(partial.kind, fragment.sequence, body), waiting.record_number)
        if not waiting.proven and partial.octets > UNPROVEN_OCTETS:
            del self._waiting[key]
        self._evict()
        return None

    def _is_proven(self, path: Endpoint, partial: Partial, known: bool, now: float) -> bool:
        """Whether the beginning, which may have come in several fragments, shows a cookie."""
        opening = read_opening(partial.beginning)
        if known and opening is not None:
            opening = opening.of_anyone()
        return opening is not None and self._cookies.valid(path, opening, now)

    def _evict(self) -> None:
        for proven, bound in ((True, MAX_PROVEN), (False, MAX_UNPROVEN)):
            keys = [key for key, waiting in self._waiting.items() if waiting.proven is proven]
            for key in keys[: max(0, len(keys) - bound)]:
                del self._waiting[key]

    def _expire(self, now: float) -> None:
        for key in [key for key, waiting in self._waiting.items() if now - waiting.since > PARTIAL_SECONDS]:
            del self._waiting[key]
