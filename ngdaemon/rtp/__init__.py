"""RTP and RTCP as far as a relay looks at them. Bytes in, values out; knows nothing of sockets or calls."""
