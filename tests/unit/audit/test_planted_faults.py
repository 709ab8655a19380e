"""The auditor finds every fault that is planted in the records of a journal, and none where there is none."""

import random
from fractions import Fraction

import msgspec
import pytest

from support.audited import (
    GOLDEN,
    audited,
    doubled,
    edited,
    fill,
    first,
    inserted,
    records,
    rules,
    with_mode,
    with_risk,
    with_trade,
    without,
)
from tradecore_audit import records as r
from tradecore_audit.errors import DamagedError
from tradecore_audit.findings import KEPT_MAX, Findings

LIVE = records(GOLDEN / "live.journal")
PAPER = records(GOLDEN / "plain_exchange.journal")
BARS = records(GOLDEN / "plain_bars.journal")
# Written before anything else was learned of limits: sizes up to 8 lots, up to 12 orders in an instrument.
BUSY = records(GOLDEN / "bars.journal")


def new_order(taken):
    """Return the place of the first order that may add to a position and was sent."""
    sent = {each.body.order_id for each in taken if isinstance(each.body, r.Sent)}
    return first(taken, r.Order, lambda body: not body.is_bound and body.order_id in sent)


def sent_new(taken):
    """Return the place at which that order was sent."""
    number = taken[new_order(taken)].body.order_id
    return first(taken, r.Sent, lambda body: body.order_id == number)


def end_of(taken):
    """Return the place of the first end of an order without a fill."""
    return first(taken, r.Report, lambda body: body.report == "canceled")


def float_fee(taken):
    """Return the records with one fee as it comes out of floats."""
    for number in range(10):
        at = fill(taken, number)
        traded = taken[at].body.traded
        in_floats = int(traded.price_ticks * 1.0 * traded.lots * 0.0005 * 1e18 / 3) * 3
        if in_floats != traded.fee:
            return with_trade(taken, at, fee=in_floats)
    raise AssertionError


def told_again(taken):
    """Return the records in which a venue tells a trade once more, and the engine books it once more."""
    at = first(taken, r.VenueReport, lambda body: body.said.traded is not None)
    assert isinstance(taken[at + 1].body, r.Report)
    return doubled(taken, at, 2)


def without_order(taken):
    """Return the records without the approval of an order that was sent."""
    return without(taken, new_order(taken))


def lost_outcome_ended(taken):
    """Return the records in which an outcome was lost, and the engine ends the order by itself."""
    at = first(taken, r.VenueReport, lambda body: body.said.report == "canceled")
    told = taken[at].body
    lost = r.OutcomeLost(told.instrument, told.said.order_id)
    return [*inserted(without(taken, at), at, lost)]


def exit_too_large(taken):
    """Return the records in which an exit is larger than its entry."""
    at = first(taken, r.Order, lambda body: body.closes is not None)
    return edited(taken, at, lots=taken[at].body.lots + 1_000)


def child_too_large(taken):
    """Return the records in which an order after another one leaves before that one has filled."""
    parent = taken[new_order(taken)].body.order_id
    child = taken[first(taken, r.Order, lambda body: body.order_id > parent)].body.order_id
    at = first(taken, r.Sent, lambda body: body.order_id == child and body.request == "new")
    return inserted(taken, at, r.Link(child, parent, None))


def largest(taken):
    """Return the largest size that was approved and could add to a position."""
    return max(
        each.body.lots or 0 for each in taken if isinstance(each.body, r.Order) and not each.body.is_bound
    )


def closing_order(taken):
    """Return the place of the first order that is to only close a position."""
    return first(taken, r.Order, lambda body: body.reduce_only and body.closes is None)


def worse_fill(taken):
    """Return the records with a fill of a limit order at one tick more than it was to pay, or less."""
    orders = {each.body.order_id: each.body for each in taken if isinstance(each.body, r.Order)}
    at = first(
        taken,
        r.Report,
        lambda body: body.traded is not None and orders[body.order_id].kind == "limit",
    )
    order = orders[taken[at].body.order_id]
    return with_trade(taken, at, price_ticks=order.price_ticks + order.sign)


