"""From keys and flags to Options (ng-protocol.md §1.3, §3)."""

from dataclasses import fields, replace
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Family
from ngdaemon.base.errors import RequestError
from ngdaemon.ng import flags, keys
from ngdaemon.ng.flags import Flag
from ngdaemon.ng.options import LONG_FLAGS, CodecOptions, Options, SdpAttr, parse

from .documents import values


def test_a_message_of_kamailio_with_flags_parsed_by_the_module() -> None:
    options = parse(
        {
            "supports": ["load limit"],
            "sdp": "v=0\r\n",
            "ICE": "remove",
            "flags": ["trust-address"],
            "direction": ["pub", "priv"],
            "replace": ["origin", "session-connection"],
            "transport-protocol": "RTP/AVP",
            "call-id": "k1@h",
            "received-from": ["IP4", "198.51.100.7"],
            "from-tag": "ft1",
            "command": "offer",
        }
    )
    assert options == Options(
        command="offer",
        call_id="k1@h",
        from_tag="ft1",
        sdp="v=0\r\n",
        supports=frozenset({"load limit"}),
        ice=frozenset({"remove"}),
        flags=frozenset({Flag.TRUST_ADDRESS}),
        direction=("pub", "priv"),
        replace=frozenset({"origin", "session-connection"}),
        transport_protocol="RTP/AVP",
        received_from="198.51.100.7",
    )


def test_a_message_of_kamailio_with_raw_flags() -> None:
    options = parse(
        {
            "call-id": "k1@h",
            "via-branch": "z9hG4bK77.0",
            "command": "offer",
            "sip-message-type": "sip_request",
            "rtpp-flags": "replace-origin ICE=remove RTP/AVP direction=int direction=ext to-tag=x delete-delay=0",
        }
    )
    assert options == Options(
        command="offer",
        call_id="k1@h",
        via_branch="z9hG4bK77.0",
        sip_reply=False,
        raw_flags=True,
        replace=frozenset({"origin"}),
        ice=frozenset({"remove"}),
        transport_protocol="RTP/AVP",
        direction=("int", "ext"),
        to_tag="x",
        flags=frozenset({Flag.TO_TAG}),
        delete_delay=0,
    )


def test_a_message_of_opensips() -> None:
    options = parse(
        {"call-id": "k1@h", "received-from": [], "address family": "IP6", "delete-delay": 5, "command": "delete"}
    )
    assert options == Options(command="delete", call_id="k1@h", address_family=Family.IP6, delete_delay=5)


def test_nothing_is_said_by_an_empty_message() -> None:
    assert parse({}) == Options()


def test_options_are_values() -> None:
    options = parse({"label": "a", "flags": ["fatal"]})
    assert replace(options, label="b") == parse({"label": "b", "flags": ["fatal"]})
    assert hash(options) == hash(parse({"flags": ["fatal"], "label": "a"}))
    with pytest.raises(AttributeError):
        options.label = "b"  # type: ignore[misc]


# spelling


@pytest.mark.parametrize(
    "name", ["from-tag", "from tag", "from_tag", "call-id", "call-ID", "call ID", "delete_delay", "address family"]
)
def test_keys_have_families_of_spellings(name: str) -> None:
    value = "IP4" if "family" in name else "5"
    assert parse({name: value}) != Options()
    assert parse({name: value}).unknown == ()


@pytest.mark.parametrize("name", ["Replace", "Transport-Protocol", "FLAGS", "via_branch", "via branch", "alias key"])
def test_other_spellings_are_unknown(name: str) -> None:
    assert parse({name: ["origin"]}) == Options(unknown=(name,))


@pytest.mark.parametrize(
    ("spelling", "flag"),
    [
        ("trust-address", Flag.TRUST_ADDRESS),
        ("trust address", Flag.TRUST_ADDRESS),
        ("trust_address", Flag.TRUST_ADDRESS),
        ("SIP-source-address", Flag.SIP_SOURCE_ADDRESS),
        ("sip source address", Flag.SIP_SOURCE_ADDRESS),
        ("full-RTCP-attribute", Flag.FULL_RTCP_ATTRIBUTE),
        ("ICE-reject", Flag.REJECT_ICE),
        ("reject ice", Flag.REJECT_ICE),
        ("pierce-NAT", Flag.PIERCE_NAT),
        ("debugging", Flag.DEBUG),
        ("no-codec-renegotiation", Flag.REUSE_CODECS),
        ("allow empty codec medias", Flag.ALLOW_NO_CODEC_MEDIA),
        ("webRTC", Flag.WEBRTC),
        ("SIPREC", Flag.SIPREC),
        ("to_tag", Flag.TO_TAG),
    ],
)
def test_flags_have_families_of_spellings(spelling: str, flag: Flag) -> None:
    assert flag in parse({"flags": [spelling]}).flags


