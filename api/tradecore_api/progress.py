"""Progress of long work, on stderr: a line that is drawn for a person, one every few seconds for a log."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Show(Protocol):
    """Shows how many are done, and what is to be said beside it."""

    def __call__(self, count: int, beside: str = "", /) -> None:
        """Show how many are done; called often, so it must be quick."""


SHOWN_EVERY = 4096
# How long a log is left without a line.
SECONDS_BETWEEN_LINES = 5.0


def is_watched() -> bool:
    """Tell whether stderr is a terminal that wants to be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def counted(items: Iterable[Item], label: str) -> Iterator[Item]:
    """Pass items on and count them on a progress line."""
    if not is_watched():
        yield from items
        return
    with working(label, "records") as show:
        for index, item in enumerate(items, start=1):
            yield item
            if index % SHOWN_EVERY == 0:
                show(index)


@contextmanager
def working(label: str, what: str = "events") -> Iterator[Show]:
    """Show how work goes on; yields what sets its count, and what to say beside it."""
    if not is_watched():
        yield _lines(label, what)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description} {task.completed:,.0f} {task.fields[what]}{task.fields[beside]}")
    columns = (SpinnerColumn(), text, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None, what=what, beside="")

        def show(count: int, beside: str = "", /) -> None:
            progress.update(task, completed=count, beside=_behind(beside))

        yield show


def _lines(label: str, what: str) -> Show:
    """Return what writes a line now and then; short work has none."""
    written = time.monotonic()

    def show(count: int, beside: str = "", /) -> None:
        nonlocal written
        if time.monotonic() - written >= SECONDS_BETWEEN_LINES:
            written = time.monotonic()
            print(f"{label}: {count:,} {what}{_behind(beside)}", file=sys.stderr, flush=True)

    return show


def _behind(beside: str) -> str:
    return f", {beside}" if beside else ""
