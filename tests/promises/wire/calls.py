"""What `strace` wrote of a process, as calls in their order: writes, syncs and sends."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

CALLS = "write,writev,pwrite64,sendto,sendmsg,sendmmsg,fsync,fdatasync,sync_file_range,rename,renameat2"
BYTES_MAX = 1 << 20
_LINE = re.compile(r"(\d+)\s+(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
_TARGET = re.compile(r"\d+<(.*?)>(?=[,)\s]|$)")
_DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_RESULT = re.compile(r"= (-?\d+)[^=]*$")
_UNFINISHED = "<unfinished ...>"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it began, or as it ended.

    Attributes
    ----------
    name : str
        Which.
    target : str
        The file or the connection, as the system names it.
    data : bytes
        What was given.
    result : int or None
        What it returned; `None` for one that has only begun.
    begins : bool
        Whether this is its beginning; of one that was not interrupted both are in one.
    """

    name: str
    target: str
    data: bytes
    result: int | None
    begins: bool


def calls(trace: Path) -> Iterator[Call]:
    """Yield the calls in a trace; one that another one came between is there twice, begun and ended."""
    open_calls: dict[tuple[str, str], Call] = {}
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if (found := _LINE.match(line)) is None:
                continue
            thread, resumed, begun, rest = found.groups()
            result = _RESULT.search(rest)
            value = None if result is None else int(result[1])
            if resumed is not None:
                if (before := open_calls.pop((thread, resumed), None)) is not None:
                    yield msgspec.structs.replace(before, result=value, begins=False)
                continue
            target = _TARGET.match(rest)
            where = "" if target is None else target[1]
            call = Call(
                name=begun,
                target=_bytes(where).decode() if where.startswith("\\x") else where,
                data=b"".join(map(_bytes, _DATA.findall(rest))),
                result=None if _UNFINISHED in rest else value,
                begins=True,
            )
            if _UNFINISHED in rest:
                open_calls[thread, begun] = call
            yield call


def _bytes(written: str) -> bytes:
    return bytes.fromhex(written.replace("\\x", ""))
