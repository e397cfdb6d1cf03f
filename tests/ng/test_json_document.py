"""JSON as NG messages have it (ng-protocol.md §1.2)."""

import json
from contextlib import suppress
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.errors import RequestError
from ngdaemon.ng import json_document

from .documents import documents


def decode(document: bytes | str) -> dict[str, object]:
    return json_document.decode(document if isinstance(document, bytes) else document.encode(), 32, 4096)


@given(documents())
def test_what_is_encoded_decodes_to_the_same(dictionary: dict[str, object]) -> None:
    assert decode(json_document.encode(dictionary)) == dictionary


@given(documents())
def test_what_is_encoded_is_json(dictionary: dict[str, object]) -> None:
    assert json.loads(json_document.encode(dictionary)) == dictionary


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ('{ "command" : "ping" }', {"command": "ping"}),
        (r'{"\u0063ommand":"p\u0069ng"}', {"command": "ping"}),
        ('{"x":1.5,"y":null,"z":true,"w":{"a":[1,{"b":false}]},"v":1e3}', None),
        ('{"command":"ping","command":"list"}', {"command": "list"}),
        ('{"x":123456789012345678901234567890}', {"x": 123456789012345678901234567890}),
        (r'{"x":"\ud83d\ude00"}', {"x": "😀"}),
        (r'{"x":"\\ud800"}', {"x": r"\ud800"}),
        ('{"sdp":"v=0\r\ns=-\r\n"}', {"sdp": "v=0\r\ns=-\r\n"}),
        ("{}", {}),
        ('{"a":1} \n\t', {"a": 1}),
    ],
)
def test_json_is_read(document: str, value: dict[str, object] | None) -> None:
    assert decode(document) == (json.loads(document) if value is None else value)


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("{'command':'ping'}", {"command": "ping"}),
        ("{'a':'say \"so\"'}", {"a": 'say "so"'}),
        (r"{'a':'it\'s'}", {"a": "it's"}),
        (r"{'a':'\"\n\\'}", {"a": '"\n\\'}),
        ('{"a":"it\'s", \'b\':"/* no */"}', {"a": "it's", "b": "/* no */"}),
        ('{/* which */"command"/**/:/* * / */"ping"/***/}', {"command": "ping"}),
        ('{"command":"ping"}{"command":"list"}', {"command": "ping"}),
        ('{"command":"ping"} {} /* and */ {"a":[1]}', {"command": "ping"}),
    ],
)
def test_single_quotes_comments_and_further_objects_are_let_pass(document: str, value: dict[str, object]) -> None:
    assert decode(document) == value


@pytest.mark.parametrize(
    "document",
    [
        '{"command":"ping"}x',
        '{"command":"ping"',
        '{"command":"ping",}',
        '{"command":"ping"}[]',
        '{"command":"ping"}{',
        '{"command":"ping"} /*',
        "{'command':'ping}",
        "{'command':\"ping}",
        "{command:1}",
        '{"x":[1,]}',
        '{"x":NaN}',
        '{"x":-Infinity}',
        '{"x":01}',
        '{"x":"\\ud800"}',
        "{'x':'\\udfff'}",
        '{"x":{"\\ude00":1}}',
        '{"x":"\\q"}',
        b'{"x":"\xff"}',
        b'{"x":"\xed\xa0\x80"}',
        b"{",
    ],
)
def test_malformed_json_is_refused(document: bytes | str) -> None:
    with pytest.raises(RequestError, match=r"^Failed to parse JSON document$"):
        decode(document)


@pytest.mark.parametrize("document", ["[]", "5", '"text"', "null", "true"])
def test_json_that_is_no_object_is_refused(document: str) -> None:
    with pytest.raises(RequestError, match=r"^Could not decode JSON dictionary$"):
        decode(document)


def test_nesting_is_bounded() -> None:
    assert json_document.decode(b'{"a":[[5]]}', max_depth=3, max_items=10) == {"a": [[5]]}
    with pytest.raises(RequestError, match="nested deeper than 3 levels"):
        json_document.decode(b'{"a":[[[5]]]}', max_depth=3, max_items=10)


def test_wide_is_not_deep() -> None:
    assert json_document.decode(b'{"a":[[],[],[],[],[]]}', max_depth=3, max_items=10)


def test_brackets_inside_strings_do_not_count() -> None:
    assert json_document.decode(b'{"a":"[[[[[[,,,,,,,,,,,,"}', max_depth=3, max_items=10)


@pytest.mark.parametrize("document", [b'{"a":[1,2,3,4,5,6,7,8,9,10,11]}', b'{"a":[[],[],[],[],[],[],[],[],[],[],[]]}'])
def test_the_number_of_items_is_bounded(document: bytes) -> None:
    with pytest.raises(RequestError, match="too many items"):
        json_document.decode(document, max_depth=3, max_items=10)


@given(st.text(alphabet="{}[]\"'\\/*:,1a \n", max_size=60))
def test_no_text_is_worse_than_refused(text: str) -> None:
    with suppress(RequestError):
        assert isinstance(decode("{" + text), dict)


def test_plain_types_are_encoded() -> None:
    reply = MappingProxyType({"yes": True, "no": [False], "text": "ü", "tuple": (MappingProxyType({"n": -1}),)})
    assert json_document.encode(reply).decode() == '{"yes":1,"no":[0],"text":"ü","tuple":[{"n":-1}]}'


def test_bytes_that_are_not_text_do_not_spoil_json() -> None:
    assert json_document.encode({"name": b"M\xfcller".decode("utf-8", "surrogateescape")}) == b'{"name":"M?ller"}'


@pytest.mark.parametrize("value", [None, 1.5, b"bytes", {"set"}])
def test_other_types_are_a_mistake_of_the_caller(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        json_document.encode({"key": [value]})
