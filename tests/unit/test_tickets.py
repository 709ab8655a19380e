"""Tickets as a strategy and its surroundings see them: asked for, closed by name, shown, carried over."""

import msgspec
import pytest

from support import records
from support.live_desk import CAPABILITIES
from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    FeesSpec,
    HedgedMargin,
    InstrumentKind,
    InstrumentSpec,
    InvalidSpecError,
    InvalidValueError,
    LotMethod,
    Matching,
    Positions,
    StrategyBinding,
    VenueAccountSpec,
    VenueSpec,
)
from tradecore.domain import ConfigError
from tradecore.domain.closed_trades import TradesOfFills
from tradecore.domain.journal import decode_frames
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.engine.carried import followed_account
from tradecore.engine.holdings import trades_of
from tradecore.runtime.session_config import SessionConfig
from tradecore_api.config.tables import AccountTable, Config, ConfigTables, LiveTable
from tradecore_api.engine_status import position_rows
from tradecore_api.wiring import live

GOLD = InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1")
SPEC = EngineSpec(
    instruments=(GOLD, InstrumentSpec(symbol="TIN", tick_size="1")),
    account=AccountSpec(cash="100000", positions=Positions.HEDGING),
    venue=VenueSpec(matching=Matching.QUOTES),
)


class Steps:
    """Does one thing at each quote, and keeps what it got."""

    def __init__(self, *steps):
        self.steps, self.got = list(steps), []

    def on_quote(self, ctx, quote) -> None:
        """Do the next thing."""
        if self.steps:
            self.got.append(self.steps.pop(0)(ctx))


def played(spec, strategy, bids=(100, 100, 100, 100, 100, 100, 100), opening=None):
    """Return an engine whose market is bid here, and one point wide."""
    binding = StrategyBinding(name="steps", strategy=strategy, instruments=(0, 1))
    engine = Engine(spec, [binding], recording=True, opening=opening)
    batch, first_ns = EventBatch(), 10_000 if opening is None else 20_000
    for number, bid in enumerate(bids):
        batch.quote(first_ns + 10 * number, 0, 2 * bid, 5_000, 2 * bid + 2, 5_000)
    engine.feed(batch)
    engine.run()
    return engine


def buying(quantity, **terms):
    """Return a step that buys."""
    return lambda ctx: ctx.buy(quantity=quantity, **terms)


def selling(quantity, **terms):
    """Return a step that sells."""
    return lambda ctx: ctx.sell(quantity=quantity, **terms)


def netted(spec=SPEC):
    """Return a specification with positions that are netted."""
    return msgspec.structs.replace(spec, account=AccountSpec(cash="100000"))


def test_a_strategy_sees_its_tickets_and_closes_one_of_them_in_part():
    """Bought at 101 with a fee, sold at 100; four tenths of the first are closed at 110."""
    spec = msgspec.structs.replace(SPEC, fees=FeesSpec(taker_bps="10"))
    steps = Steps(
        buying(1.0),
        selling(2.0),
        lambda ctx: ctx.tickets(),
        lambda ctx: ctx.close(ticket=1, quantity=0.4),
        lambda ctx: (ctx.position(), ctx.sides(), ctx.entry_price(), ctx.tickets()),
    )
    engine = played(spec, steps, (100, 100, 100, 110, 110, 110))
    first, second, both, closing, (position, sides, entry_price, after) = steps.got

    assert (first, second, closing) == (1, 2, 3)
    assert [(ticket.number, ticket.quantity, ticket.lots) for ticket in both] == [
        (1, 1.0, 10),
        (2, -2.0, -20),
    ]
    assert [ticket.entry_price for ticket in both] == [101.0, 100.0]
    assert [ticket.fees for ticket in both] == pytest.approx([0.101, 0.2])
    assert [ticket.unrealised_pnl for ticket in both] == pytest.approx([-0.5, -1.0])
    assert (position, sides, entry_price) == (pytest.approx(-1.4), (0.6, 2.0), None)
    left, other = after
    assert (left.quantity, left.closed_quantity, other) == (
        0.6,
        0.4,
        msgspec.structs.replace(other, realised_pnl=0.0, closed_quantity=0.0),
    )
    assert left.realised_pnl == pytest.approx(0.4 * 9 - 0.4 * 0.101 - 0.4 * 110 / 1000)
    assert [trade.entry_order for trade in trades_of(engine)] == [1]


