"""A plugin of pytest that plants one bug before the tests are read: the one that `TRADECORE_PLANT` names.

A bug of Rust needs no patch: the extra build asks for the same variable.
"""

import os

import pytest

from promises.planted.table import PATCHES


def pytest_configure(config: pytest.Config) -> None:
    """Plant it, until pytest ends."""
    patch = PATCHES.get(os.environ.get("TRADECORE_PLANT", ""))
    if patch is not None:
        planting = pytest.MonkeyPatch()
        patch(planting)
        config.add_cleanup(planting.undo)
