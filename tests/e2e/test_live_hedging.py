"""Tickets at a venue over real sockets that hedges: after faults and kills each is the same on both sides."""

import json
import random
import signal
import time
import urllib.request
from decimal import Decimal
from functools import partial

import pytest

from support.command_line import CommandLine
from support.engine_says import has_agreed, until_engine_says
from support.venue_process import ONE_MARKET, WIDE_CANARY
from tradecore.domain import InstrumentSpec
from tradecore.domain.journal import JournalFolder
from tradecore.domain.secret import Secret
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore_api.exit_codes import ExitCode
from tradecore_local import Key

VENUE = "seed = 9\nhedging = true\nvalidity_window_ns = 1_000_000_000" + ONE_MARKET
LIVE = (
    """
mode = "live"
[live]
person = "Test"
keys = "venue-keys.json"
answer_timeout_ms = 1_000
report_timeout_ms = 2_000
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "demo"
cash = "1000000"
positions = "hedging"
[venue]
matching = "book"
[strategy]
class = "both.py:Both"
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)
STRATEGY = '''
class Both:
    """Is long and short at once: opens on both sides, with and without exits, and closes in parts."""

    venue_needs = ("market", "limit", "stop", "reduce_only")

    def on_start(self, ctx):
        self.seen = 0

    def on_book(self, ctx, book):
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is None or ask is None:
            return
        self.seen += 1
        if self.seen % 8:
            return
        turn, tickets = self.seen // 8 % 8, ctx.tickets()
        if turn in (0, 1) and len(tickets) < 10:
            trade = ctx.sell if turn else ctx.buy
            sign = -1 if turn else 1
            trade(
                quantity_lots=12,
                stop_loss_ticks=(bid if turn else ask) - sign * 900,
                take_profit_ticks=(bid if turn else ask) + sign * 700,
            )
        elif turn in (2, 3) and len(tickets) < 10:
            trade, ticks = (ctx.buy, bid) if turn == 2 else (ctx.sell, ask)
            trade(quantity_lots=8, limit_ticks=ticks)
        elif turn == 4 and tickets:
            ctx.close(ticket=tickets[0].number, quantity=min(5, abs(tickets[0].lots)) * 0.0001)
        elif turn == 5 and tickets:
            ctx.close(ticket=tickets[-1].number)
        elif turn == 6 and tickets:
            first = tickets[len(tickets) // 2]
            trade, ticks = (ctx.sell, ask) if first.lots > 0 else (ctx.buy, bid)
            trade(quantity_lots=3, limit_ticks=ticks, after=first.number, reduce_only=True)
'''
FAULTS = (
    ("answer_lost", "submit", ""),
    ("request_lost", "submit", ""),
    ("request_doubled", "submit", ""),
    ("answer_lost", "cancel", ""),
    ("frame_unsent", "stream_fill", ""),
    ("frame_lost", "stream_order", ""),
    ("frame_doubled", "stream_fill", ""),
    ("frame_swapped", "stream_order", ""),
    ("frame_swapped", "stream_fill", ""),
    ("server_error", "submit", "takes_effect = true"),
    ("empty_list", "positions", ""),
    ("disconnect", "stream_order", ""),
)
RULE = '[[rules]]\nkind = "{}"\nendpoint = "{}"\nprobability_ppm = 20_000\n{}\n'
INSTRUMENTS = [InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001")]
until = partial(until_engine_says, account="demo")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a venue's settings and faults and a live configuration, and processes in it."""
    made = CommandLine(tmp_path)
    made.write("faults.toml", "seed = 9\n" + "".join(RULE.format(*fault) for fault in FAULTS))
    made.write("venue.toml", VENUE)
    made.write("live.toml", LIVE)
    made.write("both.py", STRATEGY)
    made.started = []
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def started(folder, *arguments):
    """Start a command."""
    process = folder.start(*arguments)
    folder.started.append(process)
    return process


def start_venue(folder):
    """Start the venue and return it once its keys are there."""
    serve = ("venue", "serve", "--port", "0", "--settings", "venue.toml", "--faults", "faults.toml")
    venue = started(folder, *serve, "--duration-ms", "200000")
    deadline = time.monotonic() + 30
    while not (folder.folder / "venue-keys.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return venue


def truth(folder):
    """Return what the venue itself did."""
    keys = json.loads((folder.folder / "venue-keys.json").read_text())
    named = keys["accounts"]["demo"]["truth"]
    key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
    now_ns = time.time_ns()
    headers = key.headers("GET", "/truth", b"", time_ns=now_ns, nonce=str(now_ns))
    request = urllib.request.Request(keys["url"] + "/truth", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return Truth.decoded(answer.read())


def agrees(said):
    """Tell whether books and venue agree, with nothing in doubt."""
    return has_agreed(said) and not said["venue"]["unknown"]


def compared(folder, said, there):
    """Return how books and venue differ, ticket by ticket too."""
    tickets = {}
    for row in said["position_rows"]:
        lots = int(Decimal(str(row["quantity"])) / Decimal("0.0001"))
        number = int(row["ticket"])
        tickets[number] = tickets.get(number, 0) + lots
    return compare(
        JournalFolder(folder.folder / "live.journal"),
        there,
        account="demo",
        instruments=INSTRUMENTS,
        positions={name: Decimal(size) for name, size in said["positions"].items()},
        cash=Decimal(said["cash"]),
        tickets=tickets,
    )


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_after_faults_and_kills_each_ticket_is_the_same_on_both_sides(folder):
    """Long and short at once, while some are open: lots ticket by ticket, each order and fill, and money."""
    chance = random.Random(9)
    venue = start_venue(folder)
    folder.arm()
    for _ in range(3):
        engine = started(folder, "run", "live.toml", "--json")
        until(folder, agrees)
        time.sleep(chance.uniform(1.0, 3.0))
        engine.kill()
        engine.wait()
    engine = started(folder, "run", "live.toml", "--json")
    until(folder, lambda said: said.get("fills", 0) > 40 and len(said["position_rows"]) > 2)
    # It ends orders and leaves tickets open.
    folder.run("kill")
    said = until(folder, lambda said: agrees(said) and not said["open_orders"])
    there = truth(folder)
    assert [row for row in there.positions if row.lots]
    found = compared(folder, said, there)
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == ExitCode.OK
    venue.send_signal(signal.SIGINT)
    venue.wait(10)

    assert found.differences == ()
    assert found.fills_there == found.fills_booked > 40
    records = [
        (kind, fields) for _, _, kind, fields in JournalFolder(folder.folder / "live.journal").reader()
    ]
    closing = [fields for kind, fields in records if kind == "order" and fields.get("closes")]
    assert len(closing) > 10
    assert [fields for kind, fields in records if kind == "surprise" and fields["halts"]] == []
    folder.run("journal", "replay", "live.journal")


REVISED = (
    ("trade_busted", "trade", "delay_ms = 300", 50_000),
    ("trade_corrected", "trade", "delay_ms = 500\nticks = 7\nlots = -1", 40_000),
    ("trade_corrected", "trade", "delay_ms = 20\nticks = -3\nlots = 2", 30_000),
    ("frame_unsent", "stream_fill", "", 20_000),
    ("frame_swapped", "stream_fill", "", 50_000),
    ("disconnect", "stream_order", "", 5_000),
)


@pytest.mark.slow
@pytest.mark.timeout(250)
def test_busted_and_corrected_trades_are_booked_to_their_tickets_over_kills(folder):
    """One trade in ten is told anew, also while the engine is dead: each ticket ends as the venue has it."""
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\n{}\nprobability_ppm = {}\n'
    folder.write("faults.toml", "seed = 7\n" + "".join(rule.format(*fault) for fault in REVISED))
    chance = random.Random(7)
    venue = start_venue(folder)
    folder.arm()
    for _ in range(2):
        engine = started(folder, "run", "live.toml", "--json")
        until(folder, agrees)
        time.sleep(chance.uniform(1.5, 3))
        engine.kill()
        engine.wait()
        # What was to be told anew is told meanwhile.
        time.sleep(chance.uniform(0.2, 0.8))
    engine = started(folder, "run", "live.toml", "--json")
    until(folder, lambda said: said.get("fills", 0) > 80)
    folder.run("pause")
    for _ in range(12):
        # A trade that closed may be busted in its turn.
        folder.run("flatten")
        until(folder, lambda said: agrees(said) and not said["open_orders"])
        time.sleep(1.2)
        said = until(folder, lambda said: agrees(said) and not said["open_orders"])
        there = truth(folder)
        if not [row for row in there.positions if row.lots]:
            break
    found = compared(folder, said, there)
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == ExitCode.OK
    venue.send_signal(signal.SIGINT)
    venue.wait(10)

    assert found.differences == ()
    assert [row for row in there.positions if row.lots] == []
    records = [
        (kind, fields) for _, _, kind, fields in JournalFolder(folder.folder / "live.journal").reader()
    ]
    booked = [fields["revised"] for kind, fields in records if kind == "revision"]
    assert {"busted", "corrected"} <= set(booked)
    assert [fields for kind, fields in records if kind == "surprise" and fields["halts"]] == []
    folder.run("journal", "replay", "live.journal")
