"""`Config`: every setting that has an effect, one field each, with what help, documentation and checks must know of it.

A field is named as its option with underscores, unless `setting(name=…)` says otherwise. The value types are final:
interfaces are resolved to addresses, so whoever has a Config need not look anything up.
"""

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ngdaemon import __version__
from ngdaemon.base.endpoint import Endpoint, Interface
from ngdaemon.config.values import (
    FILE,
    FLAG,
    INTERFACE,
    LIMIT,
    LISTEN,
    NETWORK,
    OCTET,
    PORT,
    SECONDS,
    SOME_SECONDS,
    TEXT,
    WHOLE_LIMIT,
    Kind,
    Network,
    PortRange,
    choice,
    integer,
)


class Group(Enum):
    """Headings of help and documentation, in order."""

    START = "Start and files"
    CONTROL = "Control port"
    MEDIA = "Interfaces and media ports"
    CALLS = "Calls"
    SECURITY = "Secured media"
    LIMITS = "Limits"
    LOG = "Logging"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of an option with an effect, besides its default."""

    kind: Kind
    group: Group
    help: str
    short: str = ""
    name: str = ""
    """The option, where the field is named otherwise."""
    repeated: bool = False
    reload: bool = False
    """Taken over while running, at SIGHUP."""
    ours: bool = False
    """rtpengine has no such option."""
    shown: str | None = None
    """The default in words, where the value does not say it."""


def setting(default: Any, kind: Kind, group: Group, text: str, **more: Any) -> Any:
    """A field of Config."""
    return field(default=default, metadata={"setting": Setting(kind, group, text, **more)})


PRIVATE_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598, inside carriers and clouds
        "fc00::/7",  # RFC 4193
        "169.254.0.0/16",  # link-local, RFC 3927 and 4291
        "fe80::/10",
    )
)
"""Who may speak NG when nothing else is said; the host's own addresses come on top."""

LEARNING = choice("delayed", "immediate", "off", "heuristic")
WEAKNESS = choice("sha-1", "suites", "null", "unprotected")
FORMAT = choice("default", "parsable", "json")
PMTU = choice("want", "dont")
FACILITY = choice(
    "daemon",
    "user",
    "auth",
    "syslog",
    "cron",
    "mail",
    *(f"local{number}" for number in range(8)),
    placeholder="FACILITY",
)
LEVEL = integer(-1, 7, "LEVEL", cap=True)
"""A level of syslog (0 emergency … 7 debug); -1 is silence."""

_NOTHING = " (nothing is logged to it yet)"

