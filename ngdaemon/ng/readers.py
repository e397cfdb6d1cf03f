"""Readers: how the value of a key becomes fields of Options.

A reader takes the draft, the key's row, and a value of any type. What it cannot use it passes over or notes as unknown:
except for the two keys of `sdp_attr`, no value is an error (ng-protocol.md §1.2).
"""

import dataclasses
from collections.abc import Callable, Mapping

from ngdaemon.base.endpoint import Family
from ngdaemon.ng import sdp_attr
from ngdaemon.ng.codec_options import LISTS, WantedMedia
from ngdaemon.ng.draft import Draft
from ngdaemon.ng.flags import Flag, Support
from ngdaemon.ng.values import integer, listed, numeric_address, source_address, strings, unescaped
from ngdaemon.srtp.suites import suite_of


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What there is to know about a top-level key of a message."""

    name: str
    """With hyphens, as it is mostly written."""
    field: str
    """Where in Options the value goes; "" for nowhere."""
    read: "Callable[[Draft, Key, object], None]"
    help: str
    support: Support = Support.YES
    words: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """What a value may be, and what it means."""
    later: frozenset[str] = frozenset()
    """Meanings that this daemon does nothing for yet."""
    also: tuple[str, ...] = ()
    """Other names."""
    exact: bool = False
    """Whether the name has one spelling only."""


_WAYS_OF_ICE = frozenset(("remove", "force", "default", "optional", "force-relay"))
"""Words of `ICE` that exclude each other: the last one counts."""
_LITE_WORDS = {"lite-forward": "forward", "lite-backward": "backward", "lite-both": "both", "no-lite": "off"}
_SDES_WORDS = frozenset(
    (
        *("off", "prefer", "priority", "pad", "lifetime", "static", "nonew"),
        *(f"{un}{what}" for un in ("", "un") for what in ("encrypted_srtp", "encrypted_srtcp", "authenticated_srtp")),
    )
)
"""Words of `SDES` that stand alone."""
_SDES_CHOICES, _SDES_LISTS = ("only-", "no-"), ("order:", "offerer_pref:")
"""Beginnings of those that name one suite, or several."""


def text(draft: Draft, key: Key, value: object) -> None:
    """A string that is not empty."""
    if type(value) is str and value:
        draft.fields[key.field] = value


def body(draft: Draft, key: Key, value: object) -> None:
    """A string that may be empty."""
    if type(value) is str:
        draft.fields[key.field] = value


def number(draft: Draft, key: Key, value: object) -> None:
    """An integer."""
    found = integer(value)
    if found is not None:
        draft.fields[key.field] = found


def amount(draft: Draft, key: Key, value: object) -> None:
    """An integer that is not negative."""
    found = integer(value)
    if found is not None and found >= 0:
        draft.fields[key.field] = found


def one_word(draft: Draft, key: Key, value: object) -> None:
    """One word."""
    if type(value) is str and value and _is_known(draft, key, value):
        draft.fields[key.field] = key.words[value]


def words(draft: Draft, key: Key, value: object) -> None:
    """Words, added to those already there."""
    meant = [str(key.words[word]) for word in strings(value) or () if _is_known(draft, key, word)]
    if meant:
        draft.add(key.field, meant)


def names(draft: Draft, key: Key, value: object) -> None:
    """Strings that are taken as they are, added to those already there."""
    found = strings(value)
    if found:
        draft.append(key.field, map(unescaped, found))


def abilities(draft: Draft, key: Key, value: object) -> None:
    """Strings whose order does not matter."""
    draft.add(key.field, strings(value) or ())


def direction(draft: Draft, key: Key, value: object) -> None:
    """The interfaces that face the sender and the receiver of this message."""
    found = listed(value)
    if found:
        draft.fields[key.field] = tuple(found[:2])


def sender_interface(draft: Draft, key: Key, value: object) -> None:
    """The first of these two. The other one stays."""
    if type(value) is str and value:
        before = draft.fields.get(key.field, ())
        draft.fields[key.field] = (value, *before[1:]) if isinstance(before, tuple) else (value,)


def receiver_interface(draft: Draft, key: Key, value: object) -> None:
    """The second one. The first one stays, or is empty."""
    if type(value) is str and value:
        before = draft.fields.get(key.field)
        draft.fields[key.field] = (before[0] if isinstance(before, tuple) else "", value)


def sip_source(draft: Draft, key: Key, value: object) -> None:
    """The SIP source address."""
    draft.fields[key.field] = source_address(value)


def address(draft: Draft, key: Key, value: object) -> None:
    """A numeric address."""
    if type(value) is not str or not value:
        return
    found = numeric_address(value)
    if found is None:
        draft.note_unknown(f"{key.name}={value}")
    else:
        draft.fields[key.field] = found


def profile(draft: Draft, key: Key, value: object) -> None:
    """A transport protocol, in any case."""
    if type(value) is str and value:
        one_word(draft, key, value if value in key.words else value.upper())


def ice(draft: Draft, key: Key, value: object) -> None:
    """How ICE is treated, whether we are lite, and more words."""
    for word in strings(value) or ():
        if not _is_known(draft, key, word):
            continue
        meant = str(key.words[word])
        before = draft.fields.get(key.field, frozenset())
        kept = before if isinstance(before, frozenset) else frozenset()
        draft.fields[key.field] = (kept - _WAYS_OF_ICE if meant in _WAYS_OF_ICE else kept) | {meant}
        if meant in _LITE_WORDS:
            draft.fields["ice_lite"] = _LITE_WORDS[meant]
        elif meant == "trickle":
            draft.flags.add(Flag.TRICKLE_ICE)


def sdes(draft: Draft, key: Key, value: object) -> None:
    """Words of SDES, some with names of suites in them. Only `off` has other spellings. Unknown ones are reported."""
    words = [str(key.words.get(word) or unescaped(word)) for word in strings(value) or ()]
    for word in words:
        if word not in _SDES_WORDS and not _names_suites(word):
            draft.note_unknown(f"{key.name}={word}")
    draft.append(key.field, words)


def _names_suites(word: str) -> bool:
    """Whether a word of SDES is one that names suites, and they are known."""
    if word.startswith(_SDES_LISTS):
        return all(suite_of(name) is not None for name in word.partition(":")[2].split(";") if name)
    return word.startswith(_SDES_CHOICES) and suite_of(word.partition("-")[2]) is not None


def extmap(draft: Draft, key: Key, value: object) -> None:
    """Header extensions to remove: a dictionary with `strip` and `mask`."""
    for name, extensions in value.items() if isinstance(value, dict) else ():
        target = key.words.get(name)
        if target is None:
            draft.note_unknown(f"{key.name}={name}")
        else:
            draft.append(str(target), strings(extensions) or ())


def codec(draft: Draft, key: Key, value: object) -> None:
    """A dictionary of lists of codecs, added to those already there."""
    for name, codecs in value.items() if isinstance(value, dict) else ():
        if name not in LISTS:
            draft.note_unknown(f"{key.name}={name}")
            continue
        draft.codec.setdefault(name, []).extend(map(unescaped, strings(codecs) or ()))
        if name in key.later:
            draft.note_unsupported(f"{key.name}-{name}")


def manipulations(draft: Draft, key: Key, value: object) -> None:
    """`sdp-attr`. Raises RequestError."""
    draft.append(key.field, sdp_attr.read(value))


def removed_medias(draft: Draft, key: Key, value: object) -> None:
    """`sdp-media-remove`. Raises RequestError."""
    draft.add(key.field, sdp_attr.read_removed(value))


def medias(draft: Draft, key: Key, value: object) -> None:
    """A list of dictionaries with `type` and `codecs`."""
    for item in value if isinstance(value, list) else ():
        kind = item.get("type") if isinstance(item, dict) else None
        if type(kind) is str and kind:
            codecs = strings(item.get("codecs")) or strings(item.get("codec")) or ()
            draft.append(key.field, (WantedMedia(kind, tuple(map(unescaped, codecs))),))


def nothing(_draft: Draft, _key: Key, _value: object) -> None:
    """A value that is not looked at."""


def _is_known(draft: Draft, key: Key, word: str) -> bool:
    """Whether the key has that word. Notes it if not, and if there is nothing done for it yet."""
    if word in key.words:
        if key.words[word] in key.later:
            draft.note_unsupported(f"{key.name}={key.words[word]}")
        return True
    draft.note_unknown(f"{key.name}={word}")
    return False


FAMILIES: Mapping[str, object] = {family.value: family for family in Family}
"""Address families by their only spelling."""
