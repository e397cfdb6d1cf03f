"""Contexts: one master key, one direction, all synchronisation sources of a transport (RFC 3711 §3.2)."""

from typing import NamedTuple

from ngdaemon.base.errors import WireError
from ngdaemon.srtp.header import E_BIT, RTCP_FIXED, RTP_FIXED, SEQUENCE_SSRC, SSRC_RTCP, WORD
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.transform import RtcpTransform, RtpTransform, check, rtcp_transform, rtp_transform
from ngdaemon.srtp.window import CYCLE, EARLY, Window, estimate

MAX_SOURCES = 1024
"""SSRCs of one context. None is ever forgotten: its packets could be replayed, or its indices used again."""

RTP_LIFETIME = 1 << 48
RTCP_LIFETIME = 1 << 31
"""Packets that one master key may protect (RFC 3711 §9.2, RFC 7714 §14.2; KEY-06)."""

RESTORED_AHEAD = 1 << 16
"""How far the RTCP indices of a restored sender move on, beyond what was sent after its state was written down."""


class Refused(WireError):
    """The packet must not go on. It changed nothing."""

    def __init__(self, reason: str, *, replayed: bool = False) -> None:
        super().__init__(reason)
        self.replayed = replayed
        """Its index was used before, or is too old to know. False: not authentic, malformed, or no more packets."""


class SourceState(NamedTuple):
    """One SSRC of a context. Indices are the highest ones, -1 for none; bit n of `seen` tells of the index n below."""

    ssrc: int
    rtp: int
    """48 bits: rollover counter and sequence number."""
    rtp_seen: int
    rtcp: int
    """31 bits."""
    rtcp_seen: int


class State(NamedTuple):
    """What a context knows besides its keys: plain numbers, to be written down."""

    sources: tuple[SourceState, ...] = ()
    rtp_packets: int = 0
    """Protected so far with the key; 0 for receivers, which do not count."""
    rtcp_packets: int = 0
    rtcp_start: int = 0
    """The RTCP index before the first one of a source; more than 0 for senders that were restored."""


class _Source:
    """The indices of one SSRC."""

    __slots__ = ("rtcp", "rtp")

    def __init__(self, rtp: Window, rtcp: Window) -> None:
        self.rtp = rtp
        self.rtcp = rtcp


class _Context:
    """What receivers and senders have in common."""

    __slots__ = ("_keys", "_rtcp", "_rtp", "_sources")

    def __init__(self, keys: Keys) -> None:
        check(keys)
        self._keys = keys
        self._rtp: RtpTransform | None = None
        self._rtcp: RtcpTransform | None = None
        """Made with the first packets, which do not come in the same instant as the keys."""
        self._sources: dict[int, _Source] = {}

    def _for_rtp(self) -> RtpTransform:
        if self._rtp is None:
            self._rtp = rtp_transform(self._keys)
        return self._rtp

    def _for_rtcp(self) -> RtcpTransform:
        if self._rtcp is None:
            self._rtcp = rtcp_transform(self._keys)
        return self._rtcp

    def knows(self, ssrc: int) -> bool:
        """Whether a packet of that SSRC, RTP or RTCP, has gone through."""
        return ssrc in self._sources

    def _new_source(self) -> _Source:
        """A source that is not kept yet. Raises Refused when there is no room for one more."""
        if len(self._sources) >= MAX_SOURCES:
            raise Refused("too many sources for one key")
        return _Source(Window(self._keys.window), Window(self._keys.window))

    def _source_states(self) -> tuple[SourceState, ...]:
        return tuple(
            SourceState(ssrc, source.rtp.highest, source.rtp.seen, source.rtcp.highest, source.rtcp.seen)
            for ssrc, source in self._sources.items()
        )

    def _restore_sources(self, state: State) -> None:
        for it in state.sources:
            rtp, rtcp = Window(self._keys.window, it.rtp, it.rtp_seen), Window(self._keys.window, it.rtcp, it.rtcp_seen)
            self._sources[it.ssrc] = _Source(rtp, rtcp)


