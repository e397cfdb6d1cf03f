"""Texts that look like session descriptions, from well-formed to hopeless."""

from hypothesis import strategies as st

LINES = (
    "v=0",
    "v=1",
    "o=- 1 1 IN IP4 198.51.100.1",
    "o=- 1 1 IN IP4",
    "s=-",
    "s=",
    "i=about",
    "u=http://example.com",
    "e=a@example.com",
    "p=+1 555",
    "c=IN IP4 198.51.100.1",
    "c=IN IP6 2001:db8::1",
    "c=IN IP4 0.0.0.0",
    "c=IN IP4 host.example.com",
    "b=AS:64",
    "t=0 0",
    "r=7d 1h 0 25h",
    "z=0 0",
    "k=prompt",
    "m=audio 4000 RTP/AVP 0 8 101",
    "m=audio 0 RTP/AVP 0",
    "m=video 4002/2 RTP/AVPF 96",
    "m=audio 70000 RTP/AVP 0",
    "m=audio 4000 RTP/AVP 128",
    "m=audio 4000 RTP/AVP four",
    "m=image 4004 udptl t38",
    "m=message 2855 TCP/MSRP *",
    "m=application 4006 UDP/BFCP *",
    "m=",
    "a=sendonly",
    "a=inactive",
    "a=rtcp:4001 IN IP4 198.51.100.1",
    "a=rtcp:",
    "a=rtcp-mux",
    "a=rtpmap:101 telephone-event/8000",
    "a=rtpmap:96 opus/48000/2",
    "a=rtpmap:0",
    "a=rtpmap:0 PCMU/8000/1",
    "a=fmtp:96 useinbandfec=1; stereo=0",
    "a=fmtp:101",
    "a=fmtp:",
    "a=rtcp-fb:* nack",
    "a=rtcp-fb:96 ccm fir",
    "a=mid:1",
    "a=ptime:20",
    "a=ptime:0",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=",
    "a=:",
    "x=unknown",
    " leading",
    "noequals",
    "",
    " ",
)


def likely_lines() -> st.SearchStrategy[str]:
    """Lines as they come, and a few that nobody sends."""
    return st.sampled_from(LINES) | st.text(max_size=20).map(lambda text: f"a={text}") | st.text(max_size=20)


def likely_texts() -> st.SearchStrategy[str]:
    """Texts of such lines, most of which begin well, with either kind of line end."""
    head = st.sampled_from(("", "v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"))
    lines = st.lists(st.tuples(likely_lines(), st.sampled_from(("\r\n", "\n", "\r\n", ""))), max_size=12)
    return st.builds(lambda begin, rest: begin + "".join(line + end for line, end in rest), head, lines)
