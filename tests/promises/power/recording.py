"""A run of a real program with everything that it did to its files, in order, and what it said meanwhile."""

import enum
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from support.preloaded import build

_HEAD = struct.Struct("<IIIIQqQ")
# What SQLite maps is an index in memory that it makes anew after a crash; nobody relies on its bytes.
_MAPPED = "-shm"
SECONDS_MAX = 120.0
# Where this package is found by the process that is recorded.
_TESTS = Path(__file__).resolve().parents[2]


class Kind(enum.Enum):
    """What was done."""

    CREATE = "c"
    DIRECTORY = "d"
    WRITE = "w"
    TRUNCATE = "t"
    ALLOCATE = "a"
    SYNC = "s"
    RENAME = "n"
    LINK = "l"
    UNLINK = "u"
    MARK = "m"
    MAP = "p"
    UNKNOWN = "?"


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One operation.

    Attributes
    ----------
    kind : Kind
        What was done.
    file : int
        Number of the file or directory.
    at : int
        Where in the file bytes were written; its new length for what changes that.
    name, other : str
        What it was called, and is called now, both below the directory that is watched.
    data : bytes
        What was written, or said.
    """

    kind: Kind
    file: int
    at: int
    name: str
    other: str
    data: bytes


class Recording(msgspec.Struct, frozen=True):
    """What a program did, the first operation first."""

    ops: tuple[Op, ...]

    def below(self, directory: str) -> "Recording":
        """Return what was done below a directory, as if that had been the one that was watched."""
        return Recording(tuple(_named_below(op, directory) for op in self.ops if _is_below(op, directory)))

    def with_marks(self) -> "Iterator[tuple[int, list[dict[str, object]]]]":
        """Yield each moment at which the power may fail, with what the program had said until then.

        A moment is the number of operations that were done.
        """
        said: list[dict[str, object]] = []
        yield 0, said
        for done, op in enumerate(self.ops, 1):
            if op.kind is Kind.MARK:
                said = [*said, msgspec.json.decode(op.data)]
            yield done, said


class UnseenCallError(Exception):
    """The files at the end are not what the record makes of them: a call was not seen."""


def record(
    writer: str, directory: Path, work: Path, arguments: tuple[str, ...] = (), without: str = ""
) -> Recording:
    """Run what writes files, in a process of its own, and return what it did below a directory.

    Parameters
    ----------
    writer : str
        Module of this package whose `write(directory, say, *arguments)` is run.
    directory : Path
        Where it writes; it may have files already, which count as safe.
    work : Path
        Where the library and the record go.
    arguments : tuple of str
        Handed on.
    without : str
        A planted fault, as `recorded_calls.c` takes it.
    """
    library, log, marks = work / "recorded_calls.so", work / "record", work / "marks"
    if not library.exists():
        build("recorded_calls", work)
    log.write_bytes(b"")
    marks.touch()
    watched = {"LD_PRELOAD": library, "RECORD_UNDER": directory, "RECORD_FILE": log, "RECORD_MARKS": marks}
    environment = {**os.environ, **{name: str(path) for name, path in watched.items()}}
    environment |= {"RECORD_WITHOUT": without} if without else {}
    environment["PYTHONPATH"] = os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "promises.power.written", writer, str(directory), str(marks), *arguments]
    done = subprocess.run(
        command, env=environment, timeout=SECONDS_MAX, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{writer} did not write to its end: {done.stderr}")
    return Recording(tuple(_decoded(log.read_bytes())))


def _is_below(op: Op, directory: str) -> bool:
    return op.name == directory or op.name.startswith(f"{directory}/")


def _named_below(op: Op, directory: str) -> Op:
    name, other = (each.removeprefix(directory).removeprefix("/") for each in (op.name, op.other))
    return msgspec.structs.replace(op, name=name or ".", other=other)


def _decoded(data: bytes) -> Iterator[Op]:
    at = 0
    while at < len(data):
        code, name_bytes, other_bytes, _, file, where, data_bytes = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name, at = data[at : at + name_bytes].decode(), at + name_bytes
        other, at = data[at : at + other_bytes].decode(), at + other_bytes
        content, at = data[at : at + data_bytes], at + data_bytes
        kind = Kind(chr(code))
        if kind is Kind.UNKNOWN or (kind is Kind.MAP and not name.endswith(_MAPPED)):
            raise UnseenCallError(f"a call whose effect is not known here: {kind} {name} {other}")
        yield Op(kind=kind, file=file, at=where, name=name, other=other, data=content)
