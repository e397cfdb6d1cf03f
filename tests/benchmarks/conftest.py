"""A place for daemons that tests measure: beside that of benchmarks, so that both can run at once."""

import os
import socket

import pytest

from benchmarks.daemons import Site


@pytest.fixture
def site() -> Site:
    cores = sorted(os.sched_getaffinity(0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.7.11", 0))
        port: int = probe.getsockname()[1]
    return Site("127.0.7.11", "127.0.7.12", "127.0.7.13", port, daemon_core=cores[0], load_core=cores[-1])
