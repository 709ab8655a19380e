"""The order flow of many small agents around a wandering value: what a simulated exchange lives on.

The flow is open-loop: agents never look at the book, so the same seed gives the same flow whatever our
own orders do to the market.
"""

import heapq
import math
from collections import deque
from random import Random
from typing import Protocol

import msgspec

from tradecore.domain.errors import InvalidValueError

_NS_PER_SECOND = 1_000_000_000
_PPM = 1_000_000

# How fast the value returns to where it started, and how long one trend lasts, in seconds.
_RETURN_SECONDS = 600.0
_TREND_SECONDS = 8.0
# How far back momentum traders look, in seconds.
_MEMORY_SECONDS = 3.0


class FlowSink(Protocol):
    """Takes the flow in the order of its times; `EventBatch` is one."""

    def flow_limit(
        self, time_ns: int, instrument_id: int, flow_id: int, is_buy: bool, price_ticks: int, lots: int
    ) -> None:
        """Take a limit order of an agent."""
        ...

    def flow_market(self, time_ns: int, instrument_id: int, is_buy: bool, lots: int) -> None:
        """Take a market order of an agent."""
        ...

    def flow_cancel(self, time_ns: int, instrument_id: int, flow_id: int) -> None:
        """Take the cancel of an agent's order, which may be gone already."""
        ...


