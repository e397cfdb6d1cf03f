"""Payload types and what is said about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.errors import RequestError
from ngdaemon.sdp.codecs import STATIC, Codec, _codecs, codecs_of, opus_parameters
from ngdaemon.sdp.session import INCOMPLETE, parse
from tests.support.sdp import sdp


def codecs(formats: str, *attributes: str) -> tuple[Codec, ...]:
    return codecs_of(parse(sdp("198.51.100.1", f"m=audio 4000 RTP/AVP {formats}", *attributes)).medias[0])


def test_codecs_in_order_of_preference_with_all_that_is_said_of_them() -> None:
    speex, pcma, event = codecs(
        "111 8 101",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:111 speex/16000/1",
        "a=fmtp:111 vbr=on",
        "a=fmtp:111 cng=on",
        "a=rtcp-fb:111 nack",
        "a=rtcp-fb:111 ccm fir",
        "a=rtcp-fb:* transport-cc",
    )
    assert (speex.payload_type, speex.encoding) == (111, "speex/16000")
    assert (speex.fmtp, speex.feedback) == (("vbr=on", "cng=on"), ("nack", "ccm fir"))
    assert (pcma.payload_type, pcma.encoding, pcma.fmtp, pcma.feedback) == (8, "PCMA/8000", (), ())
    assert (event.payload_type, event.encoding, event.fmtp) == (101, "telephone-event/8000", ("0-15",))


@pytest.mark.parametrize("number", STATIC)
def test_static_payload_types_need_no_rtpmap(number: int) -> None:
    (codec,) = codecs(str(number))
    assert (codec.name, codec.clock, codec.channels) == STATIC[number]


def test_l16_is_stereo_at_ten_and_mono_at_eleven() -> None:
    """D-STATIC."""
    assert [codec.encoding for codec in codecs("10 11")] == ["L16/44100/2", "L16/44100"]


def test_what_the_sender_says_goes_before_the_static_table() -> None:
    assert codecs("0", "a=rtpmap:0 MINE/44100/2")[0].encoding == "MINE/44100/2"


def test_a_dynamic_payload_type_that_nothing_is_said_of_has_no_name() -> None:
    (codec,) = codecs("96")
    assert (codec.name, codec.encoding, codec.lines) == ("", "", ())


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        ("a=rtpmap:96 opus/48000/2", "opus/48000/2"),
        ("a=rtpmap:96 AMR/8000/1", "AMR/8000"),
        ("a=rtpmap:96 AMR/8000", "AMR/8000"),
        ("a=rtpmap:96 AMR/8000/1/extra", "AMR/8000"),
        ("a=rtpmap:96  AMR/8000 ", "AMR/8000"),
        ("a=rtpmap:96 AMR", ""),
        ("a=rtpmap:96", ""),
        ("a=rtpmap:097 AMR/8000", ""),
        ("a=rtpmap", ""),
    ],
)
def test_rtpmap(line: str, encoding: str) -> None:
    assert codecs("96", line)[0].encoding == encoding


def test_the_first_rtpmap_of_a_payload_type_counts() -> None:
    assert codecs("96", "a=rtpmap:96 A/8000", "a=rtpmap:96 B/8000")[0].name == "A"


def test_a_payload_type_that_is_listed_twice_counts_once() -> None:
    assert [codec.payload_type for codec in codecs("8 0 8 0")] == [8, 0]


@pytest.mark.parametrize("formats", ["128", "-1", "+1", "4294967296", "9" * 5000, "four", "0x8", "8.0", "٤", "0 128"])
def test_what_is_no_payload_type_is_refused(formats: str) -> None:
    with pytest.raises(RequestError) as caught:
        codecs(formats)
    assert str(caught.value) == INCOMPLETE


def test_lines_are_written_in_order_and_a_single_channel_is_left_out() -> None:
    codec = codecs("97", "a=rtcp-fb:97 nack pli", "a=fmtp:97 x=1", "a=rtpmap:97 H264/90000/1")[0]
    assert codec.lines == ("a=rtpmap:97 H264/90000", "a=fmtp:97 x=1", "a=rtcp-fb:97 nack pli")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Codec(0, "PCMU", "8000"), Codec(96, "pcmu", "8000"), True),
        (Codec(0, "PCMU", "8000"), Codec(0, "PCMU", "16000"), False),
        (Codec(96, "opus", "48000", "2"), Codec(96, "opus", "48000"), False),
        (Codec(0, "PCMU", "8000"), Codec(0, "PCMA", "8000"), False),
        (Codec(96, "AMR", "8000", "", ("octet-align=1",)), Codec(97, "AMR", "8000"), True),
    ],
)
def test_formats_are_the_same_by_name_clock_and_channels(one: Codec, other: Codec, same: bool) -> None:
    assert one.is_same_format(other) is same


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("useinbandfec=1;minptime=10", "useinbandfec=1; minptime=10"),
        ("maxplaybackrate=16000; stereo=1;  sprop-stereo=1", "stereo=1; sprop-stereo=1; maxplaybackrate=16000"),
        ("cbr=1;whatever=2;usedtx=1", "usedtx=1; cbr=1"),
        ("UseInbandFEC=1", "useinbandfec=1"),
        ("whatever=2", ""),
        ("", ""),
        (";;=;", ""),
    ],
)
def test_opus_parameters_are_written_anew(given: str, written: str) -> None:
    assert opus_parameters(given) == written
    expected = (written,) if written else ()
    assert codecs("96", "a=rtpmap:96 opus/48000/2", f"a=fmtp:96 {given}")[0].fmtp == expected


PIECES = st.sampled_from(("0", "8", "96", "127", "128", "x", "")) | st.text("0123456789 :;=/ab\u0664", max_size=12)


@given(
    st.lists(PIECES, max_size=6),
    st.lists(st.tuples(st.sampled_from(("rtpmap", "fmtp", "rtcp-fb")), PIECES, PIECES), max_size=8),
)
def test_any_formats_and_attributes_give_codecs_or_a_refusal(
    formats: list[str], attributes: list[tuple[str, str, str]]
) -> None:
    lines = [f"a={name}:{number} {text}" for name, number, text in attributes]
    try:
        found = codecs(" ".join(formats), *lines)
    except RequestError:
        return
    assert len({codec.payload_type for codec in found}) == len(found)
    for codec in found:
        assert 0 <= codec.payload_type <= 127
        assert all(line.startswith("a=") for line in codec.lines)


def test_what_is_remembered_is_short() -> None:
    """S06: whoever writes long parameters does not make us keep them."""
    before = _codecs.cache_info().currsize
    for number in range(20):
        (codec,) = codecs("96", "a=rtpmap:96 X/8000", f"a=fmtp:96 {number}{'x' * 4000}")
        assert len(codec.fmtp[0]) > 4000
    assert _codecs.cache_info().currsize == before
