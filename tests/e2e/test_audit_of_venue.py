"""The auditor holds a live journal against the log of its venue, and finds what differs by one unit."""

import asyncio
import copy
from pathlib import Path

import msgspec
import pytest

from support.embedded_live import trading
from tradecore_audit import truth
from tradecore_audit.audit import Audit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """Return a journal and the venue's log as plain values, when everything was closed."""

    async def trade():
        async with trading(tmp_path_factory.mktemp("audited"), seed=5) as live:
            await live.until(lambda said: said["fills"] >= 8, seconds=40)
            await live.settled()
            return live.journal.where, msgspec.json.decode(msgspec.json.encode(live.truth()))

    return asyncio.run(trade())


def found(traded, change=lambda log: None):
    """Audit the journal against a log with a change; return the differences by rule."""
    path, log = traded
    log = copy.deepcopy(log)
    change(log)
    audit = Audit(Path(path))
    audit.catch_up()
    audit.settle()
    audit.against(truth.read(msgspec.json.encode(log), "log"), "demo")
    audit.close()
    report = audit.report()
    return report, {finding.rule for finding in report.findings}


def last(log, kind):
    """Return the last deed of a kind."""
    return next(deed for deed in reversed(log["deeds"]) if deed["type"] == kind)


def wrong(kind, name, value):
    """Return a change of one value of the last deed of a kind."""
    return lambda log: last(log, kind).update({name: value})


def more(kind, name, by):
    """Return a change of one number of the last deed of a kind."""
    return lambda log: last(log, kind).update({name: last(log, kind)[name] + by})


def more_money(log):
    """Let the venue have one atto unit more."""
    row = next(row for row in log["balances"] if row["account"] == "demo" and row["currency"] == "USD")
    row["total_atto"] += 1


def a_position(log):
    """Let the venue hold a lot that nobody bought, for nothing."""
    log["positions"].append({"account": "demo", "market": 0, "lots": 1, "cost_atto": 0})


def no_fill(log):
    """Let the venue forget its last trade."""
    log["deeds"].remove(last(log, "fill"))


def no_order(log):
    """Let the venue forget an order."""
    number = last(log, "order")["number"]
    log["deeds"] = [deed for deed in log["deeds"] if deed.get("number") != number]


def an_order_twice(log):
    """Let the venue have an order under two numbers of its own."""
    log["deeds"].append({**last(log, "order"), "number": 9_999})


def test_a_live_journal_is_what_its_venue_did(traded):
    """Orders, trades, positions and money, each counted more than once."""
    report, rules = found(traded)
    assert [finding.line for finding in report.findings] == []
    assert rules == set()
    assert report.checked["venue_order"] > 8
    assert (report.checked["venue_money"], report.checked["venue_position"]) == (1, 1)
    assert report.fills >= 8


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (more("fill", "price_ticks", 1), "venue_order"),
        (more("fill", "fee_atto", 1), "venue_order"),
        (more("fill", "lots", 1), "venue_order"),
        (no_fill, "venue_order"),
        (wrong("order", "client_order_id", "theirs"), "venue_order"),
        (wrong("order", "state", "expired"), "venue_order"),
        (no_order, "venue_order"),
        (an_order_twice, "venue_order"),
        (more_money, "venue_money"),
        (a_position, "venue_position"),
        (more("deposit", "amount_atto", -1), "venue_money"),
    ],
)
def test_a_log_that_differs_by_one_unit_is_found(traded, change, rule):
    """A price, a fee, a size, a trade, a name, an end, an order, a balance, a position, a deposit."""
    _, rules = found(traded, change)
    assert rule in rules


def nameless(log):
    """Let the venue have taken no names of clients."""
    for deed in log["deeds"]:
        if "client_order_id" in deed:
            deed["client_order_id"] = None


def nameless_and_one_more(log):
    """Let it have one order more."""
    nameless(log)
    log["deeds"].append(last(log, "order") | {"number": 999_999})


def test_orders_at_a_venue_without_names_are_known_by_its_own(traded):
    """It told each of its numbers with an order; one of which it never spoke is none of this journal."""
    report, rules = found(traded, nameless)
    assert rules == set()
    assert report.checked["venue_order"] > 0
    report, rules = found(traded, nameless_and_one_more)
    assert [finding.words for finding in report.findings] == [
        "order 999999 there, None, is none of this journal"
    ]
