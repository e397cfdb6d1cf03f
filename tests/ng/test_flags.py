"""The table of flags."""

from collections import Counter

from ngdaemon.ng import flags
from ngdaemon.ng.flags import Flag, Support


def test_every_flag_has_one_row() -> None:
    assert Counter(row.flag for row in flags.ROWS) == Counter(dict.fromkeys(Flag, 1))


def test_members_are_named_as_they_are_spelled() -> None:
    assert [flag.name for flag in Flag] == [flag.value.upper().replace("-", "_") for flag in Flag]


def test_no_spelling_means_two_flags() -> None:
    names = Counter(name for row in flags.ROWS for name in (row.flag.value, *row.also))
    assert max(names.values()) == 1


def test_every_row_says_what_it_is_for() -> None:
    assert all(row.help and isinstance(row.support, Support) for row in flags.ROWS)
