"""Offer and answer: what is heard of a session description, what is told, and what both legs are to each other then."""
