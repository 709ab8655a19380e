"""Finds circles of files that use each other, in a crate or in a Python package."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from support.tree import tree_of

Module = tuple[str, ...]
Graph = Mapping[Module, set[Module]]


def circles(graph: Graph) -> list[list[str]]:
    """List the groups of modules of which each reaches every other one, by name."""
    reached = {module: _reached(graph, module) for module in graph}
    groups = {
        frozenset(other for other in reached[module] if module in reached[other]) | {module}
        for module in graph
        if module in reached[module]
    }
    return sorted(sorted("/".join(module) or "lib" for module in group) for group in groups)


def _reached(graph: Graph, start: Module) -> set[Module]:
    found: set[Module] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += graph.get(module, ())
    return found


def of_crate(source: Path, paths: Iterable[Path]) -> Graph:
    """Return which files of a crate name which others, by `use` or by path; tests are left out.

    A `mod` line and what a file only hands on (`pub use`) are no use of it: a name that is handed on leads to
    the file it comes from.
    """
    texts = {_place(path.relative_to(source)): _code(path) for path in paths if not _is_test(path)}
    handed_on = {
        (module, path[-1]): path
        for module, text in texts.items()
        for tree in re.findall(r"pub(?:\(\w+\))? use ([^;]+);", text)
        for path in _absolute(module, _leaves(tree))
    }
    graph: dict[Module, set[Module]] = {}
    for module, text in texts.items():
        own = re.sub(r"pub(?:\(\w+\))? use [^;]+;", "", text)
        trees = re.findall(r"\buse ((?:crate|super|self)::[^;]+);", own)
        leaves = [leaf for tree in trees for leaf in _leaves(tree)]
        leaves += re.findall(r"\b(?:crate|super|self)(?:::\w+)+", re.sub(r"\buse [^;]+;", "", own))
        named = {_file_of(path, texts, handed_on) for path in _absolute(module, leaves)}
        graph[module] = named - {module}
    return graph


def _is_test(path: Path) -> bool:
    return "tests" in path.parts or re.search(r"(tests|properties|samples)$", path.stem) is not None


def _place(path: Path) -> Module:
    parts = path.with_suffix("").parts
    return parts[:-1] if parts[-1] in {"mod", "lib"} else parts


def _code(path: Path) -> str:
    """Return a file without comments and without its tests, which may use what they like."""
    text = re.sub(r"#\[cfg\(test\)\]\s*mod \w+ \{.*\Z", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"//.*", "", text)


def _leaves(tree: str) -> Iterator[str]:
    """Yield every path of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    first, brace, rest = tree.strip().partition("{")
    if not brace:
        yield re.sub(r"\s+as\s+\w+", "", first)
        return
    depth, part = 0, ""
    for letter in rest.rstrip().removesuffix("}") + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if part.strip():
                yield from _leaves(first + part.strip())
            part = ""
        else:
            part += letter


def _absolute(module: Module, leaves: Iterable[str]) -> Iterator[Module]:
    """Yield paths from the root of the crate; one with neither `crate` nor `super` begins in the file."""
    for leaf in leaves:
        parts, base = [part.strip() for part in leaf.split("::")], module
        if parts[0] in {"crate", "self"}:
            base = () if parts[0] == "crate" else module
            parts = parts[1:]
        while parts and parts[0] == "super":
            base, parts = base[:-1], parts[1:]
        yield (*base, *parts)


def _file_of(
    path: Module, files: Mapping[Module, str], handed_on: Mapping[tuple[Module, str], Module]
) -> Module:
    """Return the file that a path leads to, through what others hand on."""
    place = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in files)
    onward = handed_on.get((place, path[len(place)])) if len(path) > len(place) else None
    return place if onward is None or onward == path else _file_of(onward, files, handed_on)


def of_package(root: Path, paths: Iterable[Path]) -> Graph:
    """Return which files of a Python package import which others of it; `root` is the folder it lies in."""
    places = {path: path.relative_to(root).with_suffix("").parts for path in paths}
    modules = {parts[:-1] if parts[-1] == "__init__" else parts: path for path, parts in places.items()}
    return {module: _imported(path, set(modules)) - {module} for module, path in modules.items()}


def _imported(path: Path, modules: set[Module]) -> set[Module]:
    named: list[Module] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            named += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = tuple(node.module.split("."))
            named += [(*package, alias.name) for alias in node.names]
    # A name is one of the module before it when there is no module of that name.
    return {name if name in modules else name[:-1] for name in named} & modules
