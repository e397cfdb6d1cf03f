"""Payload types of an RTP media: the format list with its `rtpmap`, `fmtp` and `rtcp-fb` lines."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

from ngdaemon.base.errors import RequestError
from ngdaemon.sdp.session import INCOMPLETE, MediaSection

MAX_PAYLOAD_TYPE = 127

_LONGEST_KEPT = 2048
"""Characters of the lines of a media whose codecs are remembered: phones of a kind say less."""

STATIC = {
    # RFC 3551 tables 4 and 5; number 2 is the historical G726-32
    0: ("PCMU", "8000", ""),
    2: ("G726-32", "8000", ""),
    3: ("GSM", "8000", ""),
    4: ("G723", "8000", ""),
    5: ("DVI4", "8000", ""),
    6: ("DVI4", "16000", ""),
    7: ("LPC", "8000", ""),
    8: ("PCMA", "8000", ""),
    9: ("G722", "8000", ""),
    10: ("L16", "44100", "2"),
    11: ("L16", "44100", ""),
    12: ("QCELP", "8000", ""),
    13: ("CN", "8000", ""),
    14: ("MPA", "90000", ""),
    15: ("G728", "8000", ""),
    16: ("DVI4", "11025", ""),
    17: ("DVI4", "22050", ""),
    18: ("G729", "8000", ""),
    25: ("CelB", "90000", ""),
    26: ("JPEG", "90000", ""),
    28: ("nv", "90000", ""),
    31: ("H261", "90000", ""),
    32: ("MPV", "90000", ""),
    33: ("MP2T", "90000", ""),
    34: ("H263", "90000", ""),
}
"""Static payload type → encoding name, clock rate, channels ("" for one)."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type with what the SDP says about it. `name` is "" where it says nothing."""

    payload_type: int
    name: str = ""
    clock: str = ""
    channels: str = ""
    """Number of channels as text; "" for one."""
    fmtp: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    """Values of the `rtcp-fb` lines of this payload type, without the number."""
    lines: tuple[str, ...] = ()
    """The attribute lines of this codec, in the order in which they are written."""

    @property
    def encoding(self) -> str:
        """`NAME/CLOCK[/CHANNELS]` as in `rtpmap`; "" when unknown."""
        if not self.name:
            return ""
        return f"{self.name}/{self.clock}/{self.channels}" if self.channels else f"{self.name}/{self.clock}"

    def is_same_format(self, other: "Codec") -> bool:
        """Whether both name the same encoding (RFC 3264 §6.1; names compare without case)."""
        return (self.name.lower(), self.clock, self.channels) == (other.name.lower(), other.clock, other.channels)


def codecs_of(media: MediaSection) -> tuple[Codec, ...]:
    """The codecs of an RTP media in order of preference.

    Raises RequestError when a format is no payload type (0 to 127).
    """
    given = media.names.get
    maps, parameters, feedback = given("rtpmap", ()), given("fmtp", ()), given("rtcp-fb", ())
    size = sum(map(len, chain(media.formats, maps, parameters, feedback)))
    read = _codecs if size <= _LONGEST_KEPT else _codecs.__wrapped__
    return read(media.formats, tuple(maps), tuple(parameters), tuple(feedback))


@lru_cache(512)
def _codecs(
    formats: tuple[str, ...], rtpmaps: tuple[str, ...], fmtps: tuple[str, ...], feedbacks: tuple[str, ...]
) -> tuple[Codec, ...]:
    """The codecs; kept for a while, because the phones of a customer are much alike."""
    maps, parameters, feedback = _encodings(rtpmaps), _by_payload_type(fmtps), _by_payload_type(feedbacks)
    codecs = []
    seen = set()
    for text in formats:
        if not (text.isascii() and text.isdigit() and len(text) <= 3) or int(text) > MAX_PAYLOAD_TYPE:
            # not shown: it may be a key that went astray (S17)
            raise RequestError(INCOMPLETE, cause=f"format {formats.index(text) + 1} of an m-line is no payload type")
        number = int(text)
        if number in seen:
            continue
        seen.add(number)
        name, clock, channels = maps.get(text) or STATIC.get(number, ("", "", ""))
        fmtp = tuple(parameters.get(text, ()))
        if fmtp and name.lower() == "opus":
            fmtp = tuple(filter(None, map(opus_parameters, fmtp)))
        codecs.append(_codec(number, name, clock, channels, fmtp, tuple(feedback.get(text, ()))))
    return tuple(codecs)


def codec_of(number: int, name: str, clock: str, channels: str) -> Codec:
    """A codec of which no more is said than its name."""
    return _codec(number, name, clock, channels, (), ())


def _codec(
    number: int, name: str, clock: str, channels: str, fmtp: tuple[str, ...], feedback: tuple[str, ...]
) -> Codec:
    """A codec with its lines."""
    codec = Codec(number, name, clock, channels, fmtp, feedback)
    lines = [f"a=rtpmap:{number} {codec.encoding}"] if name else []
    lines.extend([f"a=fmtp:{number} {text}" for text in fmtp])
    lines.extend([f"a=rtcp-fb:{number} {text}" for text in feedback])
    return replace(codec, lines=tuple(lines))


def _encodings(values: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """The `rtpmap` values by the payload type that they speak of."""
    maps: dict[str, tuple[str, str, str]] = {}
    for value in values:
        number, _, encoding = value.partition(" ")
        words = encoding.strip().split("/")
        if len(words) >= 2 and number not in maps:
            maps[number] = (words[0], words[1], "" if len(words) < 3 or words[2] == "1" else words[2])
    return maps


def _by_payload_type(values: Iterable[str]) -> dict[str, list[str]]:
    """The `fmtp` or `rtcp-fb` values by the payload type that they speak of."""
    found: dict[str, list[str]] = {}
    for value in values:
        number, _, text = value.partition(" ")
        found.setdefault(number, []).append(text)
    return found


OPUS_PARAMETERS = (
    "stereo",
    "sprop-stereo",
    "useinbandfec",
    "usedtx",
    "cbr",
    "maxplaybackrate",
    "maxaveragebitrate",
    "sprop-maxcapturerate",
    "minptime",
)
"""What is kept of opus parameters, in the order in which the reference writes them anew (ng-protocol.md §4.3)."""


def opus_parameters(text: str) -> str:
    """The parameters of RFC 7587 that the reference knows, in its order; others are lost."""
    given = {}
    for part in text.split(";"):
        key, _, value = part.strip().partition("=")
        given[key.strip().lower()] = value.strip()
    return "; ".join(f"{key}={given[key]}" for key in OPUS_PARAMETERS if key in given)
