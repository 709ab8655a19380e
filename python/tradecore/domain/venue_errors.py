"""What the error codes of a venue prove about the request that got them: a table, as data."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.venue_requests import Answer, Declined, Lost, NotDone


class Proof(StrEnum):
    """What follows from an error."""

    DECLINED = "declined"
    """Nothing was changed, and the same request will change nothing: it is over."""
    NOT_DONE = "not_done"
    """Nothing was changed, and the same request may be sent again."""
    LOST = "lost"
    """Nothing is proved: the venue is asked what became of it."""


class ErrorClass(msgspec.Struct, frozen=True, kw_only=True):
    """One code of a venue, and what it proves.

    Attributes
    ----------
    code : str
        As the venue says it.
    proves : Proof
        What follows from it.
    reason : str
        What the engine is told where it is declined: one of the reasons of a rejected order.
    about : str
        When the venue says it, for people.
    """

    code: str
    proves: Proof
    reason: str = ""
    about: str

    def __post_init__(self) -> None:
        """Refuse a refusal without a reason, and a reason for anything else."""
        if (self.proves is Proof.DECLINED) != bool(self.reason):
            raise InvalidValueError("reason", self.reason, "must be there where `proves` is declined, only")


class ErrorTable:
    """The codes of one venue. What it does not have proves nothing.

    Parameters
    ----------
    classes : iterable of ErrorClass
        The codes, each once.

    Raises
    ------
    InvalidValueError
        When a code is there twice.
    """

    def __init__(self, classes: Iterable[ErrorClass]) -> None:
        self.classes = tuple(classes)
        self._by_code = {each.code: each for each in self.classes}
        if len(self._by_code) != len(self.classes):
            raise InvalidValueError("code", [each.code for each in self.classes], "must be there once each")

    def answer(self, code: str, words: str, *, retry_after_ns: int = 0) -> Answer:
        """Return what an error proves, in the words of the port `Venue`."""
        known = self._by_code.get(code)
        match Proof.LOST if known is None else known.proves:
            case Proof.DECLINED:
                return Declined(reason="" if known is None else known.reason, words=words)
            case Proof.NOT_DONE:
                return NotDone(words=words, retry_after_ns=retry_after_ns)
            case Proof.LOST:
                return Lost(words=words)
