"""How long work is shown: a line that is drawn for who watches, and few lines in a log."""

import io
import time
from contextlib import contextmanager
from functools import partial

import pytest
from rich.console import Console

from tradecore_api import progress


@pytest.mark.parametrize(("count", "shown"), [(0, []), (4095, []), (4096, [4096]), (10_000, [4096, 8192])])
def test_items_are_passed_on_and_shown_now_and_then(monkeypatch, count, shown):
    """Drawing takes longer than most items do, so it is done for one in 4,096."""
    seen = []

    @contextmanager
    def working(label, what):
        assert (label, what) == ("reading", "records")
        yield seen.append

    monkeypatch.setattr(progress, "is_watched", lambda: True)
    monkeypatch.setattr(progress, "working", working)

    assert list(progress.counted(range(count), "reading")) == list(range(count))
    assert seen == shown


def test_who_does_not_watch_gets_the_items_alone(monkeypatch):
    """No line is drawn into a file."""
    monkeypatch.setattr(progress, "is_watched", lambda: False)
    monkeypatch.setattr(progress, "working", None)

    assert list(progress.counted("abc", "reading")) == ["a", "b", "c"]


def test_a_log_gets_a_line_every_five_seconds(monkeypatch, capsys):
    """The first after five seconds, each with the count, the unit and what is said beside it."""
    now = 100.0
    monkeypatch.setattr(progress, "is_watched", lambda: False)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress.working("replay", "events") as show:
        for passed, count in ((4.9, 1_000), (5.0, 2_000), (9.9, 3_000), (10.0, 4_000)):
            now = 100.0 + passed
            show(count, *(("day 2",) if count == 4_000 else ()))

    assert capsys.readouterr().err == "replay: 2,000 events\nreplay: 4,000 events, day 2\n"


def test_a_log_says_the_share_that_is_done_and_the_time_that_is_left(monkeypatch, capsys):
    """Where it is known how many there are; before the first is done nobody knows how long it takes."""
    now = 100.0
    monkeypatch.setattr(progress, "is_watched", lambda: False)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress.working("simulating", "seeds", 2_000) as show:
        for passed, count in ((6.0, 0), (30.0, 500)):
            now = 100.0 + passed
            show(count, "none failed")

    first, second = capsys.readouterr().err.splitlines()
    assert first == "simulating: 0 of 2,000 seeds, none failed"
    assert second == "simulating: 500 of 2,000 seeds, none failed, 25% done, about 1:30 left"


def test_a_terminal_gets_a_bar_with_share_and_time_left(monkeypatch):
    """The words of the bar are those of the log: how many of how many, the share, what is left."""
    stderr = io.StringIO()
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    monkeypatch.setattr(progress.sys, "stderr", stderr)
    monkeypatch.setattr("rich.console.Console", partial(Console, force_terminal=True, width=120, file=stderr))
    with progress.working("simulating", "seeds", 4) as show:
        show(3, "none failed")
        time.sleep(0.3)

    assert "simulating" in stderr.getvalue()
    assert "75%" in stderr.getvalue()
    assert "3 of 4 seeds, none failed" in stderr.getvalue()
