"""What a path of a setting must be, before anything is opened."""

import os
import stat
from pathlib import Path

from tradecore.domain import shape

# Longest path and longest name in it that Linux takes; macOS and Windows take less.
PATH_BYTES_MAX = 4095
NAME_BYTES_MAX = 255
# Beside a journal or a database lie files with longer names: its lock, what was set aside, its log.
OWN_NAME_BYTES_MAX = 200


def text_rule(path: str) -> str | None:
    """Return what is wrong with a path as a text; `None` when a system could take it."""
    if not path:
        return "must not be empty; name a file, or leave the key out"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "must be UTF-8 text; rename the file or the directory that is named otherwise"
    if b"\0" in encoded:
        return "must not hold a NUL character"
    if len(encoded) > PATH_BYTES_MAX:
        return f"is too long: a path has at most {PATH_BYTES_MAX} bytes"
    if max(map(len, encoded.split(os.sep.encode()))) > NAME_BYTES_MAX:
        return f"is too long: a name in a path has at most {NAME_BYTES_MAX} bytes"
    return None


def check_input(key: str, path: str, report: shape.Report) -> None:
    """Report a path that names no file to read."""
    if rule := text_rule(path) or _input_rule(Path(path)):
        report(key, path, rule)


def check_output(key: str, path: str, report: shape.Report, *, must_work: bool) -> None:
    """Report a path that no file can be written at; the file itself need not be there yet.

    What a disk says at the moment is a reason only against a file that `must_work`.
    """
    rule = text_rule(path)
    if rule is None and len(Path(path).name.encode()) > OWN_NAME_BYTES_MAX:
        rule = (
            f"is too long: names of files beside it are longer, so it has at most {OWN_NAME_BYTES_MAX} bytes"
        )
    if rule := rule or _kind_rule(Path(path)) or (_place_rule(Path(path)) if must_work else None):
        report(key, path, rule)


def _input_rule(path: Path) -> str | None:
    if path.is_file():
        return None
    return "is a directory; name a file" if path.is_dir() else "no such file"


def _kind_rule(path: Path) -> str | None:
    """Return why what is there is no file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if stat.S_ISDIR(mode):
        return "is a directory; name a file"
    return None if stat.S_ISREG(mode) else "is a pipe, socket or device; name a file"


def _place_rule(path: Path) -> str | None:
    """Return why a file cannot be written or made; directories that are missing are made with it."""
    if path.is_file():
        return None if os.access(path, os.R_OK | os.W_OK) else "cannot be read and written by this user"
    above = next((each for each in path.parents if os.path.lexists(each)), path.parent)
    if not above.is_dir():
        return f"leads through {above}, which is no directory"
    return None if os.access(above, os.W_OK | os.X_OK) else f"cannot be made: {above} cannot be written to"
