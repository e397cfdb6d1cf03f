"""Identifiers that must not be mixed up."""

from typing import NewType

CallId = NewType("CallId", str)
"""The SIP Call-ID as the proxy sent it."""

Tag = NewType("Tag", str)
"""The SIP tag that names a leg."""

SocketId = NewType("SocketId", int)
"""A bound local port of the forwarder. Never used again after its socket was closed."""
