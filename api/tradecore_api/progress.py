"""Progress of long work, on stderr and only when a person watches."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

SHOWN_EVERY = 4096


def is_watched() -> bool:
    """Tell whether stderr is a terminal that wants to be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def counted(items: Iterable[Item], label: str) -> Iterator[Item]:
    """Pass items on and count them on a progress line."""
    if not is_watched():
        yield from items
        return
    with working(label) as show:
        for index, item in enumerate(items, start=1):
            yield item
            if index % SHOWN_EVERY == 0:
                show(index)


@contextmanager
def working(label: str) -> Iterator[Callable[[int], None]]:
    """Show a progress line; yields what sets its count."""
    if not is_watched():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda count: progress.update(task, completed=count)
