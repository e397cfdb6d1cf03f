"""Ids are found in all the places where tests may name them, and nowhere else."""

from pathlib import Path

import pytest

from tools.evidence import Evidence, Rank, collect, every_test

_PLACES = {
    "name": ("def test_hs_04_first_timer(): pass", Evidence(Rank.NAME, "x/test_a.py", "test_hs_04_first_timer")),
    "end of the name": ("def test_timer_hs_04(): pass", Evidence(Rank.NAME, "x/test_a.py", "test_timer_hs_04")),
    "docstring": ("def test_a():\n  'One (HS-04).'", Evidence(Rank.DOCSTRING, "x/test_a.py", "test_a")),
    "class": ("class TestA:\n  'HS-04'\n  def test_a(self): pass", Evidence(Rank.CLASS, "x/test_a.py", "TestA")),
    "state machine": ("class M:\n  'HS-04'\nTestM = M.TestCase", Evidence(Rank.CLASS, "x/test_a.py", "TestM")),
    "module": ("'HS-04'\ndef test_a(): pass", Evidence(Rank.MODULE, "x/test_a.py", "")),
    "method": (
        "class TestA:\n  def test_hs_04(self): pass",
        Evidence(Rank.NAME, "x/test_a.py", "TestA::test_hs_04"),
    ),
    "parameter": (
        "@mark.parametrize('x', [pytest.param(1, id='HS-04 late')])\ndef test_a(): pass",
        Evidence(Rank.PARAMETER, "x/test_a.py", "test_a"),
    ),
    "table of parameters": (
        "CASES = [pytest.param(1, id='HS-04')]\n@mark.parametrize('x', CASES)\ndef test_a(): pass",
        Evidence(Rank.PARAMETER, "x/test_a.py", "test_a"),
    ),
}


@pytest.mark.parametrize("place", _PLACES)
def test_an_id_is_found(tmp_path: Path, place: str) -> None:
    text, expected = _PLACES[place]
    assert collect(_tree(tmp_path, text))["HS-04"] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "'HS-04'",  # a module without tests
        "def helper_hs_04(): pass",
        "def test_a():\n  # HS-04\n  x = 'HS-04'",
        "CASES = [pytest.param(1, id='HS-04')]\ndef test_a(): pass",
        "def test_hs_041(): 'HS-041 AHS-04'",
    ],
)
def test_no_id_is_found(tmp_path: Path, text: str) -> None:
    assert "HS-04" not in collect(_tree(tmp_path, text))


def test_attack_cases_are_ids_as_well(tmp_path: Path) -> None:
    found = collect(_tree(tmp_path, "def test_spray_s01():\n  'Also S02.'"))
    assert {requirement: evidence[0].rank for requirement, evidence in found.items()} == {
        "S01": Rank.NAME,
        "S02": Rank.DOCSTRING,
    }


def test_the_closest_comes_first(tmp_path: Path) -> None:
    found = collect(_tree(tmp_path, "'HS-04'\ndef test_a():\n  'HS-04'\ndef test_hs_04(): pass"))
    assert [evidence.rank for evidence in found["HS-04"]] == [Rank.NAME, Rank.DOCSTRING, Rank.MODULE]


def test_all_tests_are_listed(tmp_path: Path) -> None:
    root = _tree(tmp_path, "def test_a(): pass\nclass TestB:\n  def test_c(self): pass\n  def help(self): pass")
    assert every_test(root) == {"x/test_a.py::test_a", "x/test_a.py::TestB::test_c"}


def _tree(folder: Path, text: str) -> Path:
    (folder / "x").mkdir()
    (folder / "x" / "test_a.py").write_text(text)
    return folder
