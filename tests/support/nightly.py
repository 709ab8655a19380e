"""How much a test does: little for each change, much where `make nightly` asks for it."""

import os

IS_NIGHTLY = bool(os.environ.get("TRADECORE_NIGHTLY"))


def size(usual, nightly):
    """Return how much to do."""
    return nightly if IS_NIGHTLY else usual
