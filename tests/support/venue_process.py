"""A local venue as a process, in a folder in which commands can be run beside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.command_line import CommandLine

# An account with a million, and one market of margin; a test puts what it changes before it.
ONE_MARKET = """
[[accounts]]
name = "demo"
balances = { USD = "1000000" }
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = { symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }
"""


def wide_canary(*symbols: str) -> str:
    """Return the canary profile of a live configuration that no test comes near; it goes after all else."""
    listed = ", ".join(f'"{symbol}"' for symbol in symbols)
    return f"""
[live.canary]
instruments = [{listed}]
order_value_max = 1_000_000_000
orders_a_day_max = 1_000_000
position_value_max = 1_000_000_000
"""


WIDE_CANARY = wide_canary("BTC-USD")


@contextmanager
def venue_beside(place: Path, venue: str, live: str) -> Iterator[CommandLine]:
    """Write the settings of both, and run the venue until the end of the block; `venue` is its process."""
    made = CommandLine(place)
    made.write("venue.toml", venue)
    made.write("live.toml", live)
    made.venue = made.start(
        "venue", "serve", "--port", "0", "--settings", "venue.toml", "--duration-ms", "300000"
    )
    try:
        deadline = time.monotonic() + 60
        while not (made.folder / "venue-keys.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield made
    finally:
        made.venue.kill()
        made.venue.communicate()
