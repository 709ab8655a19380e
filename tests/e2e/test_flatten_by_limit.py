"""A flatten by limit orders at a venue outside, as processes: killed in the middle, and equal at the end."""

import json
import time

import pytest

from support.venue_process import ONE_MARKET, WIDE_CANARY, venue_beside
from tradecore.domain.journal import JournalFolder

LIVE = (
    """
mode = "live"
[live]
person = "Ada"
keys = "venue-keys.json"
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "main"
cash = "1000000"
[venue]
matching = "book"
[strategy]
class = "holds.py:Holds"
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)
STRATEGY = '''
class Holds:
    """Buys more than the book has near the market, once, and holds it."""

    def __init__(self):
        self.has_asked = False

    def on_trade(self, ctx, trade):
        """Buy as soon as that is taken."""
        if not self.has_asked:
            self.has_asked = bool(ctx.buy(quantity=2))
'''

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def status(folder):
    """Return what the engine says of itself, or nothing."""
    with folder.start("status", "main", "--json") as process:
        output, _ = process.communicate(timeout=20)
    return (json.loads(output) if output else {}).get("engine") or {}


def until(is_so):
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + 90
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def closings(folder):
    """Return the orders that only close, oldest first."""
    records = JournalFolder(str(folder.folder / "live.journal")).reader()
    return [fields for _, _, kind, fields in records if kind == "order" and fields["reduce_only"]]


def test_a_flatten_by_limit_that_is_killed_goes_on_and_ends_flat(tmp_path):
    """What rests is ended before the rest goes at the market; the venue has what the books have."""
    with venue_beside(tmp_path, "seed = 5" + ONE_MARKET, LIVE) as folder:
        folder.write("holds.py", STRATEGY)
        folder.arm()
        engine = folder.start("run", "live.toml", "--json")
        try:
            until(lambda: status(folder).get("positions"))
            until(lambda: not status(folder)["open_orders"])
            folder.run("flatten", "--within-bps", "1", "--then-market", "4")
            until(lambda: closings(folder))
            engine.kill()
            engine.communicate()
            engine = folder.start("run", "live.toml", "--json")
            until(lambda: (said := status(folder)) and not said["positions"] and not said["open_orders"])
            until(lambda: (status(folder).get("venue") or {}).get("step") == "agreed")
            sent = closings(folder)
            bounds = {each["price_ticks"] for each in sent if each["order_kind"] == "limit"}
            # One price for all of it, whatever the market did; at the market only after that.
            assert len(bounds) == 1, sent
            kinds = [each["order_kind"] for each in sent]
            assert kinds == sorted(kinds), "limit orders come before market orders"
            assert sum(each["lots"] for each in sent if each["order_kind"] == "market") <= 20_000
            folder.run("stop", "main")
            engine.communicate(timeout=30)
        finally:
            if engine.poll() is None:
                engine.kill()
                engine.communicate()
        folder.run("journal", "replay", "live.journal")
        assert json.loads(folder.run("reconcile", "live.toml", "--json")[0])["verdict"] == "agree"
