"""Port: how an operator reaches a running engine."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from tradecore.domain.commands import Command
from tradecore.domain.money_requests import Money


class Status(msgspec.Struct, frozen=True, tag="status", tag_field="command"):
    """Asks what the engine says about itself."""


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="command"):
    """Asks the engine to end cleanly, positions and resting orders as they are."""


# What an operator asks for. A field that a request does not know is passed over, so that the command line of
# another version can still pause, stop and kill; what a command needs has no default.
ControlRequest = Status | Stop | Command | Money


class ControlReply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer; for a command it is given after its journal record is durable.

    Attributes
    ----------
    accepted : bool
        Whether it was done.
    message : str
        The reason when it was not.
    seq : int
        Number of journal frames at the time of the answer.
    status : dict
        What the engine says about itself.
    """

    accepted: bool
    message: str = ""
    seq: int = 0
    status: dict[str, object] = {}


Answer = Callable[[ControlRequest], Awaitable[ControlReply]]


class ControlChannel(Protocol):
    """What the daemon needs from a local control channel.

    A malformed, oversized or slow request gets a typed answer or a closed connection; it never
    ends the channel.
    """

    async def open(self, answer: Answer, /) -> None:
        """Start to listen and hand each request to `answer`.

        Raises `StorageError` when the address cannot be used.
        """
        ...

    async def aclose(self) -> None:
        """Stop to listen and drop every connection. Calling it twice is harmless."""
        ...
