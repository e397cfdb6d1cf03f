"""No key of a peer ever comes back in a reply, whatever the corpus asks for (SDES-05, SDES-17)."""

import json
import logging
import re

import pytest

from ngdaemon.base.endpoint import Interface
from tests.golden import record
from tests.golden.runner import Case, cases
from tests.support.daemon import Daemon

KEY = re.compile(r"inline:([A-Za-z0-9+/]{27,})")
"""Long enough to be a key and salt, without padding."""
RELAYED = re.compile(r"""mode(=|": ")relay""")
LOOPBACK = Interface("default", "127.0.0.1", "127.0.0.1")


def asked(case: Case) -> str:
    """All requests of a scenario."""
    return json.dumps(
        [{name: value for name, value in step.items() if name != "expect"} for step in case.scenario["steps"]]
    )


def is_kept_in(case: Case) -> bool:
    """Whether a scenario sends nothing but requests."""
    return not any("rtp" in step for step in case.scenario["steps"])


KEYED = [case for case in cases() if KEY.search(asked(case)) and not RELAYED.search(asked(case)) and is_kept_in(case)]
"""Scenarios whose peers tell keys; `mode=relay` passes them on because it was asked to."""


def test_the_corpus_has_keys() -> None:
    assert len(KEYED) > 100


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in KEYED])
def test_no_key_of_a_peer_is_in_a_reply(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        daemon = Daemon((LOOPBACK,), allow_weak=("sha-1", "suites", "null", "unprotected"))
        replies = json.dumps(record.play(daemon, case.scenario))
    for key in set(KEY.findall(asked(case))):
        assert key not in replies
        assert key not in caplog.text
