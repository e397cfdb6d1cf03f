"""Which tests name which requirements, found by reading the tests without running them.

A test names an id like FP-10 or S01 in its own name (`test_fp_10_…`, `…_s01`), in its docstring, in the docstring of
its class or module, or in the id of a parameter (`ids=…` or `pytest.param(…, id=…)`, also of a table at module level).
"""

import ast
import re
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_IN_TEXT = re.compile(r"\b(?:[A-Z]{2,4}-|S)\d\d\b")
_IN_NAME = re.compile(r"(?<![a-z0-9])(?:[a-z]{2,4}_\d\d|s\d\d)(?![a-z0-9])")


class Rank(IntEnum):
    """How closely a test is bound to the id; the closest is shown first."""

    NAME = 0
    DOCSTRING = 1
    PARAMETER = 2
    CLASS = 3
    MODULE = 4


class Evidence(NamedTuple):
    """Something that shows a requirement: a test, a class of tests or a whole module of them."""

    rank: Rank
    path: str
    """From the root of the tests, with slashes."""

    name: str
    """`test_x`, `TestX::test_x`, `TestX`, or "" for the module."""


def collect(root: Path) -> dict[str, list[Evidence]]:
    """Id → what shows it, the closest first, of all test modules below `root`."""
    found: dict[str, set[Evidence]] = {}
    for file in sorted(root.rglob("test_*.py")):
        path = file.relative_to(root).as_posix()
        for rank, name, ids in _module(ast.parse(file.read_bytes(), file)):
            for requirement in ids:
                found.setdefault(requirement, set()).add(Evidence(rank, path, name))
    return {requirement: sorted(evidence) for requirement, evidence in found.items()}


def every_test(root: Path) -> set[str]:
    """All tests below `root`, as `path::name`."""
    return {
        f"{file.relative_to(root).as_posix()}::{name}"
        for file in root.rglob("test_*.py")
        for name, _ in _functions(ast.parse(file.read_bytes(), file))
    }


def _module(tree: ast.Module) -> Iterator[tuple[Rank, str, set[str]]]:
    functions = list(_functions(tree))
    if functions:
        yield Rank.MODULE, "", _named(ast.get_docstring(tree))
    for name, node in _classes(tree):
        yield Rank.CLASS, name, _named(ast.get_docstring(node))
    tables = _tables(tree)
    for name, function in functions:
        yield Rank.NAME, name, {_upper(match) for match in _IN_NAME.findall(name)}
        yield Rank.DOCSTRING, name, _named(ast.get_docstring(function))
        yield Rank.PARAMETER, name, _parameters(function, tables)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The tests of a module with their names, those of classes behind the name of the class."""
    for prefix, body in [("", tree.body), *((f"{name}::", node.body) for name, node in _classes(tree))]:
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield prefix + node.name, node


def _classes(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef]]:
    """The classes of tests; a state machine of hypothesis is one by the name that its `TestCase` is given."""
    machines = {
        node.value.value.id: node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "TestCase"
        and isinstance(node.value.value, ast.Name)
        and isinstance(node.targets[0], ast.Name)
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            name = machines.get(node.name, node.name)
            if name.startswith("Test"):
                yield name, node


def _tables(tree: ast.Module) -> dict[str, set[str]]:
    """What the parameters in tables at module level name, by the name of the table."""
    tables: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            ids = _parameter_ids(node.value)
            tables |= {target.id: ids for target in targets if isinstance(target, ast.Name)}
    return tables


def _parameters(function: ast.FunctionDef, tables: dict[str, set[str]]) -> set[str]:
    ids: set[str] = set()
    for decorator in function.decorator_list:
        ids |= _parameter_ids(decorator)
        for node in ast.walk(decorator):
            if isinstance(node, ast.Name):
                ids |= tables.get(node.id, set())
    return ids


def _parameter_ids(tree: ast.AST) -> set[str]:
    """What `id=` and `ids=` of calls below this node name."""
    keywords = (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in ("id", "ids"))
    texts = (
        leaf.value
        for keyword in keywords
        for leaf in ast.walk(keyword.value)
        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
    )
    return {requirement for text in texts for requirement in _named(text)}


def _named(text: str | None) -> set[str]:
    return set(_IN_TEXT.findall(text or ""))


def _upper(name: str) -> str:
    return name.upper().replace("_", "-")
