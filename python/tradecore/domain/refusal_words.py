"""What a refusal means in words: its limit and value in units of the instrument and of money."""

from collections.abc import Callable
from decimal import Decimal

from tradecore.domain.times import iso_time, span_text
from tradecore.domain.units import Units, money_text

# Larger than any count of lots: a size that does not fit.
_LOTS_MAX = 2**63
# Percentages and fractions of an order are counted in parts per million.
_PPM = 1_000_000
_I64_MAX = 2**63 - 1
# No size and no price is as large as a time of today.
_YEAR_2000_NS = 946_684_800 * 10**9
_Number = Callable[[Units, int, int], str]


def refusal_words(rule: str, limit: int, value: int, units: Units, instrument: int) -> str:
    """Return why an order was refused, in words.

    Parameters
    ----------
    rule : str
        Name of the rule.
    limit, value : int
        Its limit and the value that broke it, in the unit of the rule.
    units : Units
        What numbers mean.
    instrument : int
        Instrument of the order.
    """
    if rule in _FIXED:
        return _FIXED[rule]
    if rule == "invalid_order":
        return _invalid_order(limit, value, units, instrument)
    if rule == "ticket_not_open":
        return _ticket_not_open(value)
    if rule == "awaiting_approval":
        return f"wish {value} waits for a person's yes, {span_text(limit)} at most: `tradecore approvals`"
    if rule not in _SENTENCES:
        return f"limit {limit}, value {value}"
    sentence, number = _SENTENCES[rule]
    return sentence.format(limit=number(units, instrument, limit), value=number(units, instrument, value))


def knows(rule: str) -> bool:
    """Tell whether there are words for a rule."""
    return (
        rule in _FIXED
        or rule in _SENTENCES
        or rule in {"invalid_order", "ticket_not_open", "awaiting_approval"}
    )


def _ticket_not_open(number: int) -> str:
    if number == 0:
        return "where positions hedge, an order that only closes names its ticket: `after=` the entry order"
    return (
        f"the strategy has no ticket {number} that it could close: it is closed, not filled or of that side"
    )


def _invalid_order(limit: int, value: int, units: Units, instrument: int) -> str:
    """Say what a bare number can have been; `invalid_order_words` says it where the order is at hand."""
    if limit == _PPM and value > limit:
        return f"`fraction` must be at most 1, which is the whole buying power, and is {_shared(value)}"
    if limit == _PPM - 1 and value > limit:
        return f"a percentage below the market must be below 100, and is {_percentage(value)}"
    if limit == 1 and value == 0:
        return "a size, price, percentage or fraction of it is 0 or rounds to 0, and must be above 0"
    if limit == 1 and value < 0:
        return (
            "a size, price, percentage or fraction of it is negative, and must be above 0: "
            f"{value} in lots or ticks, {_percentage(value)} in percent, {_shared(value)} as a fraction"
        )
    if limit == 0 and value == 1:
        return "its kind, time in force and flags do not fit, or it is tied to order 1, which is not open"
    if limit == 0:
        return f"it is tied to order {value}, which is not an open order of its strategy and instrument"
    if _I64_MAX in {abs(limit), abs(limit) - 1}:
        return "a size or price of it is beyond what the engine can count"
    if limit > value > _YEAR_2000_NS:
        return f"it would expire at {iso_time(value)}, which is not after its own time, {iso_time(limit)}"
    prices = f"{_price(units, instrument, value)} against {_price(units, instrument, limit)} as prices"
    sizes = f"{_size(units, instrument, value)} against {_size(units, instrument, limit)} as sizes"
    return f"a price or size of it is on the wrong side of its bound: {prices}, {sizes}"


def _percentage(ppm: int) -> str:
    return f"{Decimal(ppm) / 10_000:f}"


def _shared(ppm: int) -> str:
    return f"{Decimal(ppm) / _PPM:f}"


def _size(units: Units, instrument: int, lots: int) -> str:
    if abs(lots) >= _LOTS_MAX:
        return "more than can be counted"
    return f"{units.quantity(instrument, lots):f} {units.symbol(instrument)}"


def _price(units: Units, instrument: int, ticks: int) -> str:
    return f"{units.price(instrument, ticks):f}"


def _money(units: Units, _instrument: int, atto: int) -> str:
    text = money_text(atto)
    return text if text.startswith("more") else f"{text} {units.currency}"


def _of_base(units: Units, instrument: int, atto: int) -> str:
    text = money_text(atto)
    return text if text.startswith("more") else f"{text} {units.base(instrument)}"


