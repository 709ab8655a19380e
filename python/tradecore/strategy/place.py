"""Where the module of a strategy lies on the disk, without running anything of it."""

import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where a strategy's module lies.

    Attributes
    ----------
    path : Path
        Its file.
    package : str
        What stands before the names of the modules in its folder; empty where nothing does.
    """

    path: Path
    package: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the module: what the strategy imports from here is its code."""
        return self.path.parent


def place_of(target: str, base: Path | None = None) -> Place | None:
    """Return where `path/to/file.py:Class` or `package.module:Class` lies; `None` where nothing does.

    `base` is the directory that relative files start from; the working directory when `None`.
    """
    location = target.rpartition(":")[0]
    if location.endswith(".py"):
        path = (base or Path.cwd()) / location
        return Place(path) if path.is_file() else None
    found = _module_file(location)
    if found is None or not found.is_file():
        return None
    is_package = found.stem == "__init__"
    return Place(found, location if is_package else location.rpartition(".")[0])


def _module_file(location: str) -> Path | None:
    """Return the file of a module; `find_spec` of its whole name would run the packages that it is in."""
    first, *rest = location.split(".")
    try:
        spec = importlib.util.find_spec(first)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            # By its own name alone: by the whole one, a folder without `__init__` asks for those it is in.
            spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)
