"""Where the real files are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the directory of real market data, or skip and say what is missing."""
    root = Path(__file__).resolve().parents[3]
    shared = Path(os.environ.get("TRADECORE_SHARED", root.parent / "shared"))
    data = shared / "data" / "public"
    if not data.is_dir():
        pytest.skip(f"real market data are not there: no directory {data}; set TRADECORE_SHARED")
    return data
