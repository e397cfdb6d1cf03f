"""Which codecs of a media are passed on: `strip`, `except`, `offer` of the key `codec`, and what an answer may name.

Everything here works without transcoding: a codec that is taken out is simply not agreed on (ng-protocol.md §3.9).
"""

from ngdaemon.ng.codec_options import CodecOptions
from ngdaemon.sdp.codecs import Codec

ALL = frozenset(("all", "full"))

SUPPLEMENTAL = frozenset(("telephone-event", "cn"))
"""Formats that only make sense beside another codec of the same clock rate."""


def passed_on(codecs: tuple[Codec, ...], wanted: CodecOptions) -> tuple[Codec, ...]:
    """The codecs that stay after manipulation, in order; empty when none does."""
    kept = codecs
    if wanted.strip:
        everything = bool(ALL.intersection(wanted.strip))
        kept = tuple(
            codec
            for codec in codecs
            if _is_named(codec, (*wanted.except_, *wanted.offer)) or not (everything or _is_named(codec, wanted.strip))
        )
    if wanted.offer:
        first = [codec for name in wanted.offer for codec in kept if _is_named(codec, (name,))]
        kept = tuple(dict.fromkeys((*first, *kept)))
    return kept if kept is codecs else _without_orphans(kept, codecs)


def _is_named(codec: Codec, names: tuple[str, ...]) -> bool:
    """Whether one of `name`, `name/clock`, `name/clock/channels` means the codec; names compare without case."""
    for name in names:
        words = name.lower().split("/")
        have = (codec.name.lower(), codec.clock, codec.channels or "1")
        if all(word in ("", value) for word, value in zip(words[:3], have, strict=False)) and words[0]:
            return True
    return False


def _without_orphans(kept: tuple[Codec, ...], before: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """The codecs without those supplemental ones whose last companion of that clock rate was taken out."""
    rates = {codec.clock for codec in kept if not is_supplemental(codec)}
    had = {codec.clock for codec in before if not is_supplemental(codec)}
    return tuple(
        codec for codec in kept if not is_supplemental(codec) or codec.clock in rates or codec.clock not in had
    )


def is_supplemental(codec: Codec) -> bool:
    return codec.name.lower() in SUPPLEMENTAL


def single(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """The first codec with the supplemental ones (`single-codec`)."""
    first = next((codec for codec in codecs if not is_supplemental(codec)), None)
    return tuple(codec for codec in codecs if codec is first or is_supplemental(codec)) if first else codecs


def answerable(answered: tuple[Codec, ...], offered: tuple[Codec, ...], *, instead: bool = True) -> tuple[Codec, ...]:
    """The codecs of an answer that were offered (RFC 3264 §6.1).

    When none of them was, the first codec of the offer stands in for what the answerer should have chosen, with the
    supplemental formats that both know; or, without `instead`, the answer is passed on as it is.
    """
    by_number = {codec.payload_type: codec for codec in offered}
    kept = tuple(
        codec
        for codec in answered
        if codec.payload_type in by_number and codec.is_same_format(by_number[codec.payload_type])
    )
    if any(not is_supplemental(codec) for codec in kept) or not offered:
        return kept
    if not instead:
        return answered
    if kept and all(is_supplemental(codec) for codec in offered):
        return kept
    first = next((codec for codec in offered if not is_supplemental(codec)), offered[0])
    common = [
        codec for codec in offered if is_supplemental(codec) and any(codec.is_same_format(other) for other in answered)
    ]
    return (first, *common)
