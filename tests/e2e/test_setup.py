"""What the set-up says when a tool is missing: one line, what and how to get it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.shared import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make and its shell are POSIX")


def tools(folder: Path, *names: str) -> dict[str, str]:
    """Make an environment in which these programs alone are found."""
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return {"PATH": str(folder), "HOME": str(folder)}


def test_a_missing_rust_toolchain_is_named_with_its_source(tmp_path):
    """The first line says what is missing and where it comes from, and nothing else happens."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "setup.py")],
        env=tools(tmp_path),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "cargo not found: install the stable Rust toolchain from https://rustup.rs"
    ]


def test_a_missing_python_is_named_with_its_source(tmp_path):
    """Without any Python of 3.11 or newer, make says so in one line."""
    make = shutil.which("make")
    done = subprocess.run(
        [make, "-C", str(ROOT), "--no-print-directory", "setup"],
        env=tools(tmp_path, "sh"),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("Python 3.11 or newer not found: install it from https://")
