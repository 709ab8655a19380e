"""What an account has by the records of its journal alone: the engine's own balances, to the last digit."""

from decimal import Decimal

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.journal import decode_frames
from tradecore.domain.opening import Adjustment, Conversion, Transfer
from tradecore.domain.record import records_in
from tradecore.domain.spec import FeesSpec
from tradecore.domain.units import Units
from tradecore.engine import Engine
from tradecore.runtime.live.journal_books import JournalBooks
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001", base="BTC"),),
    account=AccountSpec(
        cash={"USD": "1000", "BTC": "0.5", "BNB": "3"}, conversions={"BTC": "BTC-USD", "BNB": "300"}
    ),
    venue=VenueSpec(matching=Matching.QUOTES),
    fees=FeesSpec(taker_bps="10", currency="BNB"),
)


class Trader:
    """Buys, and sells more than that."""

    def __init__(self) -> None:
        self.sizes = [12, -40, 7]

    def on_quote(self, ctx, quote):
        """Trade the next size."""
        if self.sizes:
            lots = self.sizes.pop(0)
            (ctx.buy if lots > 0 else ctx.sell)(quantity_lots=abs(lots))


def test_the_records_alone_say_what_the_engine_has_of_each_currency():
    """Trades with a fee in a third currency, a withdrawal, a correction, and conversions with two fees."""
    engine = Engine(SPEC, [StrategyBinding(name="trader", strategy=Trader())], recording=True)
    batch = EventBatch()
    for at in range(1, 9):
        batch.quote(at * 10, 0, 10_000 + at, 500, 10_005 + at, 500)
    engine.feed(batch)
    engine.run()
    for at, change in enumerate(
        (
            Transfer(currency="USD", amount=Decimal("-12.5"), reason="to the bank"),
            Adjustment(currency="BTC", amount=Decimal("0.00001"), reason="a refund"),
            Conversion(
                currency="BTC", amount=Decimal("0.01"), into="USD", received=Decimal("1.23"), reason="dust"
            ),
            Conversion(
                currency="USD",
                amount=Decimal(3),
                into="BTC",
                rate=Decimal("0.01"),
                fee=Decimal("0.002"),
                fee_currency="BNB",
                reason="back",
            ),
            Conversion(
                currency="BNB",
                amount=Decimal("0.5"),
                into="USD",
                received=Decimal(140),
                fee=Decimal("0.25"),
                reason="for fees",
            ),
        ),
        100,
    ):
        engine.change_account(change, at)
        engine.run()
    held = {name: Decimal(balance.balance) for name, balance in engine.balances().items()}
    frames = engine.take_frames()

    books = JournalBooks(JournalMoney(SPEC, Units(SPEC, ["trader"])))
    for record in records_in(frames, range(len(decode_frames(frames)))):
        books.take(record)

    assert books.money is not None
    assert books.money.balances == held
    assert engine.summary().fills == 3
    assert held["BNB"] < 3 - Decimal("0.502")
