"""What the live view of a run draws: cells, tables, money, and a state that nobody can overlook."""

from decimal import Decimal

import pytest
from rich.console import Console

from support.sessions import open_session
from tradecore.domain.commands import Kill, Pause
from tradecore_api import run_view
from tradecore_api.engine_watch import EngineWatch
from tradecore_api.run_view import ROWS_MAX, RunView


def drawn(renderable):
    """Return what is drawn, line by line."""
    console = Console(width=120, height=60, force_terminal=False, file=None)
    with console.capture() as capture:
        console.print(renderable)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(
    ("name", "value", "text", "style"),
    [
        ("mark", None, "-", ""),
        ("unrealised", None, "-", ""),
        ("quantity", "1.50", "1.50", ""),
        ("strategy", "[red]a[/red]", "[red]a[/red]", ""),
        ("unrealised", "0", "+0.00", "green"),
        ("unrealised", "1234.567", "+1234.57", "green"),
        ("unrealised", "-0.01", "-0.01", "red"),
        ("unrealised", "-1234.5", "-1234.50", "red"),
    ],
)
def test_a_cell_is_text_and_a_loss_is_red(name, value, text, style):
    """Names of users are no markup; nothing at all is no loss."""
    cell = run_view._cell(name, value)

    assert (cell.plain, str(cell.style)) == (text, style)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (1.0, "1.00"),
        (0.99999, "0.99999"),
        (-0.5, "-0.5"),
        (-1.0, "-1.00"),
        (64_123.456, "64,123.46"),
    ],
)
def test_a_price_below_one_keeps_its_digits(value, text):
    """From one on, two of them are enough."""
    assert run_view._price(value) == text


@pytest.mark.parametrize("more", [-1, 0, 1, 5])
def test_a_table_shows_so_many_rows_and_counts_the_rest(more):
    """The first ones; headings are words."""
    rows = [{"order_id": number, "words": "buy 1", "entry_price": None} for number in range(ROWS_MAX + more)]
    heading, *lines = drawn(run_view._table("open order", ("order_id", "words", "entry_price"), rows))

    assert heading.split() == ["order", "open", "order", "entry", "price"]
    shown = [line.split() for line in lines]
    assert shown[: min(len(rows), ROWS_MAX)] == [
        [str(number), "buy", "1", "-"] for number in range(min(len(rows), ROWS_MAX))
    ]
    assert shown[ROWS_MAX:] == ([["and", str(more), "more"]] if more > 0 else [])


@pytest.fixture
async def view(tmp_path):
    """The view of a session that has run, its engine, and what watched it."""
    session = open_session(tmp_path / "journal")
    watch = EngineWatch(session.engine, None)
    watch.look()
    await session.run()
    return RunView(session, watch, mode="paper"), session.engine


async def test_the_panel_says_what_runs_and_how_to_end_it(view):
    """Its figures are those of the engine."""
    shown, engine = view
    lines = drawn(shown._panel())
    summary = engine.summary()
    name = engine.spec.account.name

    assert f"tradecore paper: {name}: running" in lines[0]
    assert f"Ctrl-C or `tradecore stop {name}` ends it" in lines[-1]
    text = "\n".join(lines)
    assert f"equity {Decimal(summary.equity):,.2f} {engine.spec.account.currency}" in text
    assert f"fees {Decimal(summary.fees):,.2f}" in text
    assert f"orders {summary.orders:,}   open {summary.open_orders}   fills {summary.fills:,}" in text
    assert f"refused {summary.refusals:,}   events {summary.events:,}" in text
    assert ("open order" in text) == bool(summary.open_orders)
    pnl = Decimal(summary.pnl)
    for part in ("PnL", "session", "today"):
        assert f"{part} {run_view._signed(pnl)}" in text
    assert shown._panel().border_style == "green"
    ((symbol, (bid, ask)),) = engine.best_prices().items()
    assert f"{symbol} {bid:,.2f} / {ask:,.2f}" in text


@pytest.mark.parametrize(
    ("commands", "state", "style"),
    [
        ((Pause(),), "PAUSED", "yellow"),
        ((Kill(),), "KILLED", "red"),
        ((Pause(), Kill()), "KILLED", "red"),
    ],
)
async def test_a_pause_and_a_kill_are_in_its_title_and_its_colour(view, commands, state, style):
    """Killed is the stronger one."""
    shown, engine = view
    for command in commands:
        engine.command(command, engine.now_ns)
    engine.run()
    panel = shown._panel()

    assert panel.title.endswith(f": {state}")
    assert panel.border_style == style


async def test_a_live_engine_has_a_title_and_a_frame_of_its_own(tmp_path):
    """It is told from a paper one without a colour, too."""
    session = open_session(tmp_path / "journal")
    await session.run()
    watch = EngineWatch(session.engine, None)
    panels = [RunView(session, watch, mode=mode)._panel() for mode in ("live", "paper")]
    first, other = (drawn(panel) for panel in panels)
    assert " LIVE  tradecore live: " in first[0]
    assert first[0][0] != other[0][0]
    assert "LIVE" not in other[0]
