"""The book of single orders beside a slow plain exchange."""

from hypothesis import given
from hypothesis import strategies as st

from support.plain_exchange import PlainExchange
from tradecore.domain.book import ExchangeBook

PRICES, LOTS = st.integers(95, 105), st.integers(1, 9)
ORDER = st.tuples(st.just("submit"), st.integers(0, 1), PRICES, LOTS)
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 60))
REPLACE = st.tuples(st.just("replace"), st.integers(0, 60), PRICES, LOTS)


def replaced(plain: PlainExchange, order_id: int, price: int, lots: int) -> bool:
    """Amend an order the plain way; tells whether it rested."""
    if (place := plain.places.get(order_id)) is None:
        return False
    is_buy, key = place
    queue = plain.queues[is_buy][key]
    if abs(key) == price and lots <= queue[order_id]:
        queue[order_id] = lots
    else:
        plain.flow_cancel(0, 0, order_id)
        plain.flow_limit(0, 0, order_id, is_buy, price, lots)
    return True


@given(st.lists(st.one_of(ORDER, ORDER, CANCEL, REPLACE), max_size=60))
def test_every_fill_and_every_level_is_the_plain_exchanges(steps):
    """Order by order: fills with price, lots and partner, the best levels and the number of orders."""
    book, plain = ExchangeBook(), PlainExchange()
    for number, (what, *values) in enumerate(steps):
        known = len(plain.trades)
        match what:
            case "submit":
                side, price, lots = values
                traded = book.submit(number, side, price, lots)
                plain.flow_limit(0, 0, number, side == 0, price, lots)
            case "cancel":
                place = plain.places.get(values[0])
                lots = 0 if place is None else plain.queues[place[0]][place[1]][values[0]]
                assert book.cancel(values[0]) == lots
                plain.flow_cancel(0, 0, values[0])
                traded = 0
            case _:
                traded = book.replace(*values)
                assert (traded is not None) == replaced(plain, *values)
        columns = [column.tolist() for column in book.take_fills().values()]
        takers, rested, prices, sizes = columns
        assert list(zip(prices, sizes, rested, strict=True)) == [trade[:3] for trade in plain.trades[known:]]
        assert (sum(sizes), set(takers) <= {number, values[0]}) == (traded or 0, True)
        best = [(plain.best_levels(is_buy, 1) or [(0, 0)])[0] for is_buy in (True, False)]
        assert book.best() == (*best[0], *best[1])
        assert len(book) == len(plain.places)
        assert book.level_counts() == (plain.levels(True), plain.levels(False))
