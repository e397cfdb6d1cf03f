"""Many calls at the same moment: each handshake has its turn, and none is taken for another."""

import pytest

from .dtls import DtlsPeer
from .lab import Call, Lab
from .peer import Peer

pytestmark = pytest.mark.interop

CALLS = 100
PATIENCE = 60.0


@pytest.mark.parametrize("ice", [False, True], ids=["without ICE", "ICE"])
def test_a_hundred_dtls_calls_set_up_at_once_have_media(new_lab: Lab, ice: bool) -> None:
    """Offers to all of them, then the answers of all of them, then all handshakes together."""
    lab = new_lab
    lab.start("--port-max=31999")
    calls: list[Call] = []
    for number in range(CALLS):
        caller = Peer(f"alice{number:03}", lab.alice_host)
        calls.append(lab.call(caller, DtlsPeer(f"bob{number:03}", lab.bob_host, ice)))
    for call in calls:
        call.offer(transport_protocol="UDP/TLS/RTP/SAVPF", ICE="force" if ice else "remove", rtcp_mux=["require"])
    for call in calls:
        call.answer()
        call.caller.talking = call.callee.talking = True
    heard = {call.id: False for call in calls}

    def all_heard() -> bool:
        for call in calls:
            heard[call.id] = heard[call.id] or bool(call.caller.hears(call.callee) and call.callee.hears(call.caller))
        return all(heard.values())

    lab.stage.until(all_heard, "media in every call", PATIENCE)
    for call in calls:
        others = [packet for packet in call.caller.heard if not packet.payload.startswith(call.callee.name.encode())]
        assert not others
    assert lab.ask(command="ping")["result"] == "pong"
