"""The auditor's books are the engine's, step by step, in every kind of account; a fault parts them."""

import pytest
from msgspec import msgpack, structs

from support.audited import audited, edited, fill, first, frames_in, with_trade, without
from support.kept_orders import KeptEverything
from support.random_orders import SECOND_NS, STRATEGY, events_of, spec_of
from tradecore import AccountSpec, Engine, FeesSpec, LotMethod, Matching, Positions, StrategyBinding
from tradecore.domain.journal import encode_session
from tradecore.domain.spec import InstrumentKind
from tradecore.runtime import SessionConfig
from tradecore_audit import records as r
from tradecore_audit import snapshots
from tradecore_audit.auditor import Auditor
from tradecore_audit.frames import records_of

STEPS = 70
# Seeds under which much happens.
SEEDS = {
    Matching.BARS: (167, 376),
    Matching.QUOTES: (66, 11),
    Matching.BOOK: (37, 45),
    Matching.EXCHANGE: (342, 3),
}
LOOK_EVERY = 10
COIN = AccountSpec(cash={"USD": "20000", "BTC": "50"}, conversions={"BTC": "1000"})


def linear(spec):
    """Return the account as it is."""
    return spec


def by_lots(method):
    """Return a change of the lots that fills close."""
    return lambda spec: structs.replace(spec, account=structs.replace(spec.account, lots=method))


def hedging(spec):
    """Let both sides stand beside each other."""
    gold, perpetual = spec.instruments
    account = AccountSpec(cash="20000", positions=Positions.HEDGING)
    return structs.replace(spec, account=account, instruments=(gold, structs.replace(perpetual, margin=None)))


def inverse(method):
    """Return a change to a contract in coin, which rounds."""

    def changed(spec):
        gold, perpetual = spec.instruments
        coin = {"kind": InstrumentKind.INVERSE, "settlement": "BTC", "multiplier": "10", "margin": None}
        return structs.replace(
            spec,
            account=structs.replace(COIN, lots=method),
            instruments=(gold, structs.replace(perpetual, **coin)),
        )

    return changed


def spot(spec):
    """Let purchases add to a balance."""
    gold, perpetual = spec.instruments
    account = AccountSpec(cash={"USD": "20000", "XAU": "10"}, conversions={"XAU": "1000"})
    gold = structs.replace(gold, borrow_ppm=0, base="XAU")
    return structs.replace(spec, account=account, instruments=(gold, perpetual))


def token(spec):
    """Let fees be taken in a third currency."""
    account = AccountSpec(cash={"USD": "20000", "BNB": "5"}, conversions={"BNB": "300"})
    fees = FeesSpec(maker_bps="-1", taker_bps="5", currency="BNB")
    return structs.replace(spec, account=account, fees=fees)


ACCOUNTS = {
    "fifo": linear,
    "lifo": by_lots(LotMethod.LIFO),
    "average": by_lots(LotMethod.AVERAGE),
    "hedging": hedging,
    "inverse, fifo": inverse(LotMethod.FIFO),
    "inverse, average": inverse(LotMethod.AVERAGE),
    "spot": spot,
    "fees in a token": token,
}


def run(name, matching, seed):
    """Run an engine at random; yield its records so far and its state, now and then."""
    spec = ACCOUNTS[name](spec_of(matching, latency_ns=0 if matching is Matching.BARS else 2 * SECOND_NS))
    strategy = KeptEverything()
    strategy.seed = seed
    binding = StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1))
    engine = Engine(spec, [binding], recording=True)
    named = ({"class": "random_orders.py:Everything", "name": STRATEGY},)
    config = SessionConfig(engine=engine.spec, strategies=named, feed={"kind": "steps"})
    frames = frames_in(encode_session(0, "0", config.encoded()))
    taken, seq = records_of(0, frames), len(frames)
    for step, batch in enumerate(events_of(matching, seed, STEPS), 1):
        engine.feed(batch)
        engine.run()
        frames = frames_in(engine.take_frames())
        taken += records_of(seq, frames)
        seq += len(frames)
        if step % LOOK_EVERY == 0:
            yield list(taken), msgpack.decode(engine.keep().body)


@pytest.mark.parametrize("matching", Matching, ids=str)
@pytest.mark.parametrize("name", ACCOUNTS)
def test_books_worked_out_from_records_are_those_of_the_engine(name, matching):
    """Positions, cash, fees, flows, realised profit and open orders, to the last unit, as the run goes on."""
    fills = 0
    for seed in SEEDS[matching]:
        auditor, count = Auditor(), 0
        for taken, state in run(name, matching, seed):
            for each in taken[count:]:
                auditor.take(each)
            count = len(taken)
            auditor.end()
            assert snapshots.differences(state, auditor.ground) == []
        assert [finding.line for finding in auditor.findings.kept] == []
        fills += auditor.ground.books.fills
    assert fills > 0


@pytest.fixture(scope="module")
def ended():
    """Return the records of a run, and the state of its engine at the end."""
    return list(run("fifo", Matching.QUOTES, 11))[-1]


def flow(taken):
    """Return the place of the first cash flow."""
    return first(taken, r.CashFlow)


PARTED = {
    "a fill that the engine did not book": (lambda t: [*t, t[fill(t)]], "lots of everything"),
    "a fee that the engine lost": (
        lambda t: with_trade(t, fill(t), fee=t[fill(t)].body.traded.fee + 1),
        "fees",
    ),
    "the wrong sign of an order": (
        lambda t: edited(t, owner(t), is_buy=not t[owner(t)].body.is_buy),
        "lots of everything",
    ),
    "a flow that the engine lost": (lambda t: [*t, *[t[flow(t)]]], "flows in USD"),
    "a flow of the wrong sign": (
        lambda t: edited(t, flow(t), amount=-t[flow(t)].body.amount),
        "flows in USD",
    ),
    "a price wrong by one tick": (
        lambda t: with_trade(t, fill(t), price_ticks=t[fill(t)].body.traded.price_ticks + 1),
        "cash in USD",
    ),
    "an order that the engine forgot": (lambda t: [*t, another(t)], "was not in the engine"),
    "an order that ended without a record": (lambda t: without(t, last_order(t)), "by the records"),
}


def owner(taken):
    """Return the place of the order of the first fill."""
    number = taken[fill(taken)].body.order_id
    return first(taken, r.Order, lambda body: body.order_id == number)


def last_order(taken):
    """Return the place of an order that is open at the end."""
    open_now = audited(taken).ground.orders.open
    return first(taken, r.Order, lambda body: body.order_id in open_now)


def another(taken):
    """Return an order more, with a number of its own."""
    return edited(taken, last_order(taken), order_id=9_999)[last_order(taken)]


@pytest.mark.parametrize("name", PARTED)
def test_a_fault_in_the_books_of_the_engine_is_found(ended, name):
    """What the engine holds is not what its records come to: the difference names what, and both amounts."""
    taken, state = ended
    plant, words = PARTED[name]
    assert snapshots.differences(state, audited(taken).ground) == []
    found = snapshots.differences(state, audited(plant(list(taken))).ground)
    assert any(words in each for each in found), found