@pytest.mark.parametrize("flag", Flag)
def test_every_flag_is_read_by_its_canonical_spelling(flag: Flag) -> None:
    options = parse({"flags": [flag.value]})
    assert flag in options.flags
    assert options.unknown == ()


def test_unknown_flags_are_noted() -> None:
    options = parse({"flags": ["make-coffee", "with=equal", "", "force", "fatal"]})
    assert options == Options(flags=frozenset({Flag.FATAL}), unknown=("make-coffee", "with=equal", "", "force"))


def test_what_is_noted_is_bounded() -> None:
    options = parse({"flags": ["x-" * 500] * 1000, **{f"key{number}": 1 for number in range(1000)}})
    assert len(options.unknown) == 32
    assert max(map(len, options.unknown)) == 80


def test_known_but_not_supported_yet_is_noted() -> None:
    options = parse({"moh": {"file": "x"}, "flags": ["mix"], "codec": {"transcode": ["PCMA"]}, "ice-lite": "off"})
    assert options.unsupported == ("MoH", "mix", "codec-transcode")


# identity


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("call-id", "call_id"),
        ("to-tag", "to_tag"),
        ("via-branch", "via_branch"),
        ("label", "label"),
        ("from-label", "label"),
        ("to-label", "to_label"),
        ("set-label", "set_label"),
        ("address", "address"),
        ("metadata", "metadata"),
        ("template", "template"),
        ("interface", "interface"),
        ("body", "body"),
    ],
)
def test_strings(key: str, field: str) -> None:
    assert getattr(parse({key: "a,b--c"}), field) == "a,b--c"
    for nothing in ("", 5, None, ["a"], {"a": "b"}):
        assert getattr(parse({key: nothing}), field) is None


@pytest.mark.parametrize(("key", "field"), [("sdp", "sdp"), ("from-tag", "from_tag"), ("command", "command")])
def test_strings_that_may_be_empty(key: str, field: str) -> None:
    assert getattr(parse({key: ""}), field) == ""
    assert getattr(parse({key: "a b"}), field) == "a b"
    assert parse({key: ["a"]}) == parse({key: 5}) == Options()


@pytest.mark.parametrize(
    ("word", "reply"),
    [
        *(("request", False), ("sip_request", False), ("sip-request", False), ("SIP request", False)),
        *(("reply", True), ("sip_reply", True), ("sip_response", True), ("nonsense", None)),
    ],
)
def test_sip_message_types(word: str, reply: bool | None) -> None:
    assert parse({"sip-message-type": word}).sip_reply is reply


@pytest.mark.parametrize("key", ["sip-code", "SIP_code", "sip response code"])
def test_sip_codes(key: str) -> None:
    assert parse({key: "200"}).sip_code == 200


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("all", "all"), ("offer-answer", "offer-answer"), ("not offer answer", "except-offer-answer"), ("flows", "flows")],
)
def test_which_flows(word: str, meaning: str) -> None:
    assert parse({"all": word}).all == meaning


@pytest.mark.parametrize(("word", "meaning"), [("SDP", "sdp"), ("endpoint", "address"), ("no", "off")])
def test_alias_keys(word: str, meaning: str) -> None:
    assert parse({"alias-key": word}).alias_key == meaning


@pytest.mark.parametrize(("value", "delay"), [(0, 0), ("30", 30), (-1, None), ("soon", None), ([], None)])
def test_delete_delay(value: object, delay: int | None) -> None:
    assert parse({"delete delay": value}).delete_delay == delay


@pytest.mark.parametrize(("value", "limit"), [(10, 10), ("10", 10), (0, 0), (-1, -1), ("x", None), ([1], None)])
def test_limit(value: object, limit: int | None) -> None:
    assert parse({"limit": value}).limit == limit


def test_several_parties() -> None:
    assert parse({"from-tags": ["a", "b--c"], "flags": ["from-tags-d..e"]}).from_tags == ("a", "b=c", "d e")


