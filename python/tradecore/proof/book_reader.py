"""A wanderer that reads the book, and who looks over its shoulder whether that is the book of the venue."""

from collections.abc import Callable, Sequence

from tradecore._core import Book, Quote
from tradecore.engine.context import Context
from tradecore.proof.book_line import BookLine, Levelled
from tradecore.proof.wanderer import Wanderer

_LEVELS = 1_000
_FINDINGS_MAX = 20


class BookWatch:
    """Compares each book that a strategy is shown with what the market had.

    Parameters
    ----------
    lines : sequence of BookLine
        Where the messages of each market come from.
    age_ns_max : int
        How long a book may go without a message.

    Attributes
    ----------
    findings : list of str
        What was wrong.
    compared : int
        How many books were compared.
    """

    def __init__(self, lines: Sequence[BookLine], age_ns_max: int) -> None:
        self._lines = lines
        self._age_ns_max = age_ns_max
        self._needs_snapshot: Callable[[int], bool] | None = None
        self._shown: dict[int, Levelled] = {}
        self.findings: list[str] = []
        self.compared = 0

    def attach(self, needs_snapshot: Callable[[int], bool]) -> None:
        """Look at the engine that runs from here on: what it says of itself is asked for."""
        self._needs_snapshot = needs_snapshot
        self._shown = {}

    def detach(self) -> None:
        """Look at nobody: there is no engine, or it reads what is past."""
        self._needs_snapshot = None

    def show(self, instrument: int, book: Levelled) -> None:
        """Take note of a book that a strategy is shown."""
        if self._needs_snapshot is not None:
            self._shown[instrument] = book

    def note_order(self, order_id: int, instrument: int, now_ns: int) -> None:
        """Take note of an order that was approved just now."""
        if self._needs_snapshot is None:
            return
        silent_ns = now_ns - self._lines[instrument].told_ns
        if self._needs_snapshot(instrument):
            self._find(f"order {order_id} was approved on a book of instrument {instrument} that is INVALID")
        elif silent_ns > self._age_ns_max:
            words = f"instrument {instrument}, which had no message for {silent_ns} ns"
            self._find(f"order {order_id} was approved on a book of {words}")

    def look(self) -> None:
        """Compare all books with the truth, once everything that has come out was taken in."""
        if self._needs_snapshot is None:
            return
        for instrument, line in enumerate(self._lines):
            if self._needs_snapshot(instrument) or not line.newest_id:
                continue
            self.compared += 1
            shown, truth = self._shown.get(instrument), line.reference.at(line.newest_id)
            if truth is not None and shown != truth:
                words = f"{_words(shown)}, the market's at message {line.newest_id} is {_words(truth)}"
                self._find(f"the book of instrument {instrument} counts as right and is {words}")

    def _find(self, words: str) -> None:
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(words)


class BookReader(Wanderer):
    """Does what a wanderer does, and reads each book that it is shown.

    Parameters
    ----------
    number, open_max, position_max, acts_in : int
        As those of a wanderer.
    watch : BookWatch, optional
        Told of books and orders.
    """

    def __init__(
        self, number: int, *, open_max: int, position_max: int, acts_in: int, watch: BookWatch | None = None
    ) -> None:
        super().__init__(number, open_max=open_max, position_max=position_max, acts_in=acts_in)
        self._watch = watch

    def on_book(self, ctx: Context, book: Book) -> None:
        """Read it."""
        if self._watch is not None:
            shown = Levelled(tuple(book.bids(_LEVELS)), tuple(book.asks(_LEVELS)))
            self._watch.show(book.instrument_id, shown)

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Do something, or nothing, and say which order came of it."""
        before = set(self._open)
        super().on_quote(ctx, quote)
        if self._watch is not None:
            for order_id in [each for each in self._open if each not in before]:
                self._watch.note_order(order_id, quote.instrument_id, ctx.now_ns)


def _words(book: Levelled | None) -> str:
    if book is None:
        return "none"
    return f"{list(book.bids[:3])} / {list(book.asks[:3])}"
