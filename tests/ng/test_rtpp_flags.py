"""The one-string flag grammar (ng-protocol.md §1.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.ng.rtpp_flags import MAX_DEPTH, parse


@pytest.mark.parametrize("text", ["", "   ", "\t\n"])
def test_nothing(text: str) -> None:
    assert parse(text) == ()


def test_a_name_is_a_flag() -> None:
    assert parse("trust-address  symmetric ") == (("flags", ["trust-address", "symmetric"]),)


def test_a_name_with_a_value_is_a_key() -> None:
    assert parse("ICE=remove ptime=30 metadata=a=b=c label=") == (
        ("ICE", "remove"),
        ("ptime", "30"),
        ("metadata", "a=b=c"),
        ("label", ""),
    )


def test_order_is_kept() -> None:
    assert parse("a b=1 c b=2") == (("flags", ["a"]), ("b", "1"), ("flags", ["c"]), ("b", "2"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=[a b c]", ["a", "b", "c"]),
        ("x=[ a  b ]", ["a", "b"]),
        ("x=[]", []),
        ("x=[k=v k2=[x y]]", {"k": "v", "k2": ["x", "y"]}),
        ("x=[k=[l=[m=[n]]]]", {"k": {"l": {"m": ["n"]}}}),
        ("x=[k=v b]", ["k=v", "b"]),
        ("x=[a=[b c] d]", [{"a": ["b", "c"]}, "d"]),
        ("x=[=v]", ["=v"]),
        ("x=[[a b] [c]]", [["a", "b"], ["c"]]),
    ],
)
def test_groups_are_lists_and_dictionaries(text: str, value: object) -> None:
    assert parse(text) == (("x", value),)


def test_a_list_of_dictionaries() -> None:
    assert parse("medias=[[type=audio codecs=[PCMA]] [type=video codecs=[VP8]]]") == (
        ("medias", [{"type": "audio", "codecs": ["PCMA"]}, {"type": "video", "codecs": ["VP8"]}]),
    )


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("replace=[origin ICE=remove", (("replace", ["origin", "ICE=remove"]),)),
        ("x=[a=[b", (("x", {"a": ["b"]}),)),
        ("a] b]]", (("flags", ["a", "b"]),)),
        ("x=[a]b", (("x", ["a"]), ("flags", ["b"]))),
        ("[a b] c", (("flags", ["c"]),)),
        ("=x", (("flags", ["=x"]),)),
        ("a[b]c", (("flags", ["a", "c"]),)),
    ],
)
def test_brackets_that_do_not_match_mean_something(text: str, items: object) -> None:
    assert parse(text) == items


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("transcode-PCMU", ["transcode-PCMU"]),
        ("transcode=PCMU", ["transcode-PCMU"]),
        ("codec-strip=G729 codec-strip-GSM", ["codec-strip-G729", "codec-strip-GSM"]),
        ("codec-mask=[opus G722]", ["codec-mask-opus", "codec-mask-G722"]),
    ],
)
def test_codec_words(text: str, flags: list[str]) -> None:
    assert parse(text) == (("flags", flags),)


@pytest.mark.parametrize(
    ("text", "interfaces"),
    [
        ("direction=int direction=ext", ["int", "ext"]),
        ("direction=int direction=ext direction=more", ["int", "ext"]),
        ("direction=[int ext]", ["int", "ext"]),
        ("internal external", ["internal", "external"]),
        ("external", ["external"]),
    ],
)
def test_interfaces(text: str, interfaces: list[str]) -> None:
    assert parse(text) == (("direction", interfaces),)


def test_tags_bring_their_flags() -> None:
    assert parse("from-tag=a to-tag=b") == (
        ("from-tag", "a"),
        ("flags", ["directional"]),
        ("to-tag", "b"),
        ("flags", ["to-tag"]),
    )


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("RTP", "RTP/AVP"),
        ("SRTP", "RTP/SAVP"),
        ("AVPF", "RTP/AVPF"),
        ("SRTP AVPF", "RTP/SAVPF"),
        ("AVPF SRTP", "RTP/SAVPF"),
        ("SRTP AVPF AVP", "RTP/SAVP"),
        ("SRTP AVPF RTP", "RTP/AVPF"),
        ("DTLS", "UDP/TLS/RTP/SAVP"),
        ("DTLS AVPF", "UDP/TLS/RTP/SAVPF"),
        ("DTLS SRTP AVPF", "UDP/TLS/RTP/SAVPF"),
        ("RTP/AVP", "RTP/AVP"),
        ("RTP/AVPF", "RTP/AVPF"),
        ("RTP/SAVP", "RTP/SAVP"),
        ("RTP/SAVPF", "RTP/SAVPF"),
        ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVP"),
        ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF"),
        ("DTLS RTP/AVP", "RTP/AVP"),
        ("RTP/SAVP AVPF", "RTP/SAVPF"),
        ("transport-protocol=RTP/SAVP AVPF", "RTP/SAVPF"),
    ],
)
def test_words_of_a_profile_add_up(text: str, profile: str) -> None:
    assert parse(text)[-1] == ("transport-protocol", profile)


def test_depth_is_bounded() -> None:
    assert parse("x=" + "[" * (MAX_DEPTH + 5) + "a]" + "]" * (MAX_DEPTH + 4) + " y")[1:] == (("flags", ["y"]),)


def test_length_is_bounded() -> None:
    assert len(str(parse("a " * 100_000))) < 100_000


@given(st.text(alphabet="ab=[] -", max_size=80) | st.text(max_size=40))
def test_any_text_says_something(text: str) -> None:
    for name, value in parse(text):
        assert isinstance(name, str)
        assert isinstance(value, str | list | dict)


@given(st.lists(st.sampled_from("abc"), max_size=5), st.dictionaries(st.sampled_from("kl"), st.just("v"), min_size=1))
def test_what_is_written_is_read(words: list[str], named: dict[str, str]) -> None:
    text = f"words=[{' '.join(words)}] named=[{' '.join(f'{key}={value}' for key, value in named.items())}]"
    assert parse(text) == (("words", words), ("named", named))
