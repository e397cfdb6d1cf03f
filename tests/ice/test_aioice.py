"""Against aioice, an independent agent, over real sockets on loopback."""

import asyncio
from collections.abc import Callable, Coroutine

import aioice
import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate as candidates
from ngdaemon.ice.report import Pair, Remote
from tests.ice.loopback import LIMIT, LOOPBACK, Gateway, until


@pytest.fixture(autouse=True)
def loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice gathers no loopback address by itself."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [LOOPBACK])


def description(connection: aioice.Connection) -> Remote:
    """What its SDP says."""
    listed = [candidates.parse(each.to_sdp()) for each in connection.local_candidates]
    usable = [each for each in listed if each is not None]
    assert len(usable) == len(listed) > 0
    return Remote(connection.local_username, connection.local_password, candidates=usable)


async def invite(connection: aioice.Connection, gateway: Gateway) -> None:
    """Tell aioice what our SDP says."""
    connection.remote_username = gateway.agent.local.ufrag
    connection.remote_password = gateway.agent.local.pwd
    connection.remote_is_lite = gateway.agent.lite
    for each in gateway.candidates:
        await connection.add_remote_candidate(aioice.Candidate.from_sdp(str(each)))
    await connection.add_remote_candidate(None)


def play(scene: Callable[[Gateway, aioice.Connection], Coroutine[None, None, None]], **options: bool | int) -> None:
    """Let an agent of ours and one of aioice meet."""

    async def meet() -> None:
        controlling = bool(options.get("controlling"))
        components = int(options.get("components", 1))
        gateway = Gateway(controlling=controlling, lite=bool(options.get("lite")), components=components)
        same = bool(options.get("same_role"))
        connection = aioice.Connection(ice_controlling=controlling if same else not controlling, components=components)
        await gateway.open()
        try:
            await connection.gather_candidates()
            async with asyncio.timeout(LIMIT):
                await scene(gateway, connection)
        finally:
            await connection.close()
            gateway.close()

    asyncio.run(meet())


async def exchange(gateway: Gateway, connection: aioice.Connection) -> None:
    """Something goes each way on each component."""
    for component in range(1, gateway.components + 1):
        pair = gateway.agent.selected(component)
        assert isinstance(pair, Pair)
        gateway.send(component, b"\x80 from us")
        assert await connection.recvfrom() == (b"\x80 from us", component)
        await connection.sendto(b"\x80 from aioice", component)
        await until(lambda: gateway.received)
        assert gateway.received.pop() == (SocketId(component), b"\x80 from aioice")


@pytest.mark.parametrize("controlling", [True, False], ids=["we control", "aioice controls"])
@pytest.mark.parametrize("components", [1, 2])
def test_both_connect_and_pass_data(controlling: bool, components: int) -> None:
    """ICE-01, ICE-04: full agents of two makes, either of which controls."""

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        gateway.hear(description(connection))
        await connection.connect()
        await until(lambda: gateway.agent.complete)
        await exchange(gateway, connection)

    play(scene, controlling=controlling, components=components)


@pytest.mark.parametrize("controlling", [True, False], ids=["both control", "both are controlled"])
def test_role_conflicts_are_solved(controlling: bool) -> None:
    """ICE-05."""

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        gateway.hear(description(connection))
        await connection.connect()
        await until(lambda: gateway.agent.complete)
        assert gateway.agent.controlling is not connection.ice_controlling
        await exchange(gateway, connection)

    play(scene, controlling=controlling, same_role=True)


def test_its_checks_come_before_its_answer() -> None:
    """ICE-06."""

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        connecting = asyncio.ensure_future(connection.connect())
        await until(lambda: gateway.agent.accepted(SocketId(1)))
        assert gateway.agent.may_send(1) is None
        gateway.hear(description(connection))
        await connecting
        await until(lambda: gateway.agent.complete)
        await exchange(gateway, connection)

    play(scene, controlling=True)


def test_a_lite_agent_serves_it() -> None:
    """ICE-01, CONS-03."""

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        gateway.hear(description(connection))
        await connection.connect()
        await until(lambda: gateway.agent.complete)
        await exchange(gateway, connection)

    play(scene, controlling=False, lite=True)


def test_both_keep_their_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """CONS-01, CONS-03: each answers the consent checks of the other; the intervals are shortened here."""
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr("ngdaemon.ice.consent.INTERVAL", 0.05)
    monkeypatch.setattr("ngdaemon.ice.consent.EXPIRY", 0.3)

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        gateway.hear(description(connection))
        await connection.connect()
        await until(lambda: gateway.agent.complete)
        checks = 0
        received = gateway.agent.receive

        def count(socket: SocketId, data: bytes, source: Endpoint, now: float) -> bool:
            nonlocal checks
            checks += data[:2] == b"\0\1"
            return received(socket, data, source, now)

        monkeypatch.setattr(gateway.agent, "receive", count)
        await until(lambda: checks >= 12)
        await exchange(gateway, connection)

    play(scene, controlling=True)


def test_sending_stops_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """S10, CONS-01; the intervals are shortened here."""
    monkeypatch.setattr("ngdaemon.ice.consent.INTERVAL", 0.05)
    monkeypatch.setattr("ngdaemon.ice.consent.EXPIRY", 0.3)

    async def scene(gateway: Gateway, connection: aioice.Connection) -> None:
        await invite(connection, gateway)
        gateway.hear(description(connection))
        await connection.connect()
        await until(lambda: gateway.agent.complete)
        assert gateway.agent.may_send(1) is not None
        await connection.close()
        await until(lambda: gateway.agent.may_send(1) is None)

    play(scene, controlling=True)
