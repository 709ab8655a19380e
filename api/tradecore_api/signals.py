"""The signals that end a command stay its own, whatever a strategy or a library wishes.

A handler that is set anew takes the place of the one before, and of the deadline behind it: the process
would not end any more when it is told to. So from `keep` on `signal.signal` refuses these signals. Handlers
of other signals are called, but apart from the callback that they interrupt: what they ask an engine for is
refused.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TypeAlias

from tradecore import _core

Handler: TypeAlias = "Callable[[int, FrameType | None], object] | int | signal.Handlers | None"

# What Python itself calls, wherever `signal.signal` leads.
install = signal.signal
_kept: dict[int, Handler] = {}
_keeper: list[int] = []


def keep(numbers: Iterable[int]) -> None:
    """Let no one else handle these signals in this process; their handlers are installed by now."""
    _kept.update({int(number): signal.getsignal(number) for number in numbers})
    _keeper[:] = [os.getpid()]
    vars(signal)["signal"] = _guarded


def reinstall() -> list[str]:
    """Install handlers again that were replaced past `signal.signal`; return the names of their signals."""
    replaced = [number for number, handler in _kept.items() if signal.getsignal(number) != handler]
    for number in replaced:
        install(number, _kept[number])
    return [name_of(number) for number in replaced]


def name_of(number: int) -> str:
    """Return the name of a signal; most of those of real time have none but their distance from the first."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - int(signal.SIGRTMIN)}" if sys.platform == "linux" else str(number)


def let_go() -> None:
    """Let everybody set handlers as before."""
    _kept.clear()
    vars(signal)["signal"] = install


class _Apart:
    """A handler whose requests are not those of the callback that it interrupts."""

    def __init__(self, handler: Callable[[int, FrameType | None], object]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> object:
        """Call the handler as nobody's callback: what it asks for is no request of a strategy."""
        return _core.call_apart(self.handler, number, frame)


def _guarded(signalnum: int, handler: Handler) -> Handler:
    """Do what `signal.signal` does, but for the signals that end this command."""
    if os.getpid() not in _keeper:
        # A child that was forked has an end of its own.
        return install(signalnum, handler)
    if signalnum in _kept:
        kept = _kept[signalnum]
        if handler == kept:
            return kept
        name = name_of(signalnum)
        raise ValueError(
            f"the handler of {name} cannot be replaced here: {name} ends this command in time, whatever its "
            "strategies do; leave this signal alone"
        )
    before = install(signalnum, _Apart(handler) if callable(handler) else handler)
    return before.handler if isinstance(before, _Apart) else before
