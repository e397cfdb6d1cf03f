"""Session descriptions (RFC 8866): lines, not meanings. What no rule touches leaves as it came."""
