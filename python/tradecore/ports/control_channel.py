"""Port: how an operator reaches a running engine."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec


class ControlRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator asks for: `status`, `stop`, or a command of the engine.

    Attributes
    ----------
    command : str
        `status`, `stop`, `pause`, `resume`, `flatten`, `kill`, `release_kill`, `set_limit`, `release`,
        `allow` or `forbid`.
    scope, limit, value, instrument, person : str
        What the last four are about, as `Engine.command` takes them.
    """

    command: str
    scope: str = ""
    limit: str = ""
    value: str | None = None
    instrument: str = ""
    person: str = ""


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
