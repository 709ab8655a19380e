"""An account in three currencies: the engine's books against plain sums of decimals."""

from collections import deque
from decimal import ROUND_HALF_UP, Decimal, localcontext
from random import Random

import msgspec
import pytest

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentKind,
    InstrumentSpec,
    InvalidValueError,
    LotMethod,
    Matching,
    Mode,
    RiskSpec,
    ScopeRiskSpec,
    VenueSpec,
)
from tradecore.domain.closed_trades import TradesOfFills
from tradecore.domain.journal import decode_frames
from tradecore.domain.opening import Adjustment, Conversion, Transfer
from tradecore.domain.record import records_in
from tradecore.domain.units import Units, exact_money
from tradecore.engine import Engine
from tradecore.engine.account_events import change_batch
from tradecore.engine.carried import followed_account
from tradecore.engine.holdings import trades_of
from tradecore.strategy import StrategyBinding

STEPS = 1_000
ATTO = Decimal("1e-18")
CURRENCIES = ("USD", "BNB", "BTC")
SPEC = EngineSpec(
    mode=Mode.LIVE,
    instruments=(
        InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.001", base="BTC"),
        InstrumentSpec(symbol="BNB-BTC", tick_size="0.000001", lot_size="0.01", base="BNB", settlement="BTC"),
        InstrumentSpec(
            symbol="BTC-PERP",
            tick_size="0.5",
            lot_size="1",
            kind=InstrumentKind.INVERSE,
            multiplier="10",
            settlement="BTC",
        ),
    ),
    account=AccountSpec(
        cash={"USD": "100000000", "BTC": "100000", "BNB": "1000000"},
        conversions={"BTC": "BTC-USD", "BNB": "BNB-BTC"},
        leverage="1000",
    ),
    venue=VenueSpec(matching=Matching.QUOTES),
)
# Prices of the contract at which a lot is an exact number of coins.
EXACT = (400, 500, 640, 800, 1000, 1250)


class Asked:
    """Sends what the test wants at each trade of the market, and keeps the numbers of its orders."""

    def __init__(self):
        self.wanted, self.orders, self.refused = deque(), [], []

    def on_trade(self, ctx, trade):
        """Send one order."""
        while self.wanted:
            instrument, is_buy, lots, price_ticks = self.wanted.popleft()
            send = ctx.buy if is_buy else ctx.sell
            answer = send(quantity_lots=lots, limit_ticks=price_ticks, instrument_id=instrument)
            (self.orders if answer else self.refused).append(answer or answer.rule)


