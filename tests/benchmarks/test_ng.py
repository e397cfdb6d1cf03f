"""The benchmark's NG client keeps a window of requests under way and pairs replies with requests."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import bencodepy
import pytest

from benchmarks.calls import Call, media_of, phones
from benchmarks.daemons import Site
from benchmarks.ng import DaemonError, NgClient, encode, sdp_of
from benchmarks.shapes import PLAIN, WEBRTC, Shape

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def served(serve: Serve) -> Iterator[NgClient]:
    """A client whose daemon is `serve`, in a thread of its own until it returns."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        thread = threading.Thread(target=serve, args=(daemon,))
        thread.start()
        client = NgClient(*daemon.getsockname())
        try:
            yield client
        finally:
            client.close()
            thread.join()


def _backwards(daemon: socket.socket, *, requests: int, window: int) -> None:
    """Wait until so many requests are waiting, then answer the newest first."""
    for _ in range(requests // window):
        waiting = [daemon.recvfrom(2048) for _ in range(window)]
        for data, client in reversed(waiting):
            cookie, _, document = data.partition(b" ")
            daemon.sendto(cookie + b" d6:result2:ok4:echo" + encode(document.decode()) + b"e", client)


def test_replies_that_come_in_another_order_go_to_their_requests() -> None:
    documents = [b"d%de" % number for number in range(9)]
    with served(lambda daemon: _backwards(daemon, requests=9, window=3)) as client:
        replies = client.request_all(documents, window=3)
    assert [bencodepy.decode(reply)[b"echo"] for reply in replies] == documents


def test_no_more_requests_are_under_way_than_the_window() -> None:
    waiting: list[bytes] = []

    def serve(daemon: socket.socket) -> None:
        first = [daemon.recvfrom(2048) for _ in range(2)]
        daemon.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            waiting.append(daemon.recv(2048))
        daemon.settimeout(10)
        for data, client in first:
            daemon.sendto(data.partition(b" ")[0] + b" d6:result2:oke", client)
        data, client = daemon.recvfrom(2048)
        daemon.sendto(data.partition(b" ")[0] + b" d6:result2:oke", client)

    with served(serve) as client:
        client.request_all([b"de"] * 3, window=2)
    assert waiting == []


def test_an_error_of_the_daemon_ends_the_measurement_with_its_text() -> None:
    def serve(daemon: socket.socket) -> None:
        data, client = daemon.recvfrom(2048)
        daemon.sendto(data.partition(b" ")[0] + b" d6:result5:error12:error-reason17:Ran out of portse", client)

    with served(serve) as client, pytest.raises(DaemonError, match="Ran out of ports"):
        client.request_all([b"de"], window=1)


def test_a_daemon_that_is_gone_is_noticed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        client = NgClient(*daemon.getsockname())
    try:
        assert not client.answers(timeout=0.1)
        with pytest.raises(DaemonError, match="nobody listens"):
            client.request_all([b"de"], window=1)
    finally:
        client.close()


@pytest.mark.parametrize("shape", [PLAIN, WEBRTC], ids=lambda shape: shape.name)
def test_requests_are_what_kamailio_sends(shape: Shape) -> None:
    call = Call(shape, 7, Site())
    offer, answer, delete = (bencodepy.decode(document) for document in (call.offer(), call.answer(), call.delete()))
    assert [request[b"command"] for request in (offer, answer, delete)] == [b"offer", b"answer", b"delete"]
    assert len({request[b"call-id"] for request in (offer, answer, delete)}) == 1
    assert len({request[b"from-tag"] for request in (offer, answer, delete)}) == 1
    assert b"to-tag" in answer
    assert b"to-tag" not in offer
    assert b"sdp" not in delete
    assert media_of(sdp_of(call.offer())) == (Site().callers, call.port)
    assert media_of(sdp_of(call.answer())) == (Site().callees, call.port)


def test_each_phone_sends_to_the_address_that_it_was_told() -> None:
    calls = [Call(PLAIN, number, Site()) for number in range(2)]
    sdp = "v=0\r\nc=IN IP4 127.0.7.1\r\nm=audio {} RTP/AVP 8\r\n"
    lines = phones(calls, [sdp.format(20000), sdp.format(20010)], [sdp.format(20002), sdp.format(20012)])
    assert lines == [
        "127.0.7.2 10000 127.0.7.1 20002 1",
        "127.0.7.3 10000 127.0.7.1 20000 0",
        "127.0.7.2 10002 127.0.7.1 20012 3",
        "127.0.7.3 10002 127.0.7.1 20010 2",
    ]
