"""Warnings of ports that will not be there."""

from pathlib import Path

import pytest

from ngdaemon.base.endpoint import Interface
from ngdaemon.config import Config
from ngdaemon.config.values import PortRange
from ngdaemon.shell.limits import raise_descriptors, warnings

ONE = (Interface("default", "192.0.2.1", "192.0.2.1"),)
TWO = (*ONE, Interface("other", "192.0.2.2", "192.0.2.2"), Interface("alias", "192.0.2.2", "192.0.2.2"))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """The kernel's settings: no port of our range is given to others."""
    (tmp_path / "ip_local_port_range").write_text("32768\t60999\n")
    (tmp_path / "ip_local_reserved_ports").write_text("\n")
    return tmp_path


def test_a_range_beside_the_kernels_needs_no_word(proc: Path) -> None:
    assert warnings(Config(interfaces=ONE, port_min=20000, port_max=29999), 20000, proc) == []


def test_an_overlap_is_named_with_its_remedy(proc: Path) -> None:
    (line,) = warnings(Config(interfaces=ONE), 1_000_000, proc)
    assert "32768 to 39999" in line
    assert "ip_local_reserved_ports=30000-39999" in line


def test_reserved_ports_do_not_overlap(proc: Path) -> None:
    (proc / "ip_local_reserved_ports").write_text("8080,30000-35000,35001-40000\n")
    assert warnings(Config(interfaces=ONE), 1_000_000, proc) == []


def test_too_few_descriptors_are_named_with_numbers(proc: Path) -> None:
    (line,) = warnings(Config(interfaces=TWO, port_min=20000, port_max=20999), 2000, proc)
    assert "2000 media ports" in line
    assert "only 2000 files" in line
    assert "LimitNOFILE" in line
    assert "2064" in line


def test_ports_are_counted_by_address_and_without_excluded_ones(proc: Path) -> None:
    own = PortRange(20000, 20009, frozenset({20001, 5}))
    config = Config(interfaces=TWO, port_min=21000, port_max=21099, port_ranges=(("192.0.2.2", own),))
    (line,) = warnings(config, 100, proc)
    assert "109 media ports" in line


def test_without_the_kernels_files_nothing_is_said(tmp_path: Path) -> None:
    assert warnings(Config(interfaces=ONE), 1_000_000, tmp_path) == []


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    import resource

    assert raise_descriptors() == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
