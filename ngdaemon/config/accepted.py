"""rtpengine's options that change nothing here, so that an operator's file and start script are taken as they are.

Two kinds: what has no meaning for this daemon (named once in the log), and what belongs to a feature that this daemon
does not have yet (a warning at the start, because the operator relies on it). Names as in ng-protocol.md §8.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """A known option without effect."""

    name: str
    short: str
    is_flag: bool
    repeated: bool
    reason: str


NO_EFFECT = {
    "there is no kernel module: what forwards packets is chosen by `forwarder`": (
        "table,t= no-fallback,F kernel-slots= kernel-num-threads= nftables-chain= nftables-base-chain= nftables-append "
        "nftables-family= nftables-start nftables-stop nftables-status xtables"
    ),
    "threads and their scheduling are not the operator's to set": (
        "media-num-threads= num-media-threads= codec-num-threads= http-threads= redis-num-threads= "
        "thread-stack= poller-size= poller-per-thread max-recv-iters= timer-accuracy= socket-cpu-affinity= scheduling= "
        "priority= idle-scheduling= idle-priority= io-uring io-uring-buffers="
    ),
    "a record is always one line, and keys are never logged": (
        "split-logs log-mark-prefix= log-mark-suffix= log-srtp-keys debug-srtp"
    ),
    "replies are kept to what 26.3 calls `full`": "ssrc-reporting= measure-rtp",
    "each leg of a call has a fresh certificate on P-256, and only suites with forward secrecy": (
        "dtls-cert-cipher= dtls-rsa-key-size= dtls-signature= dtls-ciphers="
    ),
    "ports are opened on one local address of an interface only": "save-interface-ports,S",
    "the protocol is obsolete": "listen-udp,u= listen-tcp,l= janus-secret=",
    "buffers are sized by what they hold": "http-buf-size= http-idle-timeout=",
}
"""Reason → options: `name[,short]`, `=` where a value follows, `+` where it may be repeated."""

NOT_YET = {
    "signalling templates": "templates=",
    "NG over TCP, HTTP and WebSocket": "listen-tcp-ng,N+ listen-http+ listen-https+ https-cert= https-key=",
    "the command line interface and metrics": (
        "listen-cli,c+ graphite,g= graphite-interval,G= graphite-prefix= graphite-timeout= mqtt-host= mqtt-port= "
        "mqtt-id= mqtt-keepalive= mqtt-user= mqtt-pass= mqtt-cafile= mqtt-capath= mqtt-certfile= mqtt-keyfile= "
        "mqtt-tls-alpn= mqtt-publish-qos= mqtt-publish-topic= mqtt-publish-interval= mqtt-publish-scope= homer= "
        "homer-protocol= homer-id= homer-disable-rtcp-stats homer-enable-ng homer-ng-capture-proto= "
        "log-facility-cdr= log-facility-rtcp= mos="
    ),
    "telling a SIP server of calls that timed out": "b2b-url,b= xmlrpc-format,x=",
    "storage shared between nodes": (
        "redis,r= redis-write,w= redis-subscribe= subscribe-keyspace,k+ redis-expires= no-redis-required,q "
        "redis-allowed-errors= redis-disable-time= redis-cmd-timeout= redis-connect-timeout= "
        "redis-resolve-on-reconnect redis-format= redis-tcp-keepalive-time= redis-tcp-keepalive-intvl= "
        "redis-tcp-keepalive-probes= redis-delete-async,y redis-delete-async-interval= active-switchover"
    ),
    "recording": (
        "recording-dir= recording-method= recording-format= record-egress record-both vsc-start-rec= vsc-stop-rec= "
        "vsc-start-stop-rec= vsc-pause-rec= vsc-pause-resume-rec= vsc-start-pause-resume-rec="
    ),
    "DTMF": (
        "dtmf-log-dest= dtmf-log-ng-tcp dtmf-no-log-injects dtmf-no-suppress dtmf-digit-delay= log-facility-dtmf="
    ),
    "RTCP of our own": "rtcp-interval=",
    "playing media": (
        "mysql-host= mysql-port= mysql-user= mysql-pass= mysql-query= player-cache kernel-player= "
        "kernel-player-media= preload-media-files+ media-files-reload= media-files-expire= preload-db-media+ "
        "db-media-reload= db-media-expire= db-media-cache= preload-db-cache+ db-cache-reload= cache-media-reload= "
        "db-cache-expire= expiry-timer= moh-max-duration= moh-max-repeats= moh-attr-name= moh-prevent-double-hold "
        "audio-player= audio-buffer-length= audio-buffer-delay="
    ),
    "transcoding": (
        "jitter-buffer= jb-clock-drift jb-adaptive jb-adaptive-min= jb-adaptive-max= dtx-delay= max-dtx= dtx-buffer= "
        "dtx-lag= dtx-shift= dtx-cn-params+ amr-dtx= evs-dtx= silence-detect= cn-payload+ evs-lib-path= "
        "transcode-config= codecs"
    ),
    "`transform` and its own NG client": "ng-client-timeout= ng-client-retries=",
    "one firewall rule a port": "iptables-chain=",
}
"""Feature → options, written as above."""


def rows(table: dict[str, str]) -> tuple[Accepted, ...]:
    """The options of one of the tables above, in order."""
    found = []
    for reason, words in table.items():
        for word in words.split():
            name, _, short = word.rstrip("=+").partition(",")
            found.append(Accepted(name, short, word[-1] not in "=+", word.endswith("+"), reason))
    return tuple(found)
