"""The page shows what is tested and what is not, and the check finds what the list says and is not so."""

from pathlib import Path

import pytest

from tools import security_page
from tools.security_page import main

_LIST = """
complete = {complete}
not_done = {{ {not_done} }}
not_applicable = {{ {not_applicable} }}
shown_by = {{ {shown_by} }}
[[sections]]
title = "Handshake"
requirements = [{{ id = "HS-01", level = 1, text = "One | two" }}, {{ id = "HS-02", level = 2, text = "Three" }}]
"""


class Tree:
    """A tests folder with one test, and the page made of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        (root / "attacks").mkdir()
        (root / "test_a.py").write_text("def test_hs_02(): pass")
        monkeypatch.setattr(security_page, "TESTS", root)
        monkeypatch.setattr(security_page, "REQUIREMENTS", root / "requirements.toml")
        monkeypatch.setattr(security_page, "ATTACKS", root / "attacks" / "results.json")
        monkeypatch.setattr(security_page, "PAGE", root / "security.md")

    def say(self, complete: str = "true", not_done: str = "", not_applicable: str = "", shown_by: str = "") -> "Tree":
        text = _LIST.format(complete=complete, not_done=not_done, not_applicable=not_applicable, shown_by=shown_by)
        (self.root / "requirements.toml").write_text(text)
        return self

    def page(self) -> str:
        assert main([]) == 0
        return (self.root / "security.md").read_text()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, monkeypatch)


def test_each_requirement_is_a_row_with_its_state(tree: Tree) -> None:
    page = tree.say(not_done='"HS-01" = "no time"').page()
    assert "| HS-01 | 1 | One \\| two | – | not done: no time |" in page
    assert "| HS-02 | 2 | Three | [test_a.py](../tests/test_a.py): `test_hs_02` | tested |" in page
    assert "Tested: 0 of 1 of level 1, 1 of 1 of level 2." in page


def test_a_test_may_show_what_it_does_not_name(tree: Tree) -> None:
    page = tree.say(shown_by='"HS-01" = ["test_a.py::test_hs_02"]').page()
    assert "| HS-01 | 1 | One \\| two | [test_a.py](../tests/test_a.py): `test_hs_02` | tested |" in page


def test_recorded_attacks_are_compared(tree: Tree) -> None:
    (tree.root / "attacks" / "results.json").write_text(
        '{"us": [{"case": "S01", "attack": "spray", "measured": "0", "held": true}],'
        ' "them": [{"case": "S01", "attack": "spray", "measured": "9", "held": false}]}'
    )
    page = tree.say().page()
    assert "| spray | held: 0 | **broken**: 9 |" in page
    assert "Held: 1 of 1 by us, 0 of 1 by them." in page


@pytest.mark.parametrize(("complete", "code"), [("true", 1), ("false", 0)])
def test_a_hole_fails_once_the_list_is_complete(
    tree: Tree, capsys: pytest.CaptureFixture[str], complete: str, code: int
) -> None:
    tree.say(complete=complete).page()
    assert main(["--check"]) == code
    assert "without a reason: HS-01" in capsys.readouterr().err


def test_a_page_that_is_not_current_fails(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.say(not_done='"HS-01" = "no time"').page()
    assert main(["--check"]) == 0
    (tree.root / "test_b.py").write_text("def test_a(): 'HS-02'")
    assert main(["--check"]) == 1
    assert "not current" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ({"not_done": '"HS-02" = "no time"'}, "HS-02 has a test and a reason for having none"),
        ({"not_applicable": '"HS-03" = "no such thing"'}, "HS-03 is not in the list"),
        ({"shown_by": '"HS-01" = ["test_a.py::test_gone"]'}, "there is no test test_a.py::test_gone"),
    ],
)
def test_a_list_that_is_wrong_fails(
    tree: Tree, capsys: pytest.CaptureFixture[str], said: dict[str, str], mistake: str
) -> None:
    tree.say(**said).page()
    assert main(["--check"]) == 1
    assert mistake in capsys.readouterr().err