class Plain:
    """Balances by currency, and open lots by instrument in the order of their entries."""

    def __init__(self, method):
        self.method = method
        self.cost = [Decimal(0) for _ in SPEC.instruments]
        self.money = {name: Decimal(SPEC.account.cash[name]) for name in CURRENCIES}
        self.fees = dict.fromkeys(CURRENCIES, Decimal(0))
        self.lots = [deque() for _ in SPEC.instruments]
        self.profit = dict.fromkeys(CURRENCIES, Decimal(0))
        self.converted = dict.fromkeys(CURRENCIES, Decimal(0))
        self.trades = []

    def value(self, instrument, lots, ticks):
        """Return what lots are worth in the settlement currency."""
        spec = SPEC.instruments[instrument]
        price, size = ticks * Decimal(spec.tick_size), lots * Decimal(spec.lot_size)
        if spec.kind is InstrumentKind.INVERSE:
            return -size * Decimal(spec.multiplier) / price
        return size * price

    def fill(self, instrument, lots, ticks, fee, fee_currency):
        """Take signed lots."""
        spec = SPEC.instruments[instrument]
        settlement = spec.settlement or "USD"
        self.money[fee_currency] -= fee
        self.fees[fee_currency] += fee
        if spec.base is not None:
            self.money[settlement] -= self.value(instrument, lots, ticks)
            self.money[spec.base] += lots * Decimal(spec.lot_size)
        held, place = self.lots[instrument], -1 if self.method is LotMethod.LIFO else 0
        pool, position, taken = self.cost[instrument], sum(size for size, _ in held), 0
        while lots and held and (held[place][0] > 0) != (lots > 0):
            size, entry = held[place]
            closed = min(abs(size), abs(lots)) * (1 if size > 0 else -1)
            taken += closed
            cost = self.value(instrument, closed, entry)
            if self.method is LotMethod.AVERAGE:
                left = pool - (pool * taken / position).quantize(ATTO, rounding=ROUND_HALF_UP)
                cost = self.cost[instrument] - left
            self.cost[instrument] -= cost
            gain = self.value(instrument, closed, ticks) - cost
            self.trades.append((instrument, abs(closed), entry, ticks, gain))
            self.profit[settlement] += gain
            if spec.base is None:
                self.money[settlement] += gain
            lots += closed
            if size == closed:
                del held[place]
            else:
                held[place] = (size - closed, entry)
        if lots:
            held.append((lots, ticks))
            self.cost[instrument] += self.value(instrument, lots, ticks)

    def closed_trades(self):
        """Return symbol, size, entry where it has one, exit and profit of every closed part of a lot."""
        rows = []
        for instrument, lots, entry, leave, gain in self.trades:
            spec = SPEC.instruments[instrument]
            tick, size = Decimal(spec.tick_size), lots * Decimal(spec.lot_size)
            price = None if self.method is LotMethod.AVERAGE else entry * tick
            rows.append((spec.symbol, size, price, leave * tick, gain))
        return rows

    def open_lots(self):
        """Return symbol and signed size of every open lot."""
        return [
            (spec.symbol, lots * Decimal(spec.lot_size))
            for spec, held in zip(SPEC.instruments, self.lots, strict=True)
            for lots, _ in held
        ]


