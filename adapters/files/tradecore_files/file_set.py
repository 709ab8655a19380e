"""Which files a path names: one, several, those of a directory, or those that fit a pattern."""

from collections.abc import Sequence
from pathlib import Path

from tradecore.domain import DataError

# What a file of a directory may end in to be read; a README or a checksum beside the data is not.
SUFFIXES = frozenset(
    {".csv", ".txt", ".tsv", ".gz", ".zip", ".zst", ".parquet", ".feather", ".arrow", ".ipc", ".json", ".dat"}
)
_WILDCARDS = frozenset("*?[")

FilePaths = Path | str | Sequence[Path | str]


def files_of(paths: FilePaths) -> tuple[Path, ...]:
    """Return the files that paths name, each once, in the order of their names.

    A path is a file, a directory (its data files, not those of the directories in it), or a pattern with
    `*`, `?`, `[...]` and `**`. The order decides nothing: what is in the files is put in the order of time.

    Raises
    ------
    DataError
        When a path names no file.
    """
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if not several:
        raise DataError("path", "names no file; write at least one")
    found = [file for path in several for file in _looked_for(Path(path))]
    return tuple(sorted(dict.fromkeys(found)))


def is_pattern(path: str) -> bool:
    """Tell whether a path is meant as a pattern: it has a wildcard, and no file has just this name."""
    return not _WILDCARDS.isdisjoint(path) and not Path(path).exists()


def _looked_for(path: Path) -> list[Path]:
    """Return the files of a path; one that the system does not take, such as a name too long, is told."""
    try:
        return _files(path)
    except OSError as error:
        raise DataError(str(path), f"cannot be looked for: {error.strerror}; check the path") from error


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()]
        files = [file for file in inside if not file.name.startswith(".")]
        if not files:
            what = f"the directory has no data file ({', '.join(sorted(SUFFIXES))})"
            raise DataError(str(path), f"{what}; write a pattern such as {path / '**/*.csv'}")
        return files
    if is_pattern(str(path)):
        files = [file for file in _matches(path) if file.is_file()]
        if not files:
            raise DataError(str(path), "no file fits the pattern; check the path")
        return files
    return [path]


def _matches(pattern: Path) -> list[Path]:
    """Return what fits, hidden files left out as a shell does."""
    parts = pattern.parts
    first = next(at for at, part in enumerate(parts) if not _WILDCARDS.isdisjoint(part))
    try:
        found = Path(*parts[:first]).glob("/".join(parts[first:]))
        return [path for path in found if not path.name.startswith(".")]
    except (ValueError, OSError) as error:
        raise DataError(str(pattern), f"cannot be looked for: {error}; check the pattern") from error
