"""Loads programs of the repository that belong to no package, so that tests can call their functions."""

import importlib.util
import sys
from types import ModuleType

from support.shared import ROOT


def script(name: str) -> ModuleType:
    """Import a program by its path in the repository, such as `tools/mutants.py`, without running it.

    Each call gives a module of its own: what a test changes in it, no other test sees.
    """
    path = ROOT / name
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    # A program finds those beside it.
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
