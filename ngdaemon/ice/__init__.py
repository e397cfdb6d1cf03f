"""ICE: STUN messages, candidates, and the agent, full and lite (RFC 8445, 8489, 8839, 7675)."""
