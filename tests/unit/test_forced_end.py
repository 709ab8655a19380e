"""The times of an end by force: its words come before it, and never before its beginning."""

import os

import pytest

from tradecore_api import forced_end
from tradecore_api.forced_end import ForcedEnd


class Over:
    """Notes how long is waited for the end of the process; it is over where that is said."""

    def __init__(self, is_over) -> None:
        self.is_over = is_over
        self.waited = []

    def wait(self, seconds):
        """Note it, and return at once."""
        self.waited.append(seconds)
        return self.is_over


@pytest.mark.parametrize(
    ("seconds", "words_after"), [(5.0, 4.5), (2.0, 1.5), (1.0, 0.75), (0.2, 0.15), (0.0, 0.0)]
)
def test_words_come_half_a_second_before_the_end_or_a_quarter_of_a_short_time(
    monkeypatch, seconds, words_after
):
    """A disk that holds them then holds no end."""
    said, codes = [], []
    monkeypatch.setattr(os, "_exit", codes.append)
    end = ForcedEnd(said.append, lambda: 69)
    end._is_over = Over(is_over=False)
    end._say_before(seconds)
    end._end(seconds)

    assert end._is_over.waited == [pytest.approx(words_after), seconds]
    assert (said, codes) == ([seconds], [69])


def test_a_process_that_is_over_says_nothing_and_ends_by_itself(monkeypatch):
    """Its own exit code is the better one."""
    said, codes = [], []
    monkeypatch.setattr(os, "_exit", codes.append)
    end = ForcedEnd(said.append, lambda: 69)
    end._is_over = Over(is_over=True)
    end._say_before(5.0)
    end._end(5.0)

    assert (said, codes) == ([], [])


def test_the_deadline_counts_from_now_and_both_threads_hold_nothing(monkeypatch):
    """What it tells is in the seconds of the clock that the engine waits by."""
    threads = []

    class Thread:
        def __init__(self, **options) -> None:
            threads.append(options)

        def start(self):
            threads[-1]["is_started"] = True

    monkeypatch.setattr(forced_end.threading, "Thread", Thread)
    monkeypatch.setattr(forced_end.time, "monotonic", lambda: 100.0)
    end = ForcedEnd(print, lambda: 69)
    assert end.at is None
    end.arm(5.0)

    assert end.at == 105.0
    assert [(each["target"], each["args"], each["daemon"], each["is_started"]) for each in threads] == [
        (end._say_before, (5.0,), True, True),
        (end._end, (5.0,), True, True),
    ]


def test_a_system_that_gives_no_thread_keeps_nobody_from_asking_for_the_end(monkeypatch):
    """The handler of a signal asks: what it raised would come out of whatever runs just then."""

    def no_thread(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(forced_end.threading.Thread, "start", no_thread)
    end = ForcedEnd(lambda _: None, lambda: 69)
    end.arm(5.0)
    assert end.at is not None
