"""Commands by signal: what an operator can say where neither command line nor disk works."""

import asyncio
import signal
import sys
from collections import deque
from collections.abc import Callable
from types import FrameType

from tradecore.domain.commands import CancelAll, Command, Flatten, Kill, Pause
from tradecore.runtime.forked_child import ForkWatch
from tradecore_api import signals

# A signal has no words, so each is about everything; what lets trading go on is said in no such way.
COMMANDS: dict[int, Command] = (
    {} if sys.platform == "win32" else {int(signal.SIGUSR1): Pause(), int(signal.SIGUSR2): Kill()}
)
if sys.platform == "linux":
    COMMANDS |= {int(signal.SIGRTMIN): CancelAll(), int(signal.SIGRTMIN) + 1: Flatten()}

# So many are kept while an engine starts; the last ones count.
_EARLY_MAX = 64


class CommandSignals:
    """Hands the command of a signal to the event loop of the engine: SIGUSR1 pauses, SIGUSR2 kills.

    On Linux SIGRTMIN cancels every order, and SIGRTMIN+1 flattens.

    One that comes while the engine still starts is carried out as soon as it has started: who kills gets no
    answer by signal, and would not know that nothing was done.

    Parameters
    ----------
    begin : callable
        Takes a command, in the event loop.
    forks : ForkWatch
        Knows whether this process is a child that a strategy forked: it has no engine.
    """

    def __init__(self, begin: Callable[[Command], None], forks: ForkWatch) -> None:
        self._begin, self._forks = begin, forks
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: deque[Command] = deque(maxlen=_EARLY_MAX)

    def install(self) -> dict[int, signals.Handler]:
        """Install the handlers; return those of before."""
        return {number: signals.install(number, self._on_signal) for number in COMMANDS}

    def ready(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand on what came while the engine started, and from here on what comes; called in the loop."""
        self._loop = loop
        while self._early:
            self._begin(self._early.popleft())

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._forks.is_child:
            return
        if self._loop is None:
            self._early.append(COMMANDS[number])
        else:
            self._loop.call_soon_threadsafe(self._begin, COMMANDS[number])
