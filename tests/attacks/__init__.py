"""Attacks on a running daemon, as real processes in network namespaces (README.md)."""
