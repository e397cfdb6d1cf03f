"""Kamailio with the configuration as it is shipped."""

import re
from pathlib import Path

from .certificate import write_certificate
from .network import Host, run
from .process import Process
from .waiting import wait_for

CONFIGURATIONS = Path(__file__).parents[2] / "kamailio-config"
PLAIN, WEBRTC = "kamailio.cfg", "webrtc.cfg"
SIP_PORT, TLS_PORT, WS_PORT, WSS_PORT = 5060, 5061, 8080, 8443
_COMPLAINT = re.compile(r"(?m)^.*\b(?:WARNING|ERROR|CRITICAL|ALERT|BUG): rtpengine .*$")
_OPTIONS = (
    "OPTIONS sip:{0}:{1} SIP/2.0\r\nVia: SIP/2.0/UDP {0}:{2};branch=z9hG4bK-ready;rport\r\n"
    "From: <sip:test@{0}>;tag=1\r\nTo: <sip:{0}>\r\nCall-ID: ready@{0}\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class Proxy:
    """A running proxy at an IPv4 and an IPv6 address of its host; for browsers and TLS phones at the former only."""

    def __init__(self, host: Host, nodes: list[str], folder: Path, configuration: str = PLAIN, **settings: str) -> None:
        self.host = host
        folder.mkdir()
        definitions = {
            "LISTEN_IPV4": f"udp:{host.address}:{SIP_PORT}",
            "LISTEN_IPV6": f"udp:[{host.address6}]:{SIP_PORT}",
            "NG_NODES": f'"{" ".join(nodes)}"',
            "WORKERS": "2",
            **(_webrtc(host, folder) if configuration == WEBRTC else {}),
            **settings,
        }
        command = [
            "kamailio",
            "-f",
            str(CONFIGURATIONS / configuration),
            "-DD",
            "-E",
            "-w",
            str(folder),
            "-Y",
            str(folder),
        ]
        for name, value in definitions.items():
            command += ["-A", f"{name}={value}"]
        self._control = folder / "kamailio_ctl"
        self.process = Process(host, command, folder / "kamailio.log")
        self._wait_until_ready()

    def close(self) -> None:
        self.process.stop()

    def complaints(self) -> list[str]:
        """What Kamailio's rtpengine module was not content with."""
        return _COMPLAINT.findall(self.process.output())

    def rpc(self, *command: str) -> str:
        """Run a command on the proxy's control socket."""
        return run("kamcmd", "-s", f"unix:{self._control}", *command)

    def transactions(self) -> int:
        """How many transactions it holds: some rest for 5 seconds after their end."""
        count = re.search(r"\bcurrent: (\d+)", self.rpc("tm.stats"))
        assert count
        return int(count[1])

    def _wait_until_ready(self) -> None:
        with self.host.udp(self.host.address) as sock:
            sock.settimeout(0.1)
            options = _OPTIONS.format(self.host.address, SIP_PORT, sock.getsockname()[1]).encode()

            def answers() -> bool:
                self.process.check_running()
                sock.sendto(options, (self.host.address, SIP_PORT))
                try:
                    return sock.recv(65535).startswith(b"SIP/2.0 200 ")
                except TimeoutError:
                    return False

            wait_for(answers, "an answer of Kamailio", 20)


def _webrtc(host: Host, folder: Path) -> dict[str, str]:
    certificate, key = write_certificate(folder, host.address)
    return {
        "LISTEN_WSS": f"tls:{host.address}:{WSS_PORT}",
        "LISTEN_WS": f"tcp:{host.address}:{WS_PORT}",
        "LISTEN_TLS": f"tls:{host.address}:{TLS_PORT}",
        "TLS_CERTIFICATE": f'"{certificate}"',
        "TLS_KEY": f'"{key}"',
    }
