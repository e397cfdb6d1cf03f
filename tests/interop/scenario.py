"""SIPp scenarios, composed step by step: what a caller or a callee sends, expects, says and waits for.

Each method adds one step and returns the scenario, so one side of a call reads as the story it is. A `gate` holds the
phone until the test lets it go on (`SippCall.go`): that is how a test waits for media instead of for time.
"""

from pathlib import Path
from typing import Self

_PHRASES = {
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
}
_REMEMBER_CALLEE = '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="remote"/>'


def sdp(
    *attributes: str,
    port: str = "[rtpstream_audio_port]",
    address: str = "[media_ip]",
    version: int = 1,
    protocol: str = "RTP/AVP",
) -> str:
    """An audio description; `attributes` are whole lines. Port and address may be SIPp keywords, as they are here."""
    lines = [
        "v=0",
        f"o=- 4711 {version} IN IP[media_ip_type] [media_ip]",
        "s=-",
        f"c=IN IP[media_ip_type] {address}",
        "t=0 0",
        f"m=audio {port} {protocol} 8",
        "a=rtpmap:8 PCMA/8000",
        *attributes,
    ]
    return "\n".join(lines) + "\n"


class Scenario:
    """What both sides have in common; SIPp variables `local` and `remote` hold the parties of the dialogue."""

    def __init__(self, user: str, cseq: int, copies_route: bool = True) -> None:
        self.user = user
        self._copies_route = copies_route
        self._cseq = cseq
        self._expected = ""
        self._steps: list[str] = []

    def xml(self) -> str:
        """The scenario as SIPp reads it."""
        steps = "\n".join(self._steps)
        used = ",".join(name for name in ("local", "remote") if f'"{name}"' in steps)
        reference = f'<Reference variables="{used}"/>' if used else ""
        body = f'<scenario name="{self.user}">\n{steps}\n{reference}\n</scenario>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'

    # Waiting and talking.

    def gate(self) -> Self:
        """Report to the test and wait until it says go."""
        report = "Call-ID: [call_id]\nFrom: phone\n"
        return self._step(f"<sendCmd><![CDATA[\n{report}\n]]></sendCmd>")._step("<recvCmd/>")

    def talk(self, sound: Path) -> Self:
        """Say the sound, again and again, to where the last session description pointed."""
        return self._media(f"{sound},-1,8")

    def hush(self) -> Self:
        """Stop talking …"""
        return self._media("pause")

    def talk_on(self) -> Self:
        """… and go on with the next word."""
        return self._media("resume")

    # Requests of this side inside the dialogue.

    def reinvite(self, body: str, body_in_ack: str = "") -> Self:
        """Offer again, expect 200 and acknowledge; with no `body` the other side makes the offer."""
        return self._request("INVITE", body).expect_reply(200, 100, 180).ack(body_in_ack)

    def refused_reinvite(self, body: str, status: int) -> Self:
        """Offer again and expect a refusal."""
        self._request("INVITE", body).expect_reply(status, 100, 180)
        return self._send(self._head("ACK", "INVITE"), "")

    def prack(self, body: str, status: int = 200) -> Self:
        """Acknowledge a provisional reply, with an offer or an answer (RFC 3262 5)."""
        return self._request("PRACK", body).expect_reply(status)

    def update(self, body: str) -> Self:
        """Offer again by UPDATE (RFC 3311)."""
        return self._request("UPDATE", body).expect_reply(200, 100)

    def ack(self, body: str = "") -> Self:
        """Acknowledge the final reply to the INVITE."""
        return self._send(self._head("ACK"), body)

    def bye(self) -> Self:
        """Hang up."""
        return self._request("BYE").expect_reply(200)

    # What comes from the other side.

    def expect(self, method: str) -> Self:
        """Wait for a request."""
        self._expected = method
        return self._step(f'<recv request="{method}"/>')

    def expect_reply(self, status: int, *before: int) -> Self:
        """Wait for a reply; the ones in `before` may come earlier."""
        for other in before:
            self._step(f'<recv response="{other}" optional="true"/>')
        return self._step(f'<recv response="{status}"/>')

    def reply(self, status: int, body: str = "", cseq: str = "[last_CSeq:]") -> Self:
        """Reply to the last request."""
        lines = [
            f"SIP/2.0 {status} {_PHRASES[status]}",
            "[last_Via:]",
            *(["[last_Record-Route:]"] if self._copies_route else []),
            "[last_From:]",
            self._reply_to(),
            "[last_Call-ID:]",
            cseq,
            self._contact(),
        ]
        return self._send(lines, body, retransmit=self._expected == "INVITE" and status >= 200)

    def accept_reinvite(self, body: str) -> Self:
        """Expect an offer and answer it."""
        return self.expect("INVITE").reply(200, body).expect("ACK")

    def hung_up(self) -> Self:
        """Expect that the other side hangs up."""
        return self.expect("BYE").reply(200)

    # The pieces.

    def _step(self, xml: str) -> Self:
        self._steps.append(xml)
        return self

    def _media(self, order: str) -> Self:
        return self._step(f'<nop><action><exec rtp_stream="{order}"/></action></nop>')

    def _request(self, method: str, body: str = "") -> Self:
        self._cseq += 1
        return self._send(self._head(method), body, retransmit=True)

    def _send(self, lines: list[str], body: str, retransmit: bool = False) -> Self:
        kind = ["Content-Type: application/sdp"] if body else []
        message = "\n".join([*lines, *kind, "Content-Length: [len]", "", body])
        attribute = ' retrans="500"' if retransmit else ""
        return self._step(f"<send{attribute}><![CDATA[\n{message}\n]]></send>")

    def _head(self, method: str, transaction: str = "") -> list[str]:
        """A request inside the dialogue, in a transaction of its own unless another method's is given."""
        branch = f"z9hG4bK-{transaction or method}-{self._cseq}-[pid]"
        return [
            f"{method} [next_url] SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
            "[routes]",
            f"From: {self._local()}",
            "To: [$remote]",
            "Call-ID: [call_id]",
            f"CSeq: {self._cseq} {method}",
            self._contact(),
            "Max-Forwards: 70",
        ]

    def _contact(self) -> str:
        return f"Contact: <sip:{self.user}@[local_ip]:[local_port]>"

    def _local(self) -> str:
        """This side as From header of its requests."""
        raise NotImplementedError

    def _reply_to(self) -> str:
        return "[last_To:]"


