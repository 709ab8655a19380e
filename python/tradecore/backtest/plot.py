"""A backtest as a picture: price with entries and exits, equity, drawdown. Needs matplotlib."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradecore.backtest.result_frames import drawdown_pct
from tradecore.frames.table import Foreign, needed

_GREEN, _RED, _BLUE, _GREY = "#2a9d5c", "#c8433a", "#2b6cb0", "#888888"
# More points than the figure has columns of pixels show nothing new.
_PARTS = 4_000
# More trades than this are drawn small: they would hide the price.
_TRADES_LARGE = 500
_WIDTH_INCHES, _ROW_INCHES, _DPI = 10.0, 2.4, 100


def plotted(
    title: str,
    times_ns: NDArray[np.int64],
    equity: NDArray[np.float64],
    prices: NDArray[np.float64],
    trades: NDArray[Any],
) -> Foreign:
    """Return a figure of matplotlib; no window is opened and nothing is kept for `pyplot`.

    Parameters
    ----------
    title : str
        Of the figure.
    times_ns, equity : ndarray, shape (rows,)
        The equity over time.
    prices : ndarray of float64, shape (rows,) or (0,)
        The price at each of these times; the panel of the price is left out without.
    trades : ndarray, structured
        Closed trades, drawn where there is a price.

    Raises
    ------
    ImportError
        When matplotlib is not installed; the message has the line that installs it.
    """
    needed("matplotlib", "a plot")
    from tradecore.backtest.notebook_figure import NotebookFigure

    has_price = len(prices) > 0
    ratios = [2.0, 1.5, 1.0] if has_price else [1.5, 1.0]
    figure = NotebookFigure(figsize=(_WIDTH_INCHES, _ROW_INCHES * sum(ratios) / 1.5), dpi=_DPI)
    axes = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
    times = times_ns.astype("datetime64[ns]")
    if has_price:
        _draw_price(axes[0], times, prices, trades)
    _draw_equity(axes[-2], times, equity)
    _draw_drawdown(axes[-1], times, equity)
    for one in axes:
        one.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        one.margins(x=0.01)
    axes[0].set_title(title, loc="left")
    figure.tight_layout()
    return figure


def thinned(times: NDArray[Any], values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return a line that looks the same with fewer points: the lowest and the highest of each part."""
    rows = len(values) // _PARTS
    if rows < 4:
        return times, values
    parts = values[: rows * _PARTS].reshape(_PARTS, rows)
    starts = np.arange(_PARTS) * rows
    low, high = (np.where(np.isnan(parts), edge, parts) for edge in (np.inf, -np.inf))
    chosen = (starts + low.argmin(axis=1), starts + high.argmax(axis=1))
    rest = np.arange(rows * _PARTS, len(values))
    kept = np.unique(np.concatenate((*chosen, rest, [0, len(values) - 1])))
    return times[kept], values[kept]


def _draw_price(
    axes: Foreign, times: NDArray[Any], prices: NDArray[np.float64], trades: NDArray[Any]
) -> None:
    axes.plot(*thinned(times, prices), color=_GREY, linewidth=0.9, label="price")
    entered, left = (trades[name].astype("datetime64[ns]") for name in ("entry_time_ns", "exit_time_ns"))
    # Below the entries: who turns around leaves and enters at one price.
    size = 5.0 if len(trades) <= _TRADES_LARGE else 2.0
    if len(trades):
        exits = {"color": "black", "markersize": size * 1.2, "fillstyle": "none", "markeredgewidth": 0.7}
        axes.plot(left, trades["exit_price"], "o", label="exit", **exits)
    for side, marker, name in ((1, "^", "long entry"), (-1, "v", "short entry")):
        of_side = trades["side"] == side
        if of_side.any():
            entry = (entered[of_side], trades["entry_price"][of_side])
            axes.plot(*entry, marker, color=_GREEN if side > 0 else _RED, markersize=size, label=name)
    axes.set_ylabel("price")
    axes.legend(loc="upper left", fontsize="small", frameon=False)


def _draw_equity(axes: Foreign, times: NDArray[Any], equity: NDArray[np.float64]) -> None:
    axes.plot(*thinned(times, equity), color=_BLUE, linewidth=1.1)
    axes.set_ylabel("equity")


def _draw_drawdown(axes: Foreign, times: NDArray[Any], equity: NDArray[np.float64]) -> None:
    axes.fill_between(*thinned(times, drawdown_pct(equity)), 0, color=_RED, alpha=0.35, linewidth=0)
    axes.set_ylabel("drawdown %")