def test_an_inverse_ticket_has_the_price_at_which_it_is_worth_what_it_cost():
    """Filled in two parts, at 100 and at 200: the harmonic mean."""
    coin = InstrumentSpec(symbol="COIN", tick_size="1", kind=InstrumentKind.INVERSE)
    spec = msgspec.structs.replace(SPEC, instruments=(coin, SPEC.instruments[1]))
    steps = Steps(lambda ctx: ctx.buy(quantity=4, limit=200), lambda ctx: None, lambda ctx: ctx.tickets())
    engine = Engine(spec, [StrategyBinding(name="steps", strategy=steps)])
    batch = EventBatch()
    for number, ask in enumerate((100, 200, 201, 202)):
        batch.quote(10_000 + 10 * number, 0, ask - 1, 2, ask, 2)
    engine.feed(batch)
    engine.run()
    (ticket,) = steps.got[2]
    assert (ticket.lots, ticket.entry_price) == (4, pytest.approx(400 / 3))


def test_what_names_no_ticket_or_a_wrong_one_is_refused_in_words():
    """Each by its rule; the strategy goes on."""
    steps = Steps(
        buying(1.0),
        selling(1.0, reduce_only=True),
        lambda ctx: ctx.close(ticket=77),
        lambda ctx: ctx.close(ticket=1, quantity=1.5),
        lambda ctx: ctx.close(ticket=1, quantity=0.55),
        selling(1.0, limit=120, after=1, reduce_only=True),
    )
    played(SPEC, steps)
    refused = steps.got[1:5]
    assert [refusal.rule for refusal in refused] == [
        "ticket_not_open", "ticket_not_open", "reduce_only", "off_lot",
    ]  # fmt: skip
    units = Units(SPEC, ["steps"])
    assert "names its ticket" in refusal_words("ticket_not_open", 0, 0, units, 0)
    assert "no ticket 77" in refusal_words("ticket_not_open", 0, 77, units, 0)
    assert isinstance(steps.got[5], int)


def test_what_is_about_one_position_is_refused_where_positions_hedge_and_the_other_way_round():
    """`target` cannot say which tickets it closes; without tickets there are none to be asked for."""

    def error_of(act):
        def step(ctx):
            with pytest.raises(InvalidValueError) as caught:
                act(ctx)
            return str(caught.value)

        return step

    hedged = Steps(error_of(lambda ctx: ctx.target(1.0)))
    played(SPEC, hedged)
    assert "for positions that are netted" in hedged.got[0]
    plain = Steps(
        error_of(lambda ctx: ctx.tickets()),
        error_of(lambda ctx: ctx.close(quantity=1.0)),
        lambda ctx: ctx.close(ticket=1),
        buying(0.3),
        lambda ctx: ctx.sides(),
    )
    played(netted(), plain)
    assert "must be hedging" in plain.got[0]
    assert "is for `ticket=`" in plain.got[1]
    assert (plain.got[2].rule, plain.got[4]) == ("ticket_not_open", (0.3, 0.0))


def test_close_takes_every_ticket_of_an_instrument_and_leaves_those_of_others():
    """With a market order each."""
    steps = Steps(
        buying(1.0),
        selling(2.0),
        lambda ctx: ctx.close(),
        lambda ctx: (ctx.tickets(), ctx.tickets(1), ctx.close()),
    )
    engine = played(SPEC, steps)
    assert steps.got[3] == ((), (), None)
    assert [trade.side for trade in trades_of(engine)] == ["long", "short"]


def test_each_ticket_is_a_row_of_status_and_the_summary_has_what_they_are_together():
    """Where positions are netted a row has no ticket."""
    engine = played(SPEC, Steps(buying(1.0), selling(2.5)))
    rows = position_rows(engine, Units(SPEC, ["steps"]))
    assert [(row["ticket"], row["side"], row["quantity"], row["entry_price"]) for row in rows] == [
        ("1", "long", "1", "101.0"),
        ("2", "short", "-2.5", "100.0"),
    ]
    assert engine.summary().positions == {"GOLD": "-1.5"}
    (plain,) = position_rows(played(netted(), Steps(buying(1.0))), Units(SPEC, ["steps"]))
    assert "ticket" not in plain


