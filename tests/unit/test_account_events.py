"""Accounts that begin with positions, corrections and transfers, as people hand them in."""

from decimal import Decimal

import numpy as np
import pytest

from tradecore import (
    AccountSpec,
    Adjustment,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    LossState,
    Matching,
    Opening,
    OpeningLot,
    StrategyBinding,
    Transfer,
    VenueSpec,
)
from tradecore.backtest import run as run_backtest
from tradecore.backtest.earned import earned
from tradecore.domain.commands import Flatten, Forbid, Kill, Pause, SetLimit
from tradecore.domain.journal import decode_frames, events_from_frames
from tradecore.engine.carried import followed_account, opened_frames

LOT = OpeningLot(
    strategy="Holds",
    instrument="GOLD",
    quantity=Decimal(3),
    entry_price=Decimal(90),
    entry_time_ns=5,
    entry_order=4,
    entry_fee=Decimal("0.5"),
)
OPENING = Opening(
    cash={"USD": Decimal("1000.25")}, lots=(LOT,), prices={"GOLD": Decimal(100)}, last_order_id=6
)


def spec_of(*symbols, venue=VenueSpec(matching=Matching.QUOTES)):  # noqa: B008 - a frozen value
    """Return a specification with these symbols, ticks and lots of 1."""
    instruments = tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in symbols)
    return EngineSpec(instruments=instruments, account=AccountSpec(cash="1000000"), venue=venue)


def quotes_of(times):
    """Return a batch of quotes of 99 to 101 at these times."""
    batch = EventBatch()
    for time_ns in times:
        batch.quote(time_ns, 0, 99, 50, 101, 50)
    return batch


def bound(strategy):
    """Bind a strategy."""
    return StrategyBinding(name=type(strategy).__name__, strategy=strategy)


class Holds:
    """Sells one lot at the first quote."""

    def on_quote(self, ctx, quote) -> None:
        """Sell once."""
        if ctx.position_lots() == 3:
            ctx.sell(quantity_lots=1)


def engine_of(opening=None, **options):
    """Return an engine with one strategy that may hold something from the start."""
    return Engine(spec_of("GOLD", "TIN"), [bound(Holds())], opening=opening, **options)


def with_changes(**changes):
    """Return the opening with other values."""
    return Opening(**{name: getattr(OPENING, name) for name in OPENING.__struct_fields__} | changes)


def with_lot(**changes):
    """Return the opening with another lot."""
    return with_changes(
        lots=(OpeningLot(**{name: getattr(LOT, name) for name in LOT.__struct_fields__} | changes),)
    )


def test_an_engine_begins_with_cash_and_positions_at_its_first_event():
    """The position is there in the first callback, and its trade has the entry of before."""
    engine = engine_of(OPENING, recording=True)
    engine.feed(quotes_of([10, 20, 30]))
    engine.run()

    summary = engine.summary()
    assert summary.positions == {"GOLD": "2"}
    assert Decimal(summary.cash) == Decimal("1099.25")
    (trade,) = (engine.kernel.trades()["entry_time_ns"],)
    assert list(trade) == [5]
    kind, time_ns, fields = decode_frames(engine.take_frames())[0]
    assert (kind, time_ns, fields["account"]) == ("account", 10, "opening")
    assert fields["cash"] == {"USD": 1000_25 * 10**16}


def test_an_opening_has_the_time_that_it_names_and_nothing_may_be_earlier():
    """A second source whose events are earlier is told so."""
    engine = engine_of(with_changes(time_ns=15))
    with pytest.raises(InvalidValueError, match="must not be before the opening of the account at 15"):
        engine.feed(quotes_of([10]))
    engine.feed(quotes_of([20]))
    engine.run()
    assert engine.summary().positions == {"GOLD": "2"}


def test_an_engine_that_is_replayed_takes_the_opening_of_the_journal():
    """Its own one would be a second one."""
    engine = engine_of(OPENING, recording=True)
    engine.feed(quotes_of([10, 20]))
    engine.run()
    recorded = engine.take_frames()
    again = engine_of(with_changes(cash={"USD": Decimal(5)}), recording=True)
    batch = EventBatch()
    events_from_frames(recorded, batch)
    again.feed(batch)
    again.run()

    assert again.take_frames() == recorded
    assert again.state_hash() == engine.state_hash()


