"""What code a strategy is made of: its module and what that imports from its own folder, hashed file by file.

An import is found by reading the source, wherever it stands in it, and nothing is run. What stands in it as
text and is the name of a module or of a file of code counts, too, because it may be imported by that name.
A name that is put together while the strategy runs is not found, and data files that it reads are no code.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.strategy.own_source import hold
from tradecore.strategy.place import Place, place_of

# Text that may be the name of a module, of a file or of a folder.
_NAME = re.compile(r"[\w./-]{1,200}")
_CODE_SUFFIXES = (*all_suffixes(), ".zip", ".whl", ".egg", ".pyz")


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
    place = place_of(target, base)
    if place is None:
        raise ConfigError(source, key, target, "has no file whose code could be looked at")
    try:
        return StrategyCode(_Folder(place).hashed())
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise ConfigError(source, key, target, f"its code cannot be read: {error}") from error


def hold_to(target: str, code: StrategyCode, base: Path | None = None) -> list[str]:
    """Let the files of a strategy run as they are in `code` alone, from here on, whenever they are imported.

    Returns those that ran otherwise before; `target` and `base` are as of `code_of`.
    """
    place = place_of(target, base)
    if place is None:
        return []
    ran = hold({place.folder / name: digest for name, digest in code.files.items()})
    return [path.relative_to(place.folder).as_posix() for path in ran]


class _Folder:
    """The folder of a strategy's module, while it is read."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # A folder that the source names may be put among those that modules are looked for in.
        self._roots = [place.folder]
        self._modules: set[str] = set()
        self._waiting = [place.path]

    def hashed(self) -> dict[str, str]:
        """Return the hash of the module and of all that it imports or names from here, and so on."""
        found: dict[str, str] = {}
        if self._place.package:
            # The package of a module is run before it.
            self._meet("__init__")
        while self._waiting:
            path = self._waiting.pop()
            name = path.relative_to(self._place.folder).as_posix()
            if name in found:
                continue
            content = path.read_bytes()
            found[name] = hashlib.sha256(content).hexdigest()
            if path.suffix == ".py":
                within = path.parent.relative_to(self._place.folder).parts
                tree = ast.parse(content)
                for module in _imported(tree, within):
                    self._meet(module)
                for text in _names(tree):
                    self._meet_text(text, within)
        return found

    def _meet_text(self, text: str, within: tuple[str, ...]) -> None:
        """Take what a text in a source may be the name of, as seen from any folder above the source."""
        for depth in range(len(within) + 1):
            self._meet(".".join([*within[:depth], text.lstrip(".")]))
            path = self._place.folder.joinpath(*within[:depth], text)
            if path.name.endswith(_CODE_SUFFIXES) and path.is_file():
                self._waiting.append(path)
            elif path not in self._roots and path.is_dir():
                self._roots.append(path)
                for module in self._modules:
                    self._waiting += _files_of(path, module)

    def _meet(self, module: str) -> None:
        """Take the files that an import of a module runs, if they are in this folder."""
        package = self._place.package
        if package and f"{module}.".startswith(f"{package}."):
            module = module[len(package) + 1 :]
        if module not in self._modules:
            self._modules.add(module)
            for root in self._roots:
                self._waiting += _files_of(root, module)


def _files_of(root: Path, module: str) -> Iterator[Path]:
    """Yield the files below a folder that an import of a module runs."""
    place = root
    for part in module.split("."):
        # A path is no name of a module, and no import finds it.
        if not part or "/" in part:
            return
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
            case _:
                pass


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield each text in a source that may be the name of a module, a file or a folder below it."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if _NAME.fullmatch(text):
                if not text.startswith("/") and ".." not in text.split("/"):
                    yield text
            case _:
                pass
