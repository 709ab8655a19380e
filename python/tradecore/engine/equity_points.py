"""The equity of an account over time, from the records of its journal alone."""

from collections.abc import Sequence

from tradecore._core import AccountFollower
from tradecore.domain.equity_point import EquityPoint
from tradecore.domain.spec import EngineSpec


class EquityPoints:
    """Follows the frames of a journal, whatever strategies and whatever behaviour wrote them.

    However the frames are cut into parts, the points are the same.

    Parameters
    ----------
    spec : EngineSpec
        What the journal names as its configuration.
    strategies : sequence of str
        The strategies that it names, by their numbers.

    Raises
    ------
    InvalidValueError
        When an instrument or a setting makes no sense.
    """

    def __init__(self, spec: EngineSpec, strategies: Sequence[str]) -> None:
        self._currency = spec.account.currency
        self._accounts = spec.account_names
        self._follower = AccountFollower(spec, list(strategies))

    def take(self, frames: bytes) -> list[EquityPoint]:
        """Take whole frames in order; return the points that they complete.

        Raises `InvalidValueError` or `BrokenInvariantError` when a record does not fit those before it.
        """
        self._follower.take(frames)
        return [
            EquityPoint(
                seq=records - 1,
                time_ns=time_ns,
                currency=self._currency,
                cash=cash,
                equity=equity,
                exposure=exposure,
                profit=equity - brought,
                accounts=dict(zip(self._accounts, accounts, strict=True)) if accounts else {},
            )
            for records, time_ns, cash, equity, exposure, brought, accounts in self._follower.take_points()
        ]