FAULTS = {
    "a limit order that fills at a worse price": (PAPER, worse_fill, "fill_price"),
    "a limit order at a venue outside that fills at a worse price": (LIVE, worse_fill, "fill_price"),
    "an order that opens and is marked as closing": (
        PAPER,
        lambda t: edited(t, new_order(t), reduce_only=True),
        "closing",
    ),
    "an order that closes more than there is": (
        PAPER,
        lambda t: edited(t, closing_order(t), lots=10**6),
        "closing",
    ),
    "a fill counted twice, of a venue outside": (LIVE, lambda t: doubled(t, fill(t)), "venue_trade"),
    "a fill counted twice, of the simulated venue": (PAPER, lambda t: doubled(t, fill(t, 1)), "fill_size"),
    "a trade id booked twice": (LIVE, told_again, "venue_trade"),
    "a fill that is not booked": (LIVE, lambda t: without(t, fill(t)), "venue_trade"),
    "a fill that no venue told": (
        LIVE,
        lambda t: without(t, first(t, r.VenueReport, lambda body: body.said.traded is not None)),
        "venue_trade",
    ),
    "a fee lost": (LIVE, lambda t: with_trade(t, fill(t), fee=0), "venue_trade"),
    "a fee lost in paper": (PAPER, lambda t: with_trade(t, fill(t), fee=0), "fee"),
    "the wrong sign of a fee": (
        PAPER,
        lambda t: with_trade(t, fill(t), fee=-t[fill(t)].body.traded.fee),
        "fee",
    ),
    "a float in a fee": (PAPER, float_fee, "fee"),
    "a fee wrong by one unit": (
        PAPER,
        lambda t: with_trade(t, fill(t), fee=t[fill(t)].body.traded.fee + 1),
        "fee",
    ),
    "a maker's fill booked as a taker's": (
        LIVE,
        lambda t: with_trade(t, fill(t), is_maker=not t[fill(t)].body.traded.is_maker),
        "venue_trade",
    ),
    "a price wrong by one tick": (
        LIVE,
        lambda t: with_trade(t, fill(t), price_ticks=t[fill(t)].body.traded.price_ticks + 1),
        "venue_trade",
    ),
    "a fee in another currency": (LIVE, lambda t: with_trade(t, fill(t), fee_currency=0), "venue_trade"),
    "a correction that is not booked": (LIVE, lambda t: without(t, first(t, r.Revision)), "venue_trade"),
    "a correction with other numbers": (
        LIVE,
        lambda t: edited(t, first(t, r.Revision), was=t[first(t, r.Revision)].body.now),
        "venue_trade",
    ),
    "a fill beyond the size of its order": (
        PAPER,
        lambda t: with_trade(t, fill(t), lots=t[fill(t)].body.traded.lots + 100),
        "fill_size",
    ),
    "a cancel after a terminal state": (LIVE, lambda t: doubled(t, end_of(t)), "ended_order"),
    "a fill after a terminal state": (
        PAPER,
        lambda t: inserted(t, len(t) - 1, t[fill(t)].body),
        "ended_order",
    ),
    "an order sent after it ended": (
        LIVE,
        lambda t: inserted(t, len(t) - 1, t[sent_new(t)].body),
        "ended_order",
    ),
    "an order sent without approval": (LIVE, without_order, "sent_unapproved"),
    "a report about an order that nobody approved": (PAPER, without_order, "unapproved"),
    "an order sent twice": (LIVE, lambda t: doubled(t, sent_new(t)), "sent_twice"),
    "an order sent for more than was approved": (
        LIVE,
        lambda t: edited(t, sent_new(t), lots=t[sent_new(t)].body.lots + 1),
        "sent_size",
    ),
    "a fill of an order that was never sent": (LIVE, lambda t: without(t, sent_new(t)), "unsent"),
    "an order number given twice": (LIVE, lambda t: doubled(t, new_order(t)), "order_number"),
    "an order approved after a kill": (
        LIVE,
        lambda t: inserted(t, new_order(t), r.Command(name="kill")),
        "kill",
    ),
    "an order sent after a kill": (LIVE, lambda t: inserted(t, sent_new(t), r.Command(name="kill")), "kill"),
    "an order approved in a pause": (
        LIVE,
        lambda t: inserted(t, new_order(t), r.Command(name="pause")),
        "pause",
    ),
    "an order of a strategy that is killed": (
        LIVE,
        lambda t: inserted(t, new_order(t), r.Command(name="kill", scope=r.Scope("strategy", 0))),
        "kill",
    ),
    "an order before books and venue were compared": (
        LIVE,
        lambda t: without(t, first(t, r.Reconciled)),
        "compared",
    ),
    "an order whose end nobody told, after its outcome was lost": (LIVE, lost_outcome_ended, "unknown"),
    "a request sent in shadow mode": (PAPER, lambda t: with_mode(t, "shadow"), "shadow"),
    "the largest size passed by one lot": (
        BUSY,
        lambda t: with_risk(t, quantity_max=str(largest(t) - 1)),
        "limit",
    ),
    "an exit larger than its entry": (BUSY, exit_too_large, "child"),
    "a child sent before its parent filled": (LIVE, child_too_large, "child"),
    "a record of an instrument that is not there": (
        LIVE,
        lambda t: edited(t, new_order(t), instrument=9),
        "order_number",
    ),
    "a flow in an instrument that is not there": (
        PAPER,
        lambda t: inserted(t, 5, r.CashFlow(strategy=0, instrument=77, flow="funding", amount=1)),
        "record",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_rule(name):
    """Each journal is clean as it is, and its copy with one fault is not."""
    taken, plant, rule = FAULTS[name]
    assert rules(taken) == set()
    assert rule in rules(plant(list(taken)))


def worst_positions(taken):
    """Return the largest position that any approval could lead to, by the auditor's own count."""
    auditor, worst = audited(taken[:1]), 0
    for each in taken[1:]:
        body = each.body
        if isinstance(body, r.Order) and not body.is_bound:
            instrument = auditor.ground.settings.instruments[body.instrument]
            worst = max(
                worst, auditor.ground.limits.worst(body, body.lots or 0, instrument, None, is_own=False)
            )
        auditor.take(each)
    return worst


def test_a_position_limit_is_found_passed_by_one_unit_and_not_where_it_is_met():
    """The largest position that an order could lead to is within a limit of that size, and above one less."""
    most = worst_positions(LIVE)
    lots = audited(LIVE).ground.settings.instruments[0].lot_size
    at_it, below_it = (str(float(Fraction(count) * lots)) for count in (most, most - 1))
    assert rules(with_risk(LIVE, position_max=at_it)) == set()
    assert rules(with_risk(LIVE, position_max=below_it)) == {"limit"}


def test_a_notional_limit_is_found_passed_by_one_unit_and_not_where_it_is_met():
    """The value of the largest order is counted to the last atto unit."""
    auditor = audited(LIVE)
    values = [
        abs(auditor.ground.settings.instruments[body.instrument].value(body.price_value, body.lots))
        for body in (each.body for each in LIVE)
        if isinstance(body, r.Order) and not body.is_bound
    ]
    text = f"{max(values):019d}"
    most = f"{text[:-18]}.{text[-18:]}"
    less = f"{max(values) - 1:019d}"
    assert rules(with_risk(LIVE, notional_max=most)) == set()
    assert rules(with_risk(LIVE, notional_max=f"{less[:-18]}.{less[-18:]}")) == {"limit"}


def test_an_open_orders_limit_counts_orders_in_doubt():
    """One that is unknown is open: the next one passes a limit of one."""
    at = new_order(LIVE)
    following = first(LIVE[at + 1 :], r.Order) + at + 1
    order = LIVE[at].body
    lost = inserted(LIVE, following, r.OutcomeLost(order.instrument, order.order_id))
    found = audited(with_risk(lost, open_orders_max=1)).findings.kept
    assert any("open_orders_max" in finding.words for finding in found if finding.seq == LIVE[following].seq)


def test_a_limit_that_an_operator_lowers_holds_from_the_next_order_on():
    """What was approved before it is no fault."""
    at = new_order(LIVE)
    lower = r.Command(name="set_limit", scope=r.Scope("instrument", 0), limit="quantity_max", value=(1, 9))
    found = audited(inserted(LIVE, at + 1, lower)).findings.kept
    assert {finding.rule for finding in found} == {"limit"}
    assert min(finding.seq for finding in found) > LIVE[at].seq


def test_every_planted_fault_names_its_record():
    """A difference says where it is; only sums over the whole journal are of no one record."""
    for taken, plant, _ in FAULTS.values():
        for finding in audited(plant(list(taken))).findings.kept:
            assert finding.seq is not None or finding.rule in {"position", "conservation"}
            assert "\n" not in finding.line


def with_canary(taken, **changes):
    """Return the records with bounds of a careful start; they are so wide that nothing passes them."""
    said = msgspec.json.decode(taken[0].body.config)
    engine = said["engine"]
    wide = {
        "account": engine["account"]["name"],
        "instruments": [each["symbol"] for each in engine["instruments"]],
        "order_value_max": "1e12",
        "orders_a_day_max": 10_000,
        "position_value_max": "1e12",
    }
    engine["canaries"] = [wide | changes]
    return edited(taken, 0, config=msgspec.json.encode(said))


def orders_that_add(taken):
    """Return how many orders were approved that may add to a position."""
    return sum(isinstance(each.body, r.Order) and not each.body.is_bound for each in taken)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"instruments": []}, "permission"),
        ({"order_value_max": "1"}, "order_value_max"),
        ({"position_value_max": "1"}, "position_value_max"),
        ({"orders_a_day_max": orders_that_add(LIVE) - 1}, "orders_a_day_max"),
    ],
)
def test_the_bounds_of_a_canary_are_held(changes, words):
    """An instrument, values of an order and a position, orders of a day; none where they are wide."""
    assert rules(with_canary(LIVE)) == set()
    assert rules(with_canary(LIVE, orders_a_day_max=orders_that_add(LIVE))) == set()
    found = audited(with_canary(LIVE, **changes)).findings.kept
    assert {finding.rule for finding in found} == {"limit"}
    assert all(words in finding.words for finding in found)


