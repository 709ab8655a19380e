"""Amendments, as processes and with faults and kills, at a venue over real sockets that amends nothing."""

import json
import random
import signal
import time
import urllib.request
from decimal import Decimal
from functools import partial

import msgspec
import pytest

from support.command_line import CommandLine
from support.engine_says import has_agreed, until_engine_says
from support.venue_process import ONE_MARKET, WIDE_CANARY
from tradecore.domain.journal import JournalFolder
from tradecore.domain.secret import Secret
from tradecore.domain.spec import InstrumentSpec
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore_local import Key

INSTRUMENT = {"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}
VENUE = "seed = 11\nreplaces = false\nvalidity_window_ns = 1_000_000_000" + ONE_MARKET
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
[venue]
matching = "book"
[strategy]
class = "follower.py:Follower"
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)
STRATEGY = '''
class Follower:
    """Keeps one bid and one ask at the touch by amending them, in sizes that change."""

    def on_start(self, ctx):
        self.orders = {1: None, -1: None}
        self.prices = {}
        self.seen = 0

    def on_book(self, ctx, book):
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is None or ask is None:
            return
        self.seen += 1
        for sign, ticks in ((1, bid), (-1, ask)):
            order, lots = self.orders[sign], 4 + self.seen % 5
            if order is not None:
                is_far = abs(self.prices[sign] - ticks) > 20
                if is_far and ctx.replace(order, quantity_lots=lots, price_ticks=ticks):
                    self.prices[sign] = ticks
            elif ctx.position_lots() * sign < 40:
                answer = (ctx.buy if sign > 0 else ctx.sell)(quantity_lots=lots, limit_ticks=ticks)
                if answer:
                    self.orders[sign], self.prices[sign] = answer, ticks

    def on_fill(self, ctx, fill):
        if fill.open_lots == 0:
            self._forget(fill.order_id)

    def on_order(self, ctx, update):
        if update.is_closed:
            self._forget(update.order_id)

    def _forget(self, order_id):
        for sign, order in self.orders.items():
            if order == order_id:
                self.orders[sign] = None
'''
FAULTS = (
    ("answer_lost", "submit", ""),
    ("request_lost", "submit", ""),
    ("answer_lost", "cancel", ""),
    ("request_lost", "cancel", ""),
    ("answer_late", "cancel", "delay_ms = 300"),
    ("request_doubled", "cancel", ""),
    ("request_doubled", "submit", ""),
    ("frame_unsent", "stream_fill", ""),
    ("frame_unsent", "stream_order", ""),
    ("frame_swapped", "stream_order", ""),
    ("frame_late", "stream_order", "delay_ms = 200"),
    ("server_error", "submit", "takes_effect = true"),
    ("disconnect", "stream_order", ""),
)
until = partial(until_engine_says, account="demo")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a venue's settings and faults and a live configuration, and processes in it."""
    made = CommandLine(tmp_path)
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\nprobability_ppm = 20_000\n{}\n'
    made.write("faults.toml", "seed = 11\n" + "".join(rule.format(*fault) for fault in FAULTS))
    made.write("venue.toml", VENUE)
    made.write("live.toml", LIVE)
    made.write("follower.py", STRATEGY)
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


def truth(folder):
    """Return what the venue itself did."""
    keys = json.loads((folder.folder / "venue-keys.json").read_text())
    named = keys["accounts"]["demo"]["truth"]
    key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
    now_ns = time.time_ns()
    headers = key.headers("GET", "/truth", b"", time_ns=now_ns, nonce=str(now_ns))
    request = urllib.request.Request(keys["url"] + "/truth", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return msgspec.json.decode(answer.read(), type=Truth)


def is_settled(said):
    """Tell whether nothing is open or in doubt."""
    return has_agreed(said) and not (said["open_orders"] or said["venue"]["unknown"] or said["position_rows"])


def sent_anew(folder):
    """Return what left under another name in place of an order that was amended."""
    records = JournalFolder(folder.folder / "live.journal").reader()
    return [each for _, _, kind, each in records if kind == "sent" and each["request"] == "replace"]


@pytest.mark.slow
def test_after_faults_and_kills_amended_orders_are_the_same_on_both_sides(folder):
    """No name is there twice, none is open beside another of its order, and all that traded is booked."""
    chance = random.Random(11)
    serve = ("venue", "serve", "--port", "0", "--settings", "venue.toml", "--faults", "faults.toml")
    venue = started(folder, *serve, "--duration-ms", "120000")
    deadline = time.monotonic() + 30
    while not (folder.folder / "venue-keys.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    folder.arm()
    for _ in range(4):
        engine = started(folder, "run", "live.toml", "--json")
        until(folder, has_agreed)
        time.sleep(chance.uniform(1.0, 2.5))
        engine.kill()
        engine.wait()
    engine = started(folder, "run", "live.toml", "--json")
    until(folder, lambda said: said.get("fills", 0) > 10 and len(sent_anew(folder)) > 20)
    folder.run("pause")
    folder.run("flatten")
    said = until(folder, is_settled)
    there = truth(folder)
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    venue.send_signal(signal.SIGINT)
    venue.wait(10)

    journal = JournalFolder(folder.folder / "live.journal")
    compared = compare(
        journal,
        there,
        account="demo",
        instruments=[InstrumentSpec(**INSTRUMENT)],
        positions={name: Decimal(size) for name, size in said["positions"].items()},
        cash=Decimal(said["cash"]),
    )
    assert compared.differences == ()
    assert compared.fills_there == compared.fills_booked > 10
    records = [(kind, fields) for _, _, kind, fields in journal.reader()]
    replaced = [each for kind, each in records if kind == "report" and each["report"] == "replaced"]
    anew = sent_anew(folder)
    assert len(anew) > 20
    assert len(replaced) > 10
    assert [each for kind, each in records if kind == "surprise" and each["halts"]] == []
    folder.run("journal", "replay", "live.journal")