class Inbound(_Context):
    """Takes in what the peer protected. State is made and changed by authentic packets alone (SRTP-02, SRTP-10)."""

    __slots__ = ("_expected",)

    def __init__(self, keys: Keys) -> None:
        """Raises ValueError for keys that do not fit their suite, and for suites that are not supported."""
        super().__init__(keys)
        self._expected: dict[int, int] = {}

    def rtp(self, packet: bytes) -> bytes:
        """The RTP packet inside. Raises Refused."""
        transform = self._rtp or self._for_rtp()
        if len(packet) < transform.shortest:
            raise Refused("shorter than a protected packet")
        sequence, ssrc = SEQUENCE_SSRC.unpack_from(packet)
        source = self._sources.get(ssrc) or self._new_source()
        window = source.rtp
        index = window.place(sequence)
        if not 0 <= index < RTP_LIFETIME:
            if index != EARLY:
                raise Refused("replayed, or too old", replayed=True)
            # nothing is from before the first cycle: a sender that jumps back over 0 has not counted one
            index = sequence
        plain = transform.open(packet, ssrc, index)
        if plain is None:
            index = self._expected_index(ssrc, sequence) if window.highest < 0 else 0
            plain = transform.open(packet, ssrc, index) if index else None
            if plain is None:
                raise Refused("not authentic")
        window.use(index)
        self._sources[ssrc] = source
        return plain

    def rtcp(self, packet: bytes) -> bytes:
        """The RTCP packet inside. Raises Refused."""
        transform = self._rtcp or self._for_rtcp()
        length = len(packet)
        if length < transform.shortest:
            raise Refused("shorter than a protected packet")
        (ssrc,) = SSRC_RTCP.unpack_from(packet)
        (word,) = WORD.unpack_from(packet, length - transform.word_at)
        if not word & E_BIT and self._keys.rtcp_encrypted:
            raise Refused("not encrypted")
        index = word & ~E_BIT
        source = self._sources.get(ssrc) or self._new_source()
        if source.rtcp.used(index):
            raise Refused("replayed, or too old", replayed=True)
        plain = transform.open(packet, ssrc, word)
        if plain is None:
            raise Refused("not authentic")
        source.rtcp.use(index)
        self._sources[ssrc] = source
        return plain

    def expect(self, state: State) -> None:
        """After a rekey: the peer may keep the rollover counters that it had with its old key (SRTP-07).

        The first packet of each of those sources is tried with a counter of 0, then with the one that `state`, of the
        old context, leads to. What authenticates decides.
        """
        self._expected = {source.ssrc: source.rtp for source in state.sources if source.rtp >= 0}

    def state(self) -> State:
        """To be written down, and read back by `restore` of a context with the same keys."""
        return State(self._source_states())

    def restore(self, state: State) -> None:
        """Go on from that state; what was received after it was written down could be replayed."""
        self._restore_sources(state)

    def _expected_index(self, ssrc: int, sequence: int) -> int:
        """Where the old key would have put the packet; 0 when there is nothing to try."""
        highest = self._expected.get(ssrc, -1)
        index = estimate(highest, sequence)
        return index if highest >= 0 and CYCLE <= index < RTP_LIFETIME else 0


