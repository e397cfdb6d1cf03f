"""Our own scenarios: each file is what its requests lead to, to the last character."""

from pathlib import Path

import pytest

from tests.scenarios.play import played, scenarios


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in scenarios().items()])
def test_replies_and_plans(path: Path) -> None:
    text = path.read_text("utf-8")
    assert played(text) == text, "if that is how it should be: python -m tests.scenarios.play --write"