def test_a_strategy_that_was_forbidden_an_instrument_is_found_trading_it():
    """Until it is allowed again."""
    at = new_order(LIVE)
    command = r.Command(name="permit", scope=r.Scope("strategy", 0), instrument=0, is_allowed=False)
    again = msgspec.structs.replace(command, is_allowed=True)
    forbidden = inserted(LIVE, at, command)
    assert rules(forbidden) == {"limit"}
    assert rules(inserted(forbidden, at + 1, again)) == set()


def test_a_stop_ends_by_a_word_about_that_very_scope():
    """A kill of a strategy is not ended by a release of everything, and a flatten lets what closes leave."""
    at = new_order(LIVE)
    strategy = r.Scope("strategy", 0)
    killed = inserted(LIVE, at, r.Command(name="kill", scope=strategy))
    assert "kill" in rules(inserted(killed, at + 1, r.Command(name="release_kill")))
    assert rules(inserted(killed, at + 1, r.Command(name="release_kill", scope=strategy))) == set()


def test_what_is_kept_in_words_is_bounded_and_the_rest_is_counted():
    """A journal that is wrong everywhere does not fill the memory."""
    findings = Findings()
    for number in range(3 * KEPT_MAX):
        findings.add("fee", number, "wrong")
    assert (len(findings.kept), findings.total) == (KEPT_MAX, 3 * KEPT_MAX)


