"""DTLS-SRTP: certificates, fingerprints, roles, and associations over memory buffers (RFC 5763, 5764, 8122, 8842)."""