def test_a_backtest_begins_with_positions():
    """Profit counts from what the account was worth."""
    spec = spec_of("GOLD", "TIN", venue=VenueSpec(matching=Matching.QUOTES, finalize="none"))
    result = run_backtest(spec, [bound(Holds())], quotes_of([10, 20, 30]), opening=OPENING)

    assert result.trades["entry_price"].tolist() == [90.0]
    assert result.summary.positions == {"GOLD": "2"}
    # 1000.25 and three lots at their cost.
    assert Decimal(result.summary.equity) - Decimal(result.summary.pnl) == Decimal("1270.25")


@pytest.mark.parametrize(
    ("opening", "field"),
    [
        ("text", "opening"),
        (with_changes(cash={"EUR": Decimal(1)}), "currency"),
        (with_changes(cash={"USD": Decimal(1), "EUR": Decimal(1)}), "currency"),
        (with_changes(cash={}), "cash"),
        (with_changes(cash=5), "opening.cash"),
        (with_changes(cash={"USD": 0.5}), "opening.cash.USD"),
        (with_changes(cash={"USD": Decimal("1e-19")}), "opening.cash.USD"),
        (with_changes(cash={"USD": Decimal("1e30")}), "opening.cash.USD"),
        (with_changes(cash={"USD": Decimal("NaN")}), "opening.cash.USD"),
        (with_changes(cash={"USD": "ten"}), "opening.cash.USD"),
        (with_changes(brought=True), "opening.brought"),
        (with_changes(prices={"ZINC": Decimal(1)}), "opening.prices.ZINC"),
        (with_changes(prices={"GOLD": Decimal("0.5")}), "opening.prices.GOLD"),
        (with_changes(last_order_id=-1), "opening.last_order_id"),
        (with_changes(market_events=2**64), "opening.market_events"),
        (with_changes(before="12"), "opening.before"),
        (with_changes(before="x" * 64), "opening.before"),
        (with_changes(lots=("lot",)), "opening.lots[0]"),
        (with_lot(strategy="Nobody"), "opening.lots[0].strategy"),
        (with_lot(instrument="ZINC"), "opening.lots[0].instrument"),
        (with_lot(quantity=Decimal("1.5")), "opening.lots[0].quantity"),
        (with_lot(entry_price=Decimal("1.5")), "opening.lots[0].entry_price"),
        (with_lot(entry_time_ns=1.0), "opening.lots[0].entry_time_ns"),
        (with_lot(entry_time_ns=11), "entry_time_ns"),
        (with_lot(entry_order=7), "entry_order"),
        (with_lot(quantity=Decimal(0)), "lots"),
        (with_changes(losses=("loss",)), "opening.losses[0]"),
        (
            with_changes(losses=(LossState(scope="strategy:Nobody", cash=0, last=0, peak=0, day_start=0),)),
            "scope",
        ),
        (
            with_changes(
                losses=(LossState(scope="account", cash=0, last=0, peak=0, day_start=0, halt="no rule"),)
            ),
            "halt",
        ),
    ],
)
def test_an_opening_that_cannot_be_is_refused_by_its_key(opening, field):
    """At the engine, or with the first event where only the engine knows."""
    with pytest.raises(InvalidValueError) as caught:
        engine_of(opening).feed(quotes_of([10]))
    assert caught.value.field == field


def test_transfers_are_no_profit_and_adjustments_are():
    """Both move the cash; only one of them the profit."""
    engine = engine_of()
    engine.feed(quotes_of([10]))
    engine.change_account(Transfer(currency="USD", amount=Decimal("250.5"), reason="deposit"), 11)
    engine.change_account(Adjustment(currency="USD", amount=Decimal("-0.25"), reason="fee corrected"), 12)
    engine.run()
    summary = engine.summary()

    assert (summary.cash, summary.pnl, summary.adjusted) == ("1000250.25", "-0.25", "-0.25")
    assert engine.kernel.transfers() == [(11, 2505 * 10**17)]
    for change in (
        Transfer(currency="EUR", amount=1, reason="x"),
        Transfer(currency="USD", amount=0, reason="x"),
    ):
        with pytest.raises(InvalidValueError):
            engine.change_account(change, 20)
    with pytest.raises(InvalidValueError, match="must say in a line of text why"):
        engine.change_account(Adjustment(currency="USD", amount=1, reason=""), 20)
    with pytest.raises(InvalidValueError, match="must be an Adjustment, a Conversion or a Transfer"):
        engine.change_account("deposit", 20)