class AgentMarket(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument and the agents that trade it; the defaults give about 740 events a second.

    Attributes
    ----------
    instrument_id : int
        Position of the instrument in the engine's table.
    start_ticks : int
        Value of the instrument at the start, in ticks.
    lots_mean : int
        Mean size of an order, in lots.
    makers, patient_makers, takers, momentum_traders : int
        How many agents of each kind there are.
    distance_ppm : int
        Mean distance of a maker's quote from the value, in millionths; patient makers stay 8 times
        as far away.
    volatility_ppm : int
        Standard deviation of the value's change in one second, in millionths.
    """

    instrument_id: int
    start_ticks: int
    lots_mean: int = 2_000
    makers: int = 60
    patient_makers: int = 12
    takers: int = 12
    momentum_traders: int = 4
    distance_ppm: int = 100
    volatility_ppm: int = 50

    def __post_init__(self) -> None:
        """Refuse a market that cannot have two sides."""
        for field in ("start_ticks", "lots_mean", "makers", "patient_makers", "distance_ppm"):
            if getattr(self, field) <= 0:
                raise InvalidValueError(field, getattr(self, field), "must be above 0")
        for field in ("instrument_id", "takers", "momentum_traders", "volatility_ppm"):
            if getattr(self, field) < 0:
                raise InvalidValueError(field, getattr(self, field), "must not be negative")


class FairValue:
    """What an instrument is worth: a random walk with trends that returns slowly to where it started.

    Parameters
    ----------
    market : AgentMarket
        Start and volatility.
    draw : Random
        Source of chance, shared with the agents of the market.
    """

    def __init__(self, market: AgentMarket, draw: Random) -> None:
        self._draw = draw
        self._start = float(market.start_ticks)
        self._volatility = self._start * market.volatility_ppm / _PPM
        self._trend = 0.0
        self._trend_left = 0.0
        self.ticks = self._start
        self.slow_ticks = self._start

    def advance(self, seconds: float) -> float:
        """Let time pass and return the value in ticks; it stays within half and twice the start."""
        if self._trend_left <= 0.0:
            self._trend_left = self._draw.expovariate(1.0 / _TREND_SECONDS)
            self._trend = self._draw.gauss(0.0, 0.4 * self._volatility)
        self._trend_left -= seconds
        drift = self._trend + (self._start - self.ticks) / _RETURN_SECONDS
        moved = self.ticks + drift * seconds + self._draw.gauss(0.0, self._volatility * math.sqrt(seconds))
        self.ticks = min(max(moved, self._start / 2.0), self._start * 2.0)
        self.slow_ticks += (self.ticks - self.slow_ticks) * min(1.0, seconds / _MEMORY_SECONDS)
        return self.ticks


class _Floor:
    """What the agents of one market share: the value, chance and the numbers of orders."""

    def __init__(self, market: AgentMarket, draw: Random) -> None:
        self.market = market
        self.draw = draw
        self.value = FairValue(market, draw)
        self._time_ns: int | None = None
        self._flow_id = 0

    def value_at(self, time_ns: int) -> float:
        elapsed_ns = 0 if self._time_ns is None else time_ns - self._time_ns
        self._time_ns = time_ns
        return self.value.advance(elapsed_ns / _NS_PER_SECOND) if elapsed_ns else self.value.ticks

    def lots(self) -> int:
        return 1 + int(self.draw.expovariate(1.0 / self.market.lots_mean))

    def next_flow_id(self) -> int:
        self._flow_id += 1
        return self._flow_id


class _Agent(Protocol):
    """Someone who acts and then sleeps."""

    def act(self, time_ns: int, sink: FlowSink) -> float:
        """Act and return for how many seconds to sleep."""
        ...


class _Maker:
    """Keeps a few quotes on both sides; each time it wakes up it renews the oldest of them."""

    def __init__(self, floor: _Floor, *, quotes: int, distance_ppm: int, seconds_mean: float) -> None:
        self._floor = floor
        self._quotes = quotes
        self._distance = floor.market.start_ticks * distance_ppm / _PPM
        self._seconds_mean = seconds_mean
        self._live: deque[tuple[int, bool]] = deque()

    def act(self, time_ns: int, sink: FlowSink) -> float:
        floor = self._floor
        value = floor.value_at(time_ns)
        if not self._live:
            for number in range(self._quotes):
                self._quote(time_ns, sink, value, is_buy=number % 2 == 0)
        else:
            flow_id, is_buy = self._live.popleft()
            sink.flow_cancel(time_ns, floor.market.instrument_id, flow_id)
            opinion = value + floor.draw.gauss(0.0, self._distance / 2.0)
            self._quote(time_ns, sink, opinion, is_buy=is_buy)
        return floor.draw.expovariate(1.0 / self._seconds_mean)

    def _quote(self, time_ns: int, sink: FlowSink, value: float, *, is_buy: bool) -> None:
        floor = self._floor
        away = floor.draw.expovariate(1.0 / self._distance)
        price_ticks = math.floor(value - away) if is_buy else math.ceil(value + away)
        flow_id = floor.next_flow_id()
        lots = floor.lots()
        sink.flow_limit(time_ns, floor.market.instrument_id, flow_id, is_buy, max(price_ticks, 1), lots)
        self._live.append((flow_id, is_buy))


class _Taker:
    """Buys or sells at the market for reasons of its own."""

    def __init__(self, floor: _Floor) -> None:
        self._floor = floor

    def act(self, time_ns: int, sink: FlowSink) -> float:
        floor = self._floor
        floor.value_at(time_ns)
        is_buy = floor.draw.getrandbits(1) == 1
        sink.flow_market(time_ns, floor.market.instrument_id, is_buy, floor.lots())
        return floor.draw.expovariate(1.0 / 0.4)


class _MomentumTrader:
    """Runs after the value when it has left its recent average by more than a maker's distance."""

    def __init__(self, floor: _Floor) -> None:
        self._floor = floor
        self._threshold = floor.market.start_ticks * floor.market.distance_ppm / _PPM

    def act(self, time_ns: int, sink: FlowSink) -> float:
        floor = self._floor
        ahead = floor.value_at(time_ns) - floor.value.slow_ticks
        if abs(ahead) > self._threshold:
            sink.flow_market(time_ns, floor.market.instrument_id, ahead > 0.0, floor.lots())
        return floor.draw.expovariate(1.0 / 0.5)


class AgentCrowd:
    """All agents of all markets; the same seed gives the same flow, whatever the steps it is run in.

    A market draws its chances apart from the others: one more market changes nothing in the first.
    The first thing that happens, all at `start_ns`, is that every maker quotes both sides.

    Parameters
    ----------
    markets : sequence of AgentMarket
        The instruments, each with an id of its own.
    seed : int
        Decides everything.
    start_ns : int
        When the flow starts, UTC nanoseconds.
    """

    def __init__(self, markets: tuple[AgentMarket, ...], *, seed: int, start_ns: int) -> None:
        if len({market.instrument_id for market in markets}) != len(markets) or not markets:
            raise InvalidValueError("markets", len(markets), "must be one per instrument, at least one")
        self._agents: list[_Agent] = []
        self._wakes: list[tuple[int, int]] = []
        for market in markets:
            # S311: chance for a simulation, not for a secret.
            draw = Random(f"{seed}/{market.instrument_id}")  # noqa: S311
            for agent, seconds in _agents_of(_Floor(market, draw)):
                wake_ns = start_ns + int(seconds * _NS_PER_SECOND)
                self._wakes.append((wake_ns, len(self._agents)))
                self._agents.append(agent)
        heapq.heapify(self._wakes)

    def run_until(self, time_ns: int, sink: FlowSink) -> None:
        """Give everything that happens before `time_ns`, in order."""
        wakes = self._wakes
        while wakes[0][0] < time_ns:
            now_ns, number = wakes[0]
            seconds = self._agents[number].act(now_ns, sink)
            heapq.heapreplace(wakes, (now_ns + 1 + int(seconds * _NS_PER_SECOND), number))


def _agents_of(floor: _Floor) -> list[tuple[_Agent, float]]:
    """Make the agents of a market, each with the seconds until it first acts."""
    market, draw = floor.market, floor.draw
    near, far = market.distance_ppm, market.distance_ppm * 8
    makers: list[_Agent] = [
        *(_Maker(floor, quotes=8, distance_ppm=near, seconds_mean=0.176) for _ in range(market.makers)),
        *(_Maker(floor, quotes=20, distance_ppm=far, seconds_mean=1.0) for _ in range(market.patient_makers)),
    ]
    others: list[_Agent] = [
        *(_Taker(floor) for _ in range(market.takers)),
        *(_MomentumTrader(floor) for _ in range(market.momentum_traders)),
    ]
    first = [(agent, 0.0) for agent in makers]
    return first + [(agent, 0.05 + draw.expovariate(2.0)) for agent in others]