def test_each_account_has_positions_of_its_own_kind():
    """A buy and a sell meet at the one, and are two tickets at the other."""
    spec = msgspec.structs.replace(
        netted(),
        instruments=(GOLD, InstrumentSpec(symbol="TIN", tick_size="1", account="other")),
        accounts=(VenueAccountSpec(name="other", cash="5000", positions=Positions.HEDGING),),
    )

    class Both:
        def on_quote(self, ctx, quote) -> None:
            if quote.instrument_id == 1 and not hasattr(self, "done"):
                self.done = [
                    send(quantity=1, instrument_id=at) for at in (0, 1) for send in (ctx.buy, ctx.sell)
                ]
            elif hasattr(self, "done"):
                self.sides = (ctx.sides(0), ctx.sides(1), len(ctx.tickets(1)))

    strategy = Both()
    binding = StrategyBinding(name="both", strategy=strategy, instruments=(0, 1))
    engine = Engine(spec, [binding])
    batch = EventBatch()
    for time_ns in (10, 20, 30):
        for instrument in (0, 1):
            batch.quote(time_ns, instrument, 100, 500, 102, 500)
    engine.feed(batch)
    engine.run()
    assert strategy.sides == ((0.0, 0.0), (1.0, 1.0), 2)


def test_trades_are_made_again_of_the_records():
    """The trades of a journal are those of the engine, ticket by ticket."""
    steps = Steps(
        buying(1.0), selling(2.0), buying(0.5), lambda ctx: ctx.close(ticket=1), lambda ctx: ctx.close()
    )
    engine = played(SPEC, steps, (100, 102, 104, 108, 103, 103))
    book = TradesOfFills(SPEC, ["steps"])
    for seq, (kind, time_ns, fields) in enumerate(decode_frames(engine.take_frames())):
        book.take(records.record(kind, seq, time_ns, **fields))
    assert book.trades() == trades_of(engine)
    assert len(book.trades()) == 3


def test_tickets_go_on_in_a_new_journal_under_their_numbers():
    """Both sides are opened again, and one of them is closed by the number that it had."""
    engine = played(SPEC, Steps(buying(1.0), selling(1.0)))
    account = followed_account(SPEC, ["steps"], [engine.take_frames()])
    assert [float(lot.quantity) for lot in account.opening.lots] == [1.0, -1.0]
    steps = Steps(lambda ctx: ctx.close(ticket=2), lambda ctx: ctx.tickets())
    on = played(SPEC, steps, opening=account.opening)
    assert [ticket.number for ticket in steps.got[1]] == [1]
    assert on.summary().positions == {"GOLD": "1"}
    with pytest.raises(InvalidValueError, match="all long or all short"):
        played(netted(), Steps(), opening=account.opening)


def test_the_first_record_of_a_journal_names_positions_only_where_they_hedge():
    """Journals of positions that are netted are as they were; a change is told."""
    plain = SessionConfig(engine=netted())
    hedged = SessionConfig(engine=SPEC)
    assert b'"positions"' not in plain.encoded()
    assert b'"positions":"hedging"' in hedged.encoded()
    assert SessionConfig.decoded(plain.encoded()) == plain
    assert list(hedged.changes_since(plain.encoded())) == ["engine.account.positions"]
    other = VenueAccountSpec(name="other", cash="1", positions=Positions.HEDGING)
    two = SessionConfig(engine=msgspec.structs.replace(netted(), accounts=(other,)))
    assert two.encoded().count(b'"positions"') == 1
    assert two.engine.positions_of(GOLD) is Positions.NETTING
    there = msgspec.structs.replace(GOLD, account="other")
    assert two.engine.positions_of(there) is Positions.HEDGING


def test_the_first_record_of_a_journal_names_the_margin_of_two_sides_where_it_is_of_the_larger():
    """Journals of both sides are as they were; a change is told."""
    larger = msgspec.structs.replace(
        SPEC, account=msgspec.structs.replace(SPEC.account, hedged_margin=HedgedMargin.LARGER)
    )
    both, changed = SessionConfig(engine=SPEC), SessionConfig(engine=larger)
    assert b"hedged_margin" not in both.encoded()
    assert b'"hedged_margin":"larger"' in changed.encoded()
    assert SessionConfig.decoded(changed.encoded()) == changed
    assert list(changed.changes_since(both.encoded())) == ["engine.account.hedged_margin"]


