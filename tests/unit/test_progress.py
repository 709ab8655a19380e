"""How long work is shown: a line that is drawn for who watches, and few lines in a log."""

from contextlib import contextmanager

import pytest

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
