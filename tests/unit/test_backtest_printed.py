"""What `tradecore backtest` makes of its figures: for people rounded where that helps, for scripts exact."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from tradecore.backtest import Statistics
from tradecore.backtest.run import CASH_FLOW, TRADE
from tradecore.domain.errors import ConfigError
from tradecore_api.commands import backtest
from tradecore_api.config.journal_table import JournalTable

NS = 1_704_189_600_000_000_000


def statistics(**figures):
    """Return statistics in which only these figures are there; each other one has a reason."""
    given = {
        "start_ns": 0,
        "end_ns": 0,
        "duration_ns": 0,
        "final_equity": 1.0,
        "commissions": 0.0,
        "trades": 0,
    }
    given |= figures
    absent = dict.fromkeys(set(Statistics.__struct_fields__) - given.keys() - {"reasons"})
    return Statistics(**given, **absent, reasons={name: f"no {name}" for name in absent})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1_234.567, Decimal("1234.57")),
        (-1_234.567, Decimal("-1234.57")),
        (1_000.005, Decimal("1000.00")),
        (1_000.0, Decimal("1000.00")),
        (999.9999, 999.9999),
        (-999.9999, -999.9999),
        (0.00012345, 0.00012345),
    ],
)
@pytest.mark.parametrize("name", ["final_equity", "equity_peak", "commissions"])
def test_money_is_in_cents_from_a_thousand_on(name, value, shown):
    """A smaller account may be in coins; a loss counts as much."""
    found = backtest._readable(statistics(**{name: value}))[name]
    assert found == shown
    assert type(found) is type(shown)


def test_times_are_text_and_an_absent_figure_has_its_reason():
    """Names lose their unit with it; a figure that is no money stays as it is."""
    stats = statistics(
        start_ns=NS,
        end_ns=NS + 86_400 * 10**9,
        duration_ns=86_400 * 10**9,
        return_pct=1_234.567,
    )
    shown = backtest._readable(stats)
    assert (shown["start"], shown["end"]) == ("2024-01-02T10:00:00Z", "2024-01-03T10:00:00Z")
    assert shown["return_pct"] == 1_234.567
    assert shown["sharpe"] == "-  (no sharpe)"
    assert shown["max_trade_duration"] == "-  (no max_trade_duration_ns)"
    assert "reasons" not in shown
    assert not [name for name in shown if name.endswith("_ns")]
    assert "1 day" in shown["duration"]


def test_scripts_get_money_as_decimals_and_other_figures_as_numbers():
    """With all their digits."""
    told = backtest._statistics(statistics(final_equity=1_234.5678, commissions=0.1, return_pct=0.1))
    assert (told["final_equity"], told["commissions"]) == (Decimal("1234.5678"), Decimal("0.1"))
    assert (told["equity_peak"], told["return_pct"]) == (None, 0.1)


def row_of(dtype, **values):
    """Return one row of a table, its other columns 0."""
    rows = np.zeros(1, dtype)
    for name, value in values.items():
        rows[name] = value
    return rows


@pytest.mark.parametrize(("side", "word"), [(1, "long"), (-1, "short")])
def test_a_trade_is_told_with_names_times_and_decimals(side, word):
    """Each figure in its place, beside the numbers that the table has."""
    values = {
        "instrument_id": 1,
        "strategy_id": 2,
        "side": side,
        "entry_time_ns": NS,
        "exit_time_ns": NS + 10**9,
        "quantity": 0.5,
        "entry_price": 101.25,
        "exit_price": 102.5,
        "pnl": -3.0,
        "commission": 0.75,
    }
    result = SimpleNamespace(
        trades=row_of(TRADE, **values),
        instruments=(SimpleNamespace(symbol="A"), SimpleNamespace(symbol="B")),
        strategies=("x", "y", "z"),
    )
    (told,) = backtest._trades(result)
    assert (told["symbol"], told["strategy"], told["side"]) == ("B", "z", word)
    assert (told["entry_time"], told["exit_time"]) == ("2024-01-02T10:00:00Z", "2024-01-02T10:00:01Z")
    assert told["entry_time_ns"] == NS
    for name in ("quantity", "entry_price", "exit_price", "pnl", "commission"):
        assert told[name] == Decimal(str(values[name]))
        assert isinstance(told[name], Decimal)


def test_a_cash_flow_is_told_with_names_time_and_amount():
    """Its kind as it is in the table."""
    flows = row_of(CASH_FLOW, time_ns=NS, instrument_id=1, strategy_id=0, amount=-1.5)
    result = SimpleNamespace(
        cash_flows=flows,
        instruments=(SimpleNamespace(symbol="A"), SimpleNamespace(symbol="B")),
        strategies=("x",),
    )
    (told,) = backtest._cash_flows(result)
    assert (told["time"], told["symbol"], told["strategy"]) == ("2024-01-02T10:00:00Z", "B", "x")
    assert (told["amount"], told["time_ns"]) == (Decimal("-1.5"), NS)


@pytest.mark.parametrize(
    ("source", "table", "is_refused"),
    [
        ("--set journal.path", JournalTable(path="j"), True),
        ("--set journal.path", JournalTable(), False),
        ("run.toml", JournalTable(path="j"), False),
    ],
)
def test_a_journal_that_was_asked_for_here_is_refused(source, table, is_refused):
    """That of a paper run's file is for `tradecore run`."""
    config = SimpleNamespace(source_of=lambda key: source, tables=SimpleNamespace(journal=table))
    if is_refused:
        with pytest.raises(ConfigError) as raised:
            backtest._refuse_journal(config)
        assert (raised.value.source, raised.value.key, raised.value.value) == (source, "journal", "j")
    else:
        backtest._refuse_journal(config)
