"""Calls: their facts, offer and answer, the SDP that leaves, and the plan of their packets."""
