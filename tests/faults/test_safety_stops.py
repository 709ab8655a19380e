"""What pauses by itself on a running engine, and what a loss flattens: the clock, the feed, a drawdown."""

import json
import signal
import time

import pytest

from support.desk import Desk
from support.preloaded import CAN_PRELOAD, REASON, build
from support.venue_process import ONE_MARKET, WIDE_CANARY, venue_beside
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import ENVIRONMENT_NAME

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SAFE = """
[daemon]
heartbeat_interval_ms = 200
[safety]
clock_jump_ms = 2_000
flatten_when_halted = true
"""
LIVE = (
    """
mode = "live"
[live]
person = "Ada"
keys = "venue-keys.json"
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "main"
cash = "1000000"
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
[safety]
feed_lost_ms = 1_500
"""
    + WIDE_CANARY
)


def commands(journal):
    """Return the commands in a journal, oldest first."""
    return [fields for _, _, kind, fields in JournalFolder(str(journal)).reader() if kind == "command"]


@pytest.mark.skipif(not CAN_PRELOAD, reason=REASON)
@pytest.mark.without(
    "clock", works="a jump pauses a live engine, which says why; what closes works, and `resume` ends it"
)
def test_a_clock_that_is_set_pauses_and_says_so_until_a_person_resumes(tmp_path, monkeypatch):
    """The pause outlives a kill, status says why, exits work on, and a resume ends it."""
    (tmp_path / "shift").write_text("0")
    library = build("shifted_clock", tmp_path)
    desk = Desk(tmp_path, SAFE)
    monkeypatch.setenv(ENVIRONMENT_NAME, desk.environment[ENVIRONMENT_NAME])
    desk.environment |= {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(tmp_path / "shift")}
    try:
        process = desk.start()
        (tmp_path / "shift").write_text("-3600")
        desk.wait_until(lambda: desk.status()["engine"]["is_paused"], process)
        why = "the clock of the machine has jumped by -3600."
        assert desk.status()["engine"]["paused_by"].startswith(why)
        assert why in desk.call("status", "one").stdout
        assert "PAUSED for safety, no new risk is taken until `tradecore resume`" in desk.logs()
        process.kill()
        process.wait()
        again = desk.start()
        assert desk.status()["engine"]["paused_by"].startswith(why)
        desk.call("flatten", "one", code=ExitCode.OK)
        desk.wait_until(lambda: not desk.status()["engine"]["positions"], again)
        desk.call("resume", "one", code=ExitCode.OK)
        said = desk.status()["engine"]
        assert (said["is_paused"], said["paused_by"]) == (False, "")
        desk.call("stop", "one", code=ExitCode.OK)
        journal = tmp_path / "state" / "one" / "engine.journal"
        found = [each for each in commands(journal) if each["command"] == "safety_pause"]
        assert [(each["cause"], each["bound"]) for each in found] == [("clock_jump", 2_000_000_000)]
        desk.call("journal", "replay", str(journal), code=ExitCode.OK)
    finally:
        desk.close()


def test_a_loss_that_halts_the_account_flattens_it_where_that_is_set(tmp_path):
    """A drawdown halts it, and that is latched: the position is closed, and stays so over a restart."""
    desk = Desk(tmp_path, SAFE)
    try:
        process = desk.start()
        desk.wait_until(lambda: desk.status()["engine"]["positions"], process)
        desk.call("set-limit", "account", "drawdown_max", "0.01", "--by", "Ada", code=ExitCode.OK)
        desk.wait_until(lambda: desk.status()["engine"]["halts"], process)
        journal = tmp_path / "state" / "one" / "engine.journal"
        desk.wait_until(lambda: commands(journal)[-1] == {"command": "flatten"}, process)
        desk.wait_until(lambda: not desk.status()["engine"]["positions"], process)
        process.kill()
        process.wait()
        desk.start()
        assert desk.status()["engine"]["halts"] == {"account": "drawdown_max"}
        time.sleep(1)
        assert [each["command"] for each in commands(journal)] == ["set_limit", "flatten"]
        desk.call("stop", "one", code=ExitCode.OK)
    finally:
        desk.close()


@pytest.mark.without(
    "feed", works="a live engine whose feed is silent for too long pauses and says why; what closes works"
)
def test_a_live_feed_that_is_silent_pauses_and_traps_no_exit(tmp_path):
    """The venue stands still for some seconds; then closing works at once, and risk after a resume."""
    with venue_beside(tmp_path, "seed = 5" + ONE_MARKET, LIVE) as folder:
        folder.arm()
        engine = folder.start("run", "live.toml", "--json")

        def status():
            with folder.start("status", "main", "--json") as process:
                output, _ = process.communicate(timeout=20)
            return (json.loads(output) if output else {}).get("engine") or {}

        def until(is_so):
            deadline = time.monotonic() + 60
            while not is_so(said := status()):
                assert time.monotonic() < deadline, said
                assert engine.poll() is None
                time.sleep(0.1)

        try:
            until(lambda said: said.get("orders", 0) > 0 and said.get("fills", 0) > 0)
            folder.venue.send_signal(signal.SIGSTOP)
            try:
                until(lambda said: said.get("is_paused"))
            finally:
                folder.venue.send_signal(signal.SIGCONT)
            assert status()["paused_by"].startswith("the feed has brought nothing for ")
            shown = folder.run("status", "main")[0]
            assert "LIVE: its orders leave for a venue" in shown
            said = folder.run("flatten")[0]
            assert said.startswith("main (LIVE): flattening")
            until(lambda said: not said.get("positions"))
            until(lambda said: (said.get("venue") or {}).get("step") == "agreed")
            orders = status()["orders"]
            assert status()["orders"] == orders
            folder.run("resume")
            until(lambda said: said["orders"] > orders)
            folder.run("stop", "main")
            _, talk = engine.communicate(timeout=30)
            assert "LIVE: tradecore" in talk
        finally:
            if engine.poll() is None:
                engine.kill()
                engine.communicate()
        assert (tmp_path / "state" / "main" / "live.journal").exists()
        folder.run("journal", "replay", str(tmp_path / "state" / "main" / "live.journal"))
