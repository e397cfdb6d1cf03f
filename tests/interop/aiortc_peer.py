"""aiortc as a WebRTC endpoint on a host: an independent implementation of ICE, DTLS-SRTP and RTP."""

import asyncio
import contextlib
import fractions
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from .network import Host
from .voice import FRAME, Voice

T = TypeVar("T")

_RATE = 8000
_PACE = 0.02
_PATIENCE = 15.0


class _Mouth(MediaStreamTrack):
    """Says a voice, a frame each 20 ms."""

    kind = "audio"

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._samples = voice.samples()
        self._number = 0
        self._begin = 0.0

    async def recv(self) -> av.AudioFrame:
        self._begin = self._begin or time.monotonic()
        await asyncio.sleep(max(0.0, self._begin + self._number * _PACE - time.monotonic()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        at = self._number * FRAME * 2 % len(self._samples)
        frame.planes[0].update(self._samples[at : at + FRAME * 2])
        frame.sample_rate = _RATE
        frame.time_base = fractions.Fraction(1, _RATE)
        frame.pts = self._number * FRAME
        self._number += 1
        return frame


class AiortcPeer:
    """A peer connection in a thread of its own, whose sockets are on the host; its user says `voice` in A-law."""

    def __init__(self, user: str, host: Host, voice: Voice) -> None:
        self.user = user
        self.host = host
        self.voice = voice
        self._tape = bytearray()
        self._listener: asyncio.Future[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._connection: RTCPeerConnection = self._do(self._connect())

    def offer(self) -> str:
        """A description with all candidates."""
        return self._do(self._describe("offer"))

    def answer(self, offer: str) -> str:
        return self._do(self._describe("answer", offer))

    def accept(self, answer: str) -> None:
        """Take the answer to the offer."""
        self._do(self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer")))

    @property
    def state(self) -> str:
        return self._connection.connectionState

    def heard(self) -> bytes:
        """What has come in so far: 16-bit samples."""
        return bytes(self._tape)

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with self.host.inside():
            self._loop.run_forever()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _connect(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.on("track", self._listen)
        return connection

    async def _end(self) -> None:
        await self._connection.close()
        if self._listener:
            await self._listener

    async def _describe(self, kind: str, remote: str = "") -> str:
        if remote:
            await self._connection.setRemoteDescription(RTCSessionDescription(remote, "offer"))
        self._connection.addTrack(_Mouth(self.voice))
        known = RTCRtpReceiver.getCapabilities("audio")
        assert known
        for transceiver in self._connection.getTransceivers():
            transceiver.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/PCMA"])
        make = self._connection.createOffer if kind == "offer" else self._connection.createAnswer
        await self._connection.setLocalDescription(await make())
        return str(self._connection.localDescription.sdp)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listener = asyncio.ensure_future(self._record(track))

    async def _record(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):  # the end of the call
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                self._tape += bytes(frame.planes[0])[: frame.samples * 2]
