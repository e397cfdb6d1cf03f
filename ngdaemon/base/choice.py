"""Enumerations that are looked up often."""

from enum import Enum


class Choice(Enum):
    """An enumeration whose members are found in sets and dictionaries by what they are.

    There is one object for each member, so its identity will do; `Enum` hashes the name, in code of Python's own.
    """

    __hash__ = object.__hash__
