"""hftbacktest on the capture of B7: replay alone, and the maker of `maker.py`.

Equal rules: every change is seen by the exchange and by the strategy at its receive time (`exch_ts` is
`local_ts`); latencies are constant; no fees. Prices and sizes are whole ticks and lots (`tick_size` and
`lot_size` 1), so that `log(1 + x)` means lots on both sides. Orders of one lot fill whole.

Orders of many lots fill in parts (`partial_fill_exchange`), of which 2.4.4 gets two things wrong. An order
whose last part is exactly what is left of it stays in the book as filled, and the next trade there ends the
run with an invalid order status (its issues 301 and 312): so an order is a quarter of a lot smaller here.
Parts are whole lots, hence never exactly what is left; a part that would end an order of whole lots ends this
one too, and no smaller one does. And the position knows the last part of an order only (its issue 316): the
maker adds up parts.
"""

import sys
from functools import cache

import numpy as np
from hftbacktest import GTX, LIMIT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data.utils.feed_order_latency import order_latency_dtype
from hftbacktest.order import BUY, FILLED
from hftbacktest.types import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    event_dtype,
)
from measured import Once, Workload, main, seconds_of
from numba import njit

from capture import timeline
from maker import (
    CANCELLED,
    LOTS,
    MEASURED,
    ORDER_LATENCY_NS,
    POSITION_ORDERS_MAX,
    PRICE,
    QUEUE_POWER,
    REPORT_LATENCY_NS,
    SENT,
    SIDE,
    STEP_NS,
    Orders,
    Parts,
    answer_of,
    first_step_ns,
    latency_rows,
)
from maker import FILLED as FILLED_AT

BOTH = EXCH_EVENT | LOCAL_EVENT
ORDERS_MAX = 100_000
END, RESPONSE = 1, 3
QUARTER = 0.25


def converted() -> np.ndarray:
    """Make hftbacktest's events of the capture."""
    rows = []
    is_begun = False
    for change in timeline():
        if change.trade is not None:
            price, lots, is_buy = change.trade
            kind = TRADE_EVENT | (BUY_EVENT if is_buy else SELL_EVENT)
            rows.append((kind | BOTH, change.time_ns, change.time_ns, price, lots, 0, 0, 0))
            continue
        kind = DEPTH_EVENT if is_begun else DEPTH_SNAPSHOT_EVENT
        is_begun = True
        for side, levels in ((BUY_EVENT, change.bids), (SELL_EVENT, change.asks)):
            rows += [(kind | side | BOTH, *[change.time_ns] * 2, *level, 0, 0, 0) for level in levels]
    return np.array(rows, dtype=event_dtype)


def counted(count: int) -> np.ndarray:
    """Make the events and check that there are as many as is said."""
    data = converted()
    if len(data) != count:
        raise ValueError(f"the capture has {len(data)} level changes and trades, not {count}")
    return data


@cache
def measured() -> np.ndarray:
    """Make hftbacktest's rows of the measured latencies; it keeps a pointer to them."""
    rows = [(*row, 0) for row in latency_rows().tolist()]
    return np.array(rows, dtype=order_latency_dtype)


def engine(data: np.ndarray, queue: str, *, in_parts: bool = False):
    """Build a backtest of one asset."""
    asset = (
        BacktestAsset()
        .data([data])
        .linear_asset(1.0)
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(1.0)
        .lot_size(1.0)
    )
    if in_parts:
        asset.partial_fill_exchange()
    else:
        asset.no_partial_fill_exchange()
    if queue == MEASURED:
        asset.intp_order_latency(measured())
    else:
        asset.constant_order_latency(ORDER_LATENCY_NS, REPORT_LATENCY_NS)
    if queue in ("conservative", MEASURED):
        asset.risk_adverse_queue_model()
    elif queue == "power":
        asset.power_prob_queue_model(float(QUEUE_POWER))
    else:
        asset.log_prob_queue_model()
    return HashMapMarketDepthBacktest([asset])


@njit
def replay(hbt) -> int:
    """Let the clock run to the end."""
    steps = 0
    while hbt.elapse(STEP_NS) == 0:
        steps += 1
    return steps


