"""The type stubs say what the modules really have."""

import ast
import subprocess
import sys

import pytest

import tradecore
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


def test_type_checkers_see_the_names_the_facade_loads():
    """`__init__.pyi` imports exactly what `tradecore.__all__` lists, and each name can be loaded."""
    tree = ast.parse((ROOT / "python" / "tradecore" / "__init__.pyi").read_text())
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert imported | {"__version__"} == set(tradecore.__all__)
    for name in imported:
        assert getattr(tradecore, name).__name__ in {name, "Meta"}, name  # Bounds is msgspec's Meta
