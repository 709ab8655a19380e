"""Runs what writes files, in the recorded process: `written WRITER DIRECTORY MARKS [ARGUMENT ...]`."""

import importlib
import os
import sys
import traceback
from pathlib import Path

import msgspec

writer, directory, marks, *arguments = sys.argv[1:]
number = os.open(marks, os.O_WRONLY)


def say(**words: object) -> None:
    """Say something about what was done just now; it stands in the record where it was said."""
    os.write(number, msgspec.json.encode(words))


is_whole = False
try:
    importlib.import_module(f"promises.power.{writer}").write(Path(directory), say, *arguments)
    is_whole = True
finally:
    if not is_whole:
        traceback.print_exc()
        sys.stderr.flush()
        # Threads that wait for more would hold the process for ever.
        os._exit(1)
