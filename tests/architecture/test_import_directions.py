"""Who may import whom, as pyproject.toml states it."""

import subprocess
import sys

from support.shared import ROOT


def test_every_import_points_the_way_the_contracts_allow():
    """Rooms import downwards only, adapters see domain and ports, wiring alone adapters; no cycle exists."""
    code = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout
