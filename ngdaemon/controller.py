"""The daemon without I/O: a datagram or a moment goes in, a reply comes out.

Everything that the daemon knows is behind this object; the shell gives it datagrams, the time, and a forwarder.
"""

import logging
from collections.abc import Callable

from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.base.errors import RequestError
from ngdaemon.base.sources import Load, Rng, Wall
from ngdaemon.base.throttle import Throttle, with_count
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.negotiation.causes import NOT_ACCEPTABLE
from ngdaemon.call.negotiation.keying import policy_of
from ngdaemon.call.registry import Ending, Registry
from ngdaemon.call.reporting.statistics import Statistics
from ngdaemon.call.transport.transport import Setting
from ngdaemon.call.transport.transports import Transports
from ngdaemon.commands import table
from ngdaemon.commands.journal import NOBODY, Journal, identity
from ngdaemon.commands.limits import LimitError, Limits
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.config import Config
from ngdaemon.dtls.certificate import Pool
from ngdaemon.dtls.policy import Policy as DtlsPolicy
from ngdaemon.ice.pacing import HostPacer
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.media.ports import Ports
from ngdaemon.ng import message
from ngdaemon.ng.message import MessageError, Request
from ngdaemon.ng.options import parse
from ngdaemon.ng.replay import ReplayCache

logger = logging.getLogger("ngdaemon.control")


def _nobody(_config: Config) -> None:
    """Nobody wants to know of changed settings."""


IDENTITIES = 32
"""Certificates that are made ahead."""

HEADERS = 48
"""Octets of IPv6 and UDP headers in a packet."""

LONGEST_REPLY = 65_507
"""Octets that fit a UDP datagram over IPv4."""


