"""Questions that wait for room in the budget of requests, in their order."""

from collections.abc import Callable, Iterable

from tradecore.domain.venue_findings import Question
from tradecore.runtime.live.allowance import Leave


class Unasked:
    """Lets questions out one after the other, the oldest first.

    Behind one that waits for room all wait, and so does all else but cancels. Lighter ones that pass it
    would use up what it waits for, for ever: a list of open orders may weigh more than all that comes in
    between two questions about single orders.

    Attributes
    ----------
    needs_room : type or None
        What the first one is about that found no room; `None` while none waits for that.
    """

    def __init__(self) -> None:
        self._waiting: dict[Question, None] = {}
        self.needs_room: type[Question] | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def let_out(self, more: Iterable[Question], ask: Callable[[type], Leave]) -> list[Question]:
        """Return which questions are to be asked now, of those that wait and of more; the rest waits.

        Parameters
        ----------
        more : iterable of Question
            Those that are new, behind those that wait.
        ask : callable
            Says whether one of a type may leave now, and counts it if so.
        """
        questions = dict.fromkeys((*self._waiting, *more))
        self._waiting, self.needs_room = {}, None
        out = []
        for question in questions:
            about = type(question)
            leave = ask(about) if self.needs_room is None else Leave.FULL
            if leave is Leave.GO:
                out.append(question)
                continue
            self._waiting[question] = None
            if leave is Leave.FULL and self.needs_room is None:
                self.needs_room = about
        return out