SUBSYSTEMS = {
    "core": "what belongs to no other subsystem",
    "control": "NG requests and replies",
    "codec": f"codec negotiation{_NOTHING}",
    "rtcp": f"RTCP{_NOTHING}",
    "ice": "ICE of calls",
    "crypto": "DTLS and keys of calls",
    "srtp": f"encryption and decryption{_NOTHING}",
    "http": f"HTTP and WebSocket{_NOTHING}",
    "internals": f"the daemon's own workings{_NOTHING}",
    "transcoding": f"transcoding{_NOTHING}",
    "dtx": f"silence in transcoding{_NOTHING}",
    "spandsp": f"tone detection{_NOTHING}",
    "ffmpeg": f"codec libraries{_NOTHING}",
}
"""Subsystems that may have a log level of their own, by rtpengine's names."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked. Times are seconds, sizes octets."""

    listen_ng: tuple[Endpoint, ...] = setting(
        (Endpoint("127.0.0.1", 2223),),
        LISTEN,
        Group.CONTROL,
        "UDP address for NG requests: an address, a host name or a system interface; a port alone is all addresses",
        short="n",
        repeated=True,
        shown="127.0.0.1:2223",
    )
    allow_ng: tuple[Network, ...] = setting(
        PRIVATE_NETWORKS,
        NETWORK,
        Group.CONTROL,
        "who may speak NG; requests from elsewhere get no reply. `0.0.0.0/0` and `::/0` let everybody in",
        repeated=True,
        reload=True,
        ours=True,
        shown="loopback, private and link-local networks, and the host's own addresses",
    )
    control_tos: int = setting(
        0, OCTET, Group.CONTROL, "TOS octet of NG replies, for instance 184; 0 leaves the system's"
    )
    control_pmtu: str | None = setting(
        None,
        PMTU,
        Group.CONTROL,
        "path MTU discovery for NG replies: `dont` lets routers fragment them",
        shown="the system's",
    )
    max_datagram: int = setting(
        65535, integer(1024, 65535, "OCTETS"), Group.CONTROL, "longest NG request; longer ones are dropped", ours=True
    )
    interfaces: tuple[Interface, ...] = setting(
        (),
        INTERFACE,
        Group.MEDIA,
        "where media is received: an address, a system interface (all its addresses), a host name, or `any`; "
        "peers are told ADVERTISED instead. `ALIAS=NAME` gives an interface a second name",
        short="i",
        name="interface",
        repeated=True,
        shown="the address of the default route",
    )
    port_ranges: tuple[tuple[str, PortRange], ...] = ()
    """Local addresses that have media ports of their own (`port-min` … in the section of an interface)."""
    port_min: int = setting(30000, PORT, Group.MEDIA, "lowest port for media", short="m")
    port_max: int = setting(39999, PORT, Group.MEDIA, "highest port for media", short="M")
    port_quarantine: int = setting(
        5,
        SECONDS,
        Group.MEDIA,
        "how long a closed port rests before it is used again, so that late packets reach nobody's next call",
        ours=True,
        reload=True,
    )
    tos: int = setting(
        0, OCTET, Group.MEDIA, "TOS octet of media, for instance 184; 0 leaves the system's", short="T", reload=True
    )
    endpoint_learning: str = setting(
        "heuristic", LEARNING, Group.MEDIA, "how a peer's real address is found out, among plausible ones", reload=True
    )
    forwarder: str = setting(
        "auto",
        choice("auto", "portable", "native"),
        Group.MEDIA,
        "what carries the packets: `native` is fast and needs the package ngdaemon-native, `portable` runs anywhere, "
        "`auto` takes the best that is there",
        ours=True,
    )
    num_threads: int = setting(
        0,
        integer(0, 1024),
        Group.MEDIA,
        "threads of the native forwarder; 0 is one for each core that the daemon may use",
    )
    timeout: int = setting(
        60, SOME_SECONDS, Group.CALLS, "a call without media ends after that", short="o", reload=True
    )
    silent_timeout: int = setting(3600, SOME_SECONDS, Group.CALLS, "the same for calls on hold", short="s", reload=True)
    offer_timeout: int = setting(
        3600, SOME_SECONDS, Group.CALLS, "the same for calls that were not answered", reload=True
    )
    final_timeout: int = setting(
        0, SECONDS, Group.CALLS, "every call ends when it is that old; 0 is never", short="a", reload=True
    )
    delete_delay: int = setting(
        30, SECONDS, Group.CALLS, "a call lives on for that long after `delete`", short="d", reload=True
    )
    sip_source: bool = setting(
        False,
        FLAG,
        Group.CALLS,
        "take the SIP source address for the media address, as `SIP-source-address` does",
        reload=True,
    )
    reject_invalid_sdp: bool = setting(
        False, FLAG, Group.CALLS, "refuse SDP with broken lines instead of passing them through", reload=True
    )
    software_id: str = setting(
        f"ngdaemon-{__version__}", TEXT, Group.CALLS, "what we call ourselves toward others", shown="ngdaemon-VERSION"
    )
    allow_weak: tuple[str, ...] = setting(
        (),
        WEAKNESS,
        Group.SECURITY,
        "what of SRTP is agreed on although it is weak: `sha-1` fingerprints, `suites` with short keys or tags in "
        "offers, suites of `null` encryption, `unprotected` packets by session parameters",
        repeated=True,
        ours=True,
        reload=True,
        shown="nothing",
    )
    dtls_passive: bool = setting(
        False, FLAG, Group.SECURITY, "be the DTLS server where the offerer leaves the choice", reload=True
    )
    dtls_mtu: int = setting(
        1200,
        integer(576, 65535, "OCTETS"),
        Group.SECURITY,
        "longest packet of a DTLS handshake, 48 octets of headers included; after lost rounds it falls to 576",
    )
    dtls_timeout: int = setting(
        30,
        SOME_SECONDS,
        Group.SECURITY,
        "a DTLS handshake fails after that long",
        ours=True,
    )
    max_sessions: int = setting(
        -1,
        integer(-1, 2**31 - 1),
        Group.LIMITS,
        "no new calls beyond that many; 0 drains the node, -1 is off",
        reload=True,
    )
    max_load: float | None = setting(
        None, LIMIT, Group.LIMITS, "no new calls at that load average (one minute)", reload=True, shown="off"
    )
    max_cpu: float | None = setting(
        None, LIMIT, Group.LIMITS, "no new calls at that CPU usage of the host, in percent", reload=True, shown="off"
    )
    max_bandwidth: int | None = setting(
        None,
        WHOLE_LIMIT,
        Group.LIMITS,
        "no new calls at that media traffic, in octets per second",
        reload=True,
        shown="off",
    )
    max_calls: int = setting(
        0,
        integer(0, 2**31 - 1),
        Group.LIMITS,
        "no more calls than that are held in memory, whatever their state; 0 is off",
        ours=True,
        reload=True,
    )
    max_depth: int = setting(
        32, integer(4, 200), Group.LIMITS, "nesting of lists and dictionaries in a request", ours=True, reload=True
    )
    max_sdp: int = setting(65535, integer(256, 65535, "OCTETS"), Group.LIMITS, "longest SDP", ours=True, reload=True)
    max_parties: int = setting(
        200, integer(2, 10000), Group.LIMITS, "parties that a call may have had in its life", ours=True, reload=True
    )
    max_medias: int = setting(128, integer(1, 1024), Group.LIMITS, "`m=` lines in an SDP", ours=True, reload=True)
    max_candidates: int = setting(
        100, integer(1, 10000), Group.LIMITS, "ICE candidates of a media", ours=True, reload=True
    )
    log_level: int = setting(
        6, LEVEL, Group.LOG, "what is logged, by level of syslog: 7 debug, 6 info … 3 error", short="L", reload=True
    )
    log_levels: tuple[tuple[str, int], ...] = ()
    """Subsystems with a level of their own (`log-level-SUBSYSTEM`)."""
    log_format: str = setting(
        "default", FORMAT, Group.LOG, "`parsable` has the call-id in quotes, `json` one object a line", reload=True
    )
    log_stderr: bool = setting(
        False, FLAG, Group.LOG, "log to standard error even where `log-facility` is set", short="E"
    )
    log_facility: str | None = setting(
        None, FACILITY, Group.LOG, "log to syslog, under this facility", shown="log to standard error"
    )
    log_name: str = setting("ngdaemon", TEXT, Group.LOG, "the name in syslog")
    max_log_line_length: int = setting(
        0,
        integer(-1, 2**20, cap=True),
        Group.LOG,
        "longer log lines are cut; 0 is 500 for syslog and 4000 for standard error, negative is no bound",
        reload=True,
    )
    no_log_timestamps: bool = setting(False, FLAG, Group.LOG, "no time in log lines on standard error", reload=True)
    pidfile: str | None = setting(None, FILE, Group.START, "write the process id here", short="p", shown="none")
    foreground: bool = setting(
        True, FLAG, Group.START, "stay in the foreground; always so, a supervisor does the rest", short="f"
    )

    def ports(self, address: str) -> PortRange:
        """The media ports of a local address."""
        for owner, ports in self.port_ranges:
            if owner == address:
                return ports
        return PortRange(self.port_min, self.port_max)
