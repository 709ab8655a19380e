"""Reads the repository's own files, for tests about the house itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from support.shared import ROOT


@cache
def own_files() -> tuple[Path, ...]:
    """List the files that belong to the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in names.split("\0") if name and (path := ROOT / name).is_file())


def files(*suffixes: str, below: str = "") -> list[Path]:
    """List own files by suffix, below a folder."""
    return [path for path in own_files() if path.suffix in suffixes and path.is_relative_to(ROOT / below)]


def name_of(path: Path) -> str:
    """Give a path as a message shows it."""
    return path.relative_to(ROOT).as_posix()


def names_in_tables(path: str) -> list[str]:
    """List the names in the tables of `coded!` enums of a Rust file."""
    return re.findall(r'= \d+, "(\w+)";', (ROOT / path).read_text(encoding="utf-8"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a Python file once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of everything a file imports or reaches through an import."""
    tree = tree_of(path)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.lineno, f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := _dotted(node)):
            first, _, rest = name.partition(".")
            full = known.get(first, first)
            yield node.lineno, f"{full}.{rest}" if rest else full


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""
