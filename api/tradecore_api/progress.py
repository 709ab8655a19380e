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
def working(label: str, what: str = "events", total: int | None = None) -> Iterator[Show]:
    """Show how work goes on; yields what sets its count, and what to say beside it.

    Where `total` says how many there are, it shows the share that is done and the time that is left.
    """
    if not is_watched():
        yield _lines(label, what, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    words = "{task.completed:,.0f}" + ("" if total is None else f" of {total:,}")
    text = TextColumn(words + " {task.fields[what]}{task.fields[beside]}")
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
    if total is None:
        columns += [text, TimeElapsedColumn()]
    else:
        left = TimeRemainingColumn(elapsed_when_finished=True)
        columns += [BarColumn(), TaskProgressColumn(), text, left, TextColumn("left")]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, what=what, beside="")

        def show(count: int, beside: str = "", /) -> None:
            progress.update(task, completed=count, beside=_behind(beside))

        yield show


def _lines(label: str, what: str, total: int | None) -> Show:
    """Return what writes a line now and then; short work has none."""
    begun = written = time.monotonic()

    def show(count: int, beside: str = "", /) -> None:
        nonlocal written
        now = time.monotonic()
        if now - written >= SECONDS_BETWEEN_LINES:
            written = now
            done = f"{count:,}" if total is None else f"{count:,} of {total:,}"
            left = _left(count, total, now - begun)
            print(f"{label}: {done} {what}{_behind(beside)}{left}", file=sys.stderr, flush=True)

    return show


def _left(count: int, total: int | None, seconds: float) -> str:
    if not total or not count:
        return ""
    left = int(seconds / count * (total - count))
    return f", {count / total:.0%} done, about {left // 60}:{left % 60:02} left"


def _behind(beside: str) -> str:
    return f", {beside}" if beside else ""
