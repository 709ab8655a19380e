"""What a program asks the system to do with its files, in order: what reaches the disk before what."""

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path


def calls_of(library: Path, directory: Path, program: str, *arguments: object) -> list[str]:
    """Run a Python program and return its calls on files under a directory, those alike in a row once.

    A name that has a process number in it is shown without.
    """
    notes = library.with_suffix(".notes")
    notes.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "TRACE_UNDER": str(directory.resolve()),
        "TRACE_FILE": str(notes),
    }
    subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], check=True, env=environment, timeout=60
    )
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    return [line for line, _ in groupby(lines)]
