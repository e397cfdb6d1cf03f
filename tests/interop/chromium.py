"""Chromium with pages that are telephones (web/phone.js), steered by Playwright."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, Route
from playwright.sync_api import Error as PlaywrightError

from .network import Host
from .tap import Tap
from .tone import Tone
from .voice import Talker
from .waiting import wait_for

_WEB = Path(__file__).parent / "web"
SHIPPED_PAGE = Path(__file__).parents[2] / "kamailio-config" / "telephone.html"
LIBRARY = _WEB / "node_modules" / "sip.js" / "lib"
PROGRAM = "chromium"
_KINDS = {".html": "text/html", ".js": "text/javascript"}
# Where the pages are: browsers let a page use the microphone only over TLS or from this host, and an unprotected
# WebSocket only if the page is not protected either.
_PAGES = {"wss": "https://telephone.example/", "ws": "http://localhost/"}
_OPTIONS = [
    "--no-sandbox",  # it runs as root
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--ignore-certificate-errors",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 192.0.2.*, EXCLUDE localhost",  # it asks nobody about any name
    "--disable-features=LocalNetworkAccessChecks,WebRtcHideLocalIpsWithMdns",
]
_NEAR = 25.0  # Hz; the bins of the analyser are 12 Hz wide
_QUIET = 0.5
_PICTURES = 10
_PATIENCE = 15.0
_PACE = 0.02  # seconds of audio in a packet


class Chromium:
    """A running browser on a host."""

    def __init__(self, playwright: Playwright, host: Host, folder: Path) -> None:
        self.host = host
        self.tap = Tap(host)
        launcher = folder / f"chromium-{host.namespace}"
        launcher.write_text(f'#!/bin/sh\nexec {" ".join(host.command(PROGRAM))} "$@"\n')
        launcher.chmod(0o755)
        self._folder = folder
        self.phones: list[BrowserPhone] = []
        self._browser: Browser = playwright.chromium.launch(executable_path=launcher, args=_OPTIONS)

    def phone(self, user: str, server: str, domain: str, tone: Tone, takes_calls: bool, video: bool) -> "BrowserPhone":
        """Open a page of its own for a user and register him over the WebSocket `server`."""
        page = self.open(f"{_PAGES[server.partition(':')[0]]}phone.html", f"page-{user}.log")
        page.wait_for_function("window.phone")
        phone = BrowserPhone(user, page, self.tap, tone)
        settings = {"server": server, "user": user, "domain": domain, "tone": tone.frequency}
        phone.do("start", {**settings, "takesCalls": takes_calls, "video": video})
        self.phones.append(phone)
        return phone

    def open(self, url: str, log: str) -> Page:
        """Open one of the test's pages; what it says goes into a file of that name."""
        path = self._folder / log
        page = self._browser.new_page()
        page.on("console", lambda message: _append(path, message.text))
        page.on("pageerror", lambda error: _append(path, str(error)))
        page.route("**/*", _serve)
        page.goto(url)
        return page

    def close(self) -> None:
        self._browser.close()
        self.tap.close()


class BrowserPhone:
    """A page with a phone, and the wire at its host; its user whistles `voice`."""

    def __init__(self, user: str, page: Page, tap: Tap, voice: Tone) -> None:
        self.user = user
        self.tap = tap
        self.voice = voice
        self.page = page

    def do(self, what: str, *arguments: Any) -> Any:
        """Call a method of the page's phone and wait for its result."""
        return self.page.evaluate(f"arguments => phone.{what}(...arguments)", list(arguments))

    def call(self, user: str) -> None:
        self.do("call", user)

    def wait_for_state(self, state: str) -> None:
        """Wait until the call of this page has been in a state: Ringing, Established, Terminated."""
        self._wait(lambda: state in self.page.evaluate("phone.states"), f"{state} at {self.user}")

    def leave(self) -> None:
        """Close the page without a word to anybody."""
        self.page.close()

    def wait_for_call(self) -> None:
        """Wait until somebody calls this page."""
        self._wait(lambda: self.page.evaluate("phone.session !== null"), f"a call for {self.user}")

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.do("stats")
        return found

    def hear(self, other: Talker, packets: int = 25) -> None:
        """Wait for so many more packets, and until what comes out of the loudspeaker is the other's tone."""
        assert isinstance(other.voice, Tone), f"{other.user} speaks, which nobody knows again"
        tone = other.voice.frequency
        begin = self.stats()["received"]
        enough = f"{packets} packets at {self.user}"
        self._wait(lambda: self.stats()["received"] >= begin + packets, enough, _PATIENCE + packets * _PACE)
        self._wait(lambda: abs(self.do("heard")["tone"] - tone) < _NEAR, f"{tone} Hz of {other.user} at {self.user}")
        self._wait(lambda: self.stats()["audioLevel"] > 0, f"a level of the audio at {self.user}")

    def see(self) -> None:
        """Wait for pictures."""
        self._wait(lambda: self.stats()["framesDecoded"] >= _PICTURES, f"pictures at {self.user}")

    def wait_for_silence(self) -> None:
        """Wait until no more audio comes in for half a second."""
        counts: list[int] = []

        def silent() -> bool:
            counts.append(self.stats()["received"])
            self.page.wait_for_timeout(_QUIET * 1000)
            return bool(self.stats()["received"] == counts[-1])

        self._wait(silent, f"silence at {self.user}")

    def wait_for_ice(self, state: str) -> None:
        """Wait until the browser thinks that of the way to the media node: connected, disconnected."""
        self._wait(lambda: self.stats()["ice"] == state, f"ICE {state} at {self.user}", 2 * _PATIENCE)

    def _wait(self, condition: Callable[[], Any], what: str, seconds: float = _PATIENCE) -> None:
        try:
            wait_for(condition, what, seconds)
        except PlaywrightError as error:
            raise AssertionError(f"{what}: {error}") from error
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.page.evaluate('phone.state()')}") from None


def missing() -> list[str]:
    """What the tests with a browser need and this machine has not."""
    absent = [] if shutil.which(PROGRAM) else [PROGRAM]
    return absent if LIBRARY.is_dir() else [*absent, "sip.js (npm ci --prefix tests/interop/web)"]


def _serve(route: Route) -> None:
    """A request of a page, answered without a web server."""
    name = route.request.url.split("/", 3)[3]
    path = SHIPPED_PAGE if name == SHIPPED_PAGE.name else _WEB / name
    if path.is_file():
        route.fulfill(body=path.read_bytes(), content_type=_KINDS[path.suffix])
    else:
        route.fulfill(status=404)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
