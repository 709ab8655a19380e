"""Live orders over real sockets, as processes: a venue that loses answers, and an engine that is killed."""

import json
import random
import signal
import time
import urllib.request
from decimal import Decimal

import pytest

from support.command_line import CommandLine
from support.engine_says import has_agreed, until_engine_says
from support.venue_process import ONE_MARKET, WIDE_CANARY
from tradecore.domain import InstrumentSpec
from tradecore.domain.journal import JournalFolder
from tradecore.domain.secret import Secret
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore_local import Key

VENUE = "seed = 5\nvalidity_window_ns = 1_000_000_000" + ONE_MARKET
LIVE = (
    """
mode = "live"
[live]
person = "Test"
keys = "venue-keys.json"
answer_timeout_ms = 2_000
report_timeout_ms = 3_000
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
FAULTS = (
    ("answer_lost", "submit", ""),
    ("request_lost", "submit", ""),
    ("answer_lost", "cancel", ""),
    ("frame_unsent", "stream_fill", ""),
    ("frame_lost", "stream_order", ""),
    ("frame_doubled", "stream_fill", ""),
    ("frame_swapped", "stream_order", ""),
    ("server_error", "submit", "takes_effect = true"),
    ("too_many_requests", "submit", "retry_after_seconds = 1"),
    ("html_page", "cancel", ""),
    ("disconnect", "stream_order", ""),
)
ATTO = 10**18


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a venue's settings and faults and a live configuration, and processes in it."""
    made = CommandLine(tmp_path)
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\nprobability_ppm = 20_000\n{}\n'
    made.write("faults.toml", "seed = 5\n" + "".join(rule.format(*fault) for fault in FAULTS))
    made.write("venue.toml", VENUE)
    made.write("live.toml", LIVE)
    made.started = []
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def start_venue(folder):
    """Start the venue and return it once its keys are there."""
    venue = folder.start(
        "venue",
        "serve",
        "--port",
        "0",
        "--settings",
        "venue.toml",
        "--faults",
        "faults.toml",
        "--duration-ms",
        "120000",
    )
    deadline = time.monotonic() + 30
    while not (folder.folder / "venue-keys.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    folder.started.append(venue)
    return venue


def start_engine(folder, *options):
    """Start the engine."""
    folder.arm("live.toml", *options)
    engine = folder.start("run", "live.toml", "--json", *options)
    folder.started.append(engine)
    return engine


def asked(folder, use, method, path, body=b""):
    """Ask the venue for something with the account's key of this use, as any program may."""
    keys = json.loads((folder.folder / "venue-keys.json").read_text())
    named = keys["accounts"]["demo"][use]
    key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
    now_ns = time.time_ns()
    headers = key.headers(method, path, body, time_ns=now_ns, nonce=str(now_ns))
    request = urllib.request.Request(keys["url"] + path, headers=headers, method=method, data=body or None)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def truth(folder):
    """Return what the venue itself did."""
    return asked(folder, "truth", "GET", "/truth")


def by_hand(folder, side, quantity, price=None):
    """Send an order that no engine made."""
    kind = {"kind": "market", "time_in_force": "ioc"} if price is None else {"kind": "limit", "price": price}
    order = {"symbol": "BTC-USD", "side": side, "quantity": quantity, **kind}
    asked(folder, "trade", "POST", "/orders", json.dumps(order).encode())


def is_settled(said):
    """Tell whether nothing is open or in doubt."""
    return has_agreed(said) and not (said["venue"]["unknown"] or said["open_orders"])


def rows(path):
    """Return the records of a journal: kind and fields."""
    return [(kind, fields) for _, _, kind, fields in JournalFolder(path).reader()]


@pytest.mark.slow
def test_after_faults_and_kills_books_and_venue_are_the_same_to_the_last_unit(folder):
    """Nothing is lost and nothing doubled: orders, trades, position and money."""
    chance = random.Random(5)
    venue = start_venue(folder)
    for _ in range(3):
        engine = start_engine(folder)
        until_engine_says(folder, has_agreed)
        time.sleep(chance.uniform(0.5, 2.5))
        engine.kill()
        engine.wait()
    engine = start_engine(folder)
    until_engine_says(folder, lambda said: said.get("fills", 0) > 20)
    folder.run("pause")

    folder.run("flatten")
    said = until_engine_says(
        folder, lambda said: has_agreed(said) and not said["venue"]["unknown"] and not said["open_orders"]
    )
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    there = truth(folder)
    venue.send_signal(signal.SIGINT)
    venue.wait(10)

    records = [
        (kind, fields) for _, _, kind, fields in JournalFolder(folder.folder / "live.journal").reader()
    ]
    booked = [fields for kind, fields in records if kind == "report" and fields["report"] == "fill"]
    deeds = [deed for deed in there["deeds"] if deed.get("account") == "demo"]
    traded = [deed for deed in deeds if deed["type"] == "fill"]
    assert len(booked) == len(traded) > 20
    assert sum(fill["lots"] for fill in booked) == sum(deed["lots"] for deed in traded)
    numbers = {}
    for deed in deeds:
        if deed["type"] == "order":
            numbers.setdefault(deed["client_order_id"], set()).add(deed["number"])
    assert all(len(found) == 1 for found in numbers.values()), "an order is doubled"
    assert not [fields for kind, fields in records if kind == "surprise"]
    (cash,) = [each["total_atto"] for each in there["balances"] if each["account"] == "demo"]
    # The venue takes profit into its balance at each close; the books are flat, so that all of it is cash.
    assert [each for each in there["positions"] if each["lots"]] == []
    assert said["cash"] == f"{cash // ATTO}.{cash % ATTO:018d}".rstrip("0")


REVISED = (
    ("trade_busted", "trade", "delay_ms = 300", 50_000),
    ("trade_corrected", "trade", "delay_ms = 500\nticks = 7\nlots = -1", 40_000),
    ("trade_corrected", "trade", "delay_ms = 20\nticks = -3\nlots = 2", 30_000),
    ("frame_unsent", "stream_fill", "", 20_000),
    ("frame_swapped", "stream_fill", "", 50_000),
    ("frame_doubled", "stream_fill", "", 20_000),
    ("disconnect", "stream_order", "", 5_000),
)


def last_told(there):
    """Return the trades of the account as the venue told them last."""
    fills = [deed for deed in there["deeds"] if deed["type"] == "fill" and deed["account"] == "demo"]
    return {(deed["order"], deed["trade"]): deed for deed in fills}


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_busted_and_corrected_trades_are_booked_to_the_last_unit_over_kills(folder):
    """One trade in ten is told anew, also while the engine is dead: cash and position are the venue's."""
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\n{}\nprobability_ppm = {}\n'
    folder.write("faults.toml", "seed = 7\n" + "".join(rule.format(*fault) for fault in REVISED))
    venue = start_venue(folder)
    chance = random.Random(7)
    for _ in range(3):
        engine = start_engine(folder)
        until_engine_says(folder, has_agreed)
        time.sleep(chance.uniform(1.5, 3))
        engine.kill()
        engine.wait()
        # What was to be told anew is told meanwhile.
        time.sleep(chance.uniform(0.2, 0.8))
    engine = start_engine(folder)
    until_engine_says(folder, lambda said: said.get("fills", 0) > 120)
    folder.run("pause")

    for _ in range(12):
        # A trade that closed may be busted in its turn.
        folder.run("flatten")
        until_engine_says(folder, is_settled)
        time.sleep(1.2)
        said = until_engine_says(folder, is_settled)
        there = truth(folder)
        if not [each for each in there["positions"] if each["lots"]]:
            break
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    venue.send_signal(signal.SIGINT)
    venue.wait(10)

    records = rows(folder.folder / "live.journal")
    told = last_told(there)
    revised = [deed for deed in told.values() if deed["revision"]]
    assert len(revised) > 5
    assert {True, False} == {deed["lots"] == 0 for deed in revised}, "some are busted, some are corrected"
    booked = [fields["revised"] for kind, fields in records if kind == "revision"]
    assert {"busted", "corrected"} <= set(booked)
    halts = [fields for kind, fields in records if kind == "surprise" and fields["halts"]]
    assert not halts
    (cash,) = [each["total_atto"] for each in there["balances"] if each["account"] == "demo"]
    assert [each for each in there["positions"] if each["lots"]] == []
    assert said["cash"] == f"{cash // ATTO}.{cash % ATTO:018d}".rstrip("0")
    compared = compare(
        JournalFolder(folder.folder / "live.journal"),
        Truth.decoded(json.dumps(there).encode()),
        account="demo",
        instruments=[InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001")],
        positions={},
        cash=Decimal(said["cash"]),
    )
    assert compared.is_same, compared.differences


@pytest.mark.slow
def test_what_others_trade_at_the_account_is_in_the_books_to_the_last_unit(folder):
    """Before the engine, beside it and while it is dead; over a kill, and up to a flatten of all."""
    folder.write("faults.toml", "seed = 5")
    venue = start_venue(folder)
    adopt = (
        "--set",
        "live.foreign=adopt",
        "--set",
        "live.check_interval_ms=500",
        "--set",
        "strategy.quantity=0.001",
    )
    engine = start_engine(folder, *adopt)
    until_engine_says(folder, has_agreed)
    path = folder.folder / "live.journal"

    def adopted(count):
        deadline = time.monotonic() + 30
        while len(found := [each for each in rows(path) if each[0] == "adopted"]) < count:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    by_hand(folder, "buy", "0.02")
    adopted(1)
    by_hand(folder, "sell", "0.01", price="900000")
    adopted(2)
    engine.kill()
    engine.wait()
    by_hand(folder, "sell", "0.005")
    engine = start_engine(folder, *adopt)
    until_engine_says(folder, has_agreed)
    folder.run("pause")
    folder.run("flatten")

    def is_flat(said):
        there = said.get("venue") or {}
        return there.get("step") == "agreed" and not said["open_orders"] and not there["foreign_orders"]

    said = until_engine_says(folder, is_flat)
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    there = truth(folder)
    venue.send_signal(signal.SIGINT)
    venue.wait(10)
    records = rows(path)
    assert not [fields for kind, fields in records if kind == "surprise"]
    booked = [fields["lots"] for kind, fields in records if kind == "report" and fields["report"] == "fill"]
    traded = [deed["lots"] for deed in there["deeds"] if deed["type"] == "fill" and deed["account"] == "demo"]
    assert (len(booked), sum(booked)) == (len(traded), sum(traded))
    assert [each for each in there["positions"] if each["lots"]] == []
    (cash,) = [each["total_atto"] for each in there["balances"] if each["account"] == "demo"]
    assert said["cash"] == f"{cash // ATTO}.{cash % ATTO:018d}".rstrip("0")
