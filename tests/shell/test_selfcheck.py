"""The start stops where SRTP does not work."""

import pytest

from ngdaemon.base.errors import ConfigError
from ngdaemon.shell import selfcheck
from ngdaemon.shell.rng import SystemRng
from ngdaemon.srtp.context import Outbound


def test_our_srtp_and_that_of_libsrtp_understand_each_other() -> None:
    selfcheck.check_srtp(SystemRng())


@pytest.mark.parametrize("what", ["rtp", "rtcp"])
def test_srtp_that_libsrtp_does_not_understand_stops_the_start(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    right = getattr(Outbound, what)

    def wrong(self: Outbound, packet: bytes) -> bytes:
        done: bytes = right(self, packet)
        return done[:-1] + bytes([done[-1] ^ 1])

    monkeypatch.setattr(Outbound, what, wrong)
    with pytest.raises(ConfigError, match="SRTP self-check: AEAD_AES_256_GCM"):
        selfcheck.check_srtp(SystemRng())
