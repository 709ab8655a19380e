"""A wrong argument is named in one line, whichever method of a strategy's context or of a batch it is for."""

import ast
import inspect
import math
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    StrategyBinding,
    TradecoreError,
    VenueSpec,
)
from tradecore._core import OrderDesk, indicator_table
from tradecore.engine.context import Context

GOLD = InstrumentSpec(symbol="GOLD", tick_size="1")
SPEC = EngineSpec(
    instruments=(
        GOLD,
        InstrumentSpec(symbol="TIN", tick_size="1"),
        InstrumentSpec(symbol="IRON", tick_size="1"),
    ),
    account=AccountSpec(cash="1000000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
WRONG = [
    object(), "GOOG", b"1", "", -1, 7, 2**33, 2**70, -(2**70), 10**400, 1.5, math.nan, math.inf, True,
    None, [], {}, (1, 2), Decimal("0.5"), Decimal("NaN"), 1j, np.int64(-1), np.float64(0.5),
    np.array([1, 2]), np.eye(3), int, EventBatch(),
]  # fmt: skip
ONE = np.array([10], dtype=np.int64)
FRAME = np.array(
    [(1_700_000_000_000_000_000, 100.0, 1.0, "buy")],
    dtype=[("time", "i8"), ("price", "f8"), ("size", "f8"), ("side", "U4")],
)


# What an account begins with, in whole units.
ROWS = SimpleNamespace(
    cash=[("USD", 1)], brought=None, lots=[], prices=[], guards=[], last_order_id=0, market_events=0,
    before=None, changed="",
)  # fmt: skip
CONVERSION = SimpleNamespace(
    currency="USD", amount=1, into="EUR", received=None, rate=10**18, fee=0, fee_currency="EUR", reason="dust"
)

FOUND = SimpleNamespace(
    strategy=0, side="buy", lots=1, venue_time_ns=9, adopted="order", price_ticks=95, fee_atto=0,
    fee_currency=None, venue_order_id="V1", client_order_id=None,
)  # fmt: skip


# How each method is called well; what is not in it has no argument that may be wrong.
OF_A_BATCH: dict[str, dict[str, object]] = {
    "skip": {"count": 1},
    "skip_before": {"time_ns": 10},
    "quote": {
        "time_ns": 10, "instrument_id": 0, "bid_ticks": 99, "bid_lots": 1, "ask_ticks": 101, "ask_lots": 1,
        "update_id": 3,
    },
    "trade": {
        "time_ns": 10, "instrument_id": 0, "price_ticks": 100, "lots": 1, "buyer_is_aggressor": True,
        "trade_id": 3,
    },
    "book": {
        "time_ns": 10, "instrument_id": 0, "is_snapshot": True, "first_id": 1, "last_id": 1, "prev_id": 0,
        "bids": [(99, 1)], "asks": [(101, 1)], "checksum": 5,
    },
    "bars": {
        "instrument_id": 0, "open_time_ns": ONE, "close_time_ns": ONE, "open": ONE, "high": ONE, "low": ONE,
        "close": ONE, "volume": ONE,
    },
    "quotes": {
        "instrument_id": 0, "time_ns": ONE, "bid_ticks": ONE, "bid_lots": ONE, "ask_ticks": ONE,
        "ask_lots": ONE,
    },
    "trades": {
        "instrument_id": 0, "time_ns": ONE, "price_ticks": ONE, "lots": ONE, "buyer_is_aggressor": ONE,
        "trade_id": ONE,
    },
    "feed_past": {"time_ns": 10, "instrument_id": 0},
    "flow_limit": {
        "time_ns": 10, "instrument_id": 0, "flow_id": 1, "is_buy": True, "price_ticks": 99, "lots": 1,
    },
    "flow_market": {"time_ns": 10, "instrument_id": 0, "is_buy": True, "lots": 1},
    "flow_cancel": {"time_ns": 10, "instrument_id": 0, "flow_id": 1},
    "feed_lost": {"time_ns": 10, "instrument_id": 0},
    "command": {
        "time_ns": 10, "name": "set_limit", "scope": "account", "scope_id": 0, "limit": "quantity_max",
        "value": "5", "instrument_id": 0, "person": "me",
    },
    "mark": {"time_ns": 10, "instrument_id": 0, "price_ticks": 100},
    "funding": {"time_ns": 10, "instrument_id": 0, "rate_ppb": 5, "mark_ticks": 100},
    "venue_report": {
        "time_ns": 10, "instrument_id": 0, "order_id": 1, "report": "fill", "venue_time_ns": 9,
        "venue_order_id": "V1", "trade_id": "T1", "filled_lots": 1, "price_ticks": 100, "lots": 1,
        "liquidity": "maker", "fee_atto": 1, "reason": "requested",
    },
    "outcome_lost": {"time_ns": 10, "instrument_id": 0, "order_id": 1},
    "agreement": {"time_ns": 10, "instrument_id": 0, "agrees": True},
    "adopted": {"time_ns": 10, "instrument_id": 0, "found": FOUND},
    "clock": {"time_ns": 10},
    "opening": {"time_ns": 10, "rows": ROWS},
    "adjustment": {"time_ns": 10, "currency": "USD", "amount": 1, "reason": "fee"},
    "conversion": {"time_ns": 10, "row": CONVERSION},
    "transfer": {"time_ns": 10, "currency": "USD", "amount": 1, "reason": "deposit"},
    "from_frame": {
        "frame": FRAME, "instrument": GOLD, "instrument_id": 0, "kind": "trades", "columns": None,
        "rounding": "exact", "timezone": "UTC", "interval": None,
    },
}  # fmt: skip
ORDER: dict[str, object] = {"quantity_lots": 1}
OF_A_CONTEXT: dict[str, dict[str, object]] = {
    "buy": ORDER,
    "sell": ORDER,
    "cancel": {"order_id": 1},
    "replace": {"order_id": 1, "quantity_lots": 1, "price_ticks": 90},
    "is_open": {"order_id": 1},
    "position_lots": {"instrument_id": 0},
    "best_ticks": {"instrument_id": 0},
    "price": {"instrument_id": 0},
    "entry_price": {"instrument_id": 0},
    "unrealised_pnl": {"instrument_id": 0},
    "balance": {"currency": "USD"},
    "position": {"instrument_id": 0},
    "round_price": {"price": 1.0, "direction": "down", "instrument_id": 0},
    "round_quantity": {"quantity": 1.0, "direction": "down", "instrument_id": 0},
    "close": {"instrument_id": 0},
    "target": {"quantity": 1, "instrument_id": 0},
    "adjust_margin": {"amount": "1", "instrument_id": 0},
    "margin_set_aside": {"instrument_id": 0},
    "set_timer": {"time_ns": 100, "timer_id": 1},
    "trace": {"name": "spread", "limit": 1.0, "value": 2.0, "passed": True},
    "hold": {"reason": "spread", "instrument_id": 0},
    "history": {"column": "close", "count": 1, "instrument_id": 0, "bars": None},
}
SAMPLES = {"period": 3, "width": 2.0, "seed": "first"}
INDICATORS = {
    name: {
        **{
            one: SAMPLES[kind] if default is None else ast.literal_eval(default)
            for one, kind, default, *_ in parameters
        },
        "instrument_id": 0,
        "bars": None,
    }
    for name, _, _, _, _, parameters in indicator_table()
}
OF_A_CONTEXT |= INDICATORS
# What an order may say beside its size.
PARTS_OF_AN_ORDER = [
    name
    for name in inspect.signature(OrderDesk.buy).parameters
    if name not in ("self", "quantity_lots")
]  # fmt: skip
ALSO = {("command", "value"): "quantity_max"}
# Not for strategies: the engine calls these.
OF_THE_ENGINE = {"bind_series", "series_id"}


def methods(cls):
    """Return the names of the public methods of a class that take arguments."""
    found = set()
    for name, value in inspect.getmembers(cls):
        if name.startswith("_") or not callable(value):
            continue
        if set(inspect.signature(value).parameters) - {"self"}:
            found.add(name)
    return found


def given_wrongly(call, name, arguments, parts):
    """Call with one wrong argument at a time; return what is wrong with the errors."""
    problems = []
    for part in parts:
        for value in WRONG:
            try:
                call(**arguments | {part: value})
            except (TradecoreError, TypeError, ValueError, ArithmeticError, LookupError) as error:
                first, *more = str(error).splitlines()
                # What a limit's value must be depends on the limit, so that its name is told.
                names = (part.removesuffix("_ticks").removesuffix("_lots"), ALSO.get((name, part), part))
                is_named = any(known in first for known in names)
                if not is_named or more or not isinstance(error, TradecoreError | TypeError):
                    problems.append(f"{name}({part}={value!r}): {type(error).__name__}: {error}")
    return problems


def test_every_method_is_tried():
    """A method that is added is added here."""
    assert methods(EventBatch) == OF_A_BATCH.keys()
    assert methods(OrderDesk) | methods(Context) == OF_A_CONTEXT.keys() | OF_THE_ENGINE


@pytest.mark.parametrize("name", OF_A_BATCH)
def test_a_wrong_argument_of_a_batch_is_named(name):
    """No TypeError or OverflowError without the argument's name."""
    arguments = OF_A_BATCH[name]

    def call(**given):
        return getattr(EventBatch(), name)(**given)

    call(**arguments)
    assert given_wrongly(call, name, arguments, arguments) == []


class Asks:
    """Calls what it is told to in its first callback."""

    def __init__(self, name, arguments, parts, *, at_start):
        self.name = name
        self.arguments = arguments
        self.parts = parts
        self.at_start = at_start
        self.problems = None

    def ask(self, ctx):
        """Call once well and then wrongly."""
        call = getattr(ctx, self.name)
        call(**self.arguments)
        self.problems = given_wrongly(call, self.name, self.arguments, self.parts)

    def on_start(self, ctx):
        """Make indicators."""
        if self.at_start:
            self.ask(ctx)

    def on_quote(self, ctx, quote):
        """Do the rest."""
        if not self.at_start and self.problems is None:
            self.ask(ctx)


def asked(name, arguments, parts):
    """Return what was wrong with the errors that a strategy got."""
    strategy = Asks(name, arguments, parts, at_start=name in INDICATORS)
    engine = Engine(SPEC, [StrategyBinding(name="asks", strategy=strategy, instruments=(0, 1), history=5)])
    batch = EventBatch()
    batch.quote(10, 0, 99, 50, 101, 50)
    engine.feed(batch)
    engine.run()
    assert strategy.problems is not None
    return strategy.problems


@pytest.mark.parametrize("name", OF_A_CONTEXT)
def test_a_wrong_argument_of_a_context_is_named(name):
    """Whether the method is of Python or of Rust."""
    parts = [*OF_A_CONTEXT[name], *(PARTS_OF_AN_ORDER if name in ("buy", "sell") else [])]
    assert asked(name, OF_A_CONTEXT[name], parts) == []
