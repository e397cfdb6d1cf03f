"""What a message asks for: one frozen Options, read from its keys and flags.

This is the last place that sees raw keys. The tables are `keys` and `flags`; a key or flag is added by a row there and,
if it has a value, a field here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ngdaemon.base.endpoint import Family
from ngdaemon.ng import flags, keys, rtpp_flags, sdp_attr
from ngdaemon.ng.codec_options import NO_CODEC_OPTIONS, CodecOptions, WantedMedia, codec_options
from ngdaemon.ng.draft import Draft
from ngdaemon.ng.flags import Flag, Support
from ngdaemon.ng.sdp_attr import SdpAttr
from ngdaemon.ng.spelling import spellings
from ngdaemon.ng.values import strings

__all__ = ["CodecOptions", "Flag", "Options", "SdpAttr", "WantedMedia", "parse"]

_NOTHING: frozenset[str] = frozenset()

_LONGEST_KEPT = 2048
"""Characters of keys and values of which the meaning is kept."""
_OWN = {
    spelling: key
    for spelling, key in keys.BY_SPELLING.items()
    if key.field in {"sdp", "call_id", "from_tag", "to_tag", "via_branch", "received_from", "label", "metadata", "body"}
}
"""Keys that tell one call from another, or may hold a secret: of these nothing is kept."""


@dataclass(frozen=True)
class Options:
    """A message by meaning. Words are in their canonical spelling, None is "not said".

    Not slotted: a message sets about ten of these fields, and the defaults of the others stay with the class.
    """

    command: str = ""
    call_id: str | None = None
    from_tag: str | None = None
    to_tag: str | None = None
    via_branch: str | None = None
    label: str | None = None
    to_label: str | None = None
    set_label: str | None = None
    address: str | None = None
    from_tags: tuple[str, ...] = ()
    all: str | None = None
    """`none`, `all`, `offer-answer`, `except-offer-answer` or `flows`."""
    alias_key: str | None = None
    """`off`, `sdp` or `address`."""
    metadata: str | None = None
    template: str | None = None
    sdp: str | None = None
    """As it came; bytes that are not UTF-8 are surrogates (PEP 383)."""
    body: str | None = None
    """The line of `cli`."""
    flags: frozenset[Flag] = frozenset()
    raw_flags: bool = False
    """Whether there was an `rtpp-flags` string: then tags are always sent, and do not mean that they are wanted."""
    supports: frozenset[str] = _NOTHING
    sip_reply: bool | None = None
    sip_code: int = 0
    xmlrpc_callback: str | None = None
    delete_delay: int | None = None
    """Seconds; None where the daemon's default counts."""
    limit: int | None = None
    """Of `list`; may be negative."""

    received_from: str | None = None
    """Numeric address that the SIP message came from; None where it is not usable."""
    direction: tuple[str, ...] = ()
    """Interfaces facing the sender and the receiver of this message; the first may be "" for any."""
    interface: str | None = None
    address_family: Family | None = None
    media_address: str | None = None
    tos: int | None = None
    """As it was given: may be negative, or too large."""
    transport_protocol: str | None = None
    """Upper case, or `accept`."""

    ice: frozenset[str] = _NOTHING
    """At most one of `remove`, `force`, `default`, `optional`, `force-relay`; and `trickle`, `ice2`, `lite-…`."""
    ice_lite: str | None = None
    """`off`, `forward`, `backward` or `both`, from either way of saying it."""
    rtcp_mux: frozenset[str] = _NOTHING
    bundle: frozenset[str] = _NOTHING
    extmap_strip: tuple[str, ...] = ()
    extmap_mask: tuple[str, ...] = ()
    dtls: frozenset[str] = _NOTHING
    """`off`, `passive`, `active`."""
    dtls_fingerprint: str | None = None
    sdes: tuple[str, ...] = ()
    """Words as they were given, except for `off`."""
    osrtp: frozenset[str] = _NOTHING
    mode: str | None = None
    """`relay` or `terminate`; None leaves the legs as they are."""

    replace: frozenset[str] = _NOTHING
    sdp_attr: tuple[SdpAttr, ...] = ()
    sdp_media_remove: frozenset[str] = _NOTHING
    codec: CodecOptions = NO_CODEC_OPTIONS
    medias: tuple[WantedMedia, ...] = ()
    ptime: int | None = None
    ptime_reverse: int | None = None
    t38: frozenset[str] = _NOTHING
    t38_version: int | None = None

    endpoint_learning: str | None = None
    generate_rtcp: bool | None = None
    media_echo: str | None = None
    """`blackhole`, `forward`, `backward` or `both`."""
    drop_traffic: str | None = None
    passthrough: bool | None = None
    delay_buffer: int | None = None
    """Milliseconds."""
    record_call: str | None = None
    """`yes`, `no` or `discard`."""

    unsupported: tuple[str, ...] = ()
    """Words of the protocol that this daemon does nothing for yet."""
    unknown: tuple[str, ...] = ()
    """Words that the protocol does not have."""


