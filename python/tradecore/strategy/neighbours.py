"""Lets a strategy's file import the files beside it, and nobody else see them.

What is installed comes first, so a file named `json.py` beside a strategy changes nothing for anybody. The
files of two directories may have one name: each is known by its directory, and none is put under its bare
name, where others would find it. An import inside a callback works as one at the top does.
"""

import builtins
import importlib
import importlib.util
import sys
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import cast

from tradecore.strategy.own_source import OwnSourceLoader, with_own_source

_PREFIX = "tradecore_beside_"


class NeighbourLoader(OwnSourceLoader):
    """Runs a file whose `import` also looks into the directory `package` stands for."""

    def __init__(self, fullname: str, path: str, package: str) -> None:
        super().__init__(fullname, path)
        self._package = package

    def exec_module(self, module: ModuleType) -> None:
        """Run the file; its own `__import__` is how CPython lets a module say what `import` does in it."""
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": partial(_import, self._package)}
        super().exec_module(module)


class _NeighbourFinder:
    """Finds the modules of the packages that stand for directories, and nothing else."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module beside a strategy; `None` for every other one."""
        if not fullname.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return spec
        return with_own_source(spec, NeighbourLoader(fullname, spec.origin, fullname.partition(".")[0]))


def package_of(directory: Path) -> str:
    """Return the name of the package that stands for a directory of strategies; it is made when it is new."""
    place = directory.resolve().as_posix()
    name = f"{_PREFIX}{zlib.crc32(place.encode()):08x}"
    if name not in sys.modules:
        package = ModuleType(name, f"What is beside the strategies in {place}.")
        package.__path__ = [place]
        sys.modules[name] = package
    if _NeighbourFinder not in sys.meta_path:
        sys.meta_path.insert(0, _NeighbourFinder)
    return name


def _import(
    package: str,
    name: str,
    names: Mapping[str, object] | None = None,
    local_names: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """Import as the statement does; `package` stands for the directory of the file that asks."""
    if level or not _is_beside(package, name):
        return builtins.__import__(name, names, local_names, fromlist or (), level)
    module = importlib.import_module(f"{package}.{name}")
    if fromlist:
        return builtins.__import__(module.__name__, names, local_names, fromlist, 0)
    return sys.modules[f"{package}.{name.partition('.')[0]}"]


def _is_beside(package: str, name: str) -> bool:
    """Tell whether only the directory of the strategy has a module of this name."""
    top = name.partition(".")[0]
    if f"{package}.{top}" in sys.modules:
        return True
    if top in sys.modules or importlib.util.find_spec(top) is not None:
        return False
    return PathFinder.find_spec(top, cast("list[str]", sys.modules[package].__path__)) is not None
