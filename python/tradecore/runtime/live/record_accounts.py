"""At which venue account something happened that a record tells of."""

from collections.abc import Callable, Iterable, Sequence

from tradecore.domain import record_bodies as bodies
from tradecore.domain.account_part import AccountPart
from tradecore.domain.record import JournalRecord

# Orders that are remembered; of an older one nobody says whose it is, and every account is told.
ORDERS_MAX = 1 << 17


class RecordAccounts:
    """Follows the records of an engine with several venue accounts, and says of each whose it is.

    What is about an order belongs to the account of its instrument. A surprise belongs to the account whose
    venue was heard last, since it is part of what the engine made of that. Commands, the clock and words
    about money concern all accounts.

    Parameters
    ----------
    parts : sequence of AccountPart
        The accounts.
    """

    def __init__(self, parts: Sequence[AccountPart]) -> None:
        self._of_instruments = {at: part.number for part in parts for at in part.instruments}
        self._orders: dict[int, int] = {}
        self._heard: int | None = None

    def know(self, orders: Iterable[tuple[int, int]]) -> None:
        """Know orders that were made before: pairs of number and instrument."""
        for order_id, instrument in orders:
            self._know(order_id, instrument)

    def of(self, record: JournalRecord) -> int | None:
        """Return the number of the account, for one record after the other; `None` for all accounts."""
        match record.body:
            case bodies.VenueReport() | bodies.OutcomeLost() as said:
                if said.order_id not in self._orders:
                    # It ended before these records begin: a venue may tell of its last fill late.
                    self._know(said.order_id, said.instrument)
                self._heard = self._of_instruments[said.instrument]
                return self._heard
            case bodies.Adopted() as said:
                self._heard = self._of_instruments[said.instrument]
                return self._heard
            case bodies.Reconciling() | bodies.Reconciled() as said:
                return self._of_instruments.get(said.instrument)
            case bodies.Order() as order:
                return self._know(order.order_id, order.instrument)
            case bodies.Surprise():
                return self._heard
            case bodies.Report() | bodies.Sent() | bodies.Sized() as made:
                return self._orders.get(made.order_id)
            case bodies.CashFlow() as flow:
                return self._of_instruments.get(flow.instrument)
            case _:
                return None

    def _know(self, order_id: int, instrument: int) -> int:
        account = self._orders[order_id] = self._of_instruments[instrument]
        if len(self._orders) > ORDERS_MAX:
            del self._orders[next(iter(self._orders))]
        return account


def of_account(part: AccountPart, parts: Sequence[AccountPart]) -> Callable[[JournalRecord], bool]:
    """Return what says of one record after the other whether it concerns an account."""
    accounts = RecordAccounts(parts)
    return lambda record: accounts.of(record) in (None, part.number)
