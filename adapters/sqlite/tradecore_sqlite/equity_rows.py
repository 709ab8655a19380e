"""Rows of the equity over time."""

from collections.abc import Iterable, Iterator

from tradecore.domain.equity_point import EquityPoint
from tradecore_sqlite.readable import money

Row = tuple[int | str | None, ...]
# Venue accounts that an engine has at most.
ACCOUNTS_MAX = 16


def account_rows(points: Iterable[EquityPoint]) -> Iterator[Row]:
    """Return the rows of the table `account_equity`; none of an engine with one account."""
    for point in points:
        for number, (account, equity) in enumerate(point.accounts.items()):
            key = point.seq * ACCOUNTS_MAX + number
            yield (key, point.seq, point.time_ns, account, point.currency, str(equity), money(equity))


def equity_rows(points: Iterable[EquityPoint], highest: int) -> Iterator[Row]:
    """Return the rows of the table `equity`.

    `highest` is the highest profit of the rows that are there, in atto units; 0 where there is none: an
    account begins without a profit.
    """
    for point in points:
        highest = max(highest, point.profit)
        amounts = (point.cash, point.equity, point.exposure, point.profit)
        yield (
            point.seq,
            point.time_ns,
            point.currency,
            *(str(amount) for amount in (*amounts, highest)),
            *(money(amount) for amount in (*amounts, highest - point.profit)),
        )
