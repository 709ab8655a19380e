"""Where the real files are."""

from pathlib import Path

import pytest

from support.shared import shared_data


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the directory of real market data, or skip and say what is missing."""
    return shared_data("public")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Return the directory of small inputs that showed faults, or skip and say what is missing."""
    return shared_data("public").parent.parent / "cases"
