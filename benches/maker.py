"""The market maker of B7: one rule, stated once, for every engine that runs it on the capture.

At every step of the clock, and on each side: an open order that is not at the best price of its side, or
that is no longer wanted, is cancelled; without an order, one is sent to the best price, unless the position
has reached the size of so many orders on that side. Orders add liquidity or are refused.

What came of it is an int64 array of shape (n, 5), a row for each order: when it was sent, its side (1 or -1),
its price in ticks, when the venue filled the last of it, and when its cancel was sent; 0 where that never
happened. Parts are an int64 array of shape (n, 3): the row of the order, when the venue filled a part of it,
and how many lots.
"""

import numpy as np
import numpy.typing as npt

from capture import timeline

# Odd, so that no arrival falls on the receive time of a message.
ORDER_LATENCY_NS = 1_000_003
REPORT_LATENCY_NS = 2_000_007
STEP_NS = 100_000_000
LOTS = 1
# What most trades of the capture fill in parts only.
MANY_LOTS = 200
POSITION_ORDERS_MAX = 20
QUEUES = ("conservative", "power", "log")
# Conservative queues, and latencies as measured in place of the constant ones.
MEASURED = "measured"
QUEUE_POWER = 3
SENT, SIDE, PRICE, FILLED, CANCELLED = range(5)

Orders = npt.NDArray[np.int64]
Parts = npt.NDArray[np.int64]


def first_step_ns() -> int:
    """Give the first step: a second after the book began."""
    return next(change.time_ns for change in timeline() if change.trade is None) + 1_000_000_001


def latency_rows() -> npt.NDArray[np.int64]:
    """Make measured latencies, shape (n, 3): request, venue, response.

    No order of ours was ever measured with this capture, so they are made up: one in each half second, from
    0.3 to 8 ms there and back, drawn anew each time, so that they rise and fall.
    """
    rng = np.random.default_rng(7)
    sent_ns = first_step_ns() - 500_000_000 + np.arange(800) * 500_000_000
    there, back = rng.integers(300_001, 8_000_000, (2, len(sent_ns)))
    return np.stack([sent_ns, sent_ns + there, sent_ns + there + back], axis=1)


def answer_of(orders: Orders) -> dict[str, float]:
    """Condense orders to figures that differ when one of them does."""
    fills = orders[orders[:, FILLED] > 0]
    return {
        "orders": len(orders),
        "fills": len(fills),
        "position": int(fills[:, SIDE].sum()) * LOTS,
        "turnover": int(fills[:, PRICE].sum()) * LOTS,
        "fill times": int((fills[:, FILLED] % 1_000_000_007).sum()),
    }
