"""A live engine at a local venue, as processes, with `strace` at the engine."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from promises.wire.calls import BYTES_MAX, CALLS
from tradecore.domain.journal import JournalFolder
from tradecore_api.live_demo.pair import ENGINE, Answer, Pair, standing_of

STRACE = shutil.which("strace")
BENCHES = Path(__file__).resolve().parents[3] / "benches"
PACE = f"{BENCHES}/live_pace.py:Pace"
# How many orders wait at most when all of them are ended.
_WAITING_MAX = 300
_SETTLE_SECONDS = 60.0
VENUE = """
seed = {seed}
limits = {{ per_second = 0, burst = 100_000 }}
[[accounts]]
name = "wire"
balances = {{ USD = "1000000" }}
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = {{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}
"""
LIVE = """
mode = "live"
live.keys = "venue-keys.json"
live.person = "Test"
live.canary.instruments = ["BTC-USD"]
live.canary.order_value_max = 1_000_000_000
live.canary.orders_a_day_max = 1_000_000
live.canary.position_value_max = 1_000_000_000
feed = {{ kind = "local" }}
instruments = [{{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}]
account = {{ name = "wire", cash = "1000000" }}
venue = {{ matching = "book" }}
strategy = {{ class = "{strategy}", per_second = {rate} }}
journal = {{ path = "live.journal" }}
database = {{ enabled = false }}
log = {{ level = "warning" }}
[risk]
quantity_max = "1"
notional_max = "100000"
position_max = "50"
price_collar_bps = "500"
open_orders_max = 300
"""


class Watched(msgspec.Struct, frozen=True):
    """What a run has left: its journal, the trace, and what both sides say of each other."""

    journal: Path
    trace: Path
    differences: tuple[str, ...]


@contextmanager
def watched(
    *, orders: int, rate: int, seed: int, seconds_max: float, strategy: str = PACE
) -> Iterator[Watched]:
    """Let an engine trade until it has made so many orders, and close everything; yields what is left."""
    with tempfile.TemporaryDirectory(prefix="tradecore-wire-") as place:
        folder = Path(place)
        lay(folder, seed=seed, rate=rate, strategy=strategy)
        with Pair(folder, ["--settings", "venue.toml"], nothing, end_seconds_max=60.0) as pair:
            pair.start_venue()
            pair.arm("wire")
            options = f"--seccomp-bpf -yy -xx -s {BYTES_MAX} -e trace={CALLS} -o {folder}/trace"
            with under_strace(folder, options):
                pair.start_engine()
            differences = _trade(pair, orders, time.monotonic() + seconds_max)
            journal = Path(pair.journal.where)
        path = journal if journal.is_absolute() else folder / journal
        yield Watched(path, folder / "trace", differences)


def lay(folder: Path, *, seed: int, rate: int, strategy: str = PACE) -> None:
    """Write the settings of venue and engine."""
    (folder / "venue.toml").write_text(VENUE.format(seed=seed))
    (folder / ENGINE).write_text(LIVE.format(strategy=strategy, rate=rate))


def _trade(pair: Pair, orders: int, ends_at: float) -> tuple[str, ...]:
    """Trade, close everything and compare both sides; return what differs."""
    while time.monotonic() < ends_at:
        said = pair.look()
        if said is not None and standing_of(said).orders >= orders + _WAITING_MAX:
            break
    return closed(pair)


def closed(pair: Pair) -> tuple[str, ...]:
    """Close everything, end the engine and compare both sides; return what differs."""
    said = pair.settled(lambda: _SETTLE_SECONDS)
    if said is None:
        pair.end_engine()
        return (f"not settled within {_SETTLE_SECONDS:g} s",)
    differences = pair.compared(pair.truth(), said).differences
    pair.end_engine()
    return tuple(differences)


@contextmanager
def under_strace(folder: Path, options: str) -> Iterator[None]:
    """Let programs that are started meanwhile run under `strace`."""
    starter = folder / "traced"
    command = f"{STRACE} -f -qq -e signal=none {options} {sys.executable}"
    starter.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    starter.chmod(0o700)
    python, sys.executable = sys.executable, str(starter)
    try:
        yield
    finally:
        sys.executable = python


def nothing(said: Answer | None) -> None:
    """Show nothing."""


def journal_of(found: Watched) -> JournalFolder:
    """Return the journal of a run."""
    return JournalFolder(found.journal)
