"""One engine and two venues as processes: faults, kills, and a venue that stands still or dies."""

import json
import random
import signal
import time
from decimal import Decimal
from functools import partial

import pytest

from support.command_line import CommandLine
from support.engine_says import until_engine_says
from support.venue_process import wide_canary
from tradecore.domain.account_part import parts_of
from tradecore.domain.journal import JournalFolder
from tradecore.testkit.local_venue.comparison import compare
from tradecore_api.config import read
from tradecore_api.wiring import local_venue

VENUE = """
seed = {seed}
validity_window_ns = 1_000_000_000
[[accounts]]
name = "demo"
balances = {{ USD = "1000000" }}
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = {{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}
"""
# The instrument of the second account stands first, so that no number is the same on both sides.
LIVE = """
mode = "live"
[live]
person = "Test"
keys = "keys-left.json"
answer_timeout_ms = 2_000
report_timeout_ms = 3_000
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD-RIGHT"
account = "right"
tick_size = "0.01"
lot_size = "0.0001"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "left"
cash = "1000000"
[[accounts]]
name = "right"
cash = "1000000"
[accounts.live]
keys = "keys-right.json"
symbols = { BTC-USD-RIGHT = "BTC-USD" }
answer_timeout_ms = 2_000
report_timeout_ms = 3_000
[venue]
matching = "book"
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "on_left"
instruments = ["BTC-USD"]
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "on_right"
instruments = ["BTC-USD-RIGHT"]
[journal]
path = "live.journal"
""" + wide_canary("BTC-USD", "BTC-USD-RIGHT")
FAULTS = (
    ("answer_lost", "submit", ""),
    ("request_lost", "submit", ""),
    ("answer_lost", "cancel", ""),
    ("frame_unsent", "stream_fill", ""),
    ("frame_lost", "stream_order", ""),
    ("frame_doubled", "stream_fill", ""),
    ("frame_swapped", "stream_order", ""),
    ("server_error", "submit", "takes_effect = true"),
    ("disconnect", "stream_order", ""),
)
NAMES = ("left", "right")
LEFT_CASH = """name = "left"
cash = { USD = "1000000", BTC = "2" }
conversions = { BTC = "BTC-USD" }
"""
until = partial(until_engine_says, account="left")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with settings of two venues and a live configuration, and processes in it."""
    made = CommandLine(tmp_path)
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\nprobability_ppm = 20_000\n{}\n'
    for seed, name in enumerate(NAMES):
        made.write(f"faults-{name}.toml", f"seed = {seed}\n" + "".join(rule.format(*each) for each in FAULTS))
        made.write(f"venue-{name}.toml", VENUE.format(seed=seed + 5))
    made.write("live.toml", LIVE)
    made.started = []
    yield made
    for process in made.started:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def start_venues(folder):
    """Start both venues and return them once their keys are there."""
    venues = {}
    for name in NAMES:
        options = ("--settings", f"venue-{name}.toml", "--faults", f"faults-{name}.toml")
        keys = ("--port", "0", "--keys", f"keys-{name}.json", "--duration-ms", "240000")
        venues[name] = folder.start("venue", "serve", *keys, *options)
        folder.started.append(venues[name])
    deadline = time.monotonic() + 30
    while not all((folder.folder / f"keys-{name}.json").exists() for name in NAMES):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return venues


def start_engine(folder):
    """Start the engine."""
    folder.arm()
    engine = folder.start("run", "live.toml", "--json")
    folder.started.append(engine)
    return engine


def steps(said):
    """Return how far the comparison of each account is."""
    return {name: venue["step"] for name, venue in (said.get("venues") or {}).items()}


def agree(said):
    """Tell whether books and venues agree."""
    return steps(said) == dict.fromkeys(NAMES, "agreed")


def settled(said):
    """Tell whether besides nothing is open, in doubt or held."""
    is_known = agree(said) and not any(venue["unknown"] for venue in said["venues"].values())
    return is_known and not said["open_orders"] and not any(map(Decimal, said["positions"].values()))


def rows(folder):
    """Return the records of the journal: kind and fields."""
    return [(kind, fields) for _, _, kind, fields in JournalFolder(folder.folder / "live.journal").reader()]


def differences(folder, name, said):
    """Return what the books of an account and the deeds of its venue differ in."""
    config = read.load(folder.folder / "live.toml", environment={})
    (part,) = [each for each in parts_of(config.engine_spec()) if each.name == name]
    instruments = [config.tables.instruments[number] for number in part.instruments]
    symbols = {each.symbol for each in instruments}
    found = compare(
        JournalFolder(str(folder.folder / "live.journal")),
        local_venue.truth(folder.folder / f"keys-{name}.json", "demo"),
        account="demo",
        instruments=instruments,
        positions={at: Decimal(size) for at, size in said["positions"].items() if at in symbols},
        cash=Decimal(said["balances"][part.balances["USD"]]["balance"]),
        numbers=part.instruments,
    )
    assert found.orders_there > 20, name
    assert found.fills_there > 5, name
    return found.differences


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_after_faults_and_kills_both_venues_have_what_the_books_have(folder):
    """Nothing is lost or doubled at either, no order came to the wrong venue, and money is equal at both."""
    chance = random.Random(7)
    start_venues(folder)
    for _ in range(3):
        engine = start_engine(folder)
        until(folder, agree)
        time.sleep(chance.uniform(0.5, 2.0))
        engine.kill()
        engine.wait()
    engine = start_engine(folder)
    until(folder, lambda said: said.get("fills", 0) > 40)
    assert "at every account: left, right" in folder.run("pause")[0]
    folder.run("flatten")
    said = until(folder, settled)
    assert len(said["start_report"].split("; right: ")) == 2
    found = json.loads(folder.run("reconcile", "live.toml", "--json")[0])
    assert found["verdict"] == "agree"
    assert {name: each["verdict"] for name, each in found["accounts"].items()} == dict.fromkeys(
        NAMES, "agree"
    )
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    # Each venue took what the books sent there, and nothing that was for the other.
    assert {name: differences(folder, name, said) for name in NAMES} == {"left": (), "right": ()}
    assert not [fields for kind, fields in rows(folder) if kind == "surprise" and fields["halts"]]
    (tables,) = (folder.folder / "state").rglob("readmodel.sqlite")
    held = json.loads(folder.run("db", "info", str(tables), "--json")[0])
    assert {row["symbol"]: row["account"] for row in held["positions"]} == {
        "BTC-USD": "left",
        "BTC-USD-RIGHT": "right",
    }
    assert held["rows"]["account_equity"] == 2 * held["rows"]["equity"] > 0
    papers = json.loads(folder.run("start-report", "live.toml", "--json")[0])
    assert {name: paper["is_genuine"] for name, paper in papers.items()} == dict.fromkeys(NAMES, True)
    assert [papers[name]["report"]["account"] for name in NAMES] == list(NAMES)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_venue_that_is_gone_stops_nothing_at_the_other(folder):
    """It stands still, comes back and dies: the other account trades, and its position is closed."""
    for name in NAMES:
        folder.write(f"faults-{name}.toml", "seed = 5")
    venues = start_venues(folder)
    engine = start_engine(folder)
    until(folder, lambda said: agree(said) and said["fills"] > 10)
    known = len(rows(folder))
    venues["right"].send_signal(signal.SIGSTOP)
    said = until(folder, lambda said: not said["venues"]["right"]["is_connected"])
    assert said["venues"]["left"]["step"] == "agreed"
    before = sum(kind == "report" and fields["report"] == "fill" for kind, fields in rows(folder))
    until(folder, lambda said: said["fills"] > before + 10)
    venues["right"].send_signal(signal.SIGCONT)
    until(folder, agree)
    venues["right"].kill()
    venues["right"].wait()
    until(folder, lambda said: not said["venues"]["right"]["is_connected"])
    since = rows(folder)[known:]
    compared = {fields["instrument"] for kind, fields in since if kind == "reconciling"}
    refused = [fields["rule"] for kind, fields in since if kind == "refused" and fields["instrument"] == 1]
    assert compared == {0}, "the account of the other instrument was never in doubt"
    assert "unreconciled" not in refused
    folder.run("pause")
    folder.run("flatten")
    said = until(folder, lambda said: not Decimal(said["positions"].get("BTC-USD", "0")))
    until(folder, lambda said: not any(row["account"] == "left" for row in said["order_rows"]))
    assert steps(said)["left"] == "agreed"
    # Nobody can say how the venue that is gone stands, and that is no agreement.
    found = json.loads(folder.run("reconcile", "live.toml", "--json", code=69)[0])
    assert {name: each["verdict"] for name, each in found["accounts"].items()} == {
        "left": "agree",
        "right": "undecided",
    }
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    folder.run("journal", "replay", "live.journal")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_money_that_nobody_told_of_halts_the_account_where_it_is(folder):
    """Of accounts that own what they buy balances are compared; the words for it name the balance.

    Both begin with their past, which is asked of each venue for its own instrument.
    """
    for name in NAMES:
        folder.write(f"faults-{name}.toml", "seed = 5")
        spot = VENUE.format(seed=5).replace("is_margin = true\nleverage = 5\n", "")
        folder.write(f"venue-{name}.toml", spot.replace('"1000000" }', '"1000000", BTC = "2" }'))
    text = LIVE.replace('lot_size = "0.0001"', 'lot_size = "0.0001"\nbase = "BTC"')
    text = text.replace('name = "left"\ncash = "1000000"', LEFT_CASH)
    text = text.replace(
        'name = "right"\ncash = "1000000"', 'name = "right"\ncash = { USD = "1000000", BTC = "1.5" }'
    )
    text = text.replace("answer_timeout_ms", "check_interval_ms = 500\nanswer_timeout_ms")
    folder.write("live.toml", text + '[history]\nkind = "local"\nlength = "2s"\n')
    start_venues(folder)
    engine = start_engine(folder)
    said = until(
        folder, lambda said: steps(said).get("right") == "differs" and steps(said)["left"] == "agreed"
    )
    (differs,) = said["venues"]["right"]["balances"]
    assert (differs["currency"], differs["name_here"], differs["venue"]) == ("BTC", "right:BTC", "2")
    until(folder, lambda said: said["fills"] > 5)
    assert {fields["instrument"] for kind, fields in rows(folder) if kind == "order"} == {1}
    folder.run("transfer", "right:BTC", "0.5", "it was there", "--by", "Ada")
    until(folder, agree)
    until(folder, lambda said: any(row["account"] == "right" for row in said["order_rows"]))
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0
    past = [fields for kind, fields in rows(folder) if kind == "feed"]
    assert {fields["instrument"] for fields in past} == {0, 1}
    folder.run("journal", "replay", "live.journal")
