"""SRTP: suites, keys, the text of `a=crypto`, and the transforms (RFC 3711, 4568, 6188, 7714)."""
