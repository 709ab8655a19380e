"""Limits beside orders that only close: each fills in its turn, and no position passes its limit by that."""

import pytest

from promises.stateful.desk import Desk
from tradecore.domain.spec import RiskSpec

LIMIT = 7


def short_by_five(strategies):
    """Return an engine whose first strategy is short by five and has an order that closes them."""
    desk = Desk(strategies, risk=RiskSpec(position_max=str(LIMIT)))
    filled(desk, desk.asks(0, "sell", quantity_lots=5, limit_ticks=100), 5)
    return desk, desk.asks(0, "buy", quantity_lots=5, limit_ticks=90, reduce_only=True)


def filled(desk, number, lots):
    """Let an order fill."""
    desk.tells(number, "fill", lots=lots, price_ticks=100, trade_id=f"t{number}")


@pytest.mark.parametrize("buyer", [0, 1])
@pytest.mark.xfail(reason="orders that only close are left out of the worst case of the others")
def test_a_position_stays_within_its_limit_when_what_closes_fills_first(buyer):
    """Both were approved, and a venue fills them in the order that it likes."""
    desk, closing = short_by_five(2)
    answer = desk.asks(buyer, "buy", quantity_lots=LIMIT + 5, limit_ticks=99)
    filled(desk, closing, 5)
    if answer:
        filled(desk, answer, LIMIT + 5)
    assert desk.kernel.position_total_lots(0) <= LIMIT


@pytest.mark.parametrize("buyer", [0, 1])
def test_what_fits_in_whatever_order_it_fills_is_approved(buyer):
    """The limit is for what can be, and for no more than that."""
    desk, closing = short_by_five(2)
    answer = desk.asks(buyer, "buy", quantity_lots=LIMIT, limit_ticks=99)
    assert answer
    filled(desk, closing, 5)
    filled(desk, answer, LIMIT)
    assert desk.kernel.position_total_lots(0) == LIMIT
