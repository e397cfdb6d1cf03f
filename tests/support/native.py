"""Tests of the native forwarder are left out where it is not installed, but never in CI."""

import os

import pytest

from ngdaemon.shell.installed import native_trouble

LEFT_OUT = native_trouble() if "CI" not in os.environ else ""
"""Why they are left out; "" if they are not."""

needs_native = pytest.mark.skipif(bool(LEFT_OUT), reason=LEFT_OUT)
