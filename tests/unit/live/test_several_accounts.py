"""The parts of a live engine with several accounts: whose a record is, numbers of instruments, and money."""

from decimal import Decimal

import msgspec
import pytest

from support.live_desk import CAPABILITIES, TERMS
from support.records import record
from tradecore.domain import AccountSpec, EngineSpec, InstrumentSpec
from tradecore.domain.account_part import parts_of
from tradecore.domain.spec import VenueAccountSpec
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import (
    BalanceSeen,
    FillSeen,
    FillsSince,
    Findings,
    NotUnderstood,
    OneOrder,
    PositionSeen,
    StreamReady,
)
from tradecore.domain.venue_requests import Cancel, Replace, Submit, Taken
from tradecore.runtime.live import record_accounts
from tradecore.runtime.live.account_venue import AccountQueries, AccountVenue
from tradecore.runtime.live.balances import balance_differences, compared_currencies
from tradecore.runtime.live.journal_books import JournalBooks
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.runtime.live.record_accounts import RecordAccounts, of_account

SPEC = EngineSpec(
    instruments=(
        InstrumentSpec(symbol="A", tick_size="1", account="second", base="ETH"),
        InstrumentSpec(symbol="B", tick_size="1", base="BTC"),
        InstrumentSpec(symbol="C", tick_size="1", account="second", settlement="EUR"),
    ),
    account=AccountSpec(
        name="main",
        cash={"USD": "10", "BTC": "1"},
        conversions={"BTC": "B", "ETH": "A", "EUR": "1.1"},
    ),
    accounts=(VenueAccountSpec(name="second", cash={"USD": "20", "ETH": "2"}),),
)
MAIN, SECOND = parts_of(SPEC)
FILL = FillSeen(
    client_order_id="x",
    venue_order_id="1",
    instrument=1,
    symbol="C",
    side="buy",
    trade_id="t",
    price_ticks=1,
    lots=1,
    liquidity="maker",
    fee=Decimal(0),
    fee_currency="EUR",
    time_ns=1,
)


class Noted:
    """A venue that notes what it is asked, and tells and answers what a test says."""

    capabilities = msgspec.structs.replace(CAPABILITIES, positions=frozenset({1}))

    def __init__(self, *told):
        self.asked, self.told = [], told

    async def submit(self, request):
        """Take an order."""
        self.asked.append(request.order.instrument)
        return Taken(venue_order_id="1")

    async def cancel(self, request):
        """Take a cancel."""
        self.asked.append(request.instrument)
        return Taken(venue_order_id="1")

    replace = cancel

    async def query(self, question):
        """Answer."""
        self.asked.append(getattr(question, "instrument", None))
        seen = [each for each in self.told if not isinstance(each, StreamReady)]
        return Findings(seen=tuple(seen), is_complete=True)

    async def reports(self):
        """Tell."""
        for each in self.told:
            yield each

    async def aclose(self):
        """Note the end."""
        self.asked.append("closed")


class Reader(Noted):
    """One that can try a message again."""

    def read_again(self, letter):
        """Understand it."""
        return [FILL]


def test_an_engine_is_parted_by_accounts():
    """Instruments by the engine's numbers; balances by the venue's names of them."""
    assert (MAIN.name, MAIN.number, MAIN.instruments, MAIN.first_instrument) == ("main", 0, (1,), 1)
    assert (SECOND.instruments, SECOND.first_instrument) == ((0, 2), 0)
    assert MAIN.balances == {"USD": "USD", "BTC": "BTC"}
    assert SECOND.balances["USD"] == "second:USD"
    assert set(SECOND.balances) == {"USD", "ETH", "EUR"}
    (whole,) = parts_of(msgspec.structs.replace(SPEC, instruments=SPEC.instruments[1:2], accounts=()))
    assert (whole.number, whole.instruments) == (0, (0,))


async def test_a_client_of_one_account_is_asked_in_its_own_numbers_and_heard_in_the_engines():
    """C is the second instrument of its account, and the third of the engine."""
    position = PositionSeen(instrument=1, symbol="C", lots=3)
    strange = PositionSeen(instrument=None, symbol="Z", lots=1)
    money = BalanceSeen(currency="EUR", total=Decimal(1), free=Decimal(1))
    noted = Noted(StreamReady(), FILL, money)
    venue = AccountVenue(noted, SECOND.instruments)
    assert venue.capabilities.positions == {2}
    order = msgspec.convert(TERMS | {"order_id": 1, "decided_ns": 1, "instrument": 2}, _terms())
    await venue.submit(Submit(client_order_id="x", order=order, lots=1))
    await venue.cancel(Cancel(client_order_id="x", instrument=0, venue_order_id=None))
    await venue.replace(
        Replace(
            client_order_id="x",
            instrument=2,
            venue_order_id=None,
            price_ticks=1,
            open_lots=1,
            filled_lots=0,
        )
    )
    await venue.query(OneOrder(client_order_id="x", venue_order_id=None, instrument=2))
    await venue.query(FillsSince(time_ns=1))
    assert noted.asked == [1, 0, 1, 1, None]
    told = [message async for message in venue.reports()]
    assert [getattr(each, "instrument", "none") for each in told] == ["none", 2, "none"]
    queries = AccountQueries(Noted(position, strange), SECOND.instruments)
    found = await queries.query(FillsSince(time_ns=1))
    assert [each.instrument for each in found.seen] == [2, None]
    await venue.aclose()
    assert noted.asked[-1] == "closed"


