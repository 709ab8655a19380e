"""The past of several venues as one, each of the instruments of one venue account."""

from collections.abc import Sequence

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.past import Past, PastQuestion
from tradecore.ports.history import History


class HistoryPart(msgspec.Struct, frozen=True):
    """A source that numbers its instruments from 0 on, and the engine's numbers of them in that order."""

    history: History
    numbers: tuple[int, ...]


class JoinedHistory:
    """Asks each question of the source of its instrument.

    Parameters
    ----------
    parts : sequence of HistoryPart
        The sources; no instrument is in two of them.
    """

    def __init__(self, parts: Sequence[HistoryPart]) -> None:
        self._parts = tuple(parts)
        self._of_instruments = {
            number: (part.history, there) for part in parts for there, number in enumerate(part.numbers)
        }

    async def query(self, question: PastQuestion) -> Past:
        """Return trades or bars; see the port."""
        if question.instrument not in self._of_instruments:
            raise InvalidValueError("instrument", question.instrument, "must be one of the engine's table")
        history, there = self._of_instruments[question.instrument]
        return await history.query(msgspec.structs.replace(question, instrument=there))

    async def aclose(self) -> None:
        """Close all sources, one after the other."""
        for part in self._parts:
            await part.history.aclose()