def test_no_record_whatever_it_says_ends_the_audit():
    """Numbers of other records, of nothing, of the largest size: it is found, and the audit goes on."""
    chance = random.Random(5)
    for taken in (LIVE, PAPER, BUSY):
        for _ in range(60):
            made = list(taken)
            for at in chance.sample(range(1, len(made)), 12):
                body = made[at].body
                fields = body.__struct_fields__
                names = [name for name in fields if isinstance(getattr(body, name), int)]
                if names:
                    value = chance.choice([0, 1, 7, -1, 2**31, 2**63 - 1])
                    made = edited(made, at, **{chance.choice(names): value})
            audited(made)


@pytest.mark.parametrize("is_first", [False, True])
def test_a_late_fill_that_the_engine_speaks_of_is_no_fault(is_first):
    """It says so before it books the fill; an audit takes either order."""
    at = fill(LIVE)
    said = LIVE[at - 1].body
    order_id, lots = said.said.order_id, LIVE[at].body.traded.lots
    told = msgspec.structs.replace(said, trade_id="another")
    place = next(place for place, each in enumerate(LIVE) if place > at and isinstance(each.body, r.Order))
    report, word = LIVE[at].body, r.Surprise(order_id, "overfill")
    added = [word, report] if is_first else [report, word]
    taken = LIVE
    for body in reversed([told, *added]):
        taken = inserted(taken, place, body)
    assert lots > 0
    broken = rules(taken)
    assert not {"ended_order", "fill_size"} & broken
    assert {"ended_order", "fill_size"} <= rules(without(taken, place + (1 if is_first else 2)))