def parse(body: Mapping[str, object]) -> Options:
    """The options in a decoded message. Later keys override earlier ones, or add to them.

    A script says the same in every call, apart from what tells calls from each other: the rest is read once and kept
    for a while. Raises RequestError for the few values that are errors (ng-protocol.md §1.2).
    """
    own: list[tuple[str, object]] = []
    rest = _repeated(body, own)
    common = _common(rest) if rest is not None else None
    options = Options.__new__(Options)
    if common is None:
        vars(options).update(_fields(body.items()))
        return options
    draft = Draft()
    for name, value in own:
        key = _OWN[name]
        key.read(draft, key, value)
    vars(options).update(common, **draft.fields)
    return options


_Item = tuple[str, object]


def _repeated(body: Mapping[str, object], own: list[_Item]) -> tuple[_Item, ...] | None:
    """What a message has in common with others, lists as tuples; `own` gets the other items.

    None where it cannot be kept: it is long, or has dictionaries.
    """
    rest = []
    size = 0
    for item in body.items():
        name, value = item
        if name in _OWN:
            own.append(item)
            continue
        size += len(name)
        kind = type(value)
        if kind is str:
            size += len(value)  # type: ignore[arg-type]
            rest.append(item)
        elif kind is list:
            try:
                size += len("".join(value))  # type: ignore[arg-type]
            except TypeError:
                return None
            rest.append((name, tuple(value)))  # type: ignore[arg-type]
        elif kind is int:
            rest.append(item)
        else:
            return None
    return tuple(rest) if size <= _LONGEST_KEPT else None


@lru_cache(256)
def _common(items: tuple[_Item, ...]) -> Mapping[str, object] | None:
    """The fields that these keys set; None where they speak of the call as well, so that their order counts."""
    fields = _fields([(name, list(value) if type(value) is tuple else value) for name, value in items])
    return None if any(key.field in fields for key in _OWN.values()) else fields


def _fields(items: Iterable[_Item]) -> dict[str, object]:
    """The fields of Options that a message sets."""
    draft = Draft()
    _read(draft, items)
    fields = draft.fields
    if draft.flags:
        fields["flags"] = frozenset(draft.flags)
    if draft.codec:
        fields["codec"] = codec_options(draft.codec)
    if draft.unsupported:
        fields["unsupported"] = tuple(draft.unsupported)
    if draft.unknown:
        fields["unknown"] = tuple(draft.unknown)
    return fields


def _read(draft: Draft, items: Iterable[tuple[str, object]], *, raw: bool = False) -> None:
    """Read keys with their values; `raw` are those of an `rtpp-flags` string, which holds no other one."""
    for name, value in items:
        key = keys.BY_SPELLING.get(name)
        if key is not None:
            key.read(draft, key, value)
            if key.support is Support.NO:
                draft.note_unsupported(key.name)
        elif name == "flags":
            for flag in strings(value) or ():
                _read_flag(draft, flag)
        elif name in _RAW_FLAGS and not raw:
            if type(value) is str:
                draft.fields["raw_flags"] = True
                _read(draft, rtpp_flags.parse(value), raw=True)
        else:
            draft.note_unknown(name)


def _read_flag(draft: Draft, flag: str) -> None:
    """Read one element of `flags`."""
    row = flags.BY_SPELLING.get(flag)
    if row is None:
        _read_long_flag(draft, flag)
        return
    draft.flags.add(row.flag)
    if row.support is Support.NO:
        draft.note_unsupported(row.flag.value)
    if row.says or row.implies:
        draft.flags.update(row.implies)
        _read(draft, row.says)


def _read_long_flag(draft: Draft, flag: str) -> None:
    """Read a flag that ends with a value."""
    if flag.startswith(_ALL_PREFIXES):
        for prefix, key, value_of in _PREFIXES:
            if flag.startswith(prefix):
                key.read(draft, key, value_of(flag[len(prefix) :]))
                if key.support is Support.NO:
                    draft.note_unsupported(key.name)
                return
    draft.note_unknown(flag)


def _codec_entry(text: str) -> object:
    name, _, value = text.partition("-")
    return {name: [value]}


LONG_FLAGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "replace": ("replace", lambda text: [text]),
    "sdes": ("sdes", lambda text: [text]),
    "osrtp": ("osrtp", lambda text: [text]),
    "rtcp-mux": ("rtcp-mux", lambda text: [text]),
    "BUNDLE": ("bundle", lambda text: [text]),
    "t.38": ("t.38", lambda text: [text]),
    "t38": ("t.38", lambda text: [text]),
    "from-tags": ("from-tags", lambda text: [text]),
    "endpoint-learning": ("endpoint-learning", lambda text: text),
    "codec": ("codec", _codec_entry),
    "transcode": ("codec", lambda text: {"transcode": [text]}),
    "sdp-attr": ("sdp-attr", sdp_attr.from_flag),
}
"""Beginnings of flags, without the hyphen that follows; the key they stand for; its value from what follows."""

_PREFIXES = tuple(
    (f"{spelling}-", keys.BY_SPELLING[key], value_of)
    for name, (key, value_of) in LONG_FLAGS.items()
    for spelling in spellings(name)
)
_ALL_PREFIXES = tuple(prefix for prefix, _, _ in _PREFIXES)
_RAW_FLAGS = frozenset(spellings("rtpp-flags"))
