"""Feed of a simulated exchange: agents' order flow for the matching engine inside the engine."""

from collections.abc import AsyncIterator

from tradecore.domain import EventBatch, InstrumentSpec
from tradecore.domain.errors import InvalidValueError
from tradecore.ports.clock import Clock
from tradecore.sim.agents import AgentCrowd, AgentMarket

# 2026-01-01T00:00:00Z: event times start here, also when paced, so that a seed always gives the same bytes.
START_NS = 1_767_225_600_000_000_000
# Event time in one batch: short when somebody watches, long when nobody does.
_PACED_SLICE_NS = 20_000_000
_VIRTUAL_SLICE_NS = 200_000_000

DEMO_INSTRUMENTS = (
    InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),
    InstrumentSpec(symbol="ETH-USD", tick_size="0.01", lot_size="0.001"),
)
DEMO_MARKETS = (
    AgentMarket(instrument_id=0, start_ticks=6_000_000, lots_mean=2_000),
    AgentMarket(instrument_id=1, start_ticks=300_000, lots_mean=4_000),
)


class SimulatedExchangeFeed:
    """A `MarketFeed` of seeded order flow, as fast as possible or paced by a clock.

    The instruments must be matched as `Matching.EXCHANGE`. The same seed gives the same events, paced
    or not; a shorter run is the beginning of a longer one.

    Parameters
    ----------
    markets : tuple of AgentMarket
        The instruments and who trades them.
    seed : int
        Decides everything.
    duration_ns : int
        Length of the run in event time, above 0.
    clock : Clock or None
        Paces the events; `None` delivers them as fast as they are taken.
    start_ns : int
        Time of the first event, UTC nanoseconds.
    """

    def __init__(
        self,
        markets: tuple[AgentMarket, ...] = DEMO_MARKETS,
        *,
        seed: int,
        duration_ns: int,
        clock: Clock | None = None,
        start_ns: int = START_NS,
    ) -> None:
        if duration_ns <= 0:
            raise InvalidValueError("duration_ns", duration_ns, "must be above 0")
        self._markets = markets
        self._seed = seed
        self._start_ns = start_ns
        self._end_ns = start_ns + duration_ns
        self._clock = clock
        self._closed = False

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the flow slice by slice; each call starts it anew and leaves out `skip_events`."""
        crowd = AgentCrowd(self._markets, seed=self._seed, start_ns=self._start_ns)
        slice_ns = _VIRTUAL_SLICE_NS if self._clock is None else _PACED_SLICE_NS
        paced_from: tuple[int, int] | None = None
        time_ns = self._start_ns
        while time_ns < self._end_ns and not self._closed:
            slice_start_ns = time_ns
            time_ns = min(time_ns + slice_ns, self._end_ns)
            batch = EventBatch()
            crowd.run_until(time_ns, batch)
            skipped = min(skip_events, len(batch))
            skip_events -= skipped
            batch.skip(skipped)
            if len(batch) == 0:
                continue
            if self._clock is not None:
                if paced_from is None:
                    paced_from = (self._clock.now_ns(), slice_start_ns)
                await self._clock.sleep_until(paced_from[0] + time_ns - paced_from[1])
            yield batch

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Say that there is none: the book inside the engine is the exchange's own and always right."""
        return False

    async def aclose(self) -> None:
        """End `batches` at the next slice."""
        self._closed = True
