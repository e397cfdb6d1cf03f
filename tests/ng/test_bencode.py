"""Bencode as NG messages have it (ng-protocol.md §1.2)."""

from collections import OrderedDict
from types import MappingProxyType

import bencodepy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.errors import RequestError
from ngdaemon.ng import bencode

from .documents import documents


def decode(document: bytes) -> dict[str, object]:
    return bencode.decode(document, max_depth=32, max_items=4096)


@given(documents())
def test_what_is_encoded_decodes_to_the_same(dictionary: dict[str, object]) -> None:
    assert decode(bencode.encode(dictionary)) == dictionary


@given(documents())
def test_the_library_reads_what_is_encoded(dictionary: dict[str, object]) -> None:
    assert bencodepy.decode(bencode.encode(dictionary)) == as_bytes(dictionary)


@given(documents())
def test_what_the_library_encodes_decodes_to_the_same(dictionary: dict[str, object]) -> None:
    assert decode(bencodepy.encode(as_bytes(dictionary))) == dictionary


@given(documents(), st.binary(max_size=20))
def test_bytes_behind_the_dictionary_are_ignored(dictionary: dict[str, object], rest: bytes) -> None:
    assert decode(bencode.encode(dictionary) + rest) == dictionary


@given(documents())
def test_the_last_end_may_be_missing(dictionary: dict[str, object]) -> None:
    assert decode(bencode.encode(dictionary)[:-1]) == dictionary


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"d1:ni-0ee", 0),
        (b"d1:ni+5ee", 5),
        (b"d1:ni-12ee", -12),
        (b"d1:ni9223372036854775807ee", 2**63 - 1),
        (b"d1:ni9223372036854775808ee", 2**63 - 1),
        (b"d1:ni-99999999999999999999ee", -(2**63) + 1),
        (b"d1:ni" + b"7" * 60_000 + b"ee", 2**63 - 1),
    ],
)
def test_integers_may_have_a_sign_and_any_number_of_digits(document: bytes, value: int) -> None:
    assert decode(document) == {"n": value}


@pytest.mark.parametrize(
    "document",
    [
        b"d1:ni05ee",
        b"d1:ni-05ee",
        b"d1:ni+05ee",
        b"d1:ni1_0ee",
        b"d1:ni 5ee",
        b"d1:ni5 ee",
        b"d1:niee",
        b"d1:ni-ee",
        b"d1:ni--5ee",
        b"d1:ni5.0ee",
        b"d1:ni\xb2ee",
        b"d1:ni5",
    ],
)
def test_an_integer_is_made_of_digits(document: bytes) -> None:
    with pytest.raises(RequestError, match=r"^Could not decode bencode dictionary$"):
        decode(document)


@pytest.mark.parametrize(
    "document",
    [
        b"d03:key1:xe",
        b"d3:key01:xe",
        b"d3:key1_0:0123456789e",
        b"d3:key-1:xe",
        b"d3:key+1:xe",
        b"d3:key 1:xe",
        b"d3:key:xe",
        b"d3:key999999999999:xe",
        b"d3:key9999999999999999999999:xe",
        b"d3:key3:xe",
        b"d3:key2:x",
        b"d3:key1000:" + b"x" * 999,
        b"d3:key1",
        b"d4:key",
    ],
)
def test_a_length_is_exact(document: bytes) -> None:
    with pytest.raises(RequestError, match=r"^Could not decode bencode dictionary$"):
        decode(document)


@pytest.mark.parametrize(
    "document",
    [
        b"di1e4:pinge",
        b"dle4:pinge",
        b"ddee",
        b"d7:command4:ping1:xe",
        b"d7:command4:pingdei0ee",
        b"d7:command4:pingx",
        b"d1:x",
        b"d1:xl",
        b"d1:xl1:a",
        b"d1:xd1:a1:b",
        b"d1:xl1:aX",
        b"d1:x\xff",
    ],
)
def test_keys_are_strings_and_have_values(document: bytes) -> None:
    with pytest.raises(RequestError, match=r"^Could not decode bencode dictionary$"):
        decode(document)


def test_a_lone_d_is_an_empty_dictionary() -> None:
    assert decode(b"d") == {}


def test_keys_need_no_order() -> None:
    assert list(decode(b"d1:z1:a7:command4:ping1:a1:be")) == ["z", "command", "a"]


