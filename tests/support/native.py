"""Tests of the native forwarder are left out where it is not installed, but never in CI."""

import os
from pathlib import Path

import pytest

from ngdaemon.shell.installed import native_trouble

LEFT_OUT = native_trouble() if "CI" not in os.environ else ""
"""Why they are left out; "" if they are not."""

needs_native = pytest.mark.skipif(bool(LEFT_OUT), reason=LEFT_OUT)

HIDDEN = "import sys; sys.modules['ngdaemon_native'] = None\n"


def without_native(folder: Path) -> dict[str, str]:
    """The environment of a process that finds no native forwarder, whether it is installed or not."""
    (folder / "sitecustomize.py").write_text(HIDDEN, "ascii")
    return {"PYTHONPATH": str(folder)}
