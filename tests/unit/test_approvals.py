"""Entries that wait for a person: what a strategy and an operator see of them."""

import argparse
import json

import pytest

from support.armed import Armed
from support.two_metals import engine_of
from tradecore._core import waiting
from tradecore.domain import EventBatch, InvalidValueError, RiskSpec
from tradecore.domain.commands import Approve, Flatten, Reject
from tradecore.domain.errors import ConfigError
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.spec import ApprovalSpec, Mode
from tradecore.domain.units import Units
from tradecore_api.commands import approvals as command
from tradecore_api.engine_status import waiting_rows
from tradecore_api.exit_codes import ExitCode
from tradecore_api.standing import RUNNING, STOPPED
from tradecore_api.wiring import arming

SECOND = 1_000_000_000
APPROVAL = ApprovalSpec(above="300", timeout_ns=10 * SECOND, price_move_bps="100")


class Buys:
    """Buys four at its first quote, and keeps what it was told."""

    def __init__(self, lots=4) -> None:
        self.lots = lots
        self.answers, self.updates = [], []

    def on_quote(self, ctx, quote) -> None:
        """Ask once."""
        if not self.answers:
            self.answers.append(ctx.buy(quantity_lots=self.lots, instrument_id=0))

    def on_order(self, ctx, update) -> None:
        """Keep what is told."""
        self.updates.append((update.order_id, update.what))


def quoted(engine, time_ns, bid=99):
    """Quote gold and tin."""
    batch = EventBatch()
    for instrument_id in (0, 1):
        batch.quote(time_ns, instrument_id, bid, 50, bid + 2, 50)
    engine.feed(batch)
    engine.run()


@pytest.fixture
def asked():
    """Return an engine whose strategy has asked for an entry that waits, and the strategy."""
    engine, strategy = engine_of(Buys, RiskSpec(), approval=APPROVAL)
    quoted(engine, SECOND)
    return engine, strategy


def test_the_strategy_is_told_that_it_waits_and_under_which_number(asked):
    """It is no order, and the words say what to do."""
    engine, strategy = asked
    (answer,) = strategy.answers
    assert not answer
    assert (answer.rule, answer.limit, answer.value) == ("awaiting_approval", 10 * SECOND, 1)
    words = refusal_words(answer.rule, answer.limit, answer.value, Units(engine.spec, ["buys"]), 0)
    assert words == "wish 1 waits for a person's yes, 10 s at most: `tradecore approvals`"
    assert engine.summary().open_orders == 0
    (row,) = waiting_rows(engine, Units(engine.spec, ["buys"]))
    assert (row["wish"], row["strategy"], row["value"], row["market"]) == (1, "buys", "400 USD", "100")
    assert "buy 4 GOLD" in row["what"]


def test_a_yes_makes_an_order_of_it_that_the_strategy_hears_of(asked):
    """With a number of its own, from the next event on."""
    engine, strategy = asked
    engine.command(Approve(value="1", person="Ada"), 2 * SECOND)
    quoted(engine, 3 * SECOND)
    assert engine.kernel.position_total_lots(0) == 4
    assert {number for number, _ in strategy.updates} == {2}
    assert waiting(engine.kernel) == []


@pytest.mark.parametrize(
    ("answers", "bid", "rule"),
    [
        ([Reject(value="1", person="Ada")], 99, "approval_rejected"),
        ([Flatten()], 99, "approval_rejected"),
        ([Approve(value="1", person="Ada")], 101, "approval_price_moved"),
        ([], 99, "approval_expired"),
    ],
)
def test_what_is_not_approved_in_time_and_near_its_price_ends(asked, answers, bid, rule):
    """And is told by its rule, in words."""
    engine, _ = asked
    quoted(engine, 2 * SECOND, bid)
    for answer in answers:
        engine.command(answer, 2 * SECOND)
    quoted(engine, 11 * SECOND, bid)
    assert waiting(engine.kernel) == []
    assert engine.kernel.position_total_lots(0) == 0
    assert rule in str(engine.activity())
    units = Units(engine.spec, ["buys"])
    assert not refusal_words(rule, 10_000, 20_000, units, 0).startswith("limit ")


def test_a_number_that_does_not_wait_is_refused_before_it_is_journalled(asked):
    """With those that do."""
    engine, _ = asked
    for number, says in (("7", "waits for approval: 1"), ("x", "must be the number of a wish")):
        with pytest.raises(InvalidValueError, match=says):
            engine.check_command(Approve(value=number, person="Ada"))
    engine.check_command(Reject(value="1", person="Ada"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"above": "-1"}, "approval.above"), ({"price_move_bps": "-1"}, "approval.price_move_bps")],
)
def test_a_bound_that_makes_no_sense_is_refused_by_its_key(changes, field):
    """It is that of the specification."""
    spec = {"above": "300", "timeout_ns": SECOND, "price_move_bps": "1", **changes}
    with pytest.raises(InvalidValueError, match=field.rpartition(".")[2]):
        engine_of(Buys, RiskSpec(), approval=ApprovalSpec(**spec))


def test_words_of_the_journal_name_the_wish():
    """Who reads it knows which one."""
    assert Approve(value="3", person="Ada").words() == "wish 3 was approved: risk judges it now"
    assert Reject(value="3", person="Ada").words() == "wish 3 was rejected"


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """Return a live configuration in a folder."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    return Armed(tmp_path)


def test_a_live_configuration_says_which_entries_wait(ground):
    """In live mode alone: a backtest has nobody to ask, and paper asks nobody."""
    ground.change("canary.order", "approval = { above = 300, timeout_ms = 5_000 }\ncanary.order")
    spec = ground.config().engine_spec()
    assert spec.approval == ApprovalSpec(above="300", timeout_ns=5 * SECOND, price_move_bps="50")
    assert ground.config().engine_spec(Mode.BACKTEST).approval is None
    assert ground.config("mode=paper").engine_spec().approval is None


def test_it_is_armed_with_the_rest(ground):
    """Whoever takes it away has to arm anew."""
    ground.change("canary.order", "approval = { above = 300 }\ncanary.order")
    arming.arm(ground.config(), "Bob")
    arming.armed(ground.config())
    ground.change("approval = { above = 300 }\n", "")
    with pytest.raises(ConfigError, match=r'approval setting above was "300", is not set'):
        arming.armed(ground.config())


def test_the_command_lists_what_waits_of_engines_that_run(ground, monkeypatch, capsys):
    """In words, and as JSON; one that does not run is said."""
    row = {"wish": 7, "strategy": "own", "what": "buy", "value": "400 USD", "market": "100"}
    row |= {"asked": "then", "until": "later"}
    states = {"main": (RUNNING, {"waiting_rows": [row]}), "other": (STOPPED, {})}

    def look(name):
        state, engine = states[name]
        return argparse.Namespace(state=state, engine=engine)

    monkeypatch.setattr(command, "look", look)
    monkeypatch.setattr(command, "known_accounts", lambda: [*states])
    everywhere = argparse.Namespace(account=None, json=False)
    assert command.approvals(everywhere) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "main  7  own: buy" in shown
    assert "worth 400 USD, market at 100; asked then, until later" in shown
    everywhere.json = True
    command.approvals(everywhere)
    assert json.loads(capsys.readouterr().out) == [{"account": "main", **row}]
    named = argparse.Namespace(account="other", json=False)
    assert command.approvals(named) == ExitCode.NOT_RUNNING
    said = capsys.readouterr().err
    assert "other: not running" in said
    assert "only a running engine says what waits" in said
    assert "nothing waits" not in said
