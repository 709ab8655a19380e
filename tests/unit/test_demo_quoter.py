"""The quoter of the demo: how much it may hold, and when it tries again."""

import pytest

from tradecore_api.demo_strategies import Quoter


class Market:
    """What the quoter sees of an engine: a position, a time, and orders that are taken or not."""

    def __init__(self, position=0, *, answer=1) -> None:
        self.position = position
        self.answer = answer
        self.now_ns = 0
        self.asked = []

    def position_lots(self):
        """Return what is held."""
        return self.position

    def buy(self, **order):
        """Take a bid."""
        self.asked.append(("buy", order))
        return self.answer

    def sell(self, **order):
        """Take an ask."""
        self.asked.append(("sell", order))
        return self.answer

    def cancel(self, order_id):
        """Take a cancel."""
        self.asked.append(("cancel", order_id))


@pytest.fixture
def quoter():
    """A quoter of three lots at a time, which may hold five."""
    quoter = Quoter()
    quoter._lots, quoter._position_lots_max = 3, 5
    quoter._resting, quoter._cancelling, quoter._retry_ns = {1: (0, 0), -1: (0, 0)}, set(), 0
    return quoter


@pytest.mark.parametrize(
    ("position", "sides"),
    [
        (0, ["buy", "sell"]),
        (2, ["buy", "sell"]),
        (3, ["sell"]),
        (9, ["sell"]),
        (-2, ["buy", "sell"]),
        (-3, ["buy"]),
    ],
)
def test_no_quote_could_take_the_position_above_its_greatest(quoter, position, sides):
    """To the greatest itself it may; the other side makes the position smaller."""
    market = Market(position)
    quoter._quote(market, 1, 99)
    quoter._quote(market, -1, 101)

    assert [side for side, _ in market.asked] == sides
    for side, order in market.asked:
        ticks = 99 if side == "buy" else 101
        assert order == {"quantity_lots": 3, "limit_ticks": ticks, "post_only": True}


def test_a_quote_that_is_no_longer_wanted_is_cancelled_once(quoter):
    """Until its cancel is heard of there is no other one."""
    market = Market(3)
    quoter._resting[1] = (7, 99)
    quoter._quote(market, 1, 99)
    quoter._quote(market, 1, 99)

    assert market.asked == [("cancel", 7)]


def test_a_refused_quote_is_tried_again_after_its_time(quoter):
    """Not an instant sooner."""
    market = Market(answer="refused")
    market.now_ns = 10
    quoter._quote(market, 1, 99)
    for now_ns, asked in ((10, 1), (9 + quoter.retry_ms * 10**6, 1), (10 + quoter.retry_ms * 10**6, 2)):
        market.now_ns = now_ns
        quoter._quote(market, 1, 99)
        assert len(market.asked) == asked
