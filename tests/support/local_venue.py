"""A venue on this machine with its client, and orders to send it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import msgspec

from tradecore.domain.record_bodies import OrderTerms
from tradecore.domain.secret import Secret
from tradecore.runtime.system_clock import SystemClock
from tradecore.testkit.local_venue import FaultRule, FaultScript, Right, VenueSettings
from tradecore_local import Key
from tradecore_local.client import LocalVenue
from tradecore_local.server import KeyGrant, LocalVenueServer

KEY = Key(key_id="trader", secret=Secret("a secret of a trader"))
CANCEL_KEY = Key(key_id="watchdog", secret=Secret("a secret of a watchdog"))
QUERY_KEY = Key(key_id="auditor", secret=Secret("a secret of an auditor"))
TRUTH_KEY = Key(key_id="test", secret=Secret("a secret of a test"))
GRANTS = tuple(
    KeyGrant(key=key, account="demo", rights=frozenset({right}))
    for key, right in (
        (KEY, Right.TRADE),
        (CANCEL_KEY, Right.CANCEL),
        (QUERY_KEY, Right.QUERY),
        (TRUTH_KEY, Right.TRUTH),
    )
)
DEMO = VenueSettings()
# Agents who stand still make a test's market predictable.
CALM = VenueSettings(
    markets=tuple(msgspec.structs.replace(market, has_agents=False) for market in DEMO.markets)
)


class Ground:
    """A server and how to reach it."""

    def __init__(self, server: LocalVenueServer, settings: VenueSettings, clock: SystemClock) -> None:
        self.server = server
        self.settings = settings
        self.clock = clock

    @property
    def instruments(self):
        """Return the instruments of the venue."""
        return [market.instrument for market in self.settings.markets]

    async def revise(self, fill, price_ticks, lots):
        """Let the venue tell a trade anew, by hand and with the key for tests."""
        spec = self.instruments[fill.instrument]
        told = {
            "account": "demo",
            "venue_order_id": fill.venue_order_id,
            "trade_id": fill.trade_id,
            "price": f"{Decimal(spec.tick_size) * price_ticks:f}",
            "quantity": f"{Decimal(spec.lot_size) * lots:f}",
        }
        path, body, now_ns = "/truth/trades", msgspec.json.encode(told), self.clock.now_ns()
        headers = TRUTH_KEY.headers("POST", path, body, time_ns=now_ns, nonce=str(now_ns))
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.server.url + path, data=body, headers=headers) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def client(self, key: Key = KEY, **options) -> LocalVenue:
        """Return a client that waits shortly; the venue alone knows what its key may do."""
        options = {
            "timeout_seconds": 2.0,
            "backoff_first_ns": 1_000_000,
            "backoff_last_ns": 50_000_000,
        } | options
        return await LocalVenue.signed_by(self.server.url, key, self.instruments, self.clock, **options)


@asynccontextmanager
async def serving(
    settings: VenueSettings = DEMO, *rules: FaultRule, seed: int = 1, clock=None, query_rules=(), **options
) -> AsyncIterator[Ground]:
    """Serve a venue."""
    clock = clock or SystemClock()
    script = FaultScript(seed=seed, rules=rules, query_rules=tuple(query_rules))
    async with LocalVenueServer(settings, GRANTS, clock, script=script, **options) as server:
        yield Ground(server, settings, clock)


def terms(**changes) -> OrderTerms:
    """Make an order that rests far below the market."""
    plain = {
        "order_id": 1,
        "strategy": 0,
        "instrument": 0,
        "side": "buy",
        "order_kind": "limit",
        "price_ticks": 5_000_000,
        "lots": 10,
        "time_in_force": "gtc",
        "post_only": False,
        "reduce_only": False,
        "decided_ns": 0,
    }
    return OrderTerms(**(plain | changes))
