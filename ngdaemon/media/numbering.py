"""Sequence numbers of what leaves protected: no index twice, and no way back for the receiver (RFC 3711 §9.1).

Several sources may come to leave under one key and SSRC: another phone after a transfer, a phone that began to number
anew, two mixers that chose one SSRC. The first one passes with its own numbers; one that would repeat numbers, or lead
back, is numbered on from the highest that was sent (SRTP-05). With `low_start` a source that begins in the upper half
is moved to the lower one, so that a receiver that misses its first packets still knows the rollover counter (SRTP-04).

Numbers are counted on beyond 2^16 here ("extended", as in RFC 3550 A.1); `shift` is what is added to those of a source.
"""

from ngdaemon.base.ids import SocketId
from ngdaemon.media.counting import CYCLE, MAX_DROPOUT

HALF = CYCLE // 2
MAX_TRACKS = 256
"""Sources and SSRCs together that may leave under one key. More are dropped: an SSRC that is forgotten would repeat."""
MAX_REPEATS = 8
"""So many packets in a row that were sent before mean a new numbering, not a network that doubles packets."""
NOWHERE = -1


class Track:
    """One SSRC of one source under one key."""

    __slots__ = ("_again", "_at", "_repeats", "cycles", "following", "owns", "shift")

    def __init__(self) -> None:
        self.owns = False
        """The SSRC is numbered by this source now, and by no other."""
        self.cycles = 0
        """Multiple of 2^16 that extends `following`."""
        self.following = 0
        """The sequence number that comes next when all is well, 0 to 65535."""
        self.shift = 0
        self._again = NOWHERE
        """The sequence number that would confirm a new numbering."""
        self._at = 0
        """Highest number when the first of the repeats came."""
        self._repeats = 0

    def copy(self) -> "Track":
        """The same for another key."""
        copy = Track()
        copy.owns, copy.cycles, copy.following, copy.shift = self.owns, self.cycles, self.following, self.shift
        return copy

    @property
    def highest(self) -> int:
        """The highest extended number that left."""
        return self.cycles + self.following - 1 + self.shift

    def start(self, sequence: int, extended: int) -> None:
        """Number the packet `extended`, and those after it on from there."""
        self.cycles, self.following = 0, sequence
        self.shift = extended - sequence
        self._again = NOWHERE
        self.advance(sequence)

    def advance(self, sequence: int) -> None:
        """Take in a packet that is not behind those before it."""
        if sequence < self.following:
            self.cycles += CYCLE
        self.following = sequence + 1
        if self.following == CYCLE:
            self.cycles += CYCLE
            self.following = 0

    def confirms_jump(self, sequence: int) -> bool:
        """Whether a packet far behind begins a new numbering: two in a row must agree (RFC 3550 A.1)."""
        if sequence == self._again:
            return True
        self._again = (sequence + 1) % CYCLE
        return False

    def confirms_repeat(self, sequence: int) -> bool:
        """Whether a packet whose number was sent already begins a new numbering."""
        if sequence != self._again or self._at != self.highest:
            self._repeats, self._at = 0, self.highest
        self._again = (sequence + 1) % CYCLE
        self._repeats += 1
        return self._repeats >= MAX_REPEATS


class Numbering:
    """The numbers of everything that leaves under one key."""

    __slots__ = ("_count", "_low", "_owners", "_sources", "_window", "shifted")

    def __init__(self, window: int) -> None:
        """`window`: packets behind the newest that may still come, as the protecting side has it."""
        self._owners: dict[int, Track] = {}
        """By SSRC, the source that has it now."""
        self._sources: dict[SocketId, dict[int, Track]] = {}
        self._window = window
        self._low = False
        self._count = 0
        self.shifted = False
        """Something may be numbered in another way than by its source."""

    def start_low(self, low: bool) -> None:
        """From now on begin each SSRC below 2^15, or as its source does."""
        self._low = low

    def inherit(self, before: "Numbering") -> None:
        """Go on as under another key: RTP at the receiver knows nothing of keys, and must not see numbers jump."""
        self.shifted, self._count = before.shifted, before._count
        for source, tracks in before._sources.items():
            mine = self._sources[source] = {ssrc: track.copy() for ssrc, track in tracks.items()}
            self._owners.update((ssrc, track) for ssrc, track in mine.items() if track.owns)

    def tracks(self, source: SocketId) -> dict[int, Track]:
        """The SSRCs of a source, for looking up alone."""
        return self._sources.setdefault(source, {})

    def place(self, source: SocketId, ssrc: int, sequence: int) -> Track | None:
        """The track whose `shift` the packet gets; None where it must not leave."""
        track = self._sources.setdefault(source, {}).get(ssrc)
        if track is None:
            return self._begin(source, ssrc, sequence)
        if not track.owns:
            return self._take_over(ssrc, track, track.shift, sequence)
        ahead = (sequence - track.following) % CYCLE
        if ahead < HALF:
            track.advance(sequence)
        elif CYCLE - ahead > self._window:
            if not track.confirms_jump(sequence):
                return None
            self._restart(track, sequence)
        return track

    def repeated(self, track: Track, sequence: int) -> bool:
        """Take in that the packet's index was used before: whether it has another one now, in a new numbering."""
        if track.confirms_repeat(sequence):
            self._restart(track, sequence)
            return True
        return False

    def has(self, ssrc: int) -> bool:
        """Whether anything was sent with that SSRC."""
        return ssrc in self._owners

    def shift_of(self, ssrc: int) -> int:
        """What was added to the numbers of that SSRC of late; 0 for nothing but cycles."""
        owner = self._owners.get(ssrc)
        return owner.shift if owner is not None and owner.shift % CYCLE else 0

    def source_of(self, ssrc: int) -> SocketId | None:
        """The source that sends with that SSRC now."""
        for source, tracks in self._sources.items():
            track = tracks.get(ssrc)
            if track is not None and track.owns:
                return source
        return None

    def _begin(self, source: SocketId, ssrc: int, sequence: int) -> Track | None:
        if self._count >= MAX_TRACKS and not self._forget():
            return None
        self._count += 1
        track = self._sources[source][ssrc] = Track()
        owner = self._owners.get(ssrc)
        if owner is not None:
            return self._take_over(ssrc, track, owner.shift, sequence)
        track.owns, self._owners[ssrc] = True, track
        self._number(track, sequence, sequence - HALF if self._low and sequence >= HALF else sequence)
        return track

    def _forget(self) -> bool:
        """Forget the sources that others have taken over from; False when there are none."""
        for tracks in self._sources.values():
            for ssrc in [ssrc for ssrc, track in tracks.items() if not track.owns]:
                del tracks[ssrc]
                self._count -= 1
        return self._count < MAX_TRACKS

    def _take_over(self, ssrc: int, track: Track, shift: int, sequence: int) -> Track:
        """Another source had the SSRC: go on where it is, with the numbers of its own where they lead on."""
        owner = self._owners[ssrc]
        ahead = (sequence + shift - owner.highest) % CYCLE
        extended = owner.highest + (ahead if 0 < ahead < MAX_DROPOUT else 1)
        owner.owns, track.owns, self._owners[ssrc] = False, True, track
        self._number(track, sequence, extended)
        return track

    def _restart(self, track: Track, sequence: int) -> None:
        self._number(track, sequence, track.highest + 1)

    def _number(self, track: Track, sequence: int, extended: int) -> None:
        track.start(sequence, extended)
        if track.shift % CYCLE:
            self.shifted = True
