"""Against the ICE agent of rtpengine, in both roles, with one component and two."""

import asyncio
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bencodepy
import pytest

from ngdaemon.ice import candidate as candidates
from ngdaemon.ice.report import Remote
from tests.ice.loopback import LIMIT, LOOPBACK, Gateway, until

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("rtpengine") is None, reason="rtpengine is not installed"),
]

PLAIN = f"v=0\r\no=- 1 1 IN IP4 {LOOPBACK}\r\ns=-\r\nc=IN IP4 {LOOPBACK}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


class Rtpengine:
    """A running rtpengine, and its control port."""

    def __init__(self, log: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, 0))
            self._port = probe.getsockname()[1]
        self._cookies = itertools.count()
        command = ["rtpengine", f"--interface={LOOPBACK}", f"--listen-ng={LOOPBACK}:{self._port}", "--table=-1"]
        command += ["--foreground", "--log-stderr", "--num-threads=1"]
        with log.open("wb") as output:
            self._child = subprocess.Popen(command, stdout=output, stderr=output)

    def stop(self) -> None:
        self._child.terminate()
        self._child.wait(LIMIT)

    def ask(self, **request: object) -> str:
        """The SDP that a command brings."""
        message = {name.replace("_", "-"): value for name, value in request.items()}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            control.settimeout(0.2)
            control.connect((LOOPBACK, self._port))
            cookie = str(next(self._cookies)).encode()
            for _ in range(200):  # it may not listen yet; a repeated cookie gets the same reply
                try:
                    control.send(cookie + b" " + bencodepy.encode(message))
                    reply = bencodepy.decode(control.recv(65535).partition(b" ")[2])
                    break
                except (TimeoutError, ConnectionRefusedError):
                    assert self._child.poll() is None, "rtpengine ended"
                    time.sleep(0.05)
            else:
                raise AssertionError("no reply")
        assert reply[b"result"] == b"ok", reply
        return str(reply[b"sdp"].decode())


@pytest.fixture(scope="module")
def rtpengine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rtpengine]:
    running = Rtpengine(tmp_path_factory.mktemp("rtpengine") / "rtpengine.log")
    yield running
    running.stop()


def ours(gateway: Gateway) -> str:
    """Our SDP."""
    local, ports = gateway.agent.local, [each.port for each in gateway.candidates]
    lines = [
        PLAIN.replace("40000", str(ports[0])).rstrip(),
        f"a=rtcp:{ports[1]}" if len(ports) > 1 else "a=rtcp-mux",
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.pwd}",
        *(f"a=candidate:{each}" for each in gateway.candidates),
    ]
    return "\r\n".join(lines) + "\r\n"


def theirs(sdp: str) -> Remote:
    lines = [line.partition(":") for line in sdp.splitlines()]
    values = {name: value for name, _, value in lines}
    listed = [candidates.parse(value) for name, _, value in lines if name == "a=candidate"]
    return Remote(values["a=ice-ufrag"], values["a=ice-pwd"], candidates=[each for each in listed if each is not None])


@pytest.mark.parametrize("components", [1, 2])
@pytest.mark.parametrize("offering", [True, False], ids=["we offer", "rtpengine offers"])
def test_both_connect(rtpengine: Rtpengine, offering: bool, components: int) -> None:
    """ICE-01, ICE-04: its checks come at another pace and under other timers than ours."""

    async def meet() -> None:
        gateway = Gateway(controlling=offering, components=components)
        await gateway.open()
        call = {"call_id": f"{offering} {components}", "from_tag": "a"}
        try:
            if offering:
                rtpengine.ask(command="offer", sdp=ours(gateway), **call)
                gateway.hear(theirs(rtpengine.ask(command="answer", to_tag="b", sdp=PLAIN, **call)))
            else:
                offer = rtpengine.ask(command="offer", sdp=PLAIN, ICE="force", rtcp_mux=["offer"], **call)
                gateway.hear(theirs(offer))
                rtpengine.ask(command="answer", to_tag="b", sdp=ours(gateway), **call)
            await until(lambda: gateway.agent.complete)
            assert gateway.agent.controlling is offering
            assert all(gateway.agent.may_send(component) for component in range(1, components + 1))
        finally:
            gateway.close()

    asyncio.run(meet())