class Outbound(_Context):
    """Protects what we send. No index is used twice for one SSRC (SRTP-05)."""

    __slots__ = ("_lifetime", "_resumed", "_rtcp_lifetime", "_rtcp_packets", "_rtcp_start", "_rtp_packets")

    def __init__(self, keys: Keys, lifetime: int = RTP_LIFETIME) -> None:
        """`lifetime` is how many packets of each kind the key may protect (`2^n` of RFC 4568 §6.1).

        Raises ValueError for keys that do not fit their suite, and for suites that are not supported.
        """
        super().__init__(keys)
        self._lifetime = min(lifetime, RTP_LIFETIME)
        self._rtcp_lifetime = min(lifetime, RTCP_LIFETIME)
        self._rtp_packets = 0
        self._rtcp_packets = 0
        self._rtcp_start = 0
        self._resumed: set[int] | None = None

    @property
    def left(self) -> int:
        """Packets that the key may still protect: of RTP or of RTCP, whichever will be exhausted first."""
        return min(self._lifetime - self._rtp_packets, self._rtcp_lifetime - self._rtcp_packets)

    @property
    def half_used(self) -> bool:
        """More than half of the packets of one kind are gone: time to warn (KEY-06)."""
        return 2 * self._rtp_packets > self._lifetime or 2 * self._rtcp_packets > self._rtcp_lifetime

    def rtp(self, packet: bytes) -> bytes:
        """The RTP packet protected.

        Raises Refused when its index was used before or is too old to know, when the key is exhausted, and for what
        is no RTP packet.
        """
        if len(packet) < RTP_FIXED:
            raise Refused("shorter than a header")
        if self._rtp_packets >= self._lifetime:
            raise Refused("the key is exhausted")
        sequence, ssrc = SEQUENCE_SSRC.unpack_from(packet)
        source = self._sources.get(ssrc) or self._new_source()
        window = source.rtp
        index = window.place(sequence)
        if not 0 <= index < RTP_LIFETIME:
            raise Refused("sent already, or too old", replayed=True)
        protected = (self._rtp or self._for_rtp()).seal(packet, ssrc, index)
        if protected is None:
            raise Refused("shorter than its header")
        window.use(index)
        if self._resumed is not None and ssrc not in self._resumed:
            self._resumed.add(ssrc)
            window.close()
        self._rtp_packets += 1
        self._sources[ssrc] = source
        return protected

    def rtcp(self, packet: bytes) -> bytes:
        """The RTCP packet protected, under the next index of its SSRC: 1, 2, 3 … (SRTP-08).

        Raises Refused when the key is exhausted, and for what is no RTCP packet.
        """
        if len(packet) < RTCP_FIXED:
            raise Refused("shorter than a header")
        (ssrc,) = SSRC_RTCP.unpack_from(packet)
        source = self._sources.get(ssrc) or self._new_source()
        index = max(source.rtcp.highest, self._rtcp_start) + 1
        if self._rtcp_packets >= self._rtcp_lifetime or index >= RTCP_LIFETIME:
            raise Refused("the key is exhausted")
        protected = (self._rtcp or self._for_rtcp()).seal(packet, ssrc, index)
        source.rtcp.use(index)
        self._rtcp_packets += 1
        self._sources[ssrc] = source
        return protected

    def state(self) -> State:
        """To be written down, and read back by `restore`."""
        return State(self._source_states(), self._rtp_packets, self._rtcp_packets, self._rtcp_start)

    def restore(self, state: State) -> None:
        """Go on from that state with the same key. It may be older than what was sent last, by less than half a cycle.

        So the RTCP indices move on by `RESTORED_AHEAD`, and of each source all before its first RTP packet counts as
        sent: the sources themselves went on meanwhile.
        """
        self._restore_sources(state)
        self._rtp_packets, self._rtcp_packets = state.rtp_packets, state.rtcp_packets
        self._rtcp_start = max((state.rtcp_start, *(it.rtcp for it in state.sources))) + RESTORED_AHEAD
        self._resumed = set()
        for source in self._sources.values():
            source.rtp.close()

    def follow(self, state: State) -> None:
        """After a rekey: go on with the rollover counters and RTCP indices of the old key (RFC 3711 §3.3.1, §3.4).

        Without it they start anew, as SDES wants it when our address changed (SRTP-06).
        """
        self._restore_sources(state)
        self._rtcp_start = state.rtcp_start
