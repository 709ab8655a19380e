"""Port: what the market did before a session began."""

from typing import Protocol

from tradecore.domain.past import Past, PastQuestion


class History(Protocol):
    """What the runtime needs to warm up indicators before the first live event.

    `tradecore.testkit.HistoryContract` states the same promises as tests.

    - What is answered has happened: a bar has closed, and no later answer has another one in its place.
    - What is missing is said, never left out in silence.
    """

    async def query(self, question: PastQuestion) -> Past:
        """Return trades or bars of an instrument, as the question says, in the order of their times.

        Raises
        ------
        VenueError
            When no answer came; asking again may help.
        DataError
            When what there is cannot be used.
        InvalidValueError
            When the instrument or the length is none that it has.
        """
        ...

    async def aclose(self) -> None:
        """Release sockets and files. Calling it twice is harmless."""
        ...
