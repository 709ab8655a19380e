"""Long answers of a venue, most of which the books have already."""

from collections import deque
from collections.abc import Iterable, Iterator

from tradecore._core import knows_trade
from tradecore.domain.venue_findings import FillsSince, Findings, Question
from tradecore.engine import Engine
from tradecore.runtime.live.words import WORDS_MAX, Reconciling, Told, Word


def parts_of(question: Question, findings: Findings) -> Iterator[Findings]:
    """Cut a list of trades into parts, so that what is made of it is in memory for one of them at a time.

    Only the last one may say that the list is whole. Orders are not cut: what follows from a list of them
    follows from all of it.
    """
    seen = findings.seen
    starts = range(0, len(seen), WORDS_MAX) if isinstance(question, FillsSince) else range(0)
    for start in starts[:-1]:
        yield Findings(seen=seen[start : start + WORDS_MAX], is_complete=False, time_ns=findings.time_ns)
    if len(starts) < 2:
        yield findings
    else:
        rest = seen[starts[-1] :]
        yield Findings(seen=rest, is_complete=findings.is_complete, time_ns=findings.time_ns)


def group_of(inbox: deque[Word]) -> list[Word]:
    """Take out of what waits what makes one group, in its order.

    What halts new risk is in it, however much was heard before that.
    """
    many = min(len(inbox), WORDS_MAX)
    if len(inbox) > many:
        many = max([many, *(at for at, word in enumerate(inbox, 1) if isinstance(word, Reconciling))])
    return [inbox.popleft() for _ in range(many)]


def without_known(engine: Engine | None, words: Iterable[Word]) -> list[Word]:
    """Leave out trades that a venue tells once more, in the same words as before.

    A list of a minute has thousands of them. Each would be a record of the journal, that changes nothing, and
    the whole of them one group, in the way of what is news.
    """
    return [word for word in words if engine is None or not _is_known(engine, word)]


def _is_known(engine: Engine, word: Word) -> bool:
    if not isinstance(word, Told) or word.report != "fill" or word.revision or word.price_ticks is None:
        return False
    trade_id = word.trade_id
    try:
        return trade_id is not None and knows_trade(
            engine.kernel, word.instrument, word.order_id, trade_id, word.price_ticks, word.lots
        )
    except (OverflowError, UnicodeError):
        # No books can have it: whoever takes it in says so.
        return False
