"""Dictionaries as messages hold them."""

from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)


def values() -> st.SearchStrategy[object]:
    """Strings, integers, lists and dictionaries."""
    plain: st.SearchStrategy[object] = TEXTS | INTEGERS
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


def documents() -> st.SearchStrategy[dict[str, object]]:
    """Whole messages."""
    return st.dictionaries(TEXTS, values(), max_size=5)
