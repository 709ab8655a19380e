"""What the strategies of a run did: how often each was called, what became of its orders, what it lacked."""

from collections.abc import Callable, Iterator, Mapping

import msgspec


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """How often one rule refused a strategy.

    Attributes
    ----------
    rule : str
        Its name, e.g. `position_max`.
    count : int
        How often.
    first_time : str
        When it did for the first time, ISO 8601 in UTC.
    instrument : str
        Symbol of the first order that it refused.
    first : str
        What it said to that one, with limit and value, in words.
    """

    rule: str
    count: int
    first_time: str
    instrument: str
    first: str


class OrderOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a strategy's orders, those that the engine sent for it (exits, closes) among them.

    Attributes
    ----------
    sent : int
        Orders that gates and risk let pass.
    filled : int
        Those that filled whole.
    part_filled : int
        Those that ended otherwise, with a part of them filled; each is counted as canceled or expired too.
    canceled, rejected : dict of str to int
        By reason, those that ended before they had filled whole, and those that the venue did not take.
    expired : int
        Those whose time ran out.
    open : int
        Those that are open.
    """

    sent: int
    filled: int
    part_filled: int
    canceled: Mapping[str, int]
    rejected: Mapping[str, int]
    expired: int
    open: int


class ColdIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that has not seen enough bars for its first value.

    Attributes
    ----------
    indicator : str
        Name and parameters, e.g. `sma(200)`.
    instrument : str
        Symbol of what it follows.
    bars_seen, bars_needed : int
        Bars so far, and those it needs.
    """

    indicator: str
    instrument: str
    bars_seen: int
    bars_needed: int


class StrategyActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy did.

    Attributes
    ----------
    strategy : str
        Its name.
    callbacks : dict of str to int
        How often each callback ran that the strategy has.
    orders : OrderOutcomes
        What became of its orders.
    refused : tuple of Refusals
        What was refused, in the order in which each rule first did.
    cold : tuple of ColdIndicator
        Indicators without a value.
    notes : tuple of str
        What is wrong with it as it stands: methods that nothing calls, bars that nothing feeds.
    """

    strategy: str
    callbacks: Mapping[str, int]
    orders: OrderOutcomes
    refused: tuple[Refusals, ...] = ()
    cold: tuple[ColdIndicator, ...] = ()
    notes: tuple[str, ...] = ()


class GateActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision gate said to requests that add risk; those that close pass every gate.

    Attributes
    ----------
    gate : str
        Its name; empty when it was never asked.
    asked, refused : int
        How often it was asked, and how often it said no.
    first : str
        Time, limit and value of its first no, in words; empty without one.
    """

    gate: str
    asked: int
    refused: int
    first: str = ""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What the strategies of an engine did so far, and what was said to them.

    Attributes
    ----------
    strategies : tuple of StrategyActivity
        One for each strategy, in the order of the engine.
    gates : tuple of GateActivity
        One for each decision gate, in the order in which they are asked.
    without_data : tuple of str
        Symbols of instruments of strategies for which nothing came: no bar, quote, trade or book.
    """

    strategies: tuple[StrategyActivity, ...] = ()
    gates: tuple[GateActivity, ...] = ()
    without_data: tuple[str, ...] = ()

    def brief(self) -> str:
        """Return in one line what did not go through: `3 orders refused: position_max 3`; may be empty."""
        parts = []
        for what, counts in (
            ("refused", self._sum(lambda known: {rule.rule: rule.count for rule in known.refused})),
            ("rejected", self._sum(lambda known: known.orders.rejected)),
        ):
            if total := sum(counts.values()):
                parts.append(f"{total:,} order{'s' if total > 1 else ''} {what}: {_listed(counts)}")
        if self.without_data:
            parts.append(f"no data: {', '.join(self.without_data)}")
        return "; ".join(parts)

    def called(self) -> str:
        """Return how often each callback ran, in one line for each strategy, joined by `; `."""
        return "; ".join(f"{known.strategy}: {_times(known.callbacks)}" for known in self.strategies)

    def reasons(self) -> list[str]:
        """Return why there are no trades, or fewer than there might be: one sentence for each thing found."""
        found = [
            f"{symbol} had no data at all: no bar, quote, trade or book came" for symbol in self.without_data
        ]
        for known in self.strategies:
            found += [f"strategy {known.strategy}: {sentence}" for sentence in _why(known)]
        for gate in self.gates:
            if gate.refused:
                share = "every one" if gate.refused == gate.asked else f"{gate.refused:,}"
                found.append(
                    f"decision gate {gate.gate} refused {share} of {gate.asked:,} requests; {gate.first}"
                )
        return found

    def _sum(self, of: Callable[[StrategyActivity], Mapping[str, int]]) -> dict[str, int]:
        total: dict[str, int] = {}
        for known in self.strategies:
            for name, count in of(known).items():
                total[name] = total.get(name, 0) + count
        return total


def _why(known: StrategyActivity) -> Iterator[str]:
    """Give one sentence for each thing that kept a strategy from trading."""
    yield from known.notes
    for cold in known.cold:
        yield (
            f"{cold.indicator} of {cold.instrument} never got warm: it saw {cold.bars_seen:,} of the "
            f"{cold.bars_needed:,} bars that it needs"
        )
    for rule in known.refused:
        yield f"{rule.rule} refused {_orders(rule.count)}; the first at {rule.first_time}: {rule.first}"
    orders = known.orders
    if orders.sent == 0:
        if not known.refused and known.callbacks:
            yield f"it asked for no order; {_times(known.callbacks)}"
        return
    ended = [f"{orders.filled:,} filled whole"] if orders.filled else []
    ended += [f"{count:,} canceled ({reason})" for reason, count in orders.canceled.items()]
    ended += [f"{count:,} rejected ({reason})" for reason, count in orders.rejected.items()]
    ended += [f"{orders.expired:,} expired"] if orders.expired else []
    ended += [f"{orders.open:,} still open"] if orders.open else []
    yield f"of {_orders(orders.sent)} sent, {', '.join(ended)}"
    if orders.filled or orders.part_filled:
        yield "a trade counts once its position is closed; venue.finalize can close what is open at the end"


def _orders(count: int) -> str:
    return f"{count:,} order{'' if count == 1 else 's'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _times(callbacks: Mapping[str, int]) -> str:
    """Return how often each callback ran, e.g. `on_start ran once, on_bar 120 times`."""
    parts = [f"{name} {_often(count)}" for name, count in callbacks.items()]
    if not parts:
        return "it has no callbacks"
    first, *rest = parts
    name, _, often = first.partition(" ")
    return ", ".join([f"{name} never ran" if often == "never" else f"{name} ran {often}", *rest])


def _often(count: int) -> str:
    return "never" if count == 0 else "once" if count == 1 else f"{count:,} times"
