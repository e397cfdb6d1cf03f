"""One runner for the whole corpus."""

from collections.abc import Iterator

import pytest

from tests.golden.runner import Runner


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(tmp_path_factory.mktemp("golden")) as playing:
        yield playing
