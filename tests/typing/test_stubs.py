"""The type stub of the native module says what the module really has."""

import subprocess
import sys

import pytest

from support.shared import ROOT


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_stub_agrees_with_the_native_module():
    """Names, parameters and their defaults in `_core.pyi` are those of the compiled module."""
    command = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        "tradecore._core",
        "--mypy-config-file",
        "pyproject.toml",
    ]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
