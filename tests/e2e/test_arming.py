"""A live run trades what a person armed, within its canary profile, and nothing else."""

import json
import signal

import pytest

from support.engine_says import has_agreed, until_engine_says
from support.venue_process import ONE_MARKET, venue_beside
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

VENUE = "seed = 5" + ONE_MARKET
LIVE = """
mode = "live"
[live]
person = "Ada"
canary.instruments = ["BTC-USD"]
canary.order_value_max = 5_000
canary.orders_a_day_max = 3
canary.position_value_max = 100_000
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
class = "asks.py:Asks"
[journal]
path = "live.journal"
"""
STRATEGY = '''
from size import SIZE


class Asks:
    """Buys far below the market at each trade until it was refused; first more than may be."""

    is_refused: bool = False

    def on_trade(self, ctx, trade):
        """Ask."""
        if ctx.position() == 0 and not self.is_refused:
            price = trade.price * 0.5
            answer = ctx.buy(quantity=SIZE, limit=round(price, 2))
            self.is_refused = not answer and answer.rule == "canary_orders_a_day"
'''

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which a venue runs."""
    with venue_beside(tmp_path, VENUE, LIVE) as made:
        made.write("asks.py", STRATEGY)
        made.write("size.py", "SIZE = 0.01\n")
        yield made


def refused(folder, *says):
    """Start the engine, which has to be refused before anything is traded."""
    return folder.refused("run", "live.toml", code=ExitCode.CONFIG, says=says)


def is_used_up(said):
    """Tell whether the orders of a day were sent, one more was refused, and books and venue agree."""
    return said["orders"] >= 3 and said["refusals"] > 0 and has_agreed(said)


def ran(folder):
    """Run the engine until the orders of the day are used up; return what it said last."""
    engine = folder.start("run", "live.toml", "--json")
    try:
        # The first refusal may be of an order that came before books and venue agreed.
        said = until_engine_says(folder, is_used_up)
        engine.send_signal(signal.SIGINT)
        _, talk = engine.communicate(timeout=30)
        assert engine.returncode == 0, talk
        return said, talk
    finally:
        engine.kill()
        engine.wait()


def rows(folder, kind):
    """Return the fields of the records of a kind."""
    journal = JournalFolder(folder.folder / "live.journal")
    return [fields for _, _, found, fields in journal.reader() if found == kind]


def test_a_live_run_trades_only_what_a_person_armed(folder):
    """It is refused, armed, bounded, bounded after a restart, changed and refused, and disarmed."""
    refused(folder, "is not armed", "tradecore arm live.toml --by PERSON")
    assert not (folder.folder / "live.journal").exists()
    shown, _ = folder.arm()
    assert "(asks.py, size.py)" in shown

    said, talk = ran(folder)
    assert "armed by Test at" in talk
    assert said["armed"].startswith("by Test at ")
    assert said["orders"] == 3
    assert {row["rule"] for row in rows(folder, "refused")} <= {"canary_orders_a_day", "unreconciled"}
    again, _ = ran(folder)
    assert again["orders"] == 3, "a restart keeps what was counted"
    sessions = [json.loads(row["config"])["arming"] for row in rows(folder, "session")]
    assert [each["person"] for each in sessions] == ["Test"] * 2
    assert len({each["digest"] for each in sessions}) == 1
    exported = [json.loads(line) for line in folder.run("journal", "export", "live.journal")[0].splitlines()]
    whose = [each["attributed"] for each in exported if each["kind"] == "order"]
    by = {"person": "Test", "arming": sessions[0]["digest"], "code": sessions[0]["code"]["Asks"]}
    assert whose == [{"strategy": "Asks", **by}] * 3
    assert len(by["code"]) == 64

    folder.write("size.py", "SIZE = 0.02\n")
    refused(folder, "the code of strategy Asks: size.py was changed", "tradecore arm")
    folder.write("size.py", "SIZE = 0.01\n")
    folder.run("disarm", "main")
    refused(folder, "is not armed")
    folder.run("journal", "replay", "live.journal")


def test_a_paper_account_does_not_go_on_with_what_was_traded_live(folder):
    """Nor the other way round: no money is made of what was simulated."""
    folder.arm()
    ran(folder)
    folder.write("paper.toml", LIVE.replace('mode = "live"', 'mode = "paper"'))
    says = ["engine.mode", "was written in live mode", "choose another journal.path"]
    said = folder.refused("run", "paper.toml", code=ExitCode.CONFIG, says=says)
    assert "--carry-over" not in said
    folder.refused("run", "paper.toml", "--carry-over", code=ExitCode.CONFIG, says=says)
