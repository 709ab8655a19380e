"""The dull baselines: what anybody would write first, in plain Python, without an engine."""

from workloads import Quotes


def exponential_cross(closes: list[int]) -> int:
    """Walk over bars with two averages and count the changes of side (B1)."""
    orders = side = 0
    fast = slow = 0.0
    for index, close in enumerate(closes):
        if index < 20:
            fast = (fast * index + close) / (index + 1) if index < 10 else fast + (close - fast) * 2 / 11
            slow = (slow * index + close) / (index + 1)
        else:
            fast += (close - fast) * 2 / 11
            slow += (close - slow) * 2 / 21
        if index >= 19:
            now = 1 if fast >= slow else -1
            if now != side:
                orders += bool(side)
                side = now
    return orders


def simple_cross(
    opened: list[float], closes: list[float], fast: int, slow: int, fee: float
) -> tuple[int, float]:
    """Walk over bars with two running sums and trade one unit at the next open (B2)."""
    trades, pnl, held, paid, order = 0, 0.0, False, 0.0, 0
    fast_sum = slow_sum = before = 0.0
    for index, close in enumerate(closes):
        if order > 0 and not held:
            held, paid = True, opened[index]
            pnl -= fee * paid
        elif order < 0 and held:
            held = False
            trades += 1
            pnl += opened[index] - paid - fee * opened[index]
        order = 0
        fast_sum += close - (closes[index - fast] if index >= fast else 0.0)
        slow_sum += close - (closes[index - slow] if index >= slow else 0.0)
        if index < slow - 1:
            continue
        now = fast_sum / fast - slow_sum / slow
        if index >= slow:
            order = 1 if before < 0 < now else -1 if now < 0 < before else 0
        before = now
    return trades, pnl


def watch(quotes: Quotes, callback) -> int:
    """Call a function for every quote (B4)."""
    count = 0
    for quote in zip(*(column.tolist() for column in quotes), strict=True):
        callback(quote)
        count += 1
    return count


def replace_orders(quotes: Quotes) -> tuple[int, int]:
    """Keep a dictionary of one resting order, matched against every quote (B5)."""
    orders: dict[int, tuple[int, int]] = {}
    sent = cancelled = 0
    for index, (bid, ask) in enumerate(zip(quotes.bid.tolist(), quotes.ask.tolist(), strict=True), 1):
        for number, (limit, _) in list(orders.items()):
            if ask <= limit:
                del orders[number]
        if index % 100 == 0:
            sent += 1
            orders[sent] = (bid - 1_000, 100_000)
            if orders.pop(sent - 1, None):
                cancelled += 1
    return sent, cancelled


def take(quotes: Quotes) -> tuple[int, int]:
    """Check, fill and book one market order for each quote, with dictionaries for order and fill (B6)."""
    position, cash, fills = 0, 0, []
    for index, (bid, ask) in enumerate(zip(quotes.bid.tolist(), quotes.ask.tolist(), strict=True), 1):
        order = {"id": index, "side": 1 if index & 1 else -1, "lots": 100_000, "state": "new"}
        if abs(position + order["side"] * order["lots"]) > 10_000_000:
            order["state"] = "refused"
            continue
        price = ask if order["side"] > 0 else bid
        fills.append(
            {"id": index, "price": price, "lots": order["lots"], "fee": price * order["lots"] * 2e-5}
        )
        order["state"] = "filled"
        position += order["side"] * order["lots"]
        cash -= order["side"] * order["lots"] * price
    return len(fills), position


def keep_books(messages: list[tuple[int, list, list]]) -> tuple[int, int]:
    """Apply parsed depth messages to two dictionaries, and look for the best prices at the end (B7)."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for is_snapshot, bid_levels, ask_levels in messages:
        if is_snapshot:
            bids.clear()
            asks.clear()
        for book, levels in ((bids, bid_levels), (asks, ask_levels)):
            for price, lots in levels:
                if lots:
                    book[price] = lots
                else:
                    book.pop(price, None)
    return max(bids), min(asks)