# addresses


@pytest.mark.parametrize(
    ("body", "interfaces"),
    [
        ({"direction": ["int", "ext"]}, ("int", "ext")),
        ({"direction": ["int", "ext", "more"]}, ("int", "ext")),
        ({"direction": ["int"]}, ("int",)),
        ({"direction": "int,ext"}, ()),
        ({"direction": [1, 2]}, ()),
        ({"direction": []}, ()),
        ({"from-interface": "int", "to-interface": "ext"}, ("int", "ext")),
        ({"to interface": "ext", "from_interface": "int"}, ("int", "ext")),
        ({"from-interface": "int"}, ("int",)),
        ({"to-interface": "ext"}, ("", "ext")),
        ({"direction": ["int", "ext"], "to-interface": "other"}, ("int", "other")),
        ({"direction": ["int", "ext"], "from-interface": "other"}, ("other", "ext")),
        ({"rtpp-flags": "internal external"}, ("internal", "external")),
    ],
)
def test_interfaces(body: dict[str, object], interfaces: tuple[str, ...]) -> None:
    assert parse(body).direction == interfaces


@pytest.mark.parametrize(("value", "family"), [("IP4", Family.IP4), ("IP6", Family.IP6), ("ip6", None), ("IP5", None)])
def test_the_family_is_upper_case(value: str, family: Family | None) -> None:
    assert parse({"address-family": value}).address_family is family


@pytest.mark.parametrize(
    ("value", "address"), [("192.0.2.31", "192.0.2.31"), ("2001:DB8::1", "2001:db8::1"), ("relay.example.net", None)]
)
def test_media_addresses_are_numeric(value: str, address: str | None) -> None:
    assert parse({"media address": value}).media_address == address


@pytest.mark.parametrize(("value", "tos"), [(184, 184), ("184", 184), (-1, -1), (100_000, 100_000), ("x", None)])
def test_tos_is_kept_as_given(value: object, tos: int | None) -> None:
    assert parse({"tos": value}).tos == tos


@pytest.mark.parametrize(
    ("value", "protocol"),
    [
        ("RTP/AVP", "RTP/AVP"),
        ("rtp/savp", "RTP/SAVP"),
        ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF"),
        ("udptl", "UDPTL"),
        ("accept", "accept"),
        ("RTP/QUIC", None),
        ("", None),
        (5, None),
    ],
)
def test_transport_protocols_in_any_case(value: object, protocol: str | None) -> None:
    assert parse({"transport-protocol": value}).transport_protocol == protocol


def test_an_unknown_transport_protocol_is_noted() -> None:
    assert parse({"transport protocol": "RTP/QUIC"}).unknown == ("transport-protocol=RTP/QUIC",)


# ICE, rtcp-mux, bundle, extmap


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("force", {"force"}),
        (["force"], {"force"}),
        ("force,trickle", {"force", "trickle"}),
        ("force_relay", {"force-relay"}),
        (["force", "remove"], {"remove"}),
        (["ICE2", "optional"], {"ice2", "optional"}),
        (["lite"], {"lite-forward"}),
        ("", set()),
        (1, set()),
        ({"force": 1}, set()),
    ],
)
def test_ice(value: object, words: set[str]) -> None:
    assert parse({"ICE": value}).ice == words


def test_the_last_way_of_ice_counts() -> None:
    assert parse({"ice": ["force", "trickle"], "rtpp-flags": "ICE=default"}).ice == {"default", "trickle"}


def test_trickle_is_said_in_two_ways() -> None:
    assert parse({"ICE": "trickle"}) == parse({"flags": ["trickle-ICE"]})


@pytest.mark.parametrize(
    ("body", "side"),
    [
        ({"ICE": "lite"}, "forward"),
        ({"ICE": "lite-bkw"}, "backward"),
        ({"ICE": "lite both"}, "both"),
        ({"ICE": "lite-none"}, "off"),
        ({"ICE-lite": "offer"}, "forward"),
        ({"ice lite": "backwards"}, "backward"),
        ({"ICE-lite": "no"}, "off"),
        ({"ICE-lite": "x"}, None),
    ],
)
def test_ice_lite(body: dict[str, object], side: str | None) -> None:
    assert parse(body).ice_lite == side