def test_the_smaller_side_takes_no_buying_power_where_the_larger_one_is_counted():
    """Ten long at 102 use 1,020 of 1,100; four short beside them are too much by both sides."""
    for margin, held in ((HedgedMargin.BOTH, "10"), (HedgedMargin.LARGER, "6")):
        account = AccountSpec(cash="1100", positions=Positions.HEDGING, hedged_margin=margin)
        spec = msgspec.structs.replace(SPEC, account=account)
        steps = Steps(lambda ctx: (ctx.buy(quantity=10), ctx.sell(quantity=4)))
        assert played(spec, steps).summary().positions == {"GOLD": held}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            msgspec.structs.replace(
                SPEC, account=AccountSpec(positions=Positions.HEDGING, lots=LotMethod.AVERAGE)
            ),
            r"account\.lots.*must be fifo where positions hedge",
        ),
        (
            msgspec.structs.replace(SPEC, account=AccountSpec(positions="both")),
            r"account\.positions.*must be one of netting, hedging",
        ),
        (
            msgspec.structs.replace(SPEC, account=AccountSpec(hedged_margin=HedgedMargin.LARGER)),
            r"account\.hedged_margin.*must be both where positions are netted",
        ),
        (
            msgspec.structs.replace(
                SPEC, account=AccountSpec(positions=Positions.HEDGING, hedged_margin="smaller")
            ),
            r"account\.hedged_margin.*must be one of both, larger",
        ),
        (
            msgspec.structs.replace(
                SPEC,
                accounts=(VenueAccountSpec(name="other", cash="1", hedged_margin=HedgedMargin.LARGER),),
            ),
            r"accounts\[0\]\.hedged_margin.*must be both where positions are netted",
        ),
    ],
)
def test_what_cannot_be_done_with_tickets_is_refused_at_the_start(spec, says):
    """By its key, with what it must be."""
    with pytest.raises(InvalidSpecError, match=says):
        Engine(spec, [StrategyBinding(name="steps", strategy=Steps())])


def test_a_venue_with_other_positions_than_the_configuration_is_refused():
    """An account that hedges there must not be booked as one that nets, nor the other way round."""
    table = LiveTable(keys="k")

    def settings(positions, **can):
        account = AccountSpec(positions=positions)
        config = Config(tables=ConfigTables(live=table, account=account), strategies=(), source="a.toml")
        venue = msgspec.structs.replace(CAPABILITIES, **can)
        return live.link_settings(config, table, venue)

    assert settings(Positions.NETTING, hedging=False)
    with pytest.raises(ConfigError, match="must be hedging, as the account at the venue is"):
        settings(Positions.NETTING, hedging=True)
    with pytest.raises(ConfigError, match="must be netting, as the account at the venue is"):
        settings(Positions.HEDGING, hedging=False)
    assert settings(Positions.HEDGING, hedging=True)
    twice = r"account\.positions.*must be netting at a venue that may take an order twice"
    for rule in set(DuplicateIds) - {DuplicateIds.REFUSED}:
        with pytest.raises(ConfigError, match=twice):
            settings(Positions.HEDGING, hedging=True, duplicate_ids=rule)
    with pytest.raises(ConfigError, match="must be netting at a venue that amends no orders"):
        settings(Positions.HEDGING, hedging=True, replaces=False)


def test_a_venue_that_asks_margin_for_both_sides_is_refused_where_the_larger_one_is_counted():
    """It would refuse what the engine lets pass; the other way round the engine only asks for more."""
    first, other = LiveTable(keys="k"), LiveTable(keys="o")
    hedging = {"positions": Positions.HEDGING, "hedged_margin": HedgedMargin.LARGER}
    tables = ConfigTables(
        live=first,
        account=AccountSpec(**hedging),
        accounts=(AccountTable(name="other", cash="1", live=other, **hedging),),
    )
    config = Config(tables=tables, strategies=(), source="a.toml")
    both = msgspec.structs.replace(CAPABILITIES, hedging=True)
    larger = msgspec.structs.replace(both, hedged_margin=HedgedMargin.LARGER)
    for table, key in ((first, r"account\.hedged_margin"), (other, r"accounts\.0\.hedged_margin")):
        assert live.link_settings(config, table, larger)
        with pytest.raises(ConfigError, match=rf"{key}.*must be both at a venue"):
            live.link_settings(config, table, both)
    asks_more = Config(
        tables=ConfigTables(live=first, account=AccountSpec(positions=Positions.HEDGING)),
        strategies=(),
        source="a.toml",
    )
    assert live.link_settings(asks_more, first, larger)


def test_the_positions_of_each_live_account_are_held_against_its_own_venue():
    """The one that differs is named by its key."""
    first, other = LiveTable(keys="k"), LiveTable(keys="o")
    account = AccountTable(name="other", cash="1", positions=Positions.HEDGING, live=other)
    config = Config(tables=ConfigTables(live=first, accounts=(account,)), strategies=(), source="a.toml")
    assert live.link_settings(config, first, CAPABILITIES)
    with pytest.raises(ConfigError, match=r"accounts\.0\.positions.*must be netting"):
        live.link_settings(config, other, CAPABILITIES)
