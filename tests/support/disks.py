"""Small file systems of their own, to fill up."""

import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(place, kilobytes):
    """Mount a file system of this size at a new directory; the test is skipped where that is not allowed."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        # A test that failed may have a file open there: the place goes at once, and the rest with the file.
        subprocess.run(["umount", "--lazy", str(place)], check=True)
