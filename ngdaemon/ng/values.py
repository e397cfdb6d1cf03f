"""Values: what a key of a declared type also accepts (ng-protocol.md §1.3). Each reader returns None for the rest."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from ngdaemon.base.endpoint import LONGEST_ADDRESS, Family, parse_address

_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_LONGEST_INTEGER = 20
_FAMILIES = {family.value: family for family in Family}


def integer(value: object) -> int | None:
    """A 64-bit integer, also from a boolean, a fraction, or a string: decimal, or hexadecimal after `0x`."""
    if isinstance(value, str):
        if len(value) > _LONGEST_INTEGER or not _INTEGER.fullmatch(value):
            return None
        number = int(value, 16 if value.lstrip("+-")[:2] in ("0x", "0X") else 10)
    elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        number = int(value)
    else:
        return None
    return max(-(2**63), min(number, 2**63 - 1))


def strings(value: object) -> Sequence[str] | None:
    """The strings of a list (other elements are passed over), or the parts of a string that has commas between them."""
    if type(value) is list:
        return [item for item in value if type(item) is str]
    if type(value) is str:
        return [part for part in value.split(",") if part]
    return None


def listed(value: object) -> Sequence[str] | None:
    """The strings of a list, for keys whose value has to be one."""
    return [item for item in value if type(item) is str] if type(value) is list else None


def unescaped(text: str) -> str:
    """Text that travelled through a proxy's script: `--` stands for `=` there, and `..` for a space."""
    return text.replace("--", "=").replace("..", " ")


def source_address(value: object) -> str | None:
    """The address of `received-from`: a string, or a list of family and address that fit together."""
    if isinstance(value, str):
        return numeric_address(value)
    if not isinstance(value, list) or len(value) != 2:
        return None
    family, text = value
    address = numeric_address(text) if isinstance(text, str) else None
    wanted = _FAMILIES.get(family) if isinstance(family, str) else None
    if address is None or wanted is None or (wanted is Family.IP6) != (":" in address):
        return None
    return address


def numeric_address(text: str) -> str | None:
    """A numeric address in its canonical form; None for anything else."""
    return _spelled(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _spelled(text: str) -> str | None:
    """Kept: proxies name the same few over and over."""
    address = parse_address(text)
    return None if address is None else str(address)
