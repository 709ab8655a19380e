"""The event loop of processes that trade."""

import asyncio
import os
import sys
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop where it is installed, else `None` for asyncio's own."""
    if sys.platform == "win32" or os.environ.get("TRADECORE_LOOP") == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