class Run:
    """The engine and the plain account, told the same."""

    def __init__(self, seed, method):
        self.random, self.plain, self.time_ns = Random(seed), Plain(method), 1_000
        self.spec = msgspec.structs.replace(SPEC, account=msgspec.structs.replace(SPEC.account, lots=method))
        self.strategy = Asked()
        binding = StrategyBinding(name="asked", strategy=self.strategy, instruments=(0, 1, 2))
        self.engine = Engine(self.spec, [binding], recording=True)
        self.frames = []
        self.units = Units(SPEC, ["asked"])
        batch = EventBatch()
        for instrument, ticks in enumerate((5_000_000, 10_000, 1_000)):
            batch.quote(self.time_ns, instrument, ticks - 1, 1_000, ticks + 1, 1_000)
        self.feed(batch)

    def feed(self, batch):
        """Let the engine consume a batch."""
        self.engine.feed(batch)
        self.engine.run()
        self.frames.append(self.engine.take_frames())

    def trade(self):
        """Send an order and let it fill in parts, with fees in any currency, rebates among them."""
        random = self.random
        instrument, is_buy = random.randrange(3), random.random() < 0.5
        ticks = (
            random.randrange(4_900_000, 5_100_000),
            random.randrange(9_000, 11_000),
            random.choice(EXACT),
        )
        lots = random.randrange(1, 40)
        self.strategy.wanted.append((instrument, is_buy, lots, ticks[instrument]))
        batch = EventBatch()
        batch.trade(self.time_ns, 0, 5_000_000, 1, True)
        self.feed(batch)
        assert not self.strategy.refused
        order_id = self.strategy.orders[-1]
        filled = 0
        while filled < lots:
            part = random.randrange(1, lots - filled + 1)
            filled += part
            fee = Decimal(random.randrange(-500, 2_000)).scaleb(-random.choice((6, 12, 18)))
            currency = random.choice(CURRENCIES)
            settlement = SPEC.instruments[instrument].settlement or "USD"
            number = None if currency == settlement else self.units.currencies.index(currency)
            batch = EventBatch()
            batch.venue_report(
                self.time_ns,
                instrument,
                order_id,
                "fill",
                trade_id=f"{order_id}-{filled}",
                filled_lots=filled,
                price_ticks=ticks[instrument],
                lots=part,
                fee_atto=int(fee.scaleb(18)),
                fee_currency=number,
            )
            self.feed(batch)
            self.plain.fill(instrument, part if is_buy else -part, ticks[instrument], fee, currency)

    def move(self):
        """Bring, take or correct an amount of some currency."""
        currency = self.random.choice(CURRENCIES)
        amount = Decimal(self.random.randrange(1, 10**9)).scaleb(-9) * self.random.choice((1, -1))
        kind = self.random.choice((Transfer, Adjustment))
        self.feed(change_batch(kind(currency=currency, amount=amount, reason="test"), self.time_ns))
        self.plain.money[currency] += amount

    def convert(self):
        """Change an amount of some currency into another one, at a rate or for an amount."""
        random = self.random
        given, into = random.sample(CURRENCIES, 2)
        amount = Decimal(random.randrange(1, 10**9)).scaleb(-9)
        fee, fee_currency = Decimal(random.randrange(-500, 2_000)).scaleb(-9), random.choice(CURRENCIES)
        if random.random() < 0.5:
            rate = Decimal(random.randrange(1, 10**12)).scaleb(-9)
            side = {"rate": rate}
            received = (amount * rate).quantize(ATTO, rounding=ROUND_HALF_UP)
        else:
            received = Decimal(random.randrange(1, 10**9)).scaleb(-6)
            side = {"received": received}
        change = Conversion(
            currency=given,
            amount=amount,
            into=into,
            fee=fee,
            fee_currency=fee_currency,
            reason="test",
            **side,
        )
        before = exact_money(self.engine.kernel.money()["opening"])
        self.feed(change_batch(change, self.time_ns))
        assert exact_money(self.engine.kernel.money()["opening"]) == before
        for currency, moved in ((given, -amount), (into, received)):
            self.plain.money[currency] += moved
            self.plain.converted[currency] += moved
        self.plain.money[fee_currency] -= fee
        self.plain.fees[fee_currency] += fee

    def step(self):
        """Do something."""
        self.time_ns += 1_000
        lot = self.random.random()
        (self.move if lot < 0.1 else self.convert if lot < 0.2 else self.trade)()


@pytest.mark.parametrize(
    ("seed", "method"), [(1, LotMethod.FIFO), (2, LotMethod.LIFO), (3, LotMethod.AVERAGE)]
)
def test_a_thousand_fills_fees_transfers_and_conversions_end_in_the_balances_of_a_plain_account(seed, method):
    """As balances, fees, profit by currency, and as lots; what the journal says is the same account."""
    with localcontext() as context:
        context.prec = 60
        run = Run(seed, method)
        for _ in range(STEPS):
            run.step()
        told = run.engine.balances()
        assert {name: Decimal(held.balance) for name, held in told.items()} == run.plain.money
        assert {name: Decimal(held.fees) for name, held in told.items()} == run.plain.fees
        assert {name: Decimal(held.converted) for name, held in told.items()} == run.plain.converted
        assert {name: Decimal(held.realised) for name, held in told.items()} == run.plain.profit
        position = run.engine.kernel.position_total_lots
        assert [position(i) for i in range(3)] == [sum(lot[0] for lot in held) for held in run.plain.lots]
        trades = trades_of(run.engine)
        closed = [
            (
                trade.symbol,
                trade.quantity,
                None if method is LotMethod.AVERAGE else trade.entry_price,
                trade.exit_price,
                trade.pnl + trade.fees,
            )
            for trade in trades
        ]
        assert closed == run.plain.closed_trades()
        assert len(closed) > STEPS / 4

        again = TradesOfFills(run.spec, ["asked"])
        for frames in run.frames:
            for record in records_in(frames, range(len(decode_frames(frames)))):
                again.take(record)
        assert again.trades() == trades
        account = followed_account(run.spec, ["asked"], run.frames)
        # The follower carries cash with positions paid in full.
        expected = {row["currency"]: exact_money(row["cash"]) for row in run.engine.kernel.balances()}
        assert account.opening.cash == expected
        lots = account.opening.lots
        assert [(lot.instrument, lot.quantity) for lot in lots] == run.plain.open_lots()
        if method is LotMethod.AVERAGE:
            for spec, cost in zip(SPEC.instruments, run.plain.cost, strict=True):
                assert sum(lot.cost for lot in lots if lot.instrument == spec.symbol) == cost
        else:
            assert {lot.cost for lot in lots} <= {None}


