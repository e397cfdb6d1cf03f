"""Ports of either forwarder, and what they take of the system."""

import os
import socket

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.media.plan import Plan, Socket

HERE = "127.0.0.1"
CALL = CallId("call")


def free() -> Endpoint:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HERE, 0))
        return Endpoint(HERE, probe.getsockname()[1])


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def check_descriptors(forwarder: Forwarder) -> None:
    """Ports that are refused, given back, and closed leave no descriptor behind."""
    before = descriptors()
    for _ in range(20):
        first, second = free(), free()
        number = forwarder.bind(CALL, first)
        with pytest.raises(PortUnavailable):
            forwarder.bind(CALL, first)
        other = forwarder.bind(CALL, second)
        forwarder.apply(CALL, Plan((Socket(number, None),)))
        assert descriptors() == before + 1
        forwarder.unbind(other)
        forwarder.apply(CALL, Plan())
        assert descriptors() == before
