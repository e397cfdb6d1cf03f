"""A site to call at: a host with the proxy and its media nodes, and hosts with phones, all on one network."""

import itertools
import re
from pathlib import Path

from playwright.sync_api import Playwright

from ngdaemon.base.endpoint import Endpoint

from .baresip import PLAIN, BaresipPhone, Security
from .chromium import BrowserPhone, Chromium
from .control import Control
from .gateway import Gateway
from .handset import Handset
from .network import Host, Network
from .proxy import PLAIN as PLAIN_PROXY
from .proxy import WEBRTC, WS_PORT, WSS_PORT, Proxy
from .scenario import Scenario
from .sipp import SippCall, SippPhone
from .tap import Rtp, Sip, Tap, media_endpoints
from .tone import Tone
from .voice import FRAME, Talker, Voice
from .waiting import wait_for

_CORE, _FIRST_MEDIA, _FIRST_PHONE = 1, 2, 10
_NG_PORTS = range(2223, 2225)
_HELD = ("0.0.0.0", "::")
_SERVERS = {"wss": WSS_PORT, "ws": WS_PORT}


class Phone:
    """A host with a SIPp phone and the wire at it; `sound` is what its user says."""

    def __init__(self, user: str, host: Host, address: str, proxy: str, folder: Path, voice: Voice) -> None:
        self.user = user
        self.host = host
        self.address = address
        self.proxy = proxy
        self.folder = folder
        self.voice = voice
        self.sound = self.voice.write_raw(folder)
        self.tap = Tap(host)
        self._handsets: list[Handset] = []
        self._baresip: BaresipPhone | None = None
        self.sipp = SippPhone(user, host, address, proxy, folder)

    def register(self) -> None:
        self.sipp.register()

    def play(self, scenario: Scenario, call_id: str) -> SippCall:
        return self.sipp.play(scenario, call_id)

    def baresip(self, answer: str = "manual", security: Security = PLAIN) -> BaresipPhone:
        """Use baresip instead of SIPp at this host."""
        folder = self.folder / f"baresip-{self.host.namespace}"
        self._baresip = BaresipPhone(
            self.user, self.host, self.address, self.proxy, self.voice, folder, answer, security
        )
        return self._baresip

    def hear(self, other: Talker, packets: int = 25, since: int | None = None) -> list[Rtp]:
        """Wait for so many packets after the mark `since` (now); all must be what the other says, unharmed."""
        begin = self.tap.mark() if since is None else since
        wait_for(lambda: len(self.tap.rtp(False, begin)) >= packets, f"{packets} packets at {self.user}")
        heard = self.tap.rtp(False, begin)
        other.voice.check(heard)
        return heard

    def wait_for_request(self, method: str, number: int = 1) -> Sip:
        """The request of that method and number at this phone, copies aside, once it has come."""

        def arrived() -> Sip | None:
            requests = [
                message for message in self.tap.sip(outgoing=False) if message.first_line.startswith(f"{method} ")
            ]
            distinct = {(message.header("CSeq"), message.header("From")): message for message in requests}
            return list(distinct.values())[number - 1] if len(distinct) >= number else None

        found = wait_for(arrived, f"{method} number {number} at {self.user}")
        assert found
        return found

    def replies(self, status: int) -> list[Sip]:
        """The replies with that status that came to this phone, copies aside."""
        found = [
            message for message in self.tap.sip(outgoing=False) if message.first_line.startswith(f"SIP/2.0 {status} ")
        ]
        return list({(message.header("CSeq"), message.header("To")): message for message in found}.values())

    def told(self) -> Endpoint:
        """Where the last session description that came here wants audio to be sent."""
        return [endpoint for message in self.tap.sip(outgoing=False) for endpoint in media_endpoints(message.sdp)][-1]

    def talk_from(self, port: int) -> None:
        """Say the voice from another port than SIPp's, to where the last session description pointed."""
        self.talk(port, self.told())

    def talk(self, port: int, to: Endpoint) -> None:
        """Say the voice without SIPp."""
        self._handsets.append(Handset(self.host, self.address, port, self.voice, to))

    def close(self) -> None:
        for handset in self._handsets:
            handset.close()
        if self._baresip:
            self._baresip.close()
        self.sipp.close()
        self.tap.close()


