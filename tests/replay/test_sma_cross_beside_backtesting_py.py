"""The shortest way here takes no more lines than that of backtesting.py, and comes to the same."""

from pathlib import Path

import sma_cross
from support import sma_cross_peer


def test_the_sma_cross_takes_fourteen_lines_and_the_peer_no_fewer():
    """Lines of code of two whole programs: imports, strategy, run, output."""
    assert sma_cross.lines(sma_cross.EXAMPLE) <= 14 <= sma_cross.lines(Path(sma_cross_peer.__file__))


def test_the_sma_cross_has_the_trades_and_figures_of_backtesting_py():
    """On the peer's own GOOG bars: every trade and every figure, to eight digits and more."""
    ours, theirs = sma_cross.run_ours(), sma_cross.run_peer()

    assert len(ours.trades) == 93
    assert sma_cross.unequal_trades(ours, theirs) == 0
    assert sma_cross.differing(ours, theirs) == []