def test_rtcp_mux_from_list_string_and_flags() -> None:
    assert parse({"rtcp-mux": "offer,demux"}).rtcp_mux == {"offer", "demux"}
    assert parse({"RTCP mux": ["require"], "flags": ["rtcp-mux-accept"]}).rtcp_mux == {"require", "accept"}
    assert parse({"rtcp-mux": {"offer": 1}}).rtcp_mux == set()


def test_bundle_from_list_string_and_flags() -> None:
    assert parse({"bundle": "require"}).bundle == {"require"}
    assert parse({"BUNDLE": ["accept", "offer"], "flags": ["BUNDLE-strict"]}).bundle == {"accept", "offer", "strict"}


def test_extmap() -> None:
    options = parse({"extmap": {"strip": ["urn:a"], "mask": "urn:b,urn:c", "other": []}, "flags": ["strip-extmap"]})
    assert (options.extmap_strip, options.extmap_mask) == (("urn:a", "all"), ("urn:b", "urn:c"))
    assert options.unknown == ("extmap=other",)


def test_webrtc_stands_for_what_a_browser_needs() -> None:
    options = parse({"flags": ["WebRTC"]})
    assert options.transport_protocol == "UDP/TLS/RTP/SAVPF"
    assert options.ice == {"force", "trickle"}
    assert options.rtcp_mux == {"offer", "require"}
    assert options.sdes == ("off",)
    assert options.bundle == {"require"}
    assert options.flags == {Flag.WEBRTC, Flag.NO_RTCP_ATTRIBUTE, Flag.GENERATE_MID, Flag.TRICKLE_ICE}


def test_what_comes_later_overrides_an_alias() -> None:
    options = parse({"flags": ["WebRTC"], "ICE": "remove", "transport-protocol": "RTP/SAVP"})
    assert options.transport_protocol == "RTP/SAVP"
    assert "force" not in options.ice
    assert parse({"ICE": "remove", "flags": ["WebRTC"]}).ice == {"force", "trickle"}


# security


@pytest.mark.parametrize(("value", "words"), [("off", {"off"}), (["disabled"], {"off"}), ("passive", {"passive"})])
def test_dtls(value: object, words: set[str]) -> None:
    assert parse({"DTLS": value}).dtls == words
    assert parse({"dtls-reverse": value}).dtls == words


@pytest.mark.parametrize(("value", "name"), [("sha-1", "sha-1"), ("SHA-256", "sha-256"), ("md5", None)])
def test_fingerprints(value: str, name: str | None) -> None:
    assert parse({"DTLS fingerprint": value}).dtls_fingerprint == name


def test_sdes() -> None:
    options = parse(
        {
            "SDES": ["only-AES_CM_128_HMAC_SHA1_80", "order:AES--1;", "disable"],
            "flags": ["pad-crypto", "SDES-no-NULL_HMAC_SHA1_80"],
        }
    )
    assert options.sdes == (
        *("only-AES_CM_128_HMAC_SHA1_80", "order:AES=1;", "off"),
        *("pad", "no-NULL_HMAC_SHA1_80"),
    )


def test_words_of_sdes_that_are_mistyped_are_reported() -> None:
    known = [
        "pad",
        "prefer",
        "unencrypted_srtcp",
        "only-aes_cm_128_hmac_sha1_80",
        "offerer_pref:AES_CM_128_HMAC_SHA1_32;",
    ]
    assert parse({"SDES": [*known, "off"]}).unknown == ()
    wrong = ["of", "only-AES_CM_128_HMAC_SHA1_08", "no-AES", "order:AES_CM_128_HMAC_SHA1_80;AES"]
    assert parse({"SDES": wrong}).unknown == tuple(f"SDES={word}" for word in wrong)


def test_osrtp() -> None:
    assert parse({"OSRTP": ["offer-RFC", "accept-legacy"], "flags": ["osrtp-accept"]}).osrtp == {
        *("offer", "accept-legacy", "accept")
    }


# SDP and codecs


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["origin", "session-connection"], {"origin", "session-connection"}),
        ("origin,SDP version", {"origin", "sdp-version"}),
        (["origin_full", "force-increment-SDP-ver"], {"origin-full", "force-increment-sdp-ver"}),
        (["zero address", "session_name", "username"], {"zero-address", "session-name", "username"}),
        (1, set()),
    ],
)
def test_replace(value: object, words: set[str]) -> None:
    assert parse({"replace": value}).replace == words


def test_replace_by_flags() -> None:
    assert parse({"flags": ["replace-origin", "replace-SDP-version"]}).replace == {"origin", "sdp-version"}


