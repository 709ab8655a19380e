"""One order from the decision to the money, and the list of all: picked out of the records of a journal."""

import asyncio
import json
from decimal import Decimal

import pytest

from support.records import record
from support.sessions import SPEC, ListFeed, open_session
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.session_config import ArmedBy, SessionConfig
from tradecore_api import cli
from tradecore_api.commands.orders import _records
from tradecore_api.exit_codes import ExitCode
from tradecore_api.order_trace import OrderTrace
from tradecore_api.told_orders import OrderLog

ATTO = 10**18
ARMED = ArmedBy(person="Ada", time_ns=5, digest="abc")
CONFIG = SessionConfig(engine=SPEC, strategies=({"name": "maker"}, {"name": "other"}), arming=ARMED)
SESSION = {"engine_version": "1.2.3", "config": CONFIG.encoded().decode()}
TERMS = {
    "strategy": 0,
    "instrument": 0,
    "side": "buy",
    "order_kind": "limit",
    "price_ticks": 100_00,
    "lots": 50,
    "time_in_force": "gtc",
}


class Records:
    """Records of a journal, one after another; `at` is the moment of those that follow."""

    def __init__(self):
        self.made = []
        self.time_ns = 0
        self.add("session", **SESSION)

    def at(self, time_ns):
        """Go on at a moment."""
        self.time_ns = time_ns
        return self

    def add(self, kind, **fields):
        """Add a record."""
        self.made.append(record(kind, len(self.made), self.time_ns, **fields))
        return self

    def order(self, number, **terms):
        """Add a decision and the order that comes of it."""
        terms = {**TERMS, **terms}
        self.add("decision", strategy=terms["strategy"], instrument=0, reason=f"for {number}")
        return self.add("order", order_id=number, **terms).add(
            "sent", order_id=number, request="new", lots=50
        )

    def filled(self, number, trade_id, lots=50, price_ticks=100_00, fee=ATTO // 10):
        """Add a trade as the venue tells it and as it is booked."""
        traded = {"order_id": number, "report": "fill", "price_ticks": price_ticks, "lots": lots, "fee": fee}
        self.add("venue_report", instrument=0, trade_id=trade_id, venue_order_id="v7", **traded)
        return self.add("report", **traded, liquidity="maker")

    def trace(self, number):
        """Return the story of a number."""
        story = OrderTrace(number, "a.journal")
        for each in self.made:
            story.take(each)
        return story

    def log(self):
        """Return all orders as they are at the end."""
        log = OrderLog("a.journal")
        for each in self.made:
            log.take(each)
        return {each.order: each for each in log.shown()}


def kinds(story):
    """Return the kinds of the records of a story, in their order."""
    return [step.record.kind for step in story.steps]


def test_an_order_is_told_from_the_session_to_the_closed_trade():
    """Decision, approval, request, the venue's words, what was booked and held then, and what it made."""
    made = Records().at(1).order(1, strategy=1).at(2).order(2).at(3).filled(1, "a").filled(2, "b")
    made.at(4).order(3, side="sell", price_ticks=101_00).filled(3, "c", price_ticks=101_00)

    story = made.trace(2)

    told = ["session", "decision", "order", "sent", "venue_report", "report"]
    assert kinds(story) == told
    assert [step.record.time_ns for step in story.steps] == [0, 2, 2, 2, 3, 3]
    assert story.steps[1].words.endswith("decided: for 2")
    assert story.steps[-1].held == Decimal("0.005")
    assert story.armed == ARMED
    order = story.order()
    assert (order.state, order.filled, order.price) == ("filled", Decimal("0.005"), Decimal("100.00"))
    assert (order.fees, order.venue_order_id) == ({"USD": Decimal("0.1")}, "v7")
    (trade,) = story.trades()
    assert (trade.entry_order, trade.exit_order) == (2, 3)
    assert trade.pnl == Decimal("0.005") - Decimal("0.2")


@pytest.mark.parametrize("wish", ["7", "70007"])
def test_the_wish_before_a_persons_yes_belongs_to_the_order(wish):
    """Under either number: who was asked, who said yes, and what came of it; what came later does not."""
    number = int(wish)
    made = Records().at(1).add("refused", order_id=number, rule="awaiting_approval", value=int(wish), **TERMS)
    made.at(2).add("refused", order_id=number + 1, rule="awaiting_approval", value=number, **TERMS)
    made.at(3).add("command", command="approve", value=wish, person="Ada").order(number + 2).order(number + 3)

    story = made.trace(number + 2)
    assert kinds(story) == ["session", "refused", "command", "decision", "order", "sent"]
    assert story.wish == number
    assert "by Ada" in story.steps[2].words
    assert kinds(made.trace(number)) == ["session", "refused", "command", "decision", "order"]
    assert made.trace(number).order() is None
    assert kinds(made.trace(number + 3)) == ["session", "decision", "order", "sent"]
    assert made.trace(number + 3).wish is None


@pytest.mark.parametrize("rule", ["notional_max", "paused"])
def test_a_wish_that_was_refused_is_told_until_then(rule):
    """With the decision; and after a yes, too."""
    made = Records().at(1).add("decision", reason="own").add("refused", order_id=4, rule=rule, **TERMS)
    assert kinds(made.trace(4)) == ["session", "decision", "refused"]

    made.at(2).add("refused", order_id=5, rule="awaiting_approval", value=5, **TERMS)
    made.at(3).add("command", command="approve", value="5", person="Ada")
    made.add("decision", reason="anew").add("refused", order_id=6, rule=rule, **TERMS)
    whole = ["session", "refused", "command", "decision", "refused"]
    assert kinds(made.trace(5)) == kinds(made.trace(6)) == whole


def test_what_an_operator_ended_or_closed_says_so():
    """A flatten is before the cancel that it asks for, and before the order at the market that closes."""
    made = Records().at(1).order(1).at(2).add("command", command="flatten")
    made.add("cancel_request", order_id=1).add("sent", order_id=1, request="cancel")
    made.at(3).add("order", order_id=2, **{**TERMS, "order_kind": "market", "side": "sell"})
    made.at(4).add("cancel_request", order_id=2)

    assert kinds(made.trace(1)) == [
        "session",
        "decision",
        "order",
        "sent",
        "command",
        "cancel_request",
        "sent",
    ]
    assert "a cancel of order 1 of maker is asked for" in made.trace(1).steps[-2].words
    assert kinds(made.trace(2)) == ["session", "command", "order", "cancel_request"]


def test_a_restart_while_it_is_open_belongs_to_it_and_a_trade_told_again_is_named():
    """So that a reader sees what nobody knew, and does not count a trade twice."""
    made = Records().at(1).order(1).add("outcome_lost", order_id=1).at(2).add("session", **SESSION)
    made.filled(1, "a").at(3).add("session", **SESSION)
    made.add("venue_report", instrument=0, order_id=1, report="fill", lots=50, trade_id="a")

    story = made.trace(1)
    assert kinds(story).count("session") == 2
    assert [step.is_again for step in story.steps] == [False] * (len(story.steps) - 1) + [True]


def test_what_the_venue_says_of_a_number_before_it_is_an_order_is_told_too():
    """As after an older copy of the journal was put back: it had an order of this name in another life."""
    made = Records().at(1).add("surprise", order_id=1, surprise="not_sent", halts=True).at(2).order(1)

    story = made.trace(1)
    assert kinds(story) == ["session", "surprise", "decision", "order", "sent"]
    assert story.armed == ARMED


def test_a_trade_told_anew_counts_as_it_is_now():
    """In what filled, at which price and at which cost."""
    made = Records().at(1).order(1).at(2).filled(1, "a", lots=30).filled(1, "b", lots=20, price_ticks=101_00)
    assert made.log()[1].price == Decimal("100.40")
    was = {"was_price_ticks": 101_00, "was_lots": 20, "was_fee": ATTO // 10}
    made.at(3).add("revision", order_id=1, side="buy", trade_id="b", revised="busted", **was)

    order = made.log()[1]
    assert (order.filled, order.price, order.fees) == (
        Decimal("0.003"),
        Decimal("100.00"),
        {"USD": Decimal("0.1")},
    )
    assert made.trace(1).steps[-1].held == Decimal("0.003")
    made.add("revision", order_id=1, side="buy", trade_id="a", revised="busted", **{**was, "was_lots": 30})
    assert made.log()[1].price is None


def test_a_number_of_nothing_has_no_story():
    """Also where orders are."""
    assert Records().order(1).trace(2).steps == []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The journal of a short session."""
    path = tmp_path_factory.mktemp("recorded") / "a.journal"

    async def run():
        await open_session(path, feed=ListFeed(slices=40)).run()

    asyncio.run(run())
    return path


@pytest.fixture
def said(capsys):
    """Run a command; gives its code and what it printed."""

    def run(*words):
        code = cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_commands_list_the_orders_and_tell_one(recorded, said, tmp_path):
    """As a table, as JSON and as CSV; all that was filled is in the table of trades, too."""
    code, output, _ = said("orders", recorded, "--json")
    assert code == ExitCode.OK
    found = json.loads(output)
    filled = [each for each in found if each["state"] == "filled"]
    assert filled
    assert len(found) == sum(each.kind == "order" for each in _records(JournalFolder(recorded)))

    _, output, _ = said("orders", recorded, "-n", 3)
    assert len(output.splitlines()) == 5
    assert f"{len(found):,} orders; the last 3 are shown, --all shows all" in output
    _, output, _ = said("orders", recorded, "--all", "--state", "filled")
    assert len(output.splitlines()) == len(filled) + 2
    _, output, _ = said("orders", recorded, "--state", "open", "--json")
    assert [each["order"] for each in json.loads(output)] == [
        each["order"] for each in found if each["is_open"]
    ]
    assert said("orders", recorded, "--until", "2000-01-01")[1] == "0 orders\n"
    for spelling in ("Filled", "FILLED"):
        assert len(json.loads(said("orders", recorded, "--json", "--state", spelling)[1])) == len(filled)
    first = found[0]
    chosen = ["--strategy", first["strategy"], "--symbol", first["symbol"], "--state", "PendingCancel"]
    assert said("orders", recorded, *chosen)[0] == ExitCode.OK
    _, _, talk = said("orders", recorded, "--csv", tmp_path / "orders.csv")
    assert f"{len(found):,} orders, written to" in talk
    rows = (tmp_path / "orders.csv").read_text().splitlines()
    assert len(rows) == len(found) + 1
    assert rows[0].startswith("order,time_utc,strategy,symbol,account,side,what,state")

    number = filled[0]["order"]
    _, output, _ = said("trace", number, recorded)
    assert f"order    {number} of strategy 0: {filled[0]['what']}" in output
    assert "closed trades" in output
    _, output, _ = said("trace", number, recorded, "--json")
    told = json.loads(output)
    assert told["order"]["filled"] == filled[0]["filled"]
    assert [each["kind"] for each in told["records"]][:2] == ["session", "decision"]
    assert any("position" in each for each in told["records"])
    assert told["trades"]


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (["--state", "cancelled"], "--state = 'cancelled': is not known here; did you mean 'canceled'?"),
        (["--state", "gone"], "known are canceled, expired, filled, new, open"),
        (["--strategy", "nobody"], "--strategy = 'nobody': is not known here"),
        (["--symbol", "X"], "--symbol = 'X': is not known here"),
    ],
)
def test_a_choice_that_names_nothing_is_refused(recorded, said, choice, says):
    """Else a mistyped word would read as if there were no such orders."""
    code, output, talk = said("orders", recorded, *choice)
    assert (code, output) == (ExitCode.CONFIG, "")
    assert says in talk


def test_a_number_and_a_journal_that_are_not_there_are_refused_in_words(recorded, said, tmp_path):
    """With what to do."""
    code, output, talk = said("trace", 10**6, recorded)
    assert (code, output) == (ExitCode.CONFIG, "")
    assert "is no order and no wish in" in talk
    assert "`tradecore orders` lists them" in talk
    (tmp_path / "empty.journal").touch()
    code, _, talk = said("orders", tmp_path / "empty.journal")
    assert code == ExitCode.STORAGE
    assert "there are no orders in it" in talk