def test_a_currency_without_a_price_refuses_what_adds_risk_and_nothing_that_closes():
    """BTC has no price before the first quote of BTC-USD, and BNB none before BNB-BTC has one too."""
    strategy = Asked()
    engine = Engine(
        SPEC, [StrategyBinding(name="asked", strategy=strategy, instruments=(0, 1, 2))], recording=True
    )
    for instrument, ticks in enumerate((5_000_000, 10_000)):
        batch = EventBatch()
        strategy.wanted.append((0, True, 1, 5_000_000))
        batch.trade(10 + 20 * instrument, 2, 1_000, 1, True)
        engine.feed(batch)
        engine.run()
        batch = EventBatch()
        batch.quote(20 + 20 * instrument, instrument, ticks - 1, 1_000, ticks + 1, 1_000)
        engine.feed(batch)
        engine.run()
        assert strategy.refused == ["conversion_missing"] * (instrument + 1)
    strategy.wanted.append((0, True, 1, 5_000_000))
    batch = EventBatch()
    batch.trade(60, 0, 5_000_000, 1, True)
    engine.feed(batch)
    engine.run()
    assert (len(strategy.orders), strategy.refused[2:]) == (1, [])
    told = engine.summary()
    # 100,000,000 dollars, 100,000 coins at 50,000 and 1,000,000 at a hundredth of a coin.
    assert Decimal(told.equity) == 100_000_000 + 5_000_000_000 + 500_000_000
    assert Decimal(told.pnl) == 0


ACCOUNT = AccountSpec(
    cash={"USD": "1000", "BTC": "2", "BNB": "0"},
    conversions={"BTC": "BTC-USD", "BNB": "300"},
)


def converting(*changes, quotes=True, risk=None):
    """Return an engine that was told of these conversions, with a bitcoin at 50,000 dollars."""
    spec = msgspec.structs.replace(SPEC, account=ACCOUNT, mode=Mode.PAPER, risk=risk or RiskSpec())
    engine = Engine(spec, [StrategyBinding(name="asked", strategy=Asked(), instruments=(0,))], recording=True)
    if quotes:
        batch = EventBatch()
        batch.quote(10, 0, 4_999_900, 1_000, 5_000_100, 1_000)
        engine.feed(batch)
    for number, change in enumerate(changes):
        engine.change_account(Conversion(**{"reason": "dust", **change}), 20 + number)
    engine.run()
    return engine


def test_a_conversion_at_the_price_is_no_profit_and_a_worse_rate_and_the_fee_are_a_loss():
    """Equity and the curve of what is earned both say so; the journal has both sides and the rate."""
    fair = {"currency": "BTC", "amount": "0.5", "into": "USD", "rate": "50000"}
    engine = converting(fair)
    told = engine.summary()
    assert (Decimal(told.equity), Decimal(told.pnl)) == (101_000, 0)
    assert {name: Decimal(held.balance) for name, held in told.balances.items()} == {
        "USD": 26_000,
        "BTC": Decimal("1.5"),
        "BNB": 0,
    }
    # What was brought before there was a price.
    assert engine.kernel.transfers() == [(10, 100_000 * 10**18)]
    worse = {"currency": "BTC", "amount": "0.5", "into": "BNB", "received": "83", "fee": "2"}
    engine = converting(fair, worse | {"fee_currency": "USD"})
    # 83 at 300 dollars are 24,900 of 25,000.
    assert Decimal(engine.summary().pnl) == -102
    account = [fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "account"]
    assert account[1] == {
        "account": "conversion",
        "currency": "BTC",
        "amount": 5 * 10**17,
        "into": "BNB",
        "received": 83 * 10**18,
        "rate": 166 * 10**18,
        "fee": 2 * 10**18,
        "fee_currency": "USD",
        "reason": "dust",
    }


