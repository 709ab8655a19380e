"""Where the real files are."""

from pathlib import Path

import pytest

from support.shared import shared_data


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the directory of real market data, or skip and say what is missing."""
    return shared_data("public")