def _currency(units: Units, _instrument: int, number: int) -> str:
    return units.named_currency(number)


def _percent(_units: Units, _instrument: int, ppm: int) -> str:
    return f"{Decimal(ppm) / 10_000:f}%"


def _span(_units: Units, _instrument: int, span_ns: int) -> str:
    return span_text(span_ns)


def _time(_units: Units, _instrument: int, time_ns: int) -> str:
    return iso_time(time_ns)


def _count(_units: Units, _instrument: int, count: int) -> str:
    return str(count)


_FIXED = {
    "kill_latch": (
        "the kill switch is engaged, of everything or of a part that `tradecore status` names; "
        "`tradecore kill --release`, with that part, ends it"
    ),
    "paused": (
        "trading is paused, all of it or a part that `tradecore status` names, with the reason; "
        "`tradecore resume`, with that part, ends it"
    ),
    "book_invalid": "the book of the instrument is not proven right; it needs a snapshot of the venue",
    "reference_missing": "there is no market price yet to judge it by",
    "not_a_number": "a price, size or share is not a number; is an indicator not warm yet?",
    "decision_gate": "a decision gate said no",
    "unreconciled": "the books are compared with what the venue has first",
    "warming_up": "what happens is of the past, and warms up indicators; nothing is sent on it",
    "canary_instrument": "the canary profile of the account does not name the instrument",
    "approval_rejected": "a person said no to it, or flattened what it is about",
    "instrument_not_allowed": "the strategy may not trade this instrument; `tradecore allow` changes that",
}
_SENTENCES: dict[str, tuple[str, _Number]] = {
    "reference_stale": ("the last market price is {value} old, allowed are {limit}", _span),
    "price_collar": ("the price is {value} away from the market, allowed are {limit}", _percent),
    "price_drift": ("the price is {value} away from where the market was, allowed are {limit}", _percent),
    "quantity_max": ("the size is {value}, allowed are {limit}", _size),
    "notional_max": ("the order is worth {value}, allowed are {limit}", _money),
    "position_max": ("the position could become {value}, allowed are {limit}", _size),
    "amendments_max": ("it was changed {limit} times, and its venue has no name for more", _count),
    "canary_order_value": ("the order is worth {value}, the canary profile allows {limit}", _money),
    "canary_orders_a_day": ("it would be new order {value} today, the canary profile allows {limit}", _count),
    "canary_position_value": (
        "the position could be worth {value}, the canary profile allows {limit}",
        _money,
    ),
    "approval_expired": ("nobody approved it within {limit}; it was asked for {value} ago", _span),
    "approval_price_moved": (
        "the price moved by {value} since it was asked for, allowed are {limit}",
        _percent,
    ),
    "approval_needed": (
        "it would make an entry worth {value} that nobody approved, allowed are {limit}: ask for a new one",
        _money,
    ),
    "open_orders_max": ("it would be open order number {value}, allowed are {limit}", _count),
    "order_rate_max": ("it would be new order number {value} in the window, allowed are {limit}", _count),
    "message_rate_max": ("it would be message number {value} in the window, allowed are {limit}", _count),
    "executions_max": ("halted: the strategy had {value} fills in the window, allowed are {limit}", _count),
    "reduce_only": ("{value} would do more than close: at most {limit} can be closed", _size),
    "buying_power": ("it needs {value}, the account can pay {limit}", _money),
    "not_owned": (
        "with other open orders it sells {value} that was not bought, the account has {limit}",
        _of_base,
    ),
    "conversion_missing": (
        "there is no price of {value} yet; `account.conversions` says where it comes from",
        _currency,
    ),
    "gross_max": ("the sum of all exposures could become {value}, allowed are {limit}", _money),
    "net_max": ("long less short could become {value}, allowed are {limit}", _money),
    "identical_order": ("an order just like it was sent {value} ago, {limit} must pass", _span),
    "self_trade": ("at {value} it would trade with an own order at {limit}", _price),
    "daily_loss_max": ("halted: {value} were lost since the day began, allowed are {limit}", _money),
    "drawdown_max": ("halted: the equity fell {value} from its highest, allowed are {limit}", _money),
    "off_tick": (
        "the price is not on the tick: the nearest is {limit}, on its other side is {value}",
        _price,
    ),
    "off_lot": ("the instrument has no such size: the nearest is {limit}, the next one {value}", _size),
    "no_session": ("no session is known for a day order of {value}; the last one ended at {limit}", _time),
}
