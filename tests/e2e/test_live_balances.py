"""A live account that owns what it buys: its balances are the venue's, and an operator tells of money."""

import json
import time
import urllib.request
from decimal import Decimal

import pytest

from support.venue_process import WIDE_CANARY, venue_beside
from tradecore.domain.secret import Secret
from tradecore_api.exit_codes import ExitCode
from tradecore_local import Key

VENUE = """
seed = 5
[[accounts]]
name = "demo"
balances = { USD = "100000", BTC = "2" }
[[markets]]
base = "BTC"
quote = "USD"
instrument = { symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }
"""
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
base = "BTC"
[account]
name = "main"
cash = { USD = "99000", BTC = "2" }
conversions = { BTC = "BTC-USD" }
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which a venue runs."""
    with venue_beside(tmp_path, VENUE, LIVE) as made:
        yield made


def said(folder, *arguments):
    """Return what a command answers as JSON, whatever its exit code."""
    answer, _ = folder.start(*arguments, "--json").communicate(timeout=60)
    return json.loads(answer)


def until(told, is_so):
    """Ask until it is so, and return the answer."""
    deadline = time.monotonic() + 90
    while not is_so(answer := told()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    return answer


def trade_by_hand(folder):
    """Sell a lot at the market, as no engine did."""
    keys = json.loads((folder.folder / "venue-keys.json").read_text())
    named, now_ns = keys["accounts"]["demo"]["trade"], time.time_ns()
    order = {"symbol": "BTC-USD", "side": "sell", "kind": "market", "time_in_force": "ioc", "quantity": "0.5"}
    body = json.dumps(order).encode()
    key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
    headers = key.headers("POST", "/orders", body, time_ns=now_ns, nonce=str(now_ns))
    request = urllib.request.Request(keys["url"] + "/orders", headers=headers, method="POST", data=body)
    urllib.request.urlopen(request, timeout=10).close()


def explained(folder, venue):
    """Tell of what others traded, as the balances say it; return whether books and venue agree."""
    differs = {
        each["currency"]: Decimal(each["venue"]) - Decimal(each["books"]) for each in venue["balances"]
    }
    if differs.keys() == {"BTC", "USD"} and differs["BTC"] < 0 < differs["USD"]:
        given, received = f"{-differs['BTC']:f}", f"{differs['USD']:f}"
        folder.run("convert", "BTC", given, "USD", received, "sold by hand", "--by", "Ada")
    return venue["step"] == "agreed"


def test_a_balance_that_differs_holds_new_risk_until_an_operator_explains_it(folder):
    """A thousand dollars too few in the books; told of as a deposit, they agree through every trade."""
    output, _ = folder.run("reconcile", "live.toml", code=ExitCode.CHECK_FAILED)
    assert "USD: the venue has 100000, the books have 99000; if 1000 came or went without a trade" in output
    assert "(compared: BTC, USD)" in output
    folder.arm()
    engine = folder.start("run", "live.toml", "--json")
    try:
        stands = until(
            lambda: folder.start("status", "main").communicate(timeout=60)[0], lambda text: "DIFFER" in text
        )
        assert "`tradecore transfer USD 1000 REASON --by PERSON`" in stands
        _, talk = folder.run("transfer", "EUR", "5", "x", "--by", "Ada", code=ExitCode.REFUSED)
        assert "currency 'EUR': must be one of the account's currencies: USD, BTC" in talk
        folder.run("transfer", "USD", "1000", "deposit of Monday", "--by", "Ada")
        engine_says = until(
            lambda: said(folder, "status", "main")["engine"],
            lambda shown: shown["venue"]["step"] == "agreed" and shown["fills"] > 2,
        )
        assert engine_says["venue"]["balances"] == []
        # There and back: to the venue nothing has happened, and each of the two is in the books.
        for given in (("BTC", "0.5", "USD", "1000"), ("USD", "1000", "BTC", "0.5")):
            done, _ = folder.run("convert", *given, "by hand", "--by", "Ada")
            assert f"{given[1]} {given[0]} is booked as {given[3]} {given[2]}" in done
        _, talk = folder.run(
            "convert", "BTC", "0.5", "USD", "many", "x", "--by", "Ada", code=ExitCode.REFUSED
        )
        assert "received 'many': must be a decimal number" in talk
        found = until(lambda: said(folder, "reconcile", "live.toml"), lambda told: told["verdict"] == "agree")
        assert found["compared_balances"] == ["BTC", "USD"]
        trade_by_hand(folder)
        stands = until(
            lambda: folder.start("status", "main").communicate(timeout=60)[0], lambda text: "DIFFER" in text
        )
        assert "if others traded one for the other, say so: `tradecore convert" in stands
        # It may not have come to rest: what a later answer shows is told of again.
        until(
            lambda: said(folder, "status", "main")["engine"]["venue"], lambda venue: explained(folder, venue)
        )
    finally:
        folder.run("stop", "main")
        engine.communicate(timeout=60)
    records, _ = folder.run("journal", "export", "live.journal")
    (told,) = [json.loads(line) for line in records.splitlines() if '"transfer"' in line]
    assert (told["amount"], told["reason"]) == ("1000", "deposit of Monday (by Ada)")
    folder.run("journal", "replay", "live.journal")
