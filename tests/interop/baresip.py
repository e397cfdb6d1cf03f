"""baresip as a phone: steered over its control socket, a voice as microphone, and a tape of what it plays."""

import json
import re
import socket
from pathlib import Path
from typing import NamedTuple

from .network import Host
from .process import Process
from .voice import Voice
from .waiting import wait_for

_SIP_PORT = 5060
_CONTROL_PORT = 4444
_WAV_HEADER = 44
_CONFIG = """\
poll_method epoll
sip_listen {listen}
call_max_calls 1
audio_source aufile,{sound}
audio_player aubridge,ear
audio_alert aubridge,bell
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports 16000-16100
jitter_buffer_delay 0-10
module_path /usr/lib/baresip/modules
module g711.so
module srtp.so
module dtls_srtp.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
statmode_default off
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {tape}
ringback_disabled yes
menu_bell no
"""
_ACCOUNT = (
    "<sip:{user}@{proxy}{parameters}>;regint=600;answermode={answer};audio_codecs=pcma/8000/1{encryption}"
    ';outbound="sip:{proxy}{parameters}"\n'
)


class Security(NamedTuple):
    """How a phone protects its media, in baresip's words, and where and how it reaches the proxy."""

    encryption: str
    port: int
    parameters: str


PLAIN = Security("", 5060, "")
SDES = Security(";mediaenc=srtp-mand", 5061, ";transport=tls")
DTLS = Security(";mediaenc=dtls_srtp", 5060, "")


class BaresipPhone:
    """A running baresip, registered at the proxy. With `answer="auto"` it takes calls by itself."""

    def __init__(
        self,
        user: str,
        host: Host,
        address: str,
        proxy: str,
        voice: Voice,
        folder: Path,
        answer: str,
        security: Security = PLAIN,
    ) -> None:
        self.host = host
        self._tape = folder / "tape"
        self._tape.mkdir(parents=True)
        bracketed = f"[{address}]" if ":" in address else address
        proxy = f"[{proxy}]" if ":" in proxy else proxy
        # Names without their folder: baresip cuts long paths.
        config = _CONFIG.format(
            listen=f"{bracketed}:{_SIP_PORT}",
            sound=voice.write_wav(folder).name,
            control=_CONTROL_PORT,
            tape=self._tape.name,
        )
        (folder / "config").write_text(config)
        account = _ACCOUNT.format(
            user=user,
            proxy=f"{proxy}:{security.port}",
            parameters=security.parameters,
            answer=answer,
            encryption=security.encryption,
        )
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        self.process = Process(host, ["baresip", "-f", "."], folder / "baresip.log", cwd=folder)
        self._control = self._connect()
        self._buffer = b""
        self.events: list[str] = []
        wait_for(lambda: " 200 OK " in self.process.output(), "the registration of baresip")

    def command(self, command: str, params: str = "") -> None:
        """Type a command: dial, accept, hangup, hold, resume."""
        text = json.dumps({"command": command, "params": params})
        self._control.sendall(f"{len(text)}:{text},".encode())

    def wait_for_event(self, event: str) -> None:
        """Wait until baresip has reported an event of that type, now or earlier."""

        def reported() -> bool:
            self.process.check_running()
            self._read()
            return event in self.events

        wait_for(reported, f"{event} from baresip (so far {self.events})")

    def heard(self) -> bytes:
        """What baresip has played so far: 16-bit samples."""
        return b"".join(path.read_bytes()[_WAV_HEADER:] for path in self._tape.glob("*-dec.wav"))

    def close(self) -> None:
        self._control.close()
        self.process.kill()

    def _connect(self) -> socket.socket:
        def connect() -> socket.socket | None:
            self.process.check_running()
            with self.host.inside():
                control = socket.socket()
            try:
                control.connect(("127.0.0.1", _CONTROL_PORT))
            except ConnectionRefusedError:
                control.close()
                return None
            return control

        control = wait_for(connect, "baresip's control socket")
        assert control
        control.setblocking(False)
        return control

    def _read(self) -> None:
        """Take in what baresip reports: JSON objects as netstrings."""
        try:
            self._buffer += self._control.recv(65535)
        except BlockingIOError:
            return
        while match := re.match(rb"(\d+):", self._buffer):
            begin, length = match.end(), int(match[1])
            if len(self._buffer) < begin + length + 1:
                return
            message = json.loads(self._buffer[begin : begin + length])
            self._buffer = self._buffer[begin + length + 1 :]
            if message.get("event"):
                self.events.append(message["type"])