class Caller(Scenario):
    """The side that begins the dialogue."""

    def __init__(self, user: str, callee: str) -> None:
        super().__init__(user, cseq=1)
        self._callee = callee

    def invite(self, body: str) -> Self:
        """Call; without `body` the callee makes the offer."""
        lines = self._first("INVITE", f"<sip:{self._callee}@[remote_ip]>")
        return self._send(lines, body, retransmit=True)

    def answered(self, *before: int, body_in_ack: str = "") -> Self:
        """Expect 200 and acknowledge."""
        for status in (100, *before):
            self._step(f'<recv response="{status}" optional="true"/>')
        self._remember("200", _REMEMBER_CALLEE)
        return self.ack(body_in_ack)

    def early(self, status: int = 183) -> Self:
        """Expect a provisional reply that makes the dialogue."""
        self._step('<recv response="100" optional="true"/>')
        self._remember(str(status), _REMEMBER_CALLEE)
        return self

    def refused(self, status: int, *before: int) -> Self:
        """Expect a refusal; the ACK goes the way of the INVITE, hop by hop."""
        self.expect_reply(status, 100, *before)
        return self._send(self._first("ACK", "[last_To:]"), "")

    def cancel(self) -> Self:
        """Give the call up while it rings."""
        self._send(self._first("CANCEL", f"<sip:{self._callee}@[remote_ip]>"), "", retransmit=True)
        return self.expect_reply(200).refused(487)

    def _first(self, method: str, to: str) -> list[str]:
        """A request of the transaction that begins the dialogue; all have the branch of the INVITE."""
        to_line = to if to.startswith("[") else f"To: {to}"
        return [
            f"{method} sip:{self._callee}@[remote_ip] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-first-[pid]",
            f"From: {self._local()}",
            to_line,
            "Call-ID: [call_id]",
            f"CSeq: 1 {method}",
            self._contact(),
            "Max-Forwards: 70",
        ]

    def _remember(self, status: str, action: str) -> None:
        self._step(f'<recv response="{status}" rrs="true"><action>{action}</action></recv>')

    def _local(self) -> str:
        return f"<sip:{self.user}@[remote_ip]>;tag=[pid]caller"


class Callee(Scenario):
    """The side that is called; without `copies_route` its replies lack the Record-Route (against RFC 3261 12.1.1)."""

    def __init__(self, user: str, copies_route: bool = True) -> None:
        super().__init__(user, 100, copies_route)
        self._established = False

    def invited(self) -> Self:
        """Expect the call."""
        self._expected = "INVITE"
        parties = "".join(
            f'<ereg regexp=".*" search_in="hdr" header="{header}:" check_it="true" assign_to="{name}"/>'
            for header, name in (("From", "remote"), ("To", "local"))
        )
        return self._step(f'<recv request="INVITE" rrs="true"><action>{parties}</action></recv>')

    def ring(self, body: str = "") -> Self:
        """180, or 183 with early media."""
        return self.reply(183 if body else 180, body)

    def answer(self, body: str) -> Self:
        """Take the call and expect to be acknowledged."""
        self.reply(200, body)
        self._established = True
        return self.expect("ACK")

    def answer_in_vain(self, body: str) -> Self:
        """Take the call with a description that the media node refuses: the proxy, which has told the caller so, gives
        the call up, acknowledges the answer that was under way, and hangs up."""
        self.reply(200, body).expect("CANCEL").reply(200)
        self._established = True
        return self.expect("ACK").hung_up()

    def refuse(self, status: int) -> Self:
        """Refuse the call."""
        return self.reply(status).expect("ACK")

    def cancelled(self) -> Self:
        """Expect that the call is given up while this phone rings."""
        self.expect("CANCEL").reply(200)
        self._expected = "INVITE"
        return self.reply(487, cseq="CSeq: 1 INVITE").expect("ACK")

    def _local(self) -> str:
        return "[$local];tag=[pid]callee"

    def _reply_to(self) -> str:
        return "[last_To:]" if self._established else "[last_To:];tag=[pid]callee"


class Registration(Scenario):
    """A phone that tells the registrar where it is."""

    def __init__(self, user: str) -> None:
        super().__init__(user, cseq=1)
        lines = [
            "REGISTER sip:[remote_ip] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            f"From: {self._local()}",
            f"To: <sip:{user}@[remote_ip]>",
            "Call-ID: [call_id]",
            "CSeq: 1 REGISTER",
            self._contact(),
            "Max-Forwards: 70",
            "Expires: 600",
        ]
        self._send(lines, "", retransmit=True).expect_reply(200)

    def _local(self) -> str:
        return f"<sip:{self.user}@[remote_ip]>;tag=[pid]registration"
