"""Libraries of C that stand before the system's own in a process under test."""

import shutil
import subprocess
import sys
from pathlib import Path

COMPILER = shutil.which("cc") or shutil.which("gcc")
CAN_PRELOAD = sys.platform == "linux" and COMPILER is not None
REASON = "needs Linux and a C compiler: calls of the system are watched or changed"


def build(name: str, directory: Path) -> Path:
    """Compile the library of this name, which lies beside this file, and return where it is."""
    library = directory / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    command = [str(COMPILER), "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library
