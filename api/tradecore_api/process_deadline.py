"""The deadline of the process: after a signal it ends in time, whatever holds it.

Python hears of a signal only between two of its own steps, and ends only when every thread and every `atexit`
lets it. Neither holds the thread of `tradecore._core` that ends the process: it waits for the same signals,
needs no interpreter lock, and writes nothing.

It is for the `tradecore` command alone. A program that runs an engine inside of itself keeps its own end.
"""

import signal
from collections.abc import Iterable
from contextlib import suppress

from tradecore import _core
from tradecore_api.exit_codes import ExitCode
from tradecore_api.signals import keep

# How long a command other than `run` may take for its end after Ctrl-C.
SECONDS = 4.5
# The longest deadline that there is: a day.
SECONDS_MAX = 86_400.0
# What is left to those who end it with words, before this does without.
MARGIN_SECONDS = 0.5
SIGNALS_OF_COMMANDS = (signal.SIGINT,)

_owned: set[str] = set()


def own() -> None:
    """Say that this process is a command: it may be ended."""
    _owned.add("process")


def wait_for(signals: Iterable[int], seconds: float, code: ExitCode) -> None:
    """Let the process live no longer than so many seconds from the first of the signals on.

    To be called after Python's own handlers are installed, which nobody may replace from then on. It then
    ends with `code`, or what `end_with` says.
    """
    if _owned:
        numbers = [int(number) for number in signals]
        _core.end_with(int(code))
        _core.end_on_signals(numbers, seconds)
        keep(numbers)


def begin(seconds: float) -> None:
    """Let the process live no longer than so many seconds from now on; the earliest deadline holds."""
    # Where no thread can be started any more the process is ended by whoever asked for its end.
    with suppress(RuntimeError):
        if _owned:
            _core.end_within(seconds)


def end_with(code: ExitCode) -> None:
    """Set the exit code of an end at the deadline."""
    if _owned:
        _core.end_with(int(code))
