"""Interoperability tests need root and the real peers: without them they are left out, in CI they fail instead."""

import functools
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from . import chromium, network
from .gateway import daemon_under_test
from .site import Site

_PEERS = ("kamailio", "kamcmd", "sipp", "baresip", "tshark", "ip", "nft")
_TAIL = 60  # lines of each log in the report of a failed test

_failed = pytest.StashKey[bool]()
_left_out = pytest.StashKey[list[str]]()


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


@functools.cache
def _missing_for_browsers() -> str:
    """Why the tests with a browser cannot run here; empty when they can."""
    absent = chromium.missing()
    return f"not installed: {', '.join(absent)}" if absent else ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CI") == "true":
        return
    for marker, reason in (("interop", _missing()), ("browser", _missing_for_browsers())):
        ours = [item for item in items if reason and item.get_closest_marker(marker)]
        if ours:
            config.stash.setdefault(_left_out, []).append(f"{marker} tests left out: {reason}")
            config.hook.pytest_deselected(items=ours)
            items[:] = [item for item in items if item not in ours]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_left_out, []):
        terminalreporter.write_line(line, yellow=True)


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


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    reason = _missing_for_browsers()
    if reason:
        pytest.fail(reason)
    with sync_playwright() as running:
        yield running


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


@pytest.fixture
def secure_site(new_site: Site) -> Site:
    """The same with the proxy for phones that encrypt."""
    new_site.start_webrtc()
    return new_site


@pytest.fixture
def web_site(new_site: Site, playwright: Playwright) -> Site:
    """The same with browsers."""
    new_site.playwright = playwright
    new_site.start_webrtc()
    return new_site
