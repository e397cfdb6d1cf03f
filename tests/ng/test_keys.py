"""The table of keys."""

from collections import Counter
from dataclasses import fields

from ngdaemon.ng import keys
from ngdaemon.ng.flags import Support
from ngdaemon.ng.options import LONG_FLAGS, Options

ROWS = [row for rows in keys.SECTIONS.values() for row in rows]


def test_no_spelling_means_two_keys() -> None:
    names = Counter(name.lower() for row in ROWS for name in (row.name, *row.also))
    assert {name for name, count in names.items() if count > 1} == set()


def test_every_row_fills_a_field_or_none() -> None:
    known = {field.name for field in fields(Options)}
    filled = {row.field for row in ROWS if row.name != "extmap"} - {""}
    assert filled <= known


def test_every_field_is_filled_by_a_row() -> None:
    filled = {row.field for row in ROWS} | {str(meaning) for row in ROWS for meaning in row.words.values()}
    assert {field.name for field in fields(Options)} - filled == {"flags", "raw_flags", "unknown", "unsupported"}


def test_what_is_not_supported_yet_is_among_the_words() -> None:
    for row in ROWS:
        assert row.later <= set(row.words.values()), row.name
        assert not (row.later and row.support is Support.NO), row.name


def test_long_flags_stand_for_keys() -> None:
    assert {key for key, _ in LONG_FLAGS.values()} <= set(keys.BY_SPELLING)
