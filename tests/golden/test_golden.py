"""The golden corpus against a real daemon: how near are we to a drop-in?

Every scenario is a test. Those that are known to disagree stand in `deviations.json` with the level at which they still
agree and the reason; a change in either direction fails, so that the file is always true.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden import record

HERE = Path(__file__).parent
DEVIATIONS: dict[str, dict[str, str]] = json.loads((HERE / "deviations.json").read_text())
LEVELS = ("exact", "lines", "semantic")
