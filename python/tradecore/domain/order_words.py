"""An order in words: what it is to buy or sell, how and until when."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tradecore.domain.times import iso_time
from tradecore.domain.units import Units


class KnownOrder(msgspec.Struct, kw_only=True):
    """What is known of an order; changes with what is heard of it.

    `lots` is its whole size, `None` while it is a share of equity without a size; `terms` are the
    values of its record that say how it trades.
    """

    order_id: int
    strategy: int
    instrument: int
    side: str
    lots: int | None = None
    filled_lots: int = 0
    terms: dict[str, Any] = {}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "KnownOrder":
        """Read the values of an `order` or `refused` record."""
        return cls(
            order_id=fields["order_id"],
            strategy=fields["strategy"],
            instrument=fields["instrument"],
            side=fields["side"],
            lots=fields.get("lots"),
            terms={name: fields[name] for name in _TERMS if name in fields},
        )

    @property
    def is_filled(self) -> bool:
        """Whether nothing of it is open any more."""
        return self.lots is not None and self.filled_lots >= self.lots > 0

    def take_report(self, fields: Mapping[str, Any]) -> None:
        """Change with a report of the venue."""
        match fields["report"]:
            case "fill":
                self.filled_lots += fields["lots"]
            case "replaced" | "restated":
                # What the report names is what is still open.
                self.lots = self.filled_lots + fields["lots"]
                if fields["price_ticks"] and "price_ticks" in self.terms:
                    self.terms = {**self.terms, "price_ticks": fields["price_ticks"]}
            case "triggered" if "price_ticks" in fields:
                self.terms = {**self.terms, "price_ticks": fields["price_ticks"]}


def order_text(order: KnownOrder, units: Units) -> str:
    """Return `buy 0.01 BTC-USD limit 61234.50 gtc` and what else makes the order."""
    terms, instrument = order.terms, order.instrument
    said = [order.side, _size(order, units), units.symbol(instrument)]
    said.append(str(terms.get("order_kind", "")).replace("_", " "))
    for name, label in PRICES:
        if terms.get(name):
            said += [label, price_text(units, instrument, terms[name])]
    if "display_lots" in terms:
        said.append(f"showing {units.quantity(instrument, terms['display_lots']):f}")
    said.append(_good_until(terms))
    said += [label for name, label in _FLAGS if terms.get(name)]
    if terms.get("closes"):
        said.append(f"closing order {terms['closes']}")
    return " ".join(word for word in said if word)


def price_text(units: Units, instrument: int, ticks: int) -> str:
    """Return a price with the decimals of its tick size."""
    return f"{units.price(instrument, ticks):f}"


def _size(order: KnownOrder, units: Units) -> str:
    if order.lots is not None:
        return f"{units.quantity(order.instrument, order.lots):f}"
    if "equity_ppm" in order.terms:
        return f"{order.terms['equity_ppm'] / 10_000:g}% of the equity in"
    return ""


def _good_until(terms: Mapping[str, Any]) -> str:
    if (expire_ns := terms.get("expire_ns")) is not None:
        return f"{terms.get('time_in_force', '')} until {iso_time(expire_ns)}".strip()
    return str(terms.get("time_in_force", ""))


PRICES = (
    ("price_ticks", "at"),
    ("trigger_ticks", "set off at"),
    ("trail_ticks", "trailing by"),
    ("limit_offset_ticks", "limit beyond by"),
    ("activation_ticks", "activated at"),
    ("stop_loss_ticks", "stop-loss"),
    ("take_profit_ticks", "take-profit"),
)
_FLAGS = (("post_only", "post-only"), ("reduce_only", "reduce-only"))
_TERMS = frozenset(
    {name for name, _ in (*PRICES, *_FLAGS)}
    | {"order_kind", "display_lots", "equity_ppm", "time_in_force", "expire_ns", "closes"}
)
