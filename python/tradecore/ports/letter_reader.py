"""Port: reads once more what could not be understood."""

from typing import Protocol, runtime_checkable

from tradecore.domain.venue_findings import Message, NotUnderstood


@runtime_checkable
class LetterReader(Protocol):
    """A venue's client that can try a kept message again: after an update it may know what it says.

    Nothing is asked or sent, and what the stream told since is not disturbed.
    """

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Return what a message says; `NotUnderstood` where it still makes no sense."""
        ...