class Controller:
    """Answers NG requests and keeps time."""

    def __init__(
        self,
        config: Config,
        forwarder: Forwarder,
        rng: Rng,
        wall: Wall,
        load: Load,
        now: float,
        changed: Callable[[Config], None] = _nobody,
    ) -> None:
        """`changed` is told of settings that a control command changed."""
        self._changed = changed
        self._identities = Pool(rng, wall)
        ports = Ports(config.port_min, config.port_max, config.port_quarantine, rng, dict(config.port_ranges))
        statistics = Statistics(now)
        setting = Setting(rng, HostPacer(), _dtls_policy(config), control_ports(config))
        registry = Registry(config, forwarder, ports, statistics, Transports(forwarder, setting))
        self._service = Service(
            config=config,
            interfaces=Interfaces(config.interfaces),
            registry=registry,
            forwarder=forwarder,
            ports=ports,
            statistics=statistics,
            limits=Limits(load),
            rng=rng,
            wall=wall,
            policy=policy_of(config),
            identities=self._identities,
            complaints=Throttle(),
            change=self._change,
            instance=rng.bytes(6).hex(),
        )
        self._limits = message.Limits(config.max_datagram, config.max_depth)
        self._replay = ReplayCache()
        self._journal = Journal()

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> bytes | None:
        """The reply to a datagram, or None where there is nobody to reply to.

        Never raises: what goes wrong inside one request is logged and answered as an error. What comes out of a media
        port of our own is a phone that speaks through us to the control port, and is dropped (security case S13).
        """
        if self._service.ports.holds(source):
            self._complain("dropped a control message that was relayed to us as media", f"at {source}", now)
            return None
        parts = message.split(datagram)
        if parts is None:
            self._complain("dropped a control message without a cookie", f"from {source.address}", now)
            return None
        cookie, document = parts
        known = self._replay.lookup(cookie, now)
        if known is not None:
            return known
        reply = self._answer(cookie, document, source, now)
        self._replay.finish(cookie, reply, now)
        return reply

    def _answer(self, cookie: bytes, document: bytes, source: Endpoint, now: float) -> bytes:
        """Decode, run, encode."""
        started = self._service.wall.microseconds()
        try:
            request = message.decode(cookie, document, self._limits)
        except MessageError as error:
            self._complain("refused a control message", f"from {source.address}: {error}", now)
            return message.encode(cookie, _error(str(error)), error.format)
        debugging = logger.isEnabledFor(logging.DEBUG)
        if debugging:
            self._journal.asked(request.body, source)
        reply = self._run(request, source, now)
        if debugging:
            self._journal.replied(request.body, reply, source)
        seconds = (self._service.wall.microseconds() - started) / 1e6
        self._service.statistics.count_request(
            source.address, str(request.body.get("command")), seconds, error=reply.get("result") == "error"
        )
        answer = message.encode(cookie, reply, request.format)
        if len(answer) <= LONGEST_REPLY:
            return answer
        return message.encode(cookie, _short(request, len(answer)), request.format)

    def _run(self, request: Request, source: Endpoint, now: float) -> Reply:
        """The reply to a decoded request."""
        command = request.body.get("command")
        if not isinstance(command, str):
            return _error('Dictionary contains no key "command"')
        options, reply = NOBODY, Reply()
        try:
            options = parse(request.body)
            reply = table.run(self._service, command, Asked(options, source, now))
            reply.setdefault("result", "ok")
        except LimitError as error:
            self._service.statistics.count_rejected()
            supported = "load limit" in options.supports
            reply = {"result": "load limit", "message": error.message} if supported else _error(str(error))
            self._journal.refused(options, error, command, source, now)
        except RequestError as error:
            self._service.statistics.refused += error.extra.get("sip-code") == NOT_ACCEPTABLE
            reply = {**_error(str(error)), **error.extra}
            self._journal.refused(options, error, command, source, now)
        except Exception:
            logger.exception("%s from %s failed", command, source, extra=identity(options))
            reply = _error("Internal error")
        else:
            self._journal.done(options, reply, command, source)
        return reply

    def _complain(self, what: str, detail: str, now: float) -> None:
        """Warn of what comes from outside, at a bounded rate whatever the details are."""
        held_back = self._service.complaints.passes(what, now)
        if held_back is not None:
            logger.warning("%s", with_count(f"{what} {detail}", held_back))

    # time

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called, in monotonic seconds; None for not at all."""
        return self._service.registry.next_timeout()

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._service.registry.handle_timer(now)

    def handle_events(self, _now: float) -> None:
        """Take in what the forwarder reports."""
        for event in self._service.forwarder.drain():
            self._service.registry.handle_event(event)

    # life

    def reconfigure(self, config: Config) -> None:
        """Take over settings that may change while running."""
        self._service.config = config
        self._service.registry.config = config
        self._service.policy = policy_of(config)
        self._service.registry.transports.setting = self._service.registry.transports.setting._replace(
            dtls=_dtls_policy(config)
        )
        self._service.ports.quarantine = config.port_quarantine
        self._limits = message.Limits(config.max_datagram, config.max_depth)

    def prepare(self) -> bool:
        """Make a certificate ahead, if there are not enough: to be called now and then, between requests (FP-08).

        Whether there are enough now.
        """
        self._identities.refill(min(len(self._identities) + 1, IDENTITIES))
        return len(self._identities) == IDENTITIES

    def _change(self, config: Config) -> None:
        self.reconfigure(config)
        self._changed(config)

    def close(self, now: float) -> int:
        """End all calls, and say how many there were."""
        calls = len(self._service.registry)
        self._service.registry.end_all(Ending.FORCED, now)
        return calls


def _dtls_policy(config: Config) -> DtlsPolicy:
    return DtlsPolicy(
        mtu=config.dtls_mtu - HEADERS,
        small_mtu=min(config.dtls_mtu - HEADERS, DtlsPolicy().small_mtu),
        handshake=float(config.dtls_timeout),
        allow_sha1="sha-1" in config.allow_weak,
    )


def control_ports(config: Config) -> frozenset[Endpoint]:
    """Where our control ports can be reached: no media goes there (S13)."""
    own = {item.address for item in config.interfaces} | {item.advertised for item in config.interfaces}
    ports: set[Endpoint] = set()
    for local in config.listen_ng:
        if is_unspecified(local.address):
            ports.update(Endpoint(address, local.port) for address in (*own, "127.0.0.1", "::1"))
        else:
            ports.add(local)
    return frozenset(ports)


def _short(request: Request, octets: int) -> Reply:
    """What is said where the reply fits no datagram. A `delete` has been carried out all the same."""
    reason = f"Reply of {octets} octets is too long for a datagram (limit {LONGEST_REPLY})"
    if request.body.get("command") == "delete":
        return {"result": "ok", "warning": reason}
    return _error(reason)


def _error(reason: str) -> Reply:
    return {"result": "error", "error-reason": reason}
