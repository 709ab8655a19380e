"""How the live demo goes: when it kills its engine, how long it trades, and how it ends."""

import pytest

from tradecore_api.live_demo import show
from tradecore_api.live_demo.show import LiveDemo

TICK = 0.25
AGREED = {
    "orders": 1,
    "open_orders": 0,
    "cash": "1",
    "positions": {},
    "venue": {"step": "agreed", "unknown": 0, "open_orders": 0},
}
ASKING = AGREED | {"venue": AGREED["venue"] | {"step": "asking"}}


class Silent:
    """A view that remembers what it is shown."""

    def __init__(self):
        self.said, self.shown = [], []

    def say(self, words):
        """Remember what has happened."""
        self.said.append(words)

    def show(self, said, *, left, kills):
        """Remember how long it still goes on, and the kills."""
        self.shown.append((left, kills))


class ScriptedPair:
    """A venue and an engine that are none, on a clock of their own; each look takes a tick.

    An engine starts at each entry of `starts`, and agrees with the venue so many seconds later.
    """

    def __init__(self, *, agrees_after=0.0, settles=True):
        self.now = 100.0
        self.deeds = []
        self.starts, self.kills = [], []
        self.on_look = None
        self.seconds_max = None
        self._agrees_after = agrees_after
        self._settles = settles

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.deeds.append("closed")

    def start_venue(self):
        """Note it."""
        self.deeds.append("venue")

    def arm(self, person):
        """Say what was armed."""
        return f"by {person}"

    def start_engine(self):
        """Note when."""
        self.starts.append(self.now)
        self.deeds.append("engine")

    def kill_engine(self):
        """Note when; return the number of its process."""
        self.kills.append(self.now)
        return 4711

    def look(self):
        """Let a tick pass; it answers once it runs."""
        self.now += TICK
        since = self.now - self.starts[-1]
        said = None if since < TICK * 2 else AGREED if since >= self._agrees_after else ASKING
        self.on_look(said)
        return said

    def settled(self, seconds_max):
        """Return the last answer, or nothing when it does not settle."""
        self.deeds.append("settled")
        self.seconds_max = seconds_max
        return AGREED if self._settles else None

    def end_engine(self):
        """Sum up."""
        self.deeds.append("engine ended")
        return {"journal_verified": True}

    def end_venue(self):
        """Tell the faults."""
        self.deeds.append("venue ended")
        return {"submit request_lost": 2}

    def truth(self):
        """Tell what it did, while it is there."""
        assert "venue ended" not in self.deeds
        return "the truth"

    def compared(self, truth, said):
        """Compare nothing."""
        assert (truth, said) == ("the truth", AGREED)


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """Return what makes a demo of a scripted pair."""

    def of(pair, *, seconds=60.0, seed=3, has_chaos=True):
        def made(folder, arguments, on_look):
            pair.on_look = on_look
            return pair

        monkeypatch.setattr(show, "Pair", made)
        monkeypatch.setattr(show.time, "monotonic", lambda: pair.now)
        view = Silent()
        return LiveDemo(tmp_path, "j", seed=seed, seconds=seconds, has_chaos=has_chaos, view=view), view

    return of


def test_each_engine_trades_for_a_random_while_before_it_is_killed(demo):
    """From 1.5 to 4 seconds after it agreed with the venue, and never in the last second."""
    pair = ScriptedPair(agrees_after=1.0)
    made, view = demo(pair)
    outcome = made.run()

    traded = [killed - start - 1.0 for start, killed in zip(pair.starts, pair.kills, strict=False)]
    assert len(traded) == outcome.kills == len(pair.starts) - 1 >= 8
    assert all(1.5 <= seconds <= 4.0 + 2 * TICK for seconds in traded)
    assert min(traded) < 2.5
    assert max(traded) > 3.5
    assert max(pair.kills) < 100.0 + 60.0 - 1 + TICK
    assert view.said[0] == "armed by demo"
    assert view.said[1] == "engine 4711 was killed; the next one reads its journal and asks the venue"
    assert [kills for _, kills in view.shown][-1] == outcome.kills


def test_a_seed_kills_at_the_same_times(demo):
    """Another one at others."""
    times = []
    for seed in (3, 3, 4):
        pair = ScriptedPair()
        demo(pair, seed=seed)[0].run()
        times.append(pair.kills)

    assert times[0] == times[1] != times[2]


def test_an_engine_that_never_agrees_is_not_killed(demo):
    """Its start would never be over."""
    pair = ScriptedPair(agrees_after=1_000.0)
    assert demo(pair)[0].run().kills == 0
    assert pair.kills == []


def test_without_chaos_nobody_is_killed(demo):
    """It trades until its time is over, then both are ended in their order and compared."""
    pair = ScriptedPair()
    made, view = demo(pair, seconds=5.0, has_chaos=False)
    outcome = made.run()

    assert pair.deeds == ["venue", "engine", "settled", "engine ended", "venue ended", "closed"]
    assert (outcome.kills, outcome.seconds, outcome.is_interrupted) == (0, 5.0, False)
    assert outcome.faults == {"submit request_lost": 2}
    assert outcome.engine == {"journal_verified": True}
    assert [left for left, _ in view.shown][:2] == [4.75, 4.5]
    assert view.shown[-1] == (0.0, 0)
    assert pair.seconds_max() == show.SETTLE_SECONDS_MAX


def test_when_its_time_is_over_none_is_left(demo):
    """While both are ended it goes on looking; what is left never falls below none."""
    pair = ScriptedPair()
    made, view = demo(pair, seconds=1.0, has_chaos=False)
    made.run()
    pair.now += 30.0
    pair.on_look(AGREED)
    assert view.shown[-1] == (0.0, 0)


def test_an_interrupt_ends_it_early_and_hurries_the_rest(demo):
    """Nobody who has pressed Ctrl-C waits for long, and less than the process may take."""
    pair = ScriptedPair(settles=False)
    made, _ = demo(pair)
    made.interrupt()
    outcome = made.run()

    assert (outcome.is_interrupted, outcome.comparison) == (True, None)
    assert pair.now == 100.0
    assert pair.seconds_max() == show.HURRY_SECONDS_MAX < show.SETTLE_SECONDS_MAX
