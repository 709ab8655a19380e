"""A live engine and a local venue in the process of the test, with real sockets between them."""

import asyncio
import json
import os
import time
from contextlib import asynccontextmanager
from decimal import Decimal
from unittest.mock import patch

from support.local_venue import KEY, QUERY_KEY, TRUTH_KEY, serving
from tradecore.domain.commands import Flatten, Pause
from tradecore.domain.journal import JournalFolder
from tradecore.testkit.local_venue import AccountSetting, MarketSetting, VenueSettings
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore_api.embedding import EmbeddedEngine

INSTRUMENT = {"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}
CASH = "1000000"
# Nothing that a test trades comes near it.
CANARY = {
    "instruments": ["BTC-USD"],
    "order_value_max": 1_000_000_000,
    "orders_a_day_max": 1_000_000,
    "position_value_max": 1_000_000_000,
}


def venue_settings(seed=7, **changes):
    """Return a venue with one margin market, whose proofs of absence come soon."""
    plain = VenueSettings()
    market = MarketSetting(
        instrument=plain.markets[0].instrument, base="BTC", quote="USD", is_margin=True, leverage=5
    )
    accounts = (AccountSetting(name="demo", balances={"USD": CASH}),)
    made = {"validity_window_ns": 500_000_000, "seed": seed, **changes}
    return VenueSettings(markets=(market,), accounts=accounts, **made)


class EmbeddedLive:
    """An engine that runs, the venue it trades at, and what both have."""

    def __init__(self, folder, ground, *, live_waits=None, **changes) -> None:
        self.ground = ground
        keys = folder / "venue-keys.json"
        named = {
            right: {"key_id": key.key_id, "secret": key.secret.reveal()}
            for right, key in (("trade", KEY), ("truth", TRUTH_KEY), ("query", QUERY_KEY))
        }
        drop_copy = changes.pop("drop_copy", None)
        if drop_copy is None:
            # Without a key that can only ask there is no second reader.
            del named["query"]
        urls = {"url": ground.server.url, "query_url": ground.server.query_url}
        keys.write_text(json.dumps({**urls, "accounts": {"demo": named}}))
        keys.chmod(0o600)
        self.journal = JournalFolder(folder / "live.journal")
        settings = {
            "mode": "live",
            "live": {
                "person": "Test",
                "canary": CANARY,
                "keys": str(keys),
                "answer_timeout_ms": 500,
                "report_timeout_ms": 1_000,
                **({} if drop_copy is None else {"drop_copy": drop_copy}),
                **(live_waits or {}),
            },
            "feed": {"kind": "local"},
            "instruments": [INSTRUMENT],
            "account": {"name": "demo", "cash": CASH},
            "venue": {"matching": "book"},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
            "journal": {"path": str(folder / "live.journal")},
            "database": {"enabled": False},
            **changes,
        }
        self.engine = EmbeddedEngine({name: value for name, value in settings.items() if value is not None})
        self.engine.arm("Test")

    async def until(self, is_so, seconds):
        """Wait until the engine says that something is so."""
        deadline = time.monotonic() + seconds
        while not (said := self.engine.status()) or not is_so(said):
            shown = {name: said.get(name) for name in ("venue", "position_rows", "order_rows", "halts")}
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(0.02)
        return said

    async def settled(self, seconds=40):
        """End everything that is open, and return what the engine then says of itself."""

        def is_settled(said):
            there = said["venue"]
            is_open = said["open_orders"] or there["unknown"] or there["open_orders"]
            return there["step"] == "agreed" and not is_open and not said["position_rows"]

        await self.engine.tell(Pause())
        await self.engine.tell(Flatten())
        return await self.until(is_settled, seconds)

    def compared(self, said):
        """Hold the journal, and what the engine said, against what the venue did."""
        return compare(
            self.journal,
            self.truth(),
            account="demo",
            instruments=self.ground.instruments,
            positions={name: Decimal(size) for name, size in said["positions"].items()},
            cash=Decimal(said["cash"]),
        )

    def truth(self):
        """Return what the venue did and has."""
        exchange = self.ground.server.exchange
        return Truth(
            deeds=tuple(exchange.truth),
            balances=tuple(exchange.balances("demo")),
            positions=tuple(exchange.accounts["demo"].positions()),
        )


@asynccontextmanager
async def trading(folder, *rules, seed=1, settings=None, clock=None, query_rules=(), **changes):
    """Serve a venue with faults and run an engine at it until the block ends; `clock` is the venue's."""
    places = {"TRADECORE_STATE_DIR": str(folder / "state")}
    options = {"seed": seed, "clock": clock, "query_rules": query_rules}
    async with serving(settings or venue_settings(seed), *rules, **options) as ground:
        with patch.dict(os.environ, places):
            live = EmbeddedLive(folder, ground, **changes)
        running = asyncio.create_task(live.engine.run())
        try:
            yield live
        finally:
            live.engine.stop()
            await asyncio.wait_for(running, 10)
