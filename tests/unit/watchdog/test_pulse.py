"""An engine is taken for gone when it is, and never because a clock was set or the watchdog was held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore_api.heartbeat import Heartbeat
from tradecore_api.watchdog.pulse import HELD_NS, Pulse, Sight, Standing

MS = 1_000_000
SILENT_NS, START_NS = 3_000 * MS, 60_000 * MS


def beat(time_ms=0, *, phase="running", pid=7):
    """Return a heartbeat."""
    return Heartbeat(
        pid=pid,
        time_ns=time_ms * MS,
        phase=phase,
        account="main",
        mode="live",
        journal="j",
        process_start=f"boot/{pid}",
    )


def sight(last, *, is_held=True, is_writer_alive=True, has_answered=False):
    """Return what is seen of an engine that lives, but for what a test says."""
    return Sight(
        beat=last, is_held=is_held, is_writer_alive=is_writer_alive and is_held, has_answered=has_answered
    )


class Watch:
    """Somebody who looks five times a second."""

    def __init__(self):
        self.pulse = Pulse(SILENT_NS, START_NS)
        self.now_ms = 0

    def see(self, seen, ms=200):
        """Look once, so long after the look before."""
        self.now_ms += ms
        return self.pulse.feel(seen, self.now_ms * MS)

    def see_for(self, ms, seen):
        """See the same for so long; return all that it was taken for."""
        return [self.see(seen) for _ in range(ms // 200)]


GONE = {"is_held": False}


@pytest.mark.parametrize(
    ("last", "held", "standing"),
    [
        (None, False, Standing.NONE),
        (None, True, Standing.STARTING),
        (beat(phase="ended"), False, Standing.ENDED),
        (beat(phase="ended"), True, Standing.ENDED),
        (beat(phase="starting"), True, Standing.STARTING),
        (beat(phase="starting"), False, Standing.DEAD),
        (beat(phase="stopping"), False, Standing.DEAD),
        (beat(), True, Standing.RUNNING),
        (beat(), False, Standing.DEAD),
    ],
)
def test_what_is_seen_first_is_known_at_once(last, held, standing):
    """A process that is gone without a word of its end is dead; silence needs time."""
    assert Watch().see(sight(last, is_held=held)) is standing


def test_an_engine_that_is_silent_for_too_long_hangs_and_a_sign_brings_it_back():
    """Neither a heartbeat nor an answer for three seconds; either of them ends that."""
    watch = Watch()
    assert watch.see(sight(beat(1))) is Standing.RUNNING
    assert set(watch.see_for(3_000, sight(beat(1)))) == {Standing.RUNNING}
    assert watch.see(sight(beat(1))) is Standing.HUNG
    assert watch.see(sight(beat(2))) is Standing.RUNNING
    assert watch.see_for(4_000, sight(beat(2)))[-1] is Standing.HUNG
    assert watch.see(sight(beat(2), has_answered=True)) is Standing.RUNNING


def test_an_engine_whose_disk_hangs_lives_by_its_answers():
    """No heartbeat for a minute, and an answer every second."""
    watch = Watch()
    watch.see(sight(beat(1)))
    for _ in range(60):
        assert watch.see_for(800, sight(beat(1)))[-1] is Standing.RUNNING
        assert watch.see(sight(beat(1), has_answered=True)) is Standing.RUNNING


def test_a_heartbeat_from_another_time_is_a_sign_all_the_same():
    """The clock of the machine is set back by an hour: what is new counts, not how old it says it is."""
    watch = Watch()
    for step in range(50):
        assert watch.see(sight(beat(10_000_000 - step))) is Standing.RUNNING


def test_a_watchdog_that_was_held_itself_saw_no_silence():
    """It was stopped for ten minutes, or the machine slept: the engine gets its whole time again."""
    watch = Watch()
    watch.see(sight(beat(1)))
    assert watch.see(sight(beat(1)), ms=600_000) is Standing.RUNNING
    assert set(watch.see_for(2_400, sight(beat(1)))) == {Standing.RUNNING}
    assert watch.see_for(1_000, sight(beat(1)))[-1] is Standing.HUNG


def test_a_start_may_take_long_but_not_for_ever():
    """An engine that reads a long journal has no socket; one that never comes to its end hangs."""
    watch = Watch()
    starting = sight(beat(5, phase="starting"))
    assert set(watch.see_for(60_000, starting)) == {Standing.STARTING}
    assert watch.see_for(600, starting)[-1] is Standing.HUNG
    assert watch.see(sight(beat(6))) is Standing.RUNNING


def test_the_next_engine_that_takes_over_after_a_death_is_a_start():
    """It holds the account before it writes anything; then it runs."""
    watch = Watch()
    watch.see(sight(beat(1)))
    assert watch.see(sight(beat(1), **GONE)) is Standing.DEAD
    assert watch.see(sight(beat(1), is_writer_alive=False)) is Standing.STARTING
    assert watch.see(sight(beat(9, phase="starting", pid=8))) is Standing.STARTING
    assert watch.see(sight(beat(10, pid=8))) is Standing.RUNNING


def test_an_engine_in_another_container_is_known_by_its_heartbeats():
    """Its number says nothing here: the lock is held and its heartbeats change."""
    watch = Watch()
    watch.see(sight(beat(1), is_writer_alive=False))
    for step in range(2, 900):
        assert watch.see(sight(beat(step), is_writer_alive=False)) is Standing.RUNNING
    assert watch.see_for(3_600, sight(beat(900), is_writer_alive=False))[-1] is Standing.HUNG


def test_an_engine_whose_files_are_gone_is_found_by_what_was_seen_before():
    """A state directory that was moved away: it lives as long as it answers, and its death is a death."""
    watch = Watch()
    watch.see(sight(beat(1)))
    assert watch.see(sight(None)) is Standing.RUNNING
    assert watch.see_for(4_000, sight(None))[-1] is Standing.HUNG
    assert watch.see(sight(None, has_answered=True)) is Standing.RUNNING
    assert watch.see(sight(None, **GONE)) is Standing.DEAD


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=60))
def test_no_engine_that_gave_a_sign_in_time_is_taken_for_one_that_hangs(steps):
    """Whatever the pauses: silence is counted from the last sign, and only while somebody looked."""
    watch, seen, silent_ns = Watch(), 0, 0
    watch.see(sight(beat(0)))
    for tenths, is_new in steps:
        seen += is_new
        span_ns = tenths * 100 * MS
        standing = watch.see(sight(beat(seen)), ms=tenths * 100)
        silent_ns = 0 if is_new else silent_ns + (span_ns if span_ns < HELD_NS else 0)
        assert standing is (Standing.HUNG if silent_ns > SILENT_NS else Standing.RUNNING)


def test_a_heartbeat_after_another_shows_that_an_engine_lives_as_an_answer_does():
    """Who looks once needs a sign: without this one it waits for ever for an engine that answers too late."""
    watch = Watch()
    for seen, has_sign in (
        (sight(beat(0)), False),  # it may be of an engine that hangs since
        (sight(beat(0)), False),
        (sight(None), False),
        (sight(beat(0)), False),
        (sight(beat(500)), True),
        (sight(beat(500)), False),
        (sight(beat(500), has_answered=True), True),
    ):
        assert watch.see(seen) is Standing.RUNNING
        assert watch.pulse.has_sign is has_sign


def test_a_watchdog_that_was_held_takes_its_own_silence_for_no_sign_of_the_engine():
    """An engine that hangs is not called running because the machine slept between two looks."""
    watch = Watch()
    watch.see_for(600, sight(beat(0)))
    watch.see(sight(beat(0)), ms=2 * HELD_NS // MS)
    assert not watch.pulse.has_sign
