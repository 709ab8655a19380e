"""What a run came to: the numbers that scripts rely on."""

from decimal import Decimal

import msgspec

from tradecore.domain.journal import JournalFolder
from tradecore.engine import Activity, BookCounts, Engine
from tradecore_api.output import plain, print_json, print_reasons, print_values

INTACT = "intact"


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a demo or a run, all of them journalled."""

    events: int
    orders: int
    fills: int
    refusals: int
    pnl: Decimal
    equity: Decimal
    positions: dict[str, Decimal]
    open_orders: int
    book: BookCounts
    journal: str
    journal_head: str
    journal_verified: bool
    orders_digest: str
    state_hash: str
    is_killed: bool
    is_paused: bool
    activity: Activity
    is_interrupted: bool = False


def print_summary(summary: RunSummary, *, is_json: bool, has_journal: bool = True) -> None:
    """Print the figures, and without a fill what kept the strategies from trading.

    `has_journal` is false where the journal was a temporary one, which is gone.
    """
    values = plain(summary)
    if not has_journal:
        values["journal"] = None
    if is_json:
        print_json(values)
        return
    del values["activity"]
    if brief := summary.activity.brief():
        values["not done"] = brief
    print_values(values)
    print_reasons(summary.activity, trades=summary.fills)


def summarize(engine: Engine, journal: JournalFolder) -> RunSummary:
    """Return the figures of an engine, its journal verified byte by byte."""
    figures = engine.summary()
    finding = journal.verify()
    return RunSummary(
        events=figures.events,
        orders=figures.orders,
        fills=figures.fills,
        refusals=figures.refusals,
        pnl=Decimal(figures.pnl),
        equity=Decimal(figures.equity),
        positions={symbol: Decimal(size) for symbol, size in figures.positions.items()},
        open_orders=figures.open_orders,
        book=figures.book,
        journal=journal.where,
        journal_head=finding.head,
        journal_verified=finding.status == INTACT,
        # An engine that went on from a snapshot has not seen all orders; the journal has them.
        orders_digest=engine.orders_digest() or finding.orders_digest,
        state_hash=engine.state_hash(),
        is_killed=figures.is_killed,
        is_paused=figures.is_paused,
        activity=engine.activity(),
    )
