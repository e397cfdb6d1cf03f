"""Tests of the packet path without sockets."""