@njit
def look(hbt, position: float, lots: int, quantity: float, rows, count: int) -> int:
    """Look at both sides as the maker does and write its orders into rows; give their number."""
    book, now_ns, position_max = hbt.depth(0), hbt.current_timestamp, lots * POSITION_ORDERS_MAX
    is_buying, is_selling = position < position_max, position > -position_max
    has_bid, has_ask = False, False
    orders = hbt.orders(0).values()
    while orders.has_next():
        order = orders.get()
        is_buy = order.side == BUY
        if order.status == FILLED:
            rows[order.order_id, FILLED_AT] = order.exch_timestamp
        elif order.cancellable or order.req != 0:
            best = book.best_bid_tick if is_buy else book.best_ask_tick
            is_wanted = is_buying if is_buy else is_selling
            has_bid, has_ask = has_bid or is_buy, has_ask or not is_buy
            if order.cancellable and (order.price_tick != best or not is_wanted):
                rows[order.order_id, CANCELLED] = now_ns
                hbt.cancel(0, order.order_id, False)
    hbt.clear_inactive_orders(0)
    if is_buying and not has_bid:
        rows[count, SENT], rows[count, SIDE], rows[count, PRICE] = now_ns, 1, book.best_bid_tick
        hbt.submit_buy_order(0, count, book.best_bid_tick, quantity, GTX, LIMIT, False)
        count += 1
    if is_selling and not has_ask:
        rows[count, SENT], rows[count, SIDE], rows[count, PRICE] = now_ns, -1, book.best_ask_tick
        hbt.submit_sell_order(0, count, book.best_ask_tick, quantity, GTX, LIMIT, False)
        count += 1
    return count


@njit
def make(hbt, wait_ns: int, rows) -> int:
    """Run the maker to the end with orders that fill whole; give the number of rows."""
    count = 0
    hbt.elapse(wait_ns)
    while True:
        count = look(hbt, hbt.position(0), LOTS, LOTS, rows, count)
        code = hbt.elapse(STEP_NS)
        if code == END:
            return count
        if code != 0:
            raise ValueError("hftbacktest ended with an error")


@njit
def make_in_parts(hbt, wait_ns: int, lots: int, rows, parts) -> tuple[int, int]:
    """Run the maker to the end with orders that fill in parts; give the number of rows and of parts."""
    count, noted, position = 0, 0, 0
    filled = np.zeros(len(rows), np.int64)
    hbt.elapse(wait_ns)
    while True:
        count = look(hbt, position, lots, lots - QUARTER, rows, count)
        next_ns = hbt.current_timestamp + STEP_NS
        while hbt.current_timestamp < next_ns:
            code = hbt.wait_next_feed(True, next_ns - hbt.current_timestamp)
            if code == END:
                return count, noted
            if code > RESPONSE:
                raise ValueError("hftbacktest ended with an error")
            orders = hbt.orders(0).values()
            while orders.has_next():
                order = orders.get()
                number = np.int64(order.order_id)
                part = lots - np.int64(np.ceil(order.leaves_qty)) - filled[number]
                if part > 0:
                    parts[noted, 0], parts[noted, 1], parts[noted, 2] = number, order.exch_timestamp, part
                    noted += 1
                    filled[number] += part
                    position += part if order.side == BUY else -part


def made(data: np.ndarray, queue: str) -> Orders:
    """Give the orders of the maker."""
    rows = np.zeros((ORDERS_MAX, 5), dtype=np.int64)
    hbt = engine(data, queue)
    count = make(hbt, first_step_ns() - int(data["local_ts"][0]), rows)
    hbt.close()
    return rows[:count]


def made_in_parts(data: np.ndarray, queue: str, lots: int) -> tuple[Orders, Parts]:
    """Give the orders of the maker whose orders are so large, and their parts."""
    rows, parts = np.zeros((ORDERS_MAX, 5), dtype=np.int64), np.zeros((ORDERS_MAX, 3), dtype=np.int64)
    hbt = engine(data, queue, in_parts=True)
    wait_ns = first_step_ns() - int(data["local_ts"][0])
    count, noted = make_in_parts(hbt, wait_ns, lots, rows, parts)
    hbt.close()
    return rows[:count], parts[:noted]


def on_replay(count: int) -> Once:
    """B7: the book alone."""
    data = counted(count)

    def once():
        hbt = engine(data, "conservative")
        spent = seconds_of(lambda: {"steps": replay(hbt)})[0]
        book = hbt.depth(0)
        found = {"bid": int(book.best_bid_tick), "ask": int(book.best_ask_tick)}
        hbt.close()
        return spent, found

    once()
    return once


def on_maker(count: int) -> Once:
    """B7: with the maker."""
    data = counted(count)
    made(data, "conservative")
    return lambda: seconds_of(lambda: answer_of(made(data, "conservative")))


WORKLOADS = {"B7 replay": Workload(on_replay), "B7 maker": Workload(on_maker)}

if __name__ == "__main__":
    if sys.argv[1] == "orders":
        np.savez(sys.argv[3], orders=made(converted(), sys.argv[2]))
    elif sys.argv[1] == "parts":
        orders, parts = made_in_parts(converted(), sys.argv[2], int(sys.argv[4]))
        np.savez(sys.argv[3], orders=orders, parts=parts)
    else:
        sys.exit(main("hftbacktest", WORKLOADS))
