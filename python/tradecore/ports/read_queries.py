"""Port: what people and programs ask of the tables that a `ReadModel` was filled with."""

from typing import Protocol, TypeVar

from tradecore.domain.questions import Page, Question, ReadModelState

_Row = TypeVar("_Row")


class ReadQueries(Protocol):
    """What `tradecore trades`, `tradecore db` and a dashboard need to know of an account.

    One question is answered from one moment of the tables: never half of a group of records. Questions may
    be asked while a projector fills the tables, and hold it up no longer than they take. Who asks with the
    cursor of the page before gets every row once, also those that came in between, in the journal's order.

    `tradecore.testkit.ReadModelContract` states the same promises as tests.
    """

    async def ask(self, question: Question[_Row], /) -> Page[_Row]:
        """Answer a question of `tradecore.domain.questions`.

        Raises `InvalidValueError` for a question that it does not know, `DataError` where what is asked
        cannot be worked out, and `StorageError` when the tables cannot be read; with `retry_after_ns` when
        they may be later.
        """
        ...

    async def state(self) -> ReadModelState:
        """Say which journal the tables are of, up to where, and whether they are well.

        How far the journal is ahead is known to who has it: `tradecore.runtime.projector.journal_state`.
        """
        ...

    async def aclose(self) -> None:
        """Let the tables go. Calling it twice is harmless."""
        ...
