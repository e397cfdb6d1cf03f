"""The lab needs root and namespaces, as the tests of interoperability do: without them its tests are left out."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import network
from tests.interop.conftest import pytest_runtest_makereport as pytest_runtest_makereport  # logs of failed tests
from tests.interop.gateway import daemon_under_test

from .lab import Lab
from .verdict import RECORD_VARIABLE, Verdicts

_NEEDED = ("ip", "unshare")


def _missing() -> str:
    """Why the lab cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    programs = _NEEDED if daemon_under_test() == "ngdaemon" else (*_NEEDED, daemon_under_test())
    absent = [program for program in programs if not shutil.which(program)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    allowed = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    return "" if allowed else "no right to make network namespaces"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    if ours and os.environ.get("CI") != "true" and _missing():
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session", autouse=True)
def _namespaces() -> None:
    reason = _missing()
    if reason:
        pytest.fail(reason)
    network.sweep()


@pytest.fixture(scope="session")
def verdict() -> Iterator[Verdicts]:
    """Says what came of an attack; with ATTACKS_RECORD=1 it goes into results.json."""
    verdicts = Verdicts()
    yield verdicts
    if os.environ.get(RECORD_VARIABLE):
        verdicts.record()


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose daemon is not started yet. At the end of the test our daemon must still run, and stop cleanly."""
    lab = Lab(tmp_path)
    try:
        yield lab
        if lab.is_ours and lab.gateway.process:
            lab.gateway.process.check_running()
            lab.gateway.check_end()
    finally:
        lab.close()


@pytest.fixture
def lab(new_lab: Lab) -> Lab:
    """A lab whose daemon runs with its default configuration."""
    new_lab.start()
    return new_lab
