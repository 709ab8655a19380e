"""What an account earned, apart from what its owner brought or took."""

from collections.abc import Sequence

import numpy as np

from tradecore.backtest.figures import Floats, Integers

_ATTO = 1e-18


def earned(
    times_ns: Integers, equity: Floats, transfers: Sequence[tuple[int, int]], *, is_sampled: bool
) -> Floats:
    """Return the equity as if the owner had left the money alone: its returns are those of the account.

    Between two rows the account earns the later equity, less what was brought meanwhile, over the earlier
    one; these returns are linked (time-weighted return). Money within the first row is part of its start.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (rows,)
        Rising times of the rows, UTC nanoseconds: of samples, or the opening times of bars.
    equity : ndarray of float64, shape (rows,)
        Equity at each sample or close; returned as it is where there is no transfer.
    transfers : sequence of (int, int)
        When the owner brought money, UTC nanoseconds, and how much in atto units (1e-18), negative for taken.
    is_sampled : bool
        Whether rows are samples; a bar has what happened after it opened.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Where the equity before a row is not above 0 there is no return: the amounts are taken out instead.
    """
    if not transfers or not len(equity):
        return equity
    brought = np.zeros(len(equity))
    for time_ns, atto in transfers:
        row = int(np.searchsorted(times_ns, time_ns)) - (0 if is_sampled else 1)
        brought[min(max(row, 0), len(equity) - 1)] += atto * _ATTO
    brought[0] = 0.0
    own: Floats = equity - np.cumsum(brought)
    if equity[:-1].min(initial=np.inf) > 0:
        growth = (equity[1:] - brought[1:]) / equity[:-1]
        own = equity[0] * np.concatenate(([1.0], np.cumprod(growth)))
    return own
