"""The extra build of the native module, in which bugs of Rust can be chosen, beside the shipped one."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from support.shared import ROOT

PLACE = ROOT / "build" / "planted"
PACKAGES = PLACE / "python"
MODULE = f"_core{EXTENSION_SUFFIXES[0]}"

# It is built anew after each change: soon rather than fast.
QUICKLY = {"CARGO_PROFILE_QUICK_OPT_LEVEL": "1", "CARGO_PROFILE_QUICK_INCREMENTAL": "true"}


def shipped() -> Path:
    """Return the native module that is installed for development."""
    return ROOT / "python" / "tradecore" / MODULE


def build(jobs: int) -> Path:
    """Build it, and make a package `tradecore` of it and the sources; returns the folder with the package.

    It takes minutes the first time and a second where nothing has changed. The shipped module stays as it is.

    Parameters
    ----------
    jobs : int
        How many compilers at a time.
    """
    target = Path(os.environ.get("TRADECORE_PLANTED_TARGET", PLACE / "target"))
    command = [
        "cargo",
        "build",
        "--profile",
        "quick",
        "--package",
        "tradecore-pyext",
        "--features",
        "planted",
    ]
    subprocess.run(
        [*command, "--locked", "--quiet", "--jobs", str(jobs)],
        cwd=ROOT,
        env=os.environ | QUICKLY | {"CARGO_TARGET_DIR": str(target), "PYO3_PYTHON": sys.executable},
        check=True,
    )
    package = PACKAGES / "tradecore"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    for source in (ROOT / "python" / "tradecore").iterdir():
        if source.suffix not in {".so", ".pyd"} and source.name != "__pycache__":
            (package / source.name).symlink_to(source)
    shutil.copy(target / "quick" / "lib_core.so", package / MODULE)
    return PACKAGES


def environment(packages: Path | None) -> dict[str, str]:
    """Return the variables for a process in which tests run: with the extra build first, if there is one."""
    paths = [] if packages is None else [str(packages)]
    return os.environ | {"PYTHONPATH": os.pathsep.join([*paths, str(ROOT / "tests")])}
