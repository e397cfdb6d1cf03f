"""The control port under load that calls leave behind (S20), and in the hands of strangers (S18)."""

import pytest

from .lab import NG_PORT, Lab
from .peer import Peer
from .verdict import Verdicts

pytestmark = pytest.mark.interop

_CALLS = 1000
_DELAY = 30  # seconds for which a deleted call lives on


def test_pending_deletes_hold_up_no_reply_s20(new_lab: Lab, verdict: Verdicts) -> None:
    """S20: a thousand calls wait for their end; requests are answered meanwhile, each of them."""
    lab = new_lab
    lab.gateway.start()
    sdp = lab.stage.enter(Peer("alice", lab.alice_host)).describe()
    for number in range(_CALLS):
        offer = lab.ask(command="offer", call_id=f"pending-{number}", from_tag="a", sdp=sdp)
        deleted = lab.ask(command="delete", call_id=f"pending-{number}", from_tag="a", delete_delay=_DELAY)
        assert (offer["result"], deleted["result"]) == ("ok", "ok")
    answers = [lab.ask(command="query", call_id=f"pending-{number}").get("result") for number in range(0, _CALLS, 5)]
    missing = sum(answer != "ok" for answer in answers)
    verdict("S20", f"{_CALLS} pending deletes", not missing, f"{missing} of {len(answers)} requests without reply")


def test_strangers_have_no_say_s18(lab: Lab, verdict: Verdicts) -> None:
    """S18: a host of the network sends requests to the control port, and to media ports."""
    call = lab.call(Peer("alice", lab.alice_host), Peer("bob", lab.bob_host))
    call.set_up()
    assert call.heard()
    stranger = lab.stranger()
    request = f"x1 d7:call-id{len(call.id)}:{call.id}7:command6:delete8:from-tag6:callere".encode()
    targets = [endpoint._replace(port=NG_PORT) for endpoint in call.ports()] + list(call.ports())
    for target in targets:
        stranger.send(request, target)
        stranger.spoof(call.caller.endpoint, target, request)
    talk = call.heard()
    replies = len(stranger.received)
    measured = f"{replies} replies, {'the call lives' if talk else 'the call ended'}"
    verdict("S18", "requests from the network of the phones", talk and not replies, measured)
