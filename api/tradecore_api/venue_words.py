"""How the line to a venue stands, in words."""

import msgspec

from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore.runtime.live.balances import exchanged_words
from tradecore.runtime.live.link_status import LinkStatus

_STEPS = {
    "idle": "books and venue are not compared",
    "asking": "books and venue are being compared: it is asked for orders and fills",
    "settling": "books and venue are being compared: it is asked for what is missing",
    "comparing": "books and venue are being compared: it is asked for positions",
    "balancing": "books and venue are being compared: it is asked for balances",
    "agreed": "books and venue agree",
    "differs": "books and venue DIFFER",
}
_NO_RISK = "no new risk is taken"
_NO_RISK_THERE = "no new risk is taken there, nor elsewhere where a limit adds it up"
_WORDS_MAX = 200


def venue_words(status: dict[str, object] | None, *, is_one_of_several: bool = False) -> str:
    """Return a sentence or two about the line to a venue; nothing where there is none."""
    if status is None:
        return ""
    told = msgspec.convert(status, LinkStatus)
    words = ["connected" if told.is_connected else "NOT CONNECTED", _STEPS.get(told.step, told.step)]
    words += [
        f"{each.name}: {each.venue_lots} lots there, {each.book_lots} in the books"
        for each in told.differences
    ]
    words += [each.words for each in told.balances]
    words += [exchanged] if (exchanged := exchanged_words(told.balances)) else []
    if told.step != "agreed":
        words.append(_NO_RISK_THERE if is_one_of_several else _NO_RISK)
    if told.trouble:
        words.append(_in_one_line(told.trouble))
    counts = (
        (told.unknown, "in doubt"),
        (told.foreign_orders, "of others"),
    )
    orders = [f"{_counted(told.open_orders, 'order is', 'orders are')} open there"]
    orders += [f"{count} {what}" for count, what in counts if count]
    words.append(", ".join(orders))
    if told.declined:
        at = f" at {iso_time(told.declined_ns, 0)}" if told.declined_ns else ""
        words.append(f"it declined last{at}: {_in_one_line(told.declined)}")
    if told.revisions:
        words.append(f"{_counted(told.revisions, 'trade was', 'trades were')} busted or corrected")
    if told.letters:
        words.append(f"{_counted(told.letters, 'message was', 'messages were')} not understood")
    return "; ".join(words)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _in_one_line(text: str) -> str:
    """Return what a stranger said as a terminal may show it."""
    return cut(printable(" ".join(text.split())), _WORDS_MAX)