def test_strategies_without_a_name_are_called_by_their_number():
    """Whoever builds an engine in a program of their own need not name them."""
    said = msgspec.json.decode(LIVE[0].body.config)
    for each in said["strategies"]:
        del each["name"]
    nameless = edited(LIVE, 0, config=msgspec.json.encode(said))
    assert audited(nameless[:1]).ground.settings.strategies[0] == "strategy 0"
    assert rules(nameless) == set()


@pytest.mark.parametrize(("renews", "broken"), [(True, set()), (False, {"unknown"})])
def test_an_order_that_ended_at_a_venue_that_amends_nothing_may_be_ended_here(renews, broken):
    """The venue has spoken, and the engine goes on with the order until an operator wants its end."""
    at = first(LIVE, r.VenueReport, lambda body: body.said.report == "canceled")
    told = LIVE[at].body
    number = told.said.order_id
    added = (
        r.ReplaceRequest(number, 1, 1),
        r.OutcomeLost(told.instrument, number),
        told,
        r.Command(name="cancel_all"),
    )
    taken = without(LIVE, at)
    for body in reversed(added):
        taken = inserted(taken, at, body)
    said = msgspec.json.decode(LIVE[0].body.config)
    said["engine"]["renews_amended"] = [audited(LIVE).ground.settings.accounts[0].name] if renews else []
    assert rules(edited(taken, 0, config=msgspec.json.encode(said))) == broken


@pytest.mark.parametrize(
    "risk",
    [
        {"quantity_max": "abc"},
        {"notional_max": []},
        {"position_max": "1/0"},
        {"price_collar_bps": "nan"},
        {"open_orders_max": "x"},
        {"strategy": []},
        {"instrument": 5},
        {"portfolio": [1]},
        {"quantity_max": "1e99999999"},
        {"strategy": {"maker": {"instruments": ["nothing"]}}},
    ],
    ids=str,
)
def test_limits_that_cannot_be_read_are_damage_at_once(risk):
    """No order is held against them later, and none takes minutes to work out."""
    said = msgspec.json.decode(LIVE[0].body.config)
    name = said["strategies"][0]["name"]
    strategy = risk.get("strategy")
    told = {"strategy": {name: strategy["maker"]}} if isinstance(strategy, dict) else risk
    with pytest.raises(DamagedError, match="configuration of a session"):
        audited(with_risk(LIVE, **told))


@pytest.mark.parametrize(("venue_order_id", "is_shown"), [("17", True), ("", False)])
def test_what_the_link_says_for_a_venue_shows_no_order_there(venue_order_id, is_shown):
    """The end of an order that never arrived is told as the venue's word, and has no name of the venue's."""
    at = first(LIVE, r.VenueReport, lambda body: body.said.report == "accepted")
    number = LIVE[at].body.said.order_id
    time_ns = LIVE[at].body.said.venue_time_ns
    rejected = r.Report(order_id=number, report="replace_rejected", venue_time_ns=time_ns)
    told = msgspec.structs.replace(LIVE[at].body, said=rejected, venue_order_id=venue_order_id)
    taken = [*edited(LIVE, at, said=rejected, venue_order_id=venue_order_id)[: at + 1]]
    assert taken[-1].body == told
    auditor = audited([*taken, LIVE[at + 1]._replace(body=rejected)])
    assert auditor.ground.orders.find(number).is_shown == is_shown
