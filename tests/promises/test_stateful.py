"""The searches find nothing in the engine, and something in one that is not as it should be."""

import re
import time

import msgspec
import pytest

from promises.part import Asked
from promises.stateful.again import main as main_again
from promises.stateful.books import PlainBooks
from promises.stateful.crowd import Crowd
from promises.stateful.desk import Desk
from promises.stateful.families import Families
from promises.stateful.life import Life
from promises.stateful.lives import Search
from promises.stateful.races import Races
from promises.stateful.scenarios import REPORTS, Story, stories
from promises.stateful.work import work


def searched(desk, steps=6_000):
    """Return a search through lives of orders at a desk."""
    search = Search(desk, steps, time.monotonic() + 60)
    search.run()
    return search


def raced(desk, each=200, told=None):
    """Return the races of stories at a desk, one of so many orders each."""
    races = Races(desk, each, time.monotonic() + 60)
    races.run(told)
    return races


def test_a_small_search_finds_nothing_and_says_how_much_it_was():
    """Every row was really tried."""
    asked = Asked(size=20_000, seed=1, jobs=1, seconds_max=60)
    gathered = work(asked)
    assert gathered.failures == ()
    assert all(row.tried for row in gathered.rows)
    assert "of 8 events" in gathered.bounded_by


def test_time_that_is_up_is_said():
    """What was not tried is not claimed."""
    gathered = work(Asked(size=1_000_000, seed=1, jobs=1, seconds_max=0.5))
    assert gathered.bounded_by


class Twice(Desk):
    """An engine that books a trade once more when it is told again."""

    def tells(self, order_id, report, **terms):
        """Give each telling of a trade a name of its own."""
        if report == "fill" and not terms.get("revision"):
            terms["trade_id"] = f"{terms['trade_id']}-{self.now_ns}"
        super().tells(order_id, report, **terms)


class Double(Desk):
    """An engine that books each trade twice."""

    def tells(self, order_id, report, **terms):
        """Tell it under two names."""
        super().tells(order_id, report, **terms)
        row = self.row_of(order_id)
        if report == "fill" and row and row["open_lots"] >= terms["lots"]:
            super().tells(order_id, report, **terms | {"trade_id": terms["trade_id"] + "-again"})


class Forgetful(Desk):
    """An engine that hears no cancel of an order that is in doubt."""

    def tells(self, order_id, report, **terms):
        """Leave it out."""
        row = self.row_of(order_id)
        if not (report == "canceled" and row and row["state"] == "unknown"):
            super().tells(order_id, report, **terms)


class Dear(Desk):
    """An engine that takes one unit too much for a trade of three lots."""

    def tells(self, order_id, report, **terms):
        """Add it."""
        if report == "fill" and terms["lots"] == 3:
            terms["fee_atto"] = terms.get("fee_atto", 0) + 1
        super().tells(order_id, report, **terms)


class Deaf(Desk):
    """An engine that hears nothing of an order that it thinks is over."""

    def tells(self, order_id, report, **terms):
        """Leave it out."""
        if self.row_of(order_id):
            super().tells(order_id, report, **terms)


def test_a_fault_in_the_life_of_an_order_is_found():
    """Another engine than ours is told from the model."""
    assert searched(Desk()).broken == []
    for planted in (Dear, Forgetful, Deaf):
        assert searched(planted()).broken, planted.__doc__


def test_a_fault_in_what_reports_come_to_is_found():
    """One that depends on their order too."""
    assert raced(Desk()).broken == []
    for planted in (Twice, Dear, Deaf):
        assert raced(planted()).broken, planted.__doc__


def test_a_model_that_resurrects_an_order_is_found(monkeypatch):
    """So the comparison sees states, and not money alone."""
    monkeypatch.setattr(Life, "_cancel_rejected", lambda life, _lots: setattr(life, "waits", ""))
    assert searched(Desk()).broken


def test_a_story_that_ends_otherwise_than_it_says_is_found():
    """The end is compared, not only the way there."""
    story = Story(name="half").accepts().fills(4)
    story.filled = 5
    assert "at its venue (5, 5, 95)" in raced(Desk(), 1, [story]).broken[0]


class Wide(Desk):
    """An engine whose limit of a position is one lot wider than it was told."""

    def __init__(self, strategies, instruments, risk):
        wider = msgspec.structs.replace(risk, position_max=str(int(risk.position_max) + 1))
        super().__init__(strategies, instruments, wider)


class Blind(Desk):
    """An engine that does not count what is in doubt."""

    def loses(self, order_id, instrument=0):
        """Take the order for one that never arrived."""
        super().loses(order_id, instrument)
        self.tells(order_id, "rejected", instrument=instrument, reason="never_arrived")


def crowded(make, steps=6_000):
    """Return a crowd at engines that are made so."""
    crowd = Crowd(5, steps, time.monotonic() + 60)
    crowd.run(make)
    return crowd


def test_a_crowd_finds_a_limit_that_is_one_lot_too_wide():
    """And nothing where it is not."""
    found = crowded(Desk)
    assert (found.broken, found.races_broken) == ([], [])
    assert found.asked > 1_000
    assert found.asked > found.refused > 300
    assert any("position_max" in words for words in crowded(Wide).races_broken)


@pytest.mark.parametrize("planted", [Twice, Dear, Deaf, Blind])
def test_a_crowd_finds_faults_of_the_books(planted):
    """Those of trades, fees, late reports and orders in doubt."""
    found = crowded(planted)
    assert found.broken or found.races_broken, planted.__doc__


def test_a_crowd_knows_the_exposure(monkeypatch):
    """Books that leave amendments on their way out of the sum are not those of the engine."""
    monkeypatch.setattr(Life, "stake", Life.open)
    assert crowded(Desk).broken
    monkeypatch.setattr(PlainBooks, "working", lambda *_, **__: 0)
    assert crowded(Desk).broken


def test_exits_that_are_more_than_their_entry_are_found():
    """One whose entry was booked twice closes twice as much."""
    for make, is_right in ((Desk, True), (Double, False)):
        families = Families(3, 2_000, time.monotonic() + 60)
        families.run(make)
        assert (families.broken == []) is is_right
        assert families.exits > 20


def test_the_same_seed_is_the_same_walk():
    """What it found once it finds again."""
    first, again = (crowded(Twice, 3_000) for _ in range(2))
    assert (first.broken, first.steps) == (again.broken, again.steps)


def test_what_a_failure_names_is_shown_event_by_event(capsys):
    """Whoever looks for a fault reads how it came to it."""
    found = crowded(Wide, 20_000)
    words = next(iter(found.all_broken))
    engine = int(re.search(r"engine (\d+)", words)[1])
    again = Crowd(0, 20_000, time.monotonic() + 60)
    events = []
    again.on_event = events.append
    again.live(engine, Wide)
    assert again.all_broken == [words]
    assert f"event {len(events) - 1}, " in words
    assert main_again(["families", "3000001"]) == 0
    assert capsys.readouterr().out.count("\n") > 500


def test_every_story_has_seven_reports():
    """There are twenty-one, no two of one name."""
    names = [story.name for story in stories()]
    assert (len(names), len(set(names))) == (21, 21)
    assert {len(story.told) for story in stories()} == {REPORTS}


@pytest.mark.parametrize("text", ["fill", "accepted"])
def test_a_life_that_has_ended_goes_nowhere(text):
    """The model keeps what it is to hold the engine against."""
    life = Life(lots=3)
    life.take("canceled")
    life.take(text, 1, 95)
    assert (life.state, life.halts, life.filled) == ("canceled", False, int(text == "fill"))