def _terms():
    return record("order", order_id=1).body.__class__


def test_a_letter_is_read_by_who_can_and_in_the_engines_numbers():
    """A client that cannot try again leaves it as it is."""
    letter = NotUnderstood(text="?", why="!")
    assert AccountVenue(Noted(), SECOND.instruments).read_again(letter) == [letter]
    (message,) = AccountVenue(Reader(), SECOND.instruments).read_again(letter)
    assert message.instrument == 2


def test_a_record_is_of_the_account_of_its_order():
    """And what is of no order is of all, but for a surprise, which is of the venue that spoke last."""
    accounts = RecordAccounts([MAIN, SECOND])
    accounts.know([(5, 2)])
    told = [
        (record("surprise", order_id=9, surprise="impossible", halts=True), None),
        (record("order", order_id=6, instrument=1), 0),
        (record("sent", order_id=6, request="new"), 0),
        (record("report", order_id=6, report="accepted"), 0),
        (record("report", order_id=5, report="fill"), 1),
        (record("sent", order_id=7, request="new"), None),
        (record("venue_report", order_id=5, instrument=2, report="fill"), 1),
        (record("surprise", order_id=0, surprise="impossible", halts=True), 1),
        (record("venue_report", order_id=3, instrument=0, report="fill"), 1),
        (record("report", order_id=3, report="fill"), 1),
        (record("outcome_lost", order_id=6, instrument=1), 0),
        (record("surprise", order_id=0, surprise="impossible", halts=True), 0),
        (record("reconciling", instrument=0), 1),
        (record("reconciled", instrument=1), 0),
        (record("adopted", instrument=0, adopted="order"), 1),
        (record("cash_flow", instrument=1), 0),
        (record("command", command="kill"), None),
        (record("clock"), None),
    ]
    assert [accounts.of(each) for each, _ in told] == [account for _, account in told]
    concerns = of_account(MAIN, [MAIN, SECOND])
    kept = [each for each, account in told[1:] if account in (0, None)]
    assert [each for each, _ in told[1:] if concerns(each)][:3] == kept[:3]


def test_orders_of_long_ago_are_forgotten(monkeypatch):
    """Then nobody says whose they are, and every account hears of them, which changes nothing there."""
    monkeypatch.setattr(record_accounts, "ORDERS_MAX", 2)
    accounts = RecordAccounts([MAIN, SECOND])
    for number in (1, 2, 3):
        accounts.of(record("order", order_id=number, instrument=1))
    assert [accounts.of(record("sent", order_id=number, request="new")) for number in (1, 2, 3)] == [
        None,
        0,
        0,
    ]


def test_what_came_between_of_another_account_is_no_order_of_others():
    """An order taken over is the record that follows at once; a later one of a strategy is its own."""
    for between, others in ((0, {"V1": 4}), (1, {})):
        books = JournalBooks()
        books.take(record("adopted", 10, instrument=1, adopted="order", venue_order_id="V1", side="buy"))
        books.take(record("order", 11 + between, order_id=4, instrument=1, side="buy", lots=3))
        assert books.others == others


def test_each_account_has_its_own_money():
    """A purchase adds to the balance of the account where it was made, and so is its fee taken."""
    units = Units(SPEC, ())
    money = JournalMoney(SPEC, units)
    assert money.balances == {
        "USD": Decimal(10),
        "BTC": Decimal(1),
        "second:USD": Decimal(20),
        "second:ETH": Decimal(2),
        "second:EUR": Decimal(0),
    }
    fill = record("report", order_id=1, report="fill", price_ticks=3, lots=2, fee=10**18).body
    money.filled(0, 1, fill)
    assert (money.balances["second:USD"], money.balances["second:ETH"]) == (Decimal(13), Decimal(4))
    money.flowed(record("cash_flow", instrument=2, amount=10**18).body)
    assert money.balances["second:EUR"] == Decimal(1)
    assert money.balances["USD"] == Decimal(10)


def test_balances_are_compared_by_the_venues_names_and_told_by_the_engines():
    """What a position is settled in is not compared; what differs is said as a transfer of that balance."""
    units = Units(SPEC, ())
    assert compared_currencies(units, frozenset(), MAIN) == {"USD", "BTC"}
    assert compared_currencies(units, frozenset({2}), SECOND) == {"USD", "ETH"}
    seen = (BalanceSeen(currency="USD", total=Decimal(25), free=Decimal(25)),)
    findings = Findings(seen=seen, is_complete=True)
    books = {"USD": 7 * 10**18, "second:USD": 20 * 10**18}
    (differs,) = balance_differences(findings, books, {"USD"}, SECOND.balances)
    assert (differs.currency, differs.venue, differs.books) == ("USD", Decimal(25), Decimal(20))
    assert "`tradecore transfer second:USD 5 REASON --by PERSON`" in differs.words
    (differs,) = balance_differences(findings, books, {"USD"}, MAIN.balances)
    assert "`tradecore transfer USD 18 REASON --by PERSON`" in differs.words


@pytest.mark.parametrize(("instrument", "balance"), [(0, "second:USD"), (1, "USD"), (2, "second:USD")])
def test_a_balance_has_the_name_of_its_account(instrument, balance):
    """Of the first account it is the currency alone."""
    assert Units(SPEC, ()).balance(instrument, "USD") == balance
