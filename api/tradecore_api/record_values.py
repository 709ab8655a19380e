"""The values of a journal's record for programs: money as decimal text, nothing that a reader would round."""

from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import values_of
from tradecore.domain.units import exact_money

# Fields that are atto units of the account's currency.
_MONEY = frozenset(
    {
        "amount",
        "brought",
        "cash",
        "cost",
        "day_start",
        "equity",
        "fee",
        "last",
        "maintenance",
        "peak",
        "rate",
        "received",
    }
)


def plain_record(record: JournalRecord) -> dict[str, object]:
    """Return number, time, kind and values of a record.

    Bytes become text, money becomes decimal text, and so do integers that JSON readers would round.
    """
    values = {name: plain_value(name, value) for name, value in values_of(record.body).items()}
    return {"seq": record.seq, "time_ns": record.time_ns, "kind": record.kind, **values}


def plain_value(name: str, value: object) -> object:
    """Return the value of a field as JSON can hold it."""
    match value:
        case dict():
            # Money by currency has the names of currencies below its own.
            return {key: plain_value(name if name in _MONEY else key, item) for key, item in value.items()}
        case list():
            return [plain_value(name, item) for item in value]
        case bytes():
            return value.decode(errors="replace")
        case int() if name in _MONEY and not isinstance(value, bool):
            return exact_money(value)
        case int() if abs(value) > 2**63:
            return str(value)
        case _:
            return value
