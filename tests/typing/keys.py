"""A key of one kind is none of another; read by mypy, never run.

Each `type: ignore` is an error that there has to be: mypy tells of one that it does not need.
"""

from collections.abc import Sequence

from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_keys import QueryKey, TradingKey, WatchdogKey
from tradecore.ports.clock import Clock
from tradecore.ports.secret_store import SecretStore
from tradecore.ports.venue import Venue
from tradecore.ports.venue_queries import VenueQueries
from tradecore.runtime.keys import key_of
from tradecore_local.client import LocalVenue
from tradecore_local.queries import LocalVenueQueries


async def trade(store: SecretStore, url: str, instruments: Sequence[InstrumentSpec], clock: Clock) -> Venue:
    """Only the key that trades opens a venue to trade at; the type that is asked for is what comes."""
    trading: TradingKey = key_of(store, TradingKey, "main")
    query: QueryKey = key_of(store, QueryKey, "main")
    watchdog: WatchdogKey = key_of(store, WatchdogKey, "main")
    await LocalVenue.connect(url, query, instruments, clock)  # type: ignore[arg-type]
    await LocalVenue.connect(url, watchdog, instruments, clock)  # type: ignore[arg-type]
    await LocalVenueQueries.connect(url, trading, instruments, clock)  # type: ignore[arg-type]
    return await LocalVenue.connect(url, trading, instruments, clock)


async def ask(store: SecretStore, url: str, instruments: Sequence[InstrumentSpec], clock: Clock) -> Venue:
    """What a query key opens is no venue to trade at; whoever may trade may ask as well."""
    venue = await LocalVenueQueries.connect(url, key_of(store, QueryKey, "main"), instruments, clock)
    queries: VenueQueries = venue
    queries = await trade(store, url, instruments, clock)
    await queries.aclose()
    return venue  # type: ignore[return-value]