class Site:
    """The proxy, its media nodes, and phones as they are asked for. `start()` brings proxy and nodes up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = Network()
        self.core = self.network.host("core", _CORE)
        self.control = Control(self.core, _NG_PORTS)
        self.nodes: list[Gateway] = []
        self.phones: list[Phone] = []
        self.tolerated: list[str] = []
        self._proxy: Proxy | None = None
        self._numbers = itertools.count(_FIRST_PHONE)
        self.playwright: Playwright | None = None
        self._browsers: list[Chromium] = []

    @property
    def proxy(self) -> Proxy:
        assert self._proxy, "the site is not started"
        return self._proxy

    @property
    def node(self) -> Gateway:
        """The only media node, or the first of several."""
        return self.nodes[0]

    def start(self, nodes: int = 1, configuration: str = PLAIN_PROXY, **settings: str) -> None:
        """Start so many media nodes and the proxy; `settings` override the definitions of its configuration."""
        for index in range(nodes):
            number = _FIRST_MEDIA + index
            self.network.add_addresses(self.core, number)
            addresses = [f"192.0.2.{number}", f"2001:db8::{number:x}"]
            self.nodes.append(Gateway(self.core, addresses, _NG_PORTS[index], self.folder))
        for node in self.nodes:
            node.start()
        urls = [node.node for node in self.nodes]
        self._proxy = Proxy(self.core, urls, self.folder / "proxy", configuration, **settings)

    def start_webrtc(self, **settings: str) -> None:
        """Start a media node, and the proxy for browsers and for phones that encrypt.

        The proxy learns from the transport who speaks SDES; it is told that users named `dtls-…` speak DTLS-SRTP, and
        from which pages browsers may come.
        """
        origins = r'"^(https://telephone\.example|http://localhost)$"'
        self.start(1, WEBRTC, **{"DTLS_USERS": '"^dtls-"', "WEB_ORIGINS": origins, **settings})

    def phone(self, user: str, ipv6: bool = False, tone: int = 0) -> Phone:
        """A phone on a host of its own; its user speaks, or whistles `tone` Hz."""
        number = next(self._numbers)
        host = self.network.host(f"{user}{number}", number)
        address, proxy = (host.address6, self.core.address6) if ipv6 else (host.address, self.core.address)
        voice = Tone(host.namespace, tone) if tone else Voice(host.namespace)
        return self._add(Phone(user, host, address, proxy, self.folder, voice))

    def phone_behind_nat(self, user: str) -> Phone:
        """A phone whose packets show another address and other ports outside than those that it knows."""
        number = next(self._numbers)
        host = self.network.nat(f"{user}{number}", number)
        return self._add(Phone(user, host, host.address, self.core.address, self.folder, Voice(host.namespace)))

    def browser(
        self, user: str, tone: int, takes_calls: bool = False, scheme: str = "wss", video: bool = False
    ) -> BrowserPhone:
        """A page with a phone; all pages are in one browser, unless one was started by `start_browser` since."""
        chromium = self._browsers[-1] if self._browsers else self.start_browser()
        server = f"{scheme}://{self.core.address}:{_SERVERS[scheme]}"
        return chromium.phone(user, server, self.core.address, Tone(user, tone), takes_calls, video)

    def start_browser(self, behind_nat: bool = False) -> Chromium:
        """A browser on a host of its own."""
        assert self.playwright, "a site without browsers"
        number = next(self._numbers)
        make = self.network.nat if behind_nat else self.network.host
        self._browsers.append(Chromium(self.playwright, make(f"web{number}", number), self.folder))
        return self._browsers[-1]

    def _add(self, phone: Phone) -> Phone:
        self.phones.append(phone)
        return phone

    def tolerate(self, pattern: str) -> None:
        """Kamailio's rtpengine module may complain like this."""
        self.tolerated.append(pattern)

    def check(self) -> None:
        """After the last call: nothing is left, nobody complained, and no media went past the nodes."""
        for node in self.nodes:
            if node.process:
                node.process.check_running()
                node.check_empty()
        self.proxy.process.check_running()
        complaints = [
            line for line in self.proxy.complaints() if not any(re.search(pattern, line) for pattern in self.tolerated)
        ]
        assert not complaints, "\n".join(complaints)
        for phone in self.phones:
            self._check_wire(phone)
        for browser in self._browsers:
            self._check_wire_at_browser(browser)
        for node in self.nodes:
            node.check_end()

    def _check_wire(self, phone: Phone) -> None:
        media = {address for node in self.nodes for address in node.addresses}
        for message in phone.tap.sip(outgoing=False):
            for endpoint in media_endpoints(message.sdp):
                assert endpoint.address in {*media, *_HELD}, f"{phone.user} was told to send to {endpoint}"
        for packet in phone.tap.rtp(outgoing=False):
            assert packet.datagram.source.address in media, f"{phone.user} heard {packet.datagram.source}"
        for packet in phone.tap.rtp(outgoing=True):
            assert packet.datagram.destination.address in media, f"{phone.user} spoke to {packet.datagram.destination}"

    def _check_wire_at_browser(self, browser: Chromium) -> None:
        """Media to and from browsers goes through the nodes, and nobody could listen, not even to the first packet."""
        media = {address for node in self.nodes for address in node.addresses}
        talkers: list[Talker] = [*self.phones, *browser.phones]
        for packet in [*browser.tap.rtp(outgoing=False), *browser.tap.rtp(outgoing=True)]:
            datagram = packet.datagram
            assert (datagram.destination if datagram.outgoing else datagram.source).address in media, f"{datagram}"
            for talker in talkers:
                heard = talker.voice.position(packet.payload[:FRAME])
                assert heard is None, f"{talker.user} can be overheard at the browser"

    def save_captures(self) -> None:
        """Leave what passed beside the logs: at the phones (for Wireshark), between proxy and media nodes (to read)."""
        self.control.write(self.folder / "ng.txt")
        for phone in self.phones:
            phone.tap.write(self.folder / f"{phone.host.namespace}.pcap")
        for browser in self._browsers:
            browser.tap.write(self.folder / f"{browser.host.namespace}.pcap")

    def close(self) -> None:
        for browser in self._browsers:
            browser.close()
        for phone in self.phones:
            phone.close()
        if self._proxy:
            self._proxy.close()
        for node in self.nodes:
            node.close()
        self.control.close()
        self.network.close()
