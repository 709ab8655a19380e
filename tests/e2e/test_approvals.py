"""Live entries wait for a person's yes: over a kill of the engine, and replayed to the same bytes."""

import json
import signal
import time

import pytest

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
canary.orders_a_day_max = 30
canary.position_value_max = 100_000
approval.timeout_ms = 600_000
approval.price_move_bps = 5_000
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
class Asks:
    """Asks to buy far below the market until that waits, and once it may, to sell far above it."""

    def __init__(self):
        self.orders, self.waits = 0, False

    def on_trade(self, ctx, trade):
        """Ask."""
        if not self.waits:
            answer = ctx.buy(quantity=0.01, limit=round(trade.price * 0.5, 2))
            self.waits = not answer and answer.rule == "awaiting_approval"
        elif self.orders:
            ctx.sell(quantity=0.01, limit=round(trade.price * 1.5, 2))

    def on_order(self, ctx, update):
        """Count what became an order."""
        self.orders += update.what == "accepted"
'''

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which a venue runs, with an engine that is armed for it."""
    with venue_beside(tmp_path, VENUE, LIVE) as made:
        made.write("asks.py", STRATEGY)
        made.arm()
        yield made


def waiting(folder, count):
    """Wait until so many wishes wait; return their numbers."""
    deadline = time.monotonic() + 60
    while True:
        with folder.start("approvals", "main", "--json") as process:
            output, _ = process.communicate(timeout=20)
        rows = json.loads(output) if output else []
        if len(rows) == count:
            return [row["wish"] for row in rows]
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)


def approved(folder, wish):
    """Approve a wish; while books and venue are compared it is said again, and the wish goes on waiting."""
    deadline = time.monotonic() + 60
    while True:
        with folder.start("approve", str(wish), "--by", "Ada") as process:
            _, talk = process.communicate(timeout=20)
        if process.returncode == 0:
            return
        assert process.returncode == ExitCode.REFUSED, talk
        assert "it still waits: say it again in a moment" in talk
        assert time.monotonic() < deadline, talk
        time.sleep(0.1)


def started(folder):
    """Start the engine."""
    return folder.start("run", "live.toml", "--json")


def test_an_entry_leaves_only_after_a_yes_and_what_waits_survives_a_kill(folder):
    """Nothing of it is sent before; a no ends it; a replay makes every byte again."""
    engine = started(folder)
    try:
        (first,) = waiting(folder, 1)
        engine.kill()
        engine.communicate()
        engine = started(folder)
        assert waiting(folder, 1) == [first]
        # No new risk is taken before books and venue agree again, and a yes until then uses nothing up.
        approved(folder, first)
        # Then it asks to sell, and that waits.
        (second,) = waiting(folder, 1)
        while second == first:
            (second,) = waiting(folder, 1)
        shown, _ = folder.run("status", "main")
        assert "waiting for approval" in shown
        folder.run("reject", str(second), "--by", "Eve")
        missing = folder.run("approve", str(second), "--by", "Ada", code=ExitCode.REFUSED)[1]
        assert "must be the number of a wish that waits for approval" in missing
        engine.send_signal(signal.SIGINT)
        _, talk = engine.communicate(timeout=30)
        assert engine.returncode == 0, talk
    finally:
        if engine.poll() is None:
            engine.kill()
            engine.communicate()

    records = list(JournalFolder(folder.folder / "live.journal").reader())
    commands = [fields for _, _, kind, fields in records if kind == "command"]
    assert [(each["command"], each["value"], each["person"]) for each in commands] == [
        ("approve", str(first), "Ada"),
        ("reject", str(second), "Eve"),
    ]
    orders = [fields["side"] for _, _, kind, fields in records if kind == "order"]
    sent = [fields["request"] for _, _, kind, fields in records if kind == "sent"]
    assert (orders, sent) == (["buy"], ["new"])
    folder.run("journal", "replay", "live.journal")
    told, _ = folder.run("journal", "tail", "live.journal", "-n", "1000000")
    assert f"wish {first} was approved: risk judges it now, by Ada" in told
    (number,) = [fields["order_id"] for _, _, kind, fields in records if kind == "order"]
    story, _ = folder.run("trace", str(number), "main")
    for words in (
        "armed ",
        f"{first}, which waited for a person",
        "by Ada",
        "is sent to the venue",
    ):
        assert words in story, story
