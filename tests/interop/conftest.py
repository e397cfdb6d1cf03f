"""Interoperability tests need root and the real peers: without them they are left out, in CI they fail instead."""

import functools
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from . import network
from .gateway import daemon_under_test
from .site import Site

_PEERS = ("kamailio", "kamcmd", "sipp", "baresip", "tshark", "ip", "nft")
_TAIL = 60  # lines of each log in the report of a failed test

_failed = pytest.StashKey[bool]()
_left_out = pytest.StashKey[str]()


@functools.cache
def _missing() -> str:
    """Why the tests cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    peers = _PEERS if daemon_under_test() == "ngdaemon" else (*_PEERS, daemon_under_test())
    absent = [peer for peer in peers if not shutil.which(peer)]
    if absent:
        return f"not installed: {', '.join(absent)} (see tests/interop/packages.txt)"
    allowed = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    return "" if allowed else "no right to make network namespaces"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reason = _missing()
    if not reason or os.environ.get("CI") == "true":
        return
    ours = [item for item in items if item.get_closest_marker("interop")]
    if ours:
        config.stash[_left_out] = reason
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reason = config.stash.get(_left_out, "")
    if reason:
        terminalreporter.write_line(f"interop tests left out: {reason}", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed] = True
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        for log in sorted(folder.rglob("*.log")) if folder else ():
            lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
            report.sections.append((str(log.relative_to(folder)), "\n".join(lines)))
    return report


@pytest.fixture(scope="session", autouse=True)
def _peers() -> None:
    reason = _missing()
    if reason:
        pytest.fail(reason)
    network.sweep()


@pytest.fixture
def new_site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site with nothing started; what `Site.check` says holds at the end of each test that came to its end."""
    site = Site(tmp_path)
    try:
        yield site
        if request.node.stash.get(_failed, False):
            site.save_captures()
        else:
            site.check()
    finally:
        site.close()


@pytest.fixture
def site(new_site: Site) -> Site:
    """A site with the proxy and one media node."""
    new_site.start()
    return new_site
