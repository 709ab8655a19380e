"""From the words of the wire to what the engine knows: what makes no sense is named, and never a fault."""

from decimal import Decimal

import msgspec
import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore_local import wire
from tradecore_local.translation import Translation

RULE = wire.MarketRule(
    symbol="A", base="A", quote="USD", tick_size="0.05", lot_size="1", multiplier="1", is_margin=True
)
ORDER = wire.Order(
    client_order_id="c",
    venue_order_id="7",
    symbol="A",
    side="buy",
    type="limit",
    state="open",
    price="1.25",
    quantity="5",
    open="3",
    filled="2",
    reason="",
    time_ns=9,
)
FILL = wire.Fill(
    client_order_id="c",
    venue_order_id="7",
    symbol="A",
    side="sell",
    trade_id="t",
    price="1.25",
    quantity="2",
    filled="2",
    liquidity="maker",
    fee="-0.5",
    fee_currency="USD",
    time_ns=9,
    cursor="1",
)


def translation(*rules, symbols=("A",)):
    """Translate for these instruments at a venue of these markets."""
    can = wire.Rules(
        order_kinds=[],
        times_in_force=[],
        replaces=True,
        post_only=True,
        reduce_only=True,
        duplicate_ids="refused",
        validity_window_ns=1,
        requests_per_second=0,
        markets=list(
            rules or (RULE, msgspec.structs.replace(RULE, symbol="B", tick_size="0.01", is_margin=False))
        ),
    )
    ours = [InstrumentSpec(symbol=name, tick_size="0.01" if name == "B" else "0.05") for name in symbols]
    return Translation(ours, can)


def test_an_order_and_a_fill_are_told_in_ticks_and_lots():
    """Of our grid for our instruments, of the venue's for those that we do not have."""
    words = translation()
    order, fill = words.order(ORDER), words.fill(FILL)

    assert (order.instrument, order.price_ticks, order.open_lots, order.filled_lots) == (0, 25, 3, 2)
    assert (fill.side, fill.price_ticks, fill.lots, fill.fee) == ("sell", 25, 2, Decimal("-0.5"))
    other = words.order(msgspec.structs.replace(ORDER, symbol="B", price=None))
    assert (other.instrument, other.symbol, other.price_ticks) == (None, "B", None)
    assert words.price("B", "1.25") == 125
    assert (words.price_text(0, 25), words.quantity_text(0, 3)) == ("1.25", "3")


def test_orders_and_trades_of_a_long_list_share_the_texts_that_they_have_in_common():
    """A text of a few letters takes 64 bytes: of thousands of trades each would have four of its own."""
    words = translation()
    for said, read, names in (
        (FILL, words.fill, ("symbol", "side", "liquidity", "fee_currency")),
        (msgspec.structs.replace(ORDER, reason="requested"), words.order, ("symbol", "side", "reason")),
    ):
        encoded = msgspec.json.encode(said)
        first, second = (read(msgspec.json.decode(encoded, type=type(said))) for _ in range(2))
        assert first == second
        for name in names:
            assert getattr(first, name) is getattr(second, name), name


@pytest.mark.parametrize(
    ("said", "changes", "field"),
    [
        (ORDER, {"state": "odd"}, "state"),
        (ORDER, {"side": "up"}, "side"),
        (ORDER, {"symbol": "C"}, "symbol"),
        (ORDER, {"price": "1.26"}, "price"),
        (ORDER, {"open": "0.5"}, "quantity"),
        (FILL, {"side": "BUY"}, "side"),
        (FILL, {"fee": "x"}, "fee"),
        (FILL, {"fee": "NaN"}, "fee"),
        (FILL, {"fee": "Infinity"}, "fee"),
    ],
)
def test_what_makes_no_sense_is_named(said, changes, field):
    """By the field it stands in."""
    tell = translation().order if said is ORDER else translation().fill
    with pytest.raises(InvalidValueError) as found:
        tell(msgspec.structs.replace(said, **changes))
    assert found.value.field == field


@pytest.mark.parametrize("name", ["tick_size", "lot_size", "multiplier"])
def test_what_an_instrument_counts_in_must_be_that_of_the_venue(name):
    """Else the first price of the market would end a session that has begun a journal."""
    with pytest.raises(InvalidValueError, match=r"must be 0\.02 for A, as at the venue") as found:
        translation(msgspec.structs.replace(RULE, **{name: "0.02"}))
    assert found.value.field == name


def test_an_instrument_must_be_at_the_venue_with_its_multiplier():
    """However that is written; those with margin have positions."""
    assert translation().with_positions == {0}
    assert translation(symbols=("B", "A")).with_positions == {1}
    assert translation(msgspec.structs.replace(RULE, multiplier="1.0"))
    with pytest.raises(InvalidValueError, match="must be a market of the venue: A, B"):
        translation(symbols=("A", "C"))
    with pytest.raises(InvalidValueError, match="must be 2 for A, as at the venue"):
        translation(msgspec.structs.replace(RULE, multiplier="2"))


@pytest.mark.parametrize("amount", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 41, "NaN", "x"])
@pytest.mark.parametrize("name", ["total", "free"])
def test_a_balance_that_no_account_can_have_makes_no_sense(name, amount):
    """It could be neither compared nor shown: `1e999999999` cannot be subtracted, nor written out."""
    said = {"total": "1", "free": "1", name: amount}
    with pytest.raises(InvalidValueError) as caught:
        translation().balance(wire.Balance(currency="USD", time_ns=1, **said))

    assert caught.value.field == name