def test_manipulations_by_key_and_flags() -> None:
    options = parse({"SDP attr": {"audio": {"remove": ["ptime"]}}, "flags": ["sdp-attr-add-none-x--1"]})
    assert options.sdp_attr == (SdpAttr("audio", "remove", ("ptime",)), SdpAttr("global", "add", ("x=1",)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"sdp-attr": ["audio"]}, "wrong type used"),
        ({"sdp-attr": {"audio": []}}, "wrong content given"),
        ({"sdp-attr": {"radio": {}}}, "unsupported sdp section"),
        ({"sdp-attr": {"audio": {"drop": []}}}, "unknown manipulation command"),
        ({"flags": ["sdp-attr-add-audio"]}, "invalid token given"),
        ({"sdp-media-remove": "video"}, "wrong type used"),
        ({"sdp_media_remove": ["radio"]}, "unsupported sdp section"),
    ],
)
def test_the_values_that_are_errors(body: dict[str, object], reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(body)
    assert str(caught.value) == reason


def test_medias_to_remove() -> None:
    assert parse({"sdp-media-remove": ["video", "application"]}).sdp_media_remove == {"video", "application"}


def test_codecs() -> None:
    options = parse(
        {
            "codec": {"strip": ["all"], "except": "PCMA,PCMU", "mask": [5, "G722"], "other": ["x"]},
            "flags": ["codec-strip-opus/48000/2", "transcode-iLBC/8000/1///mode--30", "always-transcode", "codec-x-y"],
        }
    )
    assert options.codec == CodecOptions(
        strip=("all", "opus/48000/2"),
        except_=("PCMA", "PCMU"),
        mask=("G722",),
        transcode=("iLBC/8000/1///mode=30",),
        accept=("all",),
    )
    assert options.unknown == ("codec=other", "codec=x")


@pytest.mark.parametrize("value", [["strip"], "strip", 5])
def test_codec_is_a_dictionary(value: object) -> None:
    assert parse({"codecs": value}).codec == CodecOptions()


def test_ptime() -> None:
    options = parse({"ptime": "40", "reverse ptime": 60, "repacketize": 30})
    assert (options.ptime, options.ptime_reverse, options.unknown) == (40, 60, ())


@pytest.mark.parametrize("name", ["T.38", "T38", "t.38", "t38"])
def test_t38(name: str) -> None:
    options = parse({name: ["decode", "no-ECM", "no-V.17"], "flags": [f"{name}-force"], f"{name}-version": 3})
    assert options.t38 == {"decode", "no-ecm", "no-v.17", "force"}
    assert options.t38_version == 3


# media


def test_endpoint_learning_by_key_and_flag() -> None:
    assert parse({"endpoint learning": "off"}).endpoint_learning == "off"
    assert parse({"flags": ["endpoint-learning-immediate"]}).endpoint_learning == "immediate"
    assert parse({"endpoint-learning": "never"}).unknown == ("endpoint-learning=never",)


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"generate-RTCP": "on"}, "generate_rtcp", True),
        ({"generate rtcp": "off"}, "generate_rtcp", False),
        ({"flags": ["generate-RTCP"]}, "generate_rtcp", True),
        ({"passthrough": "enabled"}, "passthrough", True),
        ({"passthru": "no"}, "passthrough", False),
        ({"flags": ["no-passthrough"]}, "passthrough", False),
        ({"media-echo": "sinkhole"}, "media_echo", "blackhole"),
        ({"media echo": "reverse"}, "media_echo", "backward"),
        ({"drop-traffic": "stop"}, "drop_traffic", "stop"),
        ({"delay-buffer": "200"}, "delay_buffer", 200),
        ({"record-call": "on"}, "record_call", "yes"),
        ({"record call": "off"}, "record_call", "no"),
        ({"flags": ["record-call"]}, "record_call", "yes"),
        ({"XMLRPC-callback": "192.0.2.9"}, "xmlrpc_callback", "192.0.2.9"),
        ({"xmlrpc-callback": "nobody"}, "xmlrpc_callback", None),
    ],
)
def test_media_handling(body: dict[str, object], field: str, value: object) -> None:
    assert getattr(parse(body), field) == value


# flags as a whole


