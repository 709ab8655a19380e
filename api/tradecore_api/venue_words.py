"""How the line to a venue stands, in words."""

import msgspec

from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore.runtime.live.balances import exchanged_words
from tradecore.runtime.live.drop_copy_line import DropCopyStatus
from tradecore.runtime.live.link_status import LinkStatus

_STEPS = {
    "idle": "books and venue are not compared",
    "asking": "books and venue are being compared: it is asked for orders and fills",
    "settling": "books and venue are being compared: it is asked for what is missing",
    "comparing": "books and venue are being compared: it is asked for positions",
    "balancing": "books and venue are being compared: it is asked for balances",
    "agreed": "books and venue agree",
    "differs": "books and venue DIFFER",
    "doubted": "books and venue agree where orders go",
}
_NO_RISK = "no new risk is taken"
_NO_RISK_THERE = "no new risk is taken there, nor elsewhere where a limit adds it up"
_COPY_STEPS = {
    "doubts": "the drop copy shows something else once, and looks again",
    "proving": "the drop copy shows something else, and the venue is asked where orders go",
    "proved": "the drop copy showed something else, and looks again",
    "contradicts": "VENUE AND DROP COPY CONTRADICT EACH OTHER",
}
_FINDINGS_MAX = 3
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
    if told.drop_copy is not None:
        words += _copy_words(told.drop_copy)
    if told.trouble:
        words.append(_in_one_line(told.trouble))
    counts = (
        (told.unknown, "in doubt"),
        (told.foreign_orders, "of others"),
    )
    orders = [f"{_counted(told.open_orders, 'order is', 'orders are')} open there"]
    orders += [f"{count} {what}" for count, what in counts if count]
    words.append(", ".join(orders))
    if told.epoch:
        words.append(f"orders are named by epoch {told.epoch}")
    if told.dead_man:
        words.append(f"its dead man's timer is {_in_one_line(told.dead_man)}")
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


def _copy_words(told: DropCopyStatus) -> list[str]:
    """Say how the second reader stands."""
    words = []
    if told.trouble:
        words.append(f"the drop copy is OF NO USE NOW, which halts nothing: {_in_one_line(told.trouble)}")
    if told.findings:
        shown = "; it ".join(_in_one_line(each) for each in told.findings[:_FINDINGS_MAX])
        words.append(f"{_COPY_STEPS.get(told.step, told.step)}: it {shown}")
    elif told.looks and not told.trouble:
        words.append("the drop copy agrees")
    if told.booked:
        words.append(f"it found {_counted(told.booked, 'trade', 'trades')} that nobody had told")
    return words


def _in_one_line(text: str) -> str:
    """Return what a stranger said as a terminal may show it."""
    return cut(printable(" ".join(text.split())), _WORDS_MAX)
