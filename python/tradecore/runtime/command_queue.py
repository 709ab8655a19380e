"""Commands of operators on their way into the journal, and the answers on their way back."""

import asyncio
from collections import deque
from collections.abc import Iterable

from tradecore.domain.commands import Command
from tradecore.domain.errors import VenueError
from tradecore.domain.money_requests import Money
from tradecore.engine import Engine


class WaitingCommand:
    """A command, or word of money, that waits for its place in the journal."""

    def __init__(self, command: Command | Money, loop: asyncio.AbstractEventLoop) -> None:
        self.command = command
        self.done: asyncio.Future[int] = loop.create_future()


class CommandQueue:
    """Takes commands at any time; the session takes them out with its next group.

    Parameters
    ----------
    engine : Engine
        Says whether a command can be carried out.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[WaitingCommand] = deque()

    def __len__(self) -> int:
        """Return how many commands wait to be given to the engine."""
        return len(self._waiting)

    def put(self, command: Command | Money) -> WaitingCommand:
        """Queue a command; its `done` is the journal's length once it is durable.

        Raises `InvalidValueError` when it cannot be carried out: later nobody could be told any more.
        """
        check(self._engine, command)
        waiting = WaitingCommand(command, asyncio.get_running_loop())
        self._waiting.append(waiting)
        return waiting

    def take(self) -> list[WaitingCommand]:
        """Return what waits, in the order in which it came; it does not wait here any more."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def refuse(self) -> None:
        """Answer what waits: the session ends."""
        refuse(self.take(), "the engine is ending; the command was not taken")


def check(engine: Engine, command: Command | Money) -> None:
    """Raise `InvalidValueError` when an engine cannot carry out a command or book a change of money."""
    if isinstance(command, Money):
        engine.check_change(command.change())
    else:
        engine.check_command(command)


def answer(commands: Iterable[WaitingCommand], records: int) -> None:
    """Say that commands are journalled and durable; the journal has so many frames."""
    for command in commands:
        if not command.done.done():
            command.done.set_result(records)


def refuse(commands: Iterable[WaitingCommand], reason: str) -> None:
    """Answer the commands that have no answer yet."""
    for command in commands:
        if not command.done.done():
            command.done.set_exception(VenueError(reason))
