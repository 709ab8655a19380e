"""At which level each record is told, and when a line tells the time of the market."""

import logging

import pytest

from support import records
from tradecore.domain.journal import record_kinds
from tradecore.domain.narrator import Narrator, Noted
from tradecore.domain.spec import EngineSpec, InstrumentSpec
from tradecore_log import notifier
from tradecore_log.notifier import LogNotifier, Repeats
from tradecore_log.setup import _one_line, _shown

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
# What the market did, and what an order went through until somebody needs to know of it.
STEPS_BETWEEN = {
    *("bar", "quote", "trade", "book", "flow", "checked_book", "mark", "funding", "clock", "state_hash"),
    *("decision", "order", "link", "sized", "sent", "cancel_request", "replace_request"),
    *("venue_report", "venue_revision"),
}
NOW_NS = 1_700_000_000 * 10**9


class Body:
    """A record of which the kind alone counts."""

    def __init__(self, kind) -> None:
        self.kind, self.body = kind, None


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("session", INFO),
        ("session_end", INFO),
        ("command", WARNING),
        ("refused", WARNING),
        ("feed", WARNING),
        ("liquidation", ERROR),
        ("outcome_lost", ERROR),
        ("surprise", ERROR),
        ("reconciling", WARNING),
        ("reconciled", WARNING),
        ("account", WARNING),
        ("adopted", WARNING),
        ("revision", WARNING),
        ("cash_flow", INFO),
        ("margin", INFO),
        ("order", DEBUG),
        ("sent", DEBUG),
    ],
)
def test_what_needs_a_person_is_loud(kind, level):
    """The many steps between are told where somebody asks for them."""
    assert notifier._level(Body(kind)) == level


def test_each_kind_of_record_is_loud_or_one_of_the_many_steps_between():
    """Whoever adds a kind decides which: what nobody thought of would be told to nobody."""
    kinds = {kind.name for kind in record_kinds()}

    assert not notifier._LEVELS.keys() & STEPS_BETWEEN
    assert notifier._LEVELS.keys() | STEPS_BETWEEN | {"report"} == kinds


@pytest.mark.parametrize(
    ("report", "reason", "level"),
    [
        ("fill", "", INFO),
        ("expired", "", INFO),
        ("rejected", "", WARNING),
        ("canceled", "requested", DEBUG),
        ("canceled", "self_trade", INFO),
        ("accepted", "", DEBUG),
    ],
)
def test_a_report_is_told_where_it_is_news(report, reason, level):
    """What the strategy itself asked for is none."""
    record = records.record("report", 3, 9, report=report, order_id=1, venue_time_ns=1, reason=reason)

    assert notifier._level(record) == level


@pytest.mark.parametrize(
    ("time_ns", "is_told"),
    [
        (0, False),
        (NOW_NS, False),
        (NOW_NS - 10 * 10**9 + 1, False),
        (NOW_NS - 10 * 10**9, True),
        (NOW_NS + 10 * 10**9 - 1, False),
        (NOW_NS + 10 * 10**9, True),
    ],
)
def test_a_market_that_is_not_now_has_its_time_told(monkeypatch, time_ns, is_told):
    """Ten seconds from now, to either side; before its first event it has none."""
    monkeypatch.setattr(notifier.time, "time_ns", lambda: NOW_NS)
    narrator = Narrator(EngineSpec(instruments=(InstrumentSpec(symbol="A", tick_size="1"),)), ["one"])
    noted = narrator.note(records.record("command", 3, time_ns, command="pause"))
    words = LogNotifier(narrator)._words(noted)

    assert isinstance(noted, Noted)
    assert ("[market time " in words) == is_told


@pytest.mark.parametrize("uptime_seconds", [0.0, 5.0, 100.0])
def test_a_refusal_like_another_is_told_again_after_a_minute(monkeypatch, uptime_seconds):
    """With how many there were between; another one in anything is another, and the first is told at once."""
    now = [uptime_seconds]
    monkeypatch.setattr(notifier.time, "monotonic", lambda: now[0])
    repeats = Repeats()

    class Refused:
        strategy, instrument, side, rule = 0, 0, "buy", "a"

    others = [
        type("Other", (Refused,), changed)
        for changed in ({"strategy": 1}, {"instrument": 1}, {"side": "sell"}, {"rule": "b"})
    ]

    told = []
    for seconds in (0.0, 1.0, 58.9, 0.1, 0.0):
        now[0] += seconds
        told.append(repeats.told_again(Refused()))
    assert told == [0, None, None, 2, None]
    assert [repeats.told_again(other()) for other in others] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "a"),
        (1, "1"),
        ("", ""),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b', '"a\\"b"'),
        ("a\nb", '"a\\nb"'),
    ],
)
def test_a_value_that_could_be_taken_for_two_is_in_quotes(value, shown):
    """So that a line can be read back."""
    assert _shown(value) == shown


def test_words_of_several_lines_are_one():
    """One event is one line."""
    assert _one_line("a\nb\n\nc") == "a b  c"
