"""An engine inside another asyncio service: the service feeds it and reads it, nothing else runs."""

import asyncio

from tradecore import Bar, BarSource, Context, Engine, EngineSpec, Matching, StrategyBinding, VenueSpec
from tradecore.sim import DEMO_INSTRUMENTS, SimulatedExchangeFeed

SPEC = EngineSpec(instruments=DEMO_INSTRUMENTS, venue=VenueSpec(matching=Matching.EXCHANGE))


class Contrarian:
    def on_bar(self, ctx: Context, bar: Bar) -> None:
        ctx.target(0 if bar.close > bar.open else float(ctx.instrument.lot_size))


async def trade(engine: Engine) -> None:
    async for batch in SimulatedExchangeFeed(seed=7, duration_ns=20_000_000_000).batches():
        engine.feed(batch)
        engine.run()
        await asyncio.sleep(0)


async def main() -> None:
    bars = BarSource.parse("1s")
    engine = Engine(SPEC, [StrategyBinding(name="contrarian", strategy=Contrarian(), bars=bars)])
    await asyncio.gather(trade(engine), asyncio.sleep(0.1))  # the sleep is the service's own work
    print(engine.summary())


asyncio.run(main())