def test_a_loss_limit_does_not_take_a_conversion_for_a_loss():
    """All of a currency leaves, and the day has lost nothing; a rate that is worse by too much halts."""
    risk = RiskSpec(account=ScopeRiskSpec(daily_loss_max="100"))
    away = {"currency": "BTC", "amount": "2", "into": "USD"}
    assert converting(away | {"received": "100000"}, risk=risk).summary().halts == {}
    assert converting(away | {"received": "99900"}, risk=risk).summary().halts == {}
    assert converting(away | {"received": "99899"}, risk=risk).summary().halts == {
        "account": "daily_loss_max"
    }


@pytest.mark.parametrize("is_priced_later", [True, False])
def test_a_conversion_of_a_currency_without_a_price_is_no_profit(is_priced_later):
    """What was received says what it was worth; what is left of it counts from its first price."""
    change = {"currency": "BTC", "amount": "0.5", "into": "USD", "received": "20000"}
    back = {"currency": "USD", "amount": "5000", "into": "BTC", "received": "0.1"}
    engine = converting(change, back, quotes=False)
    told = engine.summary()
    assert (Decimal(told.equity), Decimal(told.pnl)) == (16_000, 0)
    assert [amount // 10**18 for _, amount in engine.kernel.transfers()] == [20_000, -5_000]
    if is_priced_later:
        batch = EventBatch()
        batch.quote(30, 0, 4_999_900, 1_000, 5_000_100, 1_000)
        engine.feed(batch)
        engine.run()
        told = engine.summary()
        assert (Decimal(told.equity), Decimal(told.pnl)) == (96_000, 0)


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (
            {"currency": "EUR", "rate": "2"},
            "currency",
            "must be one of the account's currencies: USD, BNB, BTC",
        ),
        ({"into": "EUR", "rate": "2"}, "currency", "must be one of"),
        ({"fee_currency": "EUR", "rate": "2"}, "currency", "must be one of"),
        ({"into": "BTC", "rate": "2"}, "into", "another currency"),
        ({"amount": 0, "rate": "2"}, "amount", "must be above 0"),
        ({"rate": 0}, "rate", "must be above 0"),
        ({"received": "-1"}, "received", "must be above 0"),
        ({}, "received", "must be given where rate is not"),
        ({"rate": 2, "received": 2}, "received", "must not be given beside rate"),
        ({"rate": "1e-19"}, "conversion.rate", "at most 18 decimals"),
        ({"rate": 2, "reason": ""}, "reason", "must say in a line of text why"),
        ({"rate": 2, "into": 5}, "conversion.into", "must be text"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused_with_its_field(change, field, rule):
    """Nothing is booked then."""
    engine = converting()
    with pytest.raises(InvalidValueError, match=rule) as caught:
        engine.change_account(
            Conversion(**{"currency": "BTC", "amount": 1, "into": "USD", "reason": "dust", **change}), 20
        )
    assert caught.value.field == field
    engine.run()
    assert Decimal(engine.summary().balances["BTC"].balance) == 2


def test_an_account_with_converted_cash_is_carried_over_with_its_profit():
    """From its records: the balances, and what counts as brought."""
    engine = converting({"currency": "BTC", "amount": "0.5", "into": "BNB", "received": "83", "fee": "1"})
    spec = msgspec.structs.replace(SPEC, account=ACCOUNT, mode=Mode.PAPER)
    account = followed_account(spec, ["asked"], [engine.take_frames()])
    assert account.opening.cash == {"USD": 1_000, "BTC": Decimal("1.5"), "BNB": 82}
    assert account.opening.brought == 101_000
