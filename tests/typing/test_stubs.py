"""The type stub of the native module says what the module really has."""

import subprocess
import sys

import pytest

from support.shared import ROOT


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_stub_agrees_with_the_native_module(tmp_path):
    """Names, parameters and their defaults in `_core.pyi` are those of the compiled module."""
    allowed = tmp_path / "allowed"
    allowed.write_text("tradecore._core.__all__\n")  # made by the binding, for star imports nobody writes
    command = [sys.executable, "-m", "mypy.stubtest", "tradecore._core", "--ignore-disjoint-bases"]
    options = ["--mypy-config-file", "pyproject.toml", "--allowlist", str(allowed)]

    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