@pytest.mark.parametrize("value", ["trust-address,fatal", ["trust-address", "fatal"], ["trust-address", 5, "fatal"]])
def test_flags_may_be_a_string(value: object) -> None:
    assert parse({"flags": value}).flags == {Flag.TRUST_ADDRESS, Flag.FATAL}


@pytest.mark.parametrize("value", [{"trust-address": "yes"}, 5, None])
def test_other_flags_are_passed_over(value: object) -> None:
    assert parse({"flags": value}) == Options()


def test_raw_flags_count_where_they_stand() -> None:
    assert parse({"label": "a", "rtpp-flags": "label=b"}).label == "b"
    assert parse({"rtpp_flags": "label=b", "label": "a"}).label == "a"


def test_raw_flags_hold_no_raw_flags() -> None:
    options = parse({"rtpp flags": "rtpp-flags=" * 500 + "x"})
    assert options.raw_flags
    assert options.unknown == ("rtpp-flags",)


@pytest.mark.parametrize("value", [5, ["fatal"], {"fatal": 1}])
def test_raw_flags_are_a_string(value: object) -> None:
    assert parse({"rtpp-flags": value}) == Options()


# anything


NAMES = st.sampled_from(sorted({*keys.BY_SPELLING, "flags", "rtpp-flags"})) | st.text(max_size=10)
WORDS = st.sampled_from(
    sorted(
        {
            *flags.BY_SPELLING,
            *(word for rows in keys.SECTIONS.values() for row in rows for word in row.words),
            *(f"{name}-{end}" for name in LONG_FLAGS for end in ("x", "origin", "strip-x", "add-audio-x", "")),
        }
    )
)
ANYTHING = st.dictionaries(NAMES, values() | WORDS | st.lists(WORDS, max_size=4) | st.none() | st.floats(), max_size=8)


@given(ANYTHING)
def test_any_message_is_read_or_refused(body: dict[str, object]) -> None:
    try:
        options = parse(body)
    except RequestError:
        return
    hints = get_type_hints(Options)
    for field in fields(Options):
        assert fits(getattr(options, field.name), hints[field.name]), field.name


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of an annotated type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(item, inner[0]) for item in value)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(fits(item, inner[0]) for item in value)
    return type(value) is hint


# what is kept of a message


SAID: dict[str, object] = {
    "supports": ["load limit"],
    "flags": ["trust-address", "SDES-off", "strange"],
    "replace": ["origin"],
    "ICE": "remove",
    "TOS": 7,
    "command": "offer",
}


def test_what_scripts_repeat_means_the_same_in_every_call() -> None:
    first, second = ({**SAID, "call-id": name, "from-tag": name, "sdp": "v=0"} for name in "xy")
    assert parse(first) == parse(dict(first))
    assert [getattr(parse(said), name) for said in (first, second) for name in ("call_id", "from_tag")] == list("xxyy")
    assert replace(parse(first), call_id="y", from_tag="y") == parse(second)
    assert parse(second).unknown == ("strange",)


@pytest.mark.parametrize("name", ["call-id", "from-tag", "received-from", "label", "metadata"])
def test_what_tells_calls_apart_is_read_in_order_whatever_way_it_is_written(name: str) -> None:
    """In `rtpp-flags`, or in another spelling: the later one counts, before and behind the usual spelling."""
    early, late = "198.51.100.1", "198.51.100.2"
    field = name.replace("-", "_")
    for _ in range(2):
        assert getattr(parse({name: early, "rtpp-flags": f"{name}={late} replace=[origin]"}), field) == late
        assert getattr(parse({"rtpp-flags": f"{name}={late} replace=[origin]", name: early}), field) == early
    spaced = name.replace("-", " ")
    if spaced != name:
        assert getattr(parse({name: early, spaced: late}), field) == late
        assert getattr(parse({spaced: late, name: early}), field) == early


@pytest.mark.parametrize(
    "odd",
    [
        {"codec": {"strip": ["PCMU"]}},
        {"flags": ["trust-address", ["x"], 5]},
        {"metadata-is": "x" * 5000},
        {"TOS": True},
        {"TOS": 1.0},
        {"TOS": None},
    ],
)
def test_values_of_any_kind_are_read_with_the_others(odd: dict[str, object]) -> None:
    for _ in range(2):
        options = parse({"call-id": "c", "replace": ["origin"], **odd, "ICE": "force"})
        assert options == parse({**odd, "replace": ["origin"], "ICE": "force", "call-id": "c"})
        assert options.ice == {"force"}