def test_a_deposit_is_no_return():
    """The equity doubles by a deposit, and the return is what the account earned before and after."""
    times = np.array([10, 20, 30, 40])
    equity = np.array([100.0, 110.0, 220.0, 242.0])
    deposit = [(25, 110 * 10**18)]

    assert earned(times, equity, [], is_sampled=True) is equity
    assert earned(times, equity, deposit, is_sampled=True) == pytest.approx([100, 110, 110, 121])
    # A bar has what happened after it opened.
    assert earned(times, equity, deposit, is_sampled=False) == pytest.approx([100, 0, 0, 0])
    within = [(30, 110 * 10**18), (35, -10 * 10**18)]
    assert earned(times[1:], equity[1:], within[:1], is_sampled=True) == pytest.approx([110, 110, 121])
    assert earned(times, np.array([-1.0, 1, 2, 3]), [(25, 10**18)], is_sampled=True) == pytest.approx(
        [-1, 1, 1, 2]
    )
    assert earned(times, equity, [(5, 10**18), (10, 10**18)], is_sampled=True) == pytest.approx(equity)


def test_the_figures_of_a_backtest_leave_transfers_out():
    """The last equity is what is there; the return is what was earned."""
    batch = quotes_of([10, 20, 30])
    batch.transfer(40, "USD", 10**24, "deposit")
    for time_ns in (50, 60):
        batch.quote(time_ns, 0, 99, 50, 101, 50)
    result = run_backtest(spec_of("GOLD"), [bound(Holds())], batch, sample_ns=5)

    assert result.stats.final_equity == 2_000_000.0
    assert result.stats.return_pct == 0.0
    assert result.summary.pnl == "0"


def test_commands_that_hold_and_losses_go_on():
    """Followed from the records, given again to the next engine, and followed from there once more."""
    engine = engine_of(OPENING, recording=True)
    engine.feed(quotes_of([10]))
    engine.run()
    limit = SetLimit(scope="account", limit="drawdown_max", value="500", person="Ada")
    off = SetLimit(scope="strategy:Holds", limit="gross_max", value=None, person="Ada")
    engine.command(limit, 11)
    engine.command(off, 11)
    engine.command(Forbid(scope="strategy:Holds", instrument="TIN", person="Ada"), 12)
    engine.command(Pause(), 13)
    engine.command(Kill(), 14)
    engine.run()
    names = ["Holds"]
    account = followed_account(engine.spec, names, [engine.take_frames()])

    assert account.opening.losses[0].scope == "account"
    assert account.commands == (
        limit,
        off,
        Forbid(scope="strategy:Holds", instrument="TIN", person="Ada"),
        Pause(),
        Kill(),
    )
    first = opened_frames(engine.spec, names, account.opening, account.commands, 20)
    again = followed_account(engine.spec, names, [first])
    assert again.commands == account.commands
    assert again.opening == account.opening


def slow_spec():
    """Return a specification with a venue that hears of an order a second later."""
    return spec_of("GOLD", venue=VenueSpec(matching=Matching.QUOTES, order_latency_ns=10**9))


def flattened(*, until):
    """Return an engine with a position that an operator flattens, and that has quotes until some time."""
    engine = Engine(slow_spec(), [bound(Holds())], opening=OPENING, recording=True)
    engine.feed(quotes_of([10]))
    engine.run()
    engine.command(Flatten(), 11)
    engine.feed(quotes_of(range(12, until, 10**9)))
    engine.run()
    return engine


def test_a_flatten_that_is_under_way_goes_on_in_the_account_that_is_carried_over():
    """As after any other start: its orders ended with the journal before, the positions are to be closed."""
    frames = flattened(until=20).take_frames()
    for time_ns in (10**10, 2 * 10**10):
        account = followed_account(slow_spec(), ["Holds"], [frames])
        assert account.commands == (Flatten(),)
        assert [lot.quantity for lot in account.opening.lots] == [3]
        frames = opened_frames(slow_spec(), ["Holds"], account.opening, account.commands, time_ns)
    batch = EventBatch()
    events_from_frames(frames, batch)
    idle = StrategyBinding(name="Holds", strategy=Idle())
    engine = Engine(slow_spec(), [idle], opening=account.opening)
    engine.feed(batch)
    engine.feed(quotes_of([4 * 10**10, 5 * 10**10]))
    engine.run()

    assert engine.summary().positions == {}


def test_a_flatten_that_is_done_or_that_a_kill_ended_is_not_given_again():
    """What a strategy opens after it is its own."""
    done = flattened(until=4 * 10**9)
    assert done.summary().positions == {}
    assert followed_account(done.spec, ["Holds"], [done.take_frames()]).commands == ()

    killed = flattened(until=20)
    killed.command(Kill(), 30)
    killed.run()
    assert followed_account(killed.spec, ["Holds"], [killed.take_frames()]).commands == (Kill(),)


class Idle:
    """Looks on."""

    def on_quote(self, ctx, quote) -> None:
        """Do nothing."""
