"""Codecs by name, for descriptions that the daemon makes itself."""

from ngdaemon.base.errors import RequestError
from ngdaemon.sdp.codecs import STATIC, Codec, codec_of

STATIC_NUMBERS = {(name.upper(), clock, channels): number for number, (name, clock, channels) in STATIC.items()}

FIRST_DYNAMIC, LAST_DYNAMIC = 96, 127
"""RFC 3551 §6."""

CLOCKS = {
    # name → clock rate, channels ("" for one), media type
    **{name.upper(): (clock, channels, "audio") for name, clock, channels in reversed(STATIC.values())},
    **dict.fromkeys(("H261", "H263", "H263-1998", "H264", "H265", "VP8", "VP9", "AV1"), ("90000", "", "video")),
    "OPUS": ("48000", "2", "audio"),
    "TELEPHONE-EVENT": ("8000", "", "audio"),
    "ILBC": ("8000", "", "audio"),
    "SPEEX": ("8000", "", "audio"),
    "AMR": ("8000", "", "audio"),
    "AMR-WB": ("16000", "", "audio"),
    "EVS": ("16000", "", "audio"),
}
"""What a codec has where only its name is given (RFC 3551, RFC 7587, RFC 4733, RFC 3952, RFC 5574, RFC 4867)."""


def codecs_named(names: tuple[str, ...]) -> tuple[Codec, ...]:
    """The codecs of names like `PCMU` or `opus/48000/2`, with their static payload types or free dynamic ones.

    Raises RequestError for a name of which the clock rate is not known.
    """
    codecs: dict[tuple[str, str, str], Codec] = {}
    free = FIRST_DYNAMIC
    for text in names:
        name, clock, channels = _parts(text)
        key = (name.upper(), clock, channels)
        if key in codecs:
            continue
        number = STATIC_NUMBERS.get(key)
        if number is None:
            number, free = free, free + 1
        if number > LAST_DYNAMIC:
            raise RequestError("Too many codecs")
        codecs[key] = codec_of(number, name, clock, channels)
    return tuple(codecs.values())


def kind_of(text: str) -> str:
    """The media type of a codec: `audio` where nothing is known."""
    return CLOCKS.get(text.partition("/")[0].upper(), ("", "", "audio"))[2]


def _parts(text: str) -> tuple[str, str, str]:
    """Name, clock rate and channels ("" for one)."""
    words = [*text.split("/"), "", ""]
    name, clock, channels = words[:3]
    usual = CLOCKS.get(name.upper())
    if not clock and usual is not None:
        return name, usual[0], usual[1]
    if not name or not (clock.isascii() and clock.isdigit()) or (channels and not channels.isdigit()):
        raise RequestError(f'Unknown codec "{text}"')
    return name, clock, "" if channels == "1" else channels
