"""Commands by signal: what an operator can say where neither command line nor disk works."""

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType

from tradecore.domain.commands import Command, Kill, Pause
from tradecore.runtime.forked_child import ForkWatch
from tradecore_api import signals

COMMANDS: dict[int, Command] = (
    {} if sys.platform == "win32" else {int(signal.SIGUSR1): Pause(), int(signal.SIGUSR2): Kill()}
)


class CommandSignals:
    """Hands the command of a signal to the event loop of the engine: SIGUSR1 pauses, SIGUSR2 kills.

    Parameters
    ----------
    begin : callable
        Takes a command, in the event loop.
    forks : ForkWatch
        Knows whether this process is a child that a strategy forked: it has no engine.
    """

    def __init__(self, begin: Callable[[Command], None], forks: ForkWatch) -> None:
        self._begin, self._forks = begin, forks
        self.loop: asyncio.AbstractEventLoop | None = None

    def install(self) -> dict[int, signals.Handler]:
        """Install the handlers; return those of before."""
        return {number: signals.install(number, self._on_signal) for number in COMMANDS}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.loop is not None and not self._forks.is_child:
            self.loop.call_soon_threadsafe(self._begin, COMMANDS[number])
