"""An engine that dies or hangs leaves no order behind, as processes; and nothing else is touched."""

import json
import signal
import time

import pytest

from support.nightly import size
from support.watched_engine import WatchedEngine, until

SECONDS_MAX = 5.0
# A bid and an ask.
OWN = 2
STOPS, KILLS = size(16, 50), size(4, 50)


@pytest.fixture
def watched(tmp_path):
    """Return what starts a venue, an engine and a watchdog; all of them end with the test."""
    made = []

    def start(**options):
        made.append(WatchedEngine(tmp_path, **options))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(300, 1_500))
@pytest.mark.without(
    "process", works="the watchdog ends the orders of a live engine that died or hangs within five seconds"
)
def test_twenty_times_its_orders_are_ended_within_five_seconds(watched):
    """SIGSTOP and kill -9; each time it goes on, or starts again, and quotes anew."""
    here = watched().start()
    stops = [here.stop_and_go_on() for _ in range(STOPS)]
    kills = [here.kill_and_restart() for _ in range(KILLS)]

    assert max(stops + kills) < SECONDS_MAX, (stops, kills)
    assert here.watchdog.poll() is None


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_is_not_the_engines_and_what_a_clean_end_left_stays(watched):
    """An order by hand outlives the engine's death; after `stop` the engine's own stay too; no second one."""
    here = watched().start()
    until(lambda: len(here.open_orders()) == OWN)
    here.by_hand()
    here.engine.kill()
    (left,) = until(lambda: (found := here.open_orders()) and len(found) == 1 and found)
    assert left["client_order_id"] is None or not left["client_order_id"].startswith("t0")
    here.engine.wait(10)
    here.start_engine(is_quoting=False)
    until(lambda: len(here.open_orders()) == 1 + OWN)
    said = here.shell.run("status", "main")[0]
    assert f"watchdog         pid {here.watchdog.pid} watches" in said
    here.shell.run("watchdog", "live.toml", code=75)
    here.shell.run("stop", "main")
    time.sleep(2.0)
    assert len(here.open_orders()) == 1 + OWN
    assert here.beat()["standing"] == "ended"
    assert json.loads(here.shell.run("status", "main", "--json", code=3)[0])["watchdog"].startswith("pid ")
    here.watchdog.send_signal(signal.SIGTERM)
    assert here.watchdog.wait(10) == 0
    assert "NONE: it was ended" in here.shell.run("status", "main", code=3)[0]
    # Whoever asks once after that gets the same answer, and touches nothing.
    assert "ended cleanly" in here.shell.run("watchdog", "live.toml", "--once")[0]
    assert len(here.open_orders()) == 1 + OWN


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_venue_that_is_down_is_tried_until_it_is_back(watched):
    """The engine dies while the venue does not answer; its orders are ended once it does."""
    more = 'command = ["/bin/sh", "-c", "cat >>alarms.jsonl"]'
    here = watched(more=more).start()
    here.venue.send_signal(signal.SIGSTOP)
    here.engine.kill()
    told = here.shell.folder / "alarms.jsonl"
    until(lambda: told.exists() and "venue_trouble" in told.read_text())
    here.venue.send_signal(signal.SIGCONT)
    until(lambda: not here.open_orders())
    until(lambda: "orders_ended" in told.read_text())
    kinds = [json.loads(line)["kind"] for line in told.read_text().splitlines()]
    assert kinds[0] == "engine_gone"
    assert kinds.count("venue_trouble") == 1


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_once_finds_a_dead_engine_and_ends_all_of_the_account_if_told_so(watched):
    """Without a watchdog that stays: exit code 4, nothing open; 69 where the venue does not answer."""
    here = watched(more='cancels = "account"')
    here.start_venue()
    assert "no engine has run" in here.shell.run("watchdog", "live.toml", "--once")[0]
    here.start_engine()
    assert "the engine runs" in here.shell.run("watchdog", "live.toml", "--once")[0]
    assert here.open_orders()
    here.by_hand()
    here.engine.kill()
    here.engine.wait(10)
    here.venue.send_signal(signal.SIGSTOP)
    here.shell.run("watchdog", "live.toml", "--once", "--timeout", "1", code=69)
    here.venue.send_signal(signal.SIGCONT)
    said = json.loads(here.shell.run("watchdog", "live.toml", "--once", "--json", code=4)[0])
    assert (said["engine"], said["is_done"]) == ("dead", True)
    assert here.open_orders() == []


@pytest.mark.slow
def test_a_watchdog_without_a_venue_outside_or_without_its_key_is_refused(watched):
    """It must not seem to watch where it could do nothing."""
    here = watched()
    here.shell.write("paper.toml", 'mode = "paper"\n[feed]\nkind = "simulated"\n')
    here.start_venue()
    keys = json.loads((here.shell.folder / "venue-keys.json").read_text())
    del keys["accounts"]["demo"]["cancel"]
    (here.shell.folder / "venue-keys.json").write_text(json.dumps(keys))
    says = here.shell.refused("watchdog", "live.toml", code=78, says=["venue_watchdog"])
    assert "venue_trading" in says
    here.shell.refused("watchdog", "paper.toml", code=78, says=['needs mode = "live"'])


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.without(
    "watchdog", works="where the venue has a dead man's timer, it ends the orders of an engine that died"
)
def test_without_a_watchdog_the_timer_of_the_venue_ends_the_orders_of_a_dead_engine(watched):
    """A clean end takes it back, so that what was left rests; a death does not."""
    here = watched(venue="dead_man_ms_max = 60_000\n", live="dead_man_ms = 1_500\n")
    here.start_venue()
    here.start_engine()
    until(lambda: len(here.open_orders()) == OWN)
    time.sleep(2.0)
    assert len(here.open_orders()) == OWN
    assert "its dead man's timer is armed, 1.5 s" in here.shell.run("status", "main")[0]
    here.shell.run("stop", "main")
    time.sleep(2.0)
    assert len(here.open_orders()) == OWN
    here.start_engine()
    until(lambda: "armed, 1.5 s" in here.shell.start("status", "main").communicate(timeout=20)[0])
    assert here.seconds_until_ended(signal.SIGKILL) < SECONDS_MAX


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_engine_ends_in_time_though_its_venue_answers_nothing(watched):
    """SIGTERM, and a venue that says nothing to any request: five seconds, and the journal is whole."""
    here = watched(live="dead_man_ms = 30_000\n", venue="dead_man_ms_max = 60_000\n")
    here.start_venue()
    here.start_engine()
    here.venue.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    begun = time.monotonic()
    here.engine.send_signal(signal.SIGTERM)
    # The deadline of the process is 4.5 seconds after the signal; the rest is this machine's.
    assert here.engine.wait(20) == 0
    assert time.monotonic() - begun < SECONDS_MAX
    assert "intact" in here.shell.run("journal", "verify", "live.journal")[0]
