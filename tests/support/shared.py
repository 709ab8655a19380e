"""Finds real market data: the slices in the repository, and the whole files that lie beside it."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE_DATA = ROOT / "examples" / "data"


def shared_data(relative: str) -> Path:
    """Give the path of a file below the shared data, or skip the test and say how to get it.

    Looked for below `TRADECORE_SHARED`, else in `../shared` of the repository or of one of its parents.
    """
    given = os.environ.get("TRADECORE_SHARED")
    places = [Path(given)] if given else [parent / "shared" for parent in ROOT.parents]
    for place in places:
        path = place / "data" / relative
        if path.exists():
            return path
    what = f"no shared/data/{relative} beside the repository: set TRADECORE_SHARED to the folder with data/"
    # Scripts of the peer bench read data too, in environments without pytest.
    pytest = sys.modules.get("pytest")
    if pytest is not None:
        pytest.skip(what)
    raise FileNotFoundError(what)
