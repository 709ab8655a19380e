"""Long answers of a venue, page by page: each is a question of its own, with its own time and room."""

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from tradecore.domain.venue_findings import FillsSince, Findings, Question, Seen

# So many pages of one answer at most: a venue whose list never ends is not followed for ever.
PAGES_MAX = 10_000


class Answered(msgspec.Struct, frozen=True):
    """An answer, when it was asked for and how much had been told by then."""

    asked_ns: int
    news: int
    findings: Findings


class _Begun(msgspec.Struct, frozen=True):
    """The pages of an answer so far."""

    question: Question
    answered: Answered
    pages: int


def next_page(question: Question, findings: Findings) -> Question | None:
    """Return the question about the page after this one; `None` where this is the last."""
    if not findings.rest or not isinstance(question, FillsSince) or findings.rest == question.cursor:
        return None
    return msgspec.structs.replace(question, cursor=findings.rest)


def joined(first: Findings, seen: Iterable[Seen], last: Findings) -> Findings:
    """Return pages as one answer, of the time of the first one: nothing in it is older than that."""
    return Findings(seen=tuple(seen), is_complete=last.is_complete, time_ns=first.time_ns)


async def whole(
    question: Question, page: Callable[[Question], Awaitable[Findings | None]]
) -> Findings | None:
    """Ask for one page after the other, and return all of them as one answer.

    Parameters
    ----------
    question : Question
        The question.
    page : callable
        Asks for one page; `None` where no answer comes, which then is the answer to the whole.
    """
    first: Findings | None = None
    seen: list[Seen] = []
    for _ in range(PAGES_MAX):
        found = await page(question)
        if found is None:
            return None
        first = first or found
        seen += found.seen
        after = next_page(question, found)
        if after is None:
            return joined(first, seen, found)
        question = after
    return Findings(seen=tuple(seen), is_complete=False)


class Pages:
    """Puts the pages of answers together, where each page waits for its own turn to be asked for."""

    def __init__(self) -> None:
        # By the question about the next page.
        self._begun: dict[Question, _Begun] = {}
        self._wanted: dict[Question, None] = {}

    def wanted(self) -> list[Question]:
        """Return which pages are to be asked for now, each once."""
        wanted, self._wanted = list(self._wanted), {}
        return wanted

    def is_reading(self, question: Question) -> bool:
        """Tell whether the answer to a question is being read."""
        return any(begun.question == question for begun in self._begun.values())

    def drop(self, question: Question) -> None:
        """Let an answer go of which this page did not come: it is asked for anew."""
        self._begun.pop(question, None)

    def add(self, question: Question, answered: Answered) -> tuple[Question, Answered] | None:
        """Take a page in; return the first question and the whole answer to it once this is the last page."""
        begun, page = self._begun.pop(question, None), answered.findings
        after = next_page(question, page)
        asked = begun.question if begun else question
        whole = answered
        if begun is not None:
            before = begun.answered
            together = joined(before.findings, (*before.findings.seen, *page.seen), page)
            whole = Answered(before.asked_ns, before.news, together)
        pages = begun.pages + 1 if begun else 1
        if after is None:
            return asked, whole
        if pages >= PAGES_MAX:
            return asked, Answered(whole.asked_ns, whole.news, joined(page, whole.findings.seen, page))
        self._begun[after] = _Begun(asked, whole, pages)
        self._wanted[after] = None
        return None
