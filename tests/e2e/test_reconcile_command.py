"""`tradecore reconcile` as a process, beside an engine that trades on the local venue, and after it."""

import json
import time

import pytest

from support.venue_process import ONE_MARKET, WIDE_CANARY, venue_beside
from tradecore_api.exit_codes import ExitCode

VENUE = "seed = 5" + ONE_MARKET
LIVE = (
    """
mode = "live"
[live]
person = "Test"
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
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which a venue runs."""
    with venue_beside(tmp_path, VENUE, LIVE) as made:
        yield made


def test_it_compares_before_during_and_after_a_run_and_leaves_nothing_behind(folder):
    """An account without a journal, an engine that trades, one that was killed, and a venue that is gone."""
    output, talk = folder.run("reconcile", "live.toml")
    assert output.startswith("books and venue agree")
    assert "there is no journal yet" in talk
    # What it asks counts in the budget that all processes share, and that is all it leaves.
    left = [path for path in (folder.folder / "state").rglob("*") if path.is_file()]
    assert [path.suffix for path in left] == [".budget"]
    folder.arm()
    engine = folder.start("run", "live.toml", "--json")
    try:
        deadline = time.monotonic() + 60
        while True:
            answer, _ = folder.start("reconcile", "live.toml", "--json").communicate(timeout=30)
            said = json.loads(answer)
            if said["open_orders"] and said["verdict"] == "agree":
                break
            assert time.monotonic() < deadline, said
        report = folder.folder / "state" / "main" / "start_report.json"
        while not report.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        stands, _ = folder.run("status", "main")
        assert "start report" in stands
    finally:
        engine.kill()
        engine.communicate()
    assert said["differences"] == []
    assert said["venue_balances"]["USD"]["total"]
    before = sorted(path.name for path in folder.folder.iterdir())
    journal = (folder.folder / "live.journal").read_bytes()
    # Nobody answers for the orders now; what the market takes of them is missing in the books.
    deadline = time.monotonic() + 60
    while True:
        with folder.start("reconcile", "live.toml") as process:
            output, _ = process.communicate(timeout=30)
        if process.returncode == ExitCode.CHECK_FAILED:
            break
        assert process.returncode == ExitCode.OK
        assert time.monotonic() < deadline, output
    assert output.startswith("books and venue DIFFER")
    assert "differences\n- " in output
    assert sorted(path.name for path in folder.folder.iterdir()) == before
    assert (folder.folder / "live.journal").read_bytes() == journal
    report, _ = folder.run("start-report", "live.toml", "--json")
    report = json.loads(report)
    assert (report["is_genuine"], report["dropped"], report["problems"]) == (True, [], [])
    shown, _ = folder.run("start-report", "live.toml")
    assert "nothing was dropped" in shown
    assert "genuine, and the journal says the same" in shown
    papers = folder.folder / "state" / "main" / "start_report.json"
    papers.write_bytes(papers.read_bytes().replace(b'"open_orders":0', b'"open_orders":1'))
    shown, _ = folder.run("start-report", "live.toml", code=ExitCode.CHECK_FAILED)
    assert "changed after it was written" in shown
    _, talk = folder.run("dead-letters", "live.toml")
    assert "every message was understood" in talk
    folder.venue.kill()
    folder.venue.communicate()
    folder.refused("reconcile", "live.toml", code=ExitCode.UNAVAILABLE, says="/rules")


def test_a_message_that_was_not_understood_is_kept_and_read_by_a_later_start(folder):
    """One that was cut in half stays for people; a whole one that an older version did not know is read."""
    folder.write("other.toml", LIVE.replace("live.journal", "other.journal").replace('"main"', '"other"'))
    state = folder.folder / "state" / "other"
    state.mkdir(parents=True)
    frame = {"kind": "balance", "currency": "USD", "total": "1", "free": "1", "time_ns": 1}
    letters = [
        {"time_ns": 1, "why": "cut", "text": '[{"n": 1, "is": {"ty'},
        {"time_ns": 2, "why": "an old version", "text": json.dumps([{"n": 7, "is": frame}])},
    ]
    (state / "dead_letters.jsonl").write_text("".join(json.dumps(each) + "\n" for each in letters))
    folder.arm("other.toml")
    engine = folder.start("run", "other.toml", "--json")
    try:
        deadline = time.monotonic() + 60
        while not (state / "start_report.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        engine.kill()
        engine.communicate()
    output, _ = folder.run("dead-letters", "other.toml", "--json")
    cut, whole = json.loads(output)
    assert cut["read_ns"] is None
    assert whole["read_ns"] is not None
    shown, _ = folder.run("dead-letters", "other.toml")
    assert "(understood " in shown


def test_only_a_live_configuration_can_be_compared(folder):
    """A paper run has no venue, and its journal is none of a venue's."""
    paper = LIVE.replace('mode = "live"', 'mode = "paper"')
    folder.write("paper.toml", paper)
    folder.refused("reconcile", "paper.toml", code=ExitCode.CONFIG, says='reconcile needs mode = "live"')
