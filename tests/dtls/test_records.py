"""Records and fragments as they are on the wire."""

from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.dtls.records import Content, fragment, fragments, record, records, whole


def test_dmx_05_a_cut_record_is_not_read_past_its_end() -> None:
    made = record(Content.HANDSHAKE, 0, 5, b"abc")
    for length in range(len(made)):
        assert records(made[:length]) == []
    assert len(records(made)) == 1


def test_several_records_in_a_datagram() -> None:
    one, other = record(Content.HANDSHAKE, 0, 5, b"abc"), record(Content.ALERT, 1, 1 << 40, b"")
    found = records(one + other)
    assert [(each.content, each.epoch, each.sequence, each.payload, each.raw) for each in found] == [
        (22, 0, 5, b"abc", one),
        (21, 1, 1 << 40, b"", other),
    ]


def test_what_follows_a_record_of_unknown_kind_still_counts() -> None:
    good = record(Content.HANDSHAKE, 0, 0, b"x")
    assert len(records(record(26, 0, 0, b"ack") + good)) == 1
    assert len(records(record(22, 0, 0, b"tls", version=0x0303) + good)) == 1


def test_a_wrong_length_ends_the_datagram() -> None:
    good = record(Content.HANDSHAKE, 0, 0, b"x")
    assert len(records(good + b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff" + b"y")) == 1


def test_fragments_that_reach_past_their_message_are_none() -> None:
    assert fragments(fragment(11, 10, 3, 8, b"abc")) == []
    assert fragments(fragment(11, 10, 3, 8, b"ab"))[0].data == b"ab"
    assert fragments(whole(14, 5, b"")) == [(14, 0, 5, 0, b"")]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parsers_raise(data: bytes) -> None:
    for found in records(data):
        fragments(found.payload)
    fragments(data)
