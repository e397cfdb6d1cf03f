"""`codec`: which codecs to remove, keep, hide, add (ng-protocol.md §3.9)."""

from dataclasses import dataclass
from typing import NamedTuple

LISTS = ("strip", "except", "offer", "ignore", "mask", "transcode", "accept", "consume", "set")


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """Lists of codecs: `name`, `name/clock[/channels[/bitrate/ptime/fmtp/options]]`, a payload type, `all`, `full`."""

    strip: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    transcode: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    consume: tuple[str, ...] = ()
    set: tuple[str, ...] = ()


class WantedMedia(NamedTuple):
    """One of the `medias` of `create`."""

    kind: str
    codecs: tuple[str, ...]
    """`name/clock/channels`, or less of it."""


NO_CODEC_OPTIONS = CodecOptions()


def codec_options(lists: dict[str, list[str]]) -> CodecOptions:
    """The options in lists by the names of LISTS."""
    return CodecOptions(**{"except_" if name == "except" else name: tuple(codecs) for name, codecs in lists.items()})
