"""Live transports: the ICE agents and DTLS associations of calls."""