def test_the_last_of_a_repeated_key_counts() -> None:
    assert decode(b"d1:k1:a1:k1:be") == {"k": "b"}


def test_the_first_of_a_repeated_command_counts() -> None:
    assert decode(b"d7:command4:list7:command4:pinge") == {"command": "list"}


@pytest.mark.parametrize("length", [0, 1, 9, 10, 99, 100, 999, 1000, 1001, 10_000])
def test_strings_of_any_length(length: int) -> None:
    assert decode(b"d1:s%d:%be" % (length, b"x" * length)) == {"s": "x" * length}


@given(st.binary(max_size=50))
def test_bytes_that_are_not_text_leave_as_they_came(data: bytes) -> None:
    value = decode(b"d1:s%d:%be" % (len(data), data))["s"]
    assert bencode.encode({"s": value}) == b"d1:s%d:%be" % (len(data), data)


def test_lengths_count_octets() -> None:
    assert bencode.encode({"ü": "€"}) == "d2:ü3:€e".encode()


def test_nesting_is_bounded() -> None:
    assert bencode.decode(b"d1:alleee", max_depth=3, max_items=10) == {"a": [[]]}
    with pytest.raises(RequestError, match="nested deeper than 3 levels"):
        bencode.decode(b"d1:allleeee", max_depth=3, max_items=10)
    with pytest.raises(RequestError, match="nested deeper than 3 levels"):
        bencode.decode(b"d1:ad1:ad1:adeeee", max_depth=3, max_items=10)


@pytest.mark.parametrize(
    "document", [b"d1:al" + b"0:" * 40, b"d1:al" + b"le" * 40, b"d1:al" + b"i1e" * 40, b"d" + b"0:0:" * 40]
)
def test_the_number_of_items_is_bounded(document: bytes) -> None:
    with pytest.raises(RequestError, match="too many items"):
        bencode.decode(document, max_depth=32, max_items=30)


def test_items_of_all_containers_count_together() -> None:
    document = b"d1:al" + b"l0:0:0:e" * 10 + b"ee"
    assert bencode.decode(document, max_depth=32, max_items=60)
    with pytest.raises(RequestError, match="too many items"):
        bencode.decode(document, max_depth=32, max_items=40)


def test_a_refused_message_does_not_harm_the_next_one() -> None:
    with pytest.raises(RequestError):
        bencode.decode(b"d1:al" + b"0:" * 40, max_depth=32, max_items=30)
    assert bencode.decode(b"d1:al0:0:ee", max_depth=32, max_items=30) == {"a": ["", ""]}


def test_the_order_of_keys_is_kept() -> None:
    assert bencode.encode({"sdp": "v", "result": "ok", "a": 1}) == b"d3:sdp1:v6:result2:ok1:ai1ee"


def test_plain_types_are_encoded() -> None:
    reply = {"yes": True, "no": False, "list": [1, -2, "x"], "tuple": ({"a": ()},)}
    assert bencode.encode(reply) == b"d3:yesi1e2:noi0e4:listli1ei-2e1:xe5:tupleld1:aleeee"


def test_any_mapping_is_encoded() -> None:
    reply = MappingProxyType({"b": OrderedDict(z=1, a=2), "a": MappingProxyType({})})
    assert bencode.encode(reply) == b"d1:bd1:zi1e1:ai2ee1:adee"


@pytest.mark.parametrize("value", [None, 1.5, b"bytes", {"set"}, object()])
def test_other_types_are_a_mistake_of_the_caller(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        bencode.encode({"key": [value]})


def as_bytes(value: object) -> object:
    """The value with all text as UTF-8, as the library has it."""
    match value:
        case str():
            return value.encode()
        case list():
            return [as_bytes(item) for item in value]
        case dict():
            return {as_bytes(key): as_bytes(item) for key, item in value.items()}
    return value


def test_a_fixed_dictionary_is_written_as_any_other_one() -> None:
    fixed = bencode.Fixed(port=9, address="198.51.100.1")
    reply = {"a": fixed, "b": [fixed, {"c": fixed}]}
    plain = {"port": 9, "address": "198.51.100.1"}
    for _ in range(2):
        assert bencode.encode(reply) == bencode.encode({"a": plain, "b": [plain, {"c": plain}]})
    assert reply["a"] == plain
