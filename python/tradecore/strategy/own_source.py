"""Runs the code of strategies from its source, and knows which bytes of it have run.

Python would run an old cache whose source has its size and time by chance, or that says that nobody is to
look. So what lies in the folder of a strategy is compiled anew, by whichever name it is imported. What was
armed is held to its bytes: a file that was changed since does not run, also where a callback imports it.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

# The folders of strategies that were loaded.
_FOLDERS: set[str] = set()
# The SHA-256 of each file of them that has run, by its path; and of each that may run with no other bytes.
_RAN: dict[str, str] = {}
_HELD: dict[str, str] = {}

# One module that lies among all that is installed has no folder of its own.
_OF_ALL = frozenset({"site-packages", "dist-packages"})


class OwnSourceLoader(SourceFileLoader):
    """Runs a file as it is now, unless it is held to other bytes."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source; a cache is not looked at."""
        path = self.get_filename(fullname)
        content = self.get_data(path)
        note_run(path, content)
        return self.source_to_code(content, path)


class _OwnSourceFinder:
    """Finds what lies in the folder of a strategy, by whichever name it is imported."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load it; `None` for whatever lies elsewhere."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not spec.has_location or spec.origin is None or not _is_own(spec.origin):
            return None
        return with_own_source(spec, OwnSourceLoader(fullname, spec.origin))


def with_own_source(spec: ModuleSpec, loader: OwnSourceLoader) -> ModuleSpec:
    """Let a file of a strategy be run by this loader, where it is source; note its bytes where it is not."""
    if type(spec.loader) is SourceFileLoader:
        spec.loader = loader
    elif spec.has_location and spec.origin is not None:
        file = Path(spec.origin)
        if file.is_file():
            note_run(spec.origin, file.read_bytes())
    return spec


def own(file: Path) -> None:
    """Take the folder of a strategy's file as its own, before it is loaded."""
    place = file if file.parent.name in _OF_ALL else file.parent
    _FOLDERS.update((str(place.absolute()), str(place.resolve())))
    if _OwnSourceFinder not in sys.meta_path:
        # What is built in comes first, as without this.
        finders = list(sys.meta_path)
        at = finders.index(PathFinder) if PathFinder in finders else len(finders)
        sys.meta_path.insert(at, _OwnSourceFinder)


def hold(files: Mapping[Path, str]) -> list[Path]:
    """Let files run with these bytes alone, by their SHA-256; return those that ran with others before."""
    held = {_key(file): digest for file, digest in files.items()}
    _HELD.update(held)
    return [file for file in files if _RAN.get(_key(file), files[file]) != files[file]]


def note_run(path: str, content: bytes) -> None:
    """Take note that a file is run with these bytes.

    Raises `ImportError` when it is held to others.
    """
    key, digest = _key(path), hashlib.sha256(content).hexdigest()
    if _HELD.get(key, digest) != digest:
        raise ImportError(f"{path} is not as it was armed: it was changed since, and does not run", path=path)
    _RAN[key] = digest


def _is_own(file: str) -> bool:
    names = (Path(file).absolute(), Path(file).resolve())
    return any(str(place) in _FOLDERS for name in names for place in (name, *name.parents))


def _key(file: Path | str) -> str:
    """Return the one name of a file, whichever links lead to its folder."""
    path = Path(file).absolute()
    return str(path.parent.resolve() / path.name)
