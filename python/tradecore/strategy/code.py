"""What code a strategy is made of: its module and what that imports from its own folder, hashed file by file.

An import is found by reading the source, wherever it stands in it, and nothing is run. One whose name is made
while the strategy runs (`import_module(name)`) is not found, and data files that it reads are no code.
"""

import ast
import hashlib
import importlib.util
import itertools
from collections.abc import Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError

_BY_NAME = frozenset({"import_module", "__import__"})


class StrategyCode(msgspec.Struct, frozen=True):
    """The files of a strategy.

    Attributes
    ----------
    files : dict of str to str
        SHA-256 of each, hexadecimal, by its path from the folder of the strategy's module.
    """

    files: dict[str, str]

    @property
    def digest(self) -> str:
        """One hash of them all."""
        text = "".join(f"{name}\0{found}\n" for name, found in sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def changes_since(self, before: "StrategyCode") -> list[str]:
        """Return what is different from code before, a few words for each file."""
        names = sorted(self.files.keys() | before.files.keys())
        return [
            f"{name} {'was changed' if now and then else 'is new' if now else 'is gone'}"
            for name in names
            if (now := self.files.get(name)) != (then := before.files.get(name))
        ]


def code_of(
    target: str, *, source: str, key: str = "strategy.class", base: Path | None = None
) -> StrategyCode:
    """Return the code of the class named by `path/to/file.py:Class` or `package.module:Class`.

    Parameters
    ----------
    target, source, key, base
        As of `load_class`.

    Raises
    ------
    ConfigError
        When its module is not found, or a file of it cannot be read.
    """
    location = target.rpartition(":")[0]
    package = ""
    if location.endswith(".py"):
        path: Path | None = (base or Path.cwd()) / location
    else:
        path, package = _module_file(location), location.rpartition(".")[0]
    if path is None or not path.is_file():
        raise ConfigError(source, key, target, "has no file whose code could be looked at")
    folder = _Folder(path.parent, package)
    try:
        return StrategyCode(folder.hashed(path))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise ConfigError(source, key, target, f"its code cannot be read: {error}") from error


def _module_file(location: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(location)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


class _Folder:
    """The folder of a strategy's module; `package` stands before the names of the modules in it."""

    def __init__(self, path: Path, package: str) -> None:
        self._path, self._package = path, package

    def hashed(self, first: Path) -> dict[str, str]:
        """Return the hash of a file and of all that it imports from here, and so on."""
        found: dict[str, str] = {}
        # The package of a module is run before it.
        waiting = [first, *([] if not self._package else self._files_of("__init__"))]
        while waiting:
            path = waiting.pop()
            name = path.relative_to(self._path).as_posix()
            if name in found:
                continue
            content = path.read_bytes()
            found[name] = hashlib.sha256(content).hexdigest()
            if path.suffix == ".py":
                within = path.parent.relative_to(self._path).parts
                for module in _imported(ast.parse(content), within):
                    waiting += self._files_of(self._inside(module))
        return found

    def _inside(self, module: str) -> str:
        """Return the name of a module as seen from this folder."""
        is_own = bool(self._package) and f"{module}.".startswith(f"{self._package}.")
        return module[len(self._package) + 1 :] if is_own else module

    def _files_of(self, module: str) -> Iterator[Path]:
        """Yield the files that an import of a module runs, if they are in this folder."""
        place = self._path
        parts = module.split(".") if module else []
        # A name that is none, such as a path, is found by no import either.
        for part in itertools.takewhile(str.isidentifier, parts):
            for suffix in all_suffixes():
                for candidate in (place / f"{part}{suffix}", place / part / f"__init__{suffix}"):
                    if candidate.is_file():
                        yield candidate
            place /= part


def _imported(tree: ast.AST, within: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of modules that a source imports; relative ones as seen from the folder.

    `within` are the folders below it in which the source is.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=level) if level <= len(within) + 1:
                above = within[: len(within) + 1 - level] if level else ()
                start = ".".join([*above, *([module] if module else [])])
                yield start
                # What is taken from a package may be a module of it.
                yield from (f"{start}.{each.name}".lstrip(".") for each in names)
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(module)), *_]
            ) if name in _BY_NAME:
                yield module.lstrip(".")
            case _:
                pass
