"""An order in words: what it is to buy or sell, how and until when."""

import msgspec

from tradecore.domain.record_bodies import OrderTerms, Report
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an order at one moment; what is heard of it makes another one.

    `lots` is its whole size, `None` while it is a share of buying power without a size; `terms` are the
    values of its record, the price as the venue has changed it since.
    """

    order_id: int
    strategy: int
    instrument: int
    side: str
    lots: int | None = None
    filled_lots: int = 0
    terms: OrderTerms

    @classmethod
    def of(cls, terms: OrderTerms) -> "KnownOrder":
        """Take over an order that was approved or refused."""
        return cls(
            order_id=terms.order_id,
            strategy=terms.strategy,
            instrument=terms.instrument,
            side=terms.side,
            lots=terms.lots,
            terms=terms,
        )

    @property
    def is_filled(self) -> bool:
        """Whether nothing of it is open any more."""
        return self.lots is not None and self.filled_lots >= self.lots > 0

    def after_report(self, report: Report) -> "KnownOrder":
        """Return it as it is after a report of the venue."""
        match report.report:
            case "fill":
                return msgspec.structs.replace(self, filled_lots=self.filled_lots + (report.lots or 0))
            case "replaced" | "restated":
                # What the report names is what is still open.
                changed = msgspec.structs.replace(self, lots=self.filled_lots + (report.lots or 0))
                has_price = report.price_ticks and self.terms.price_ticks is not None
                return changed.at(report.price_ticks or 0) if has_price else changed
            case "triggered" if report.price_ticks is not None:
                return self.at(report.price_ticks)
            case _:
                return self

    def at(self, price_ticks: int) -> "KnownOrder":
        """Return it with this price, in ticks."""
        terms = msgspec.structs.replace(self.terms, price_ticks=price_ticks)
        return msgspec.structs.replace(self, terms=terms)


def order_text(order: KnownOrder, units: Units) -> str:
    """Return `buy 0.01 BTC-USD limit 61234.50 gtc` and what else makes the order."""
    terms, instrument = order.terms, order.instrument
    said = [order.side, _size(order, units), units.symbol(instrument)]
    said.append(terms.order_kind.replace("_", " "))
    for name, label in PRICES:
        if ticks := getattr(terms, name):
            said += [label, price_text(units, instrument, ticks)]
    if terms.display_lots is not None:
        said.append(f"showing {units.quantity(instrument, terms.display_lots):f}")
    said.append(_good_until(terms))
    said += [label for name, label in _FLAGS if getattr(terms, name)]
    if terms.closes:
        said.append(f"closing order {terms.closes}")
    return " ".join(word for word in said if word)


def price_text(units: Units, instrument: int, ticks: int) -> str:
    """Return a price with the decimals of its tick size."""
    return f"{units.price(instrument, ticks):f}"


def _size(order: KnownOrder, units: Units) -> str:
    if order.lots is not None:
        return f"{units.quantity(order.instrument, order.lots):f}"
    if order.terms.buying_power_ppm is not None:
        return f"{order.terms.buying_power_ppm / 10_000:g}% of the buying power in"
    return ""


def _good_until(terms: OrderTerms) -> str:
    if terms.expire_ns is not None:
        return f"{terms.time_in_force} until {iso_time(terms.expire_ns)}"
    return terms.time_in_force


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
