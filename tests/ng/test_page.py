"""docs/ng-protocol.md says what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ngdaemon
from ngdaemon.ng import flags, keys
from ngdaemon.ng.flags import FlagRow, Support
from ngdaemon.ng.readers import Key

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(ngdaemon.__file__).parent
USERS = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.parent.name != "ng")
"""The code that is told what a message asks for."""


def test_the_page_is_current() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "tools.ng_protocol_page", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stderr) == (0, "")


def test_every_difference_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (D-[A-Z0-9-]+) \|.*\| ([^|]+) \|$", (ROOT / "docs" / "ng-protocol.md").read_text(), re.M)
    assert rows
    for name, tests in rows:
        paths = re.findall(r"`([^`]+)`", tests)
        assert paths, name
        assert [path for path in paths if not (ROOT / path.split("::")[0]).is_file()] == [], name


@pytest.mark.parametrize("row", [row for rows in keys.SECTIONS.values() for row in rows], ids=lambda row: row.name)
def test_a_key_is_said_to_work_if_its_value_is_used(row: Key) -> None:
    fields = {str(meaning) for meaning in row.words.values()} if row.name == "extmap" else {row.field} - {""}
    used = all(re.search(rf'\boptions\.{field}\b|"{field}"', USERS) for field in fields)
    read = any(re.search(rf"\boptions\.{field}\b", USERS) for field in fields)
    assert used or row.support is not Support.YES
    assert not read or row.support is not Support.NO


@pytest.mark.parametrize("row", flags.ROWS, ids=lambda row: row.flag.value)
def test_a_flag_is_said_to_work_if_it_is_used(row: FlagRow) -> None:
    used = re.search(rf"\bFlag\.{row.flag.name}\b", USERS) is not None
    assert used == (row.support is Support.YES) or row.says
