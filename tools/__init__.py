"""Generators of documents; none of this is installed."""
