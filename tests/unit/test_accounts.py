"""Several venue accounts in one engine: what is refused, how they are named, what each has of its own."""

import msgspec
import pytest

from tradecore import AccountSpec, Engine, EngineSpec, InstrumentSpec, TradecoreError, VenueSpec
from tradecore.domain.commands import SetLimit
from tradecore.domain.record_bodies import Command
from tradecore.domain.spec import FeesSpec, Mode, RiskSpec, ScopeRiskSpec, VenueAccountSpec
from tradecore.domain.units import Units
from tradecore.engine.carried import followed_account
from tradecore.runtime.session_config import SessionConfig

HERE = InstrumentSpec(symbol="BTC-USD", tick_size="1", base="BTC")
THERE = InstrumentSpec(symbol="BTC-EUR", tick_size="1", base="BTC", account="kraken")
OTHER = VenueAccountSpec(name="kraken", currency="EUR", cash={"EUR": "500", "BTC": "2"})
SPEC = EngineSpec(
    mode=Mode.BACKTEST,
    instruments=(HERE, THERE),
    account=AccountSpec(name="binance", cash="1000", conversions={"EUR": "1.1", "BTC": "BTC-USD"}),
    accounts=(OTHER,),
)


def changed(**values):
    """Return the specification with other values."""
    return msgspec.structs.replace(SPEC, **values)


def other(**values):
    """Return the specification with another second account."""
    return changed(accounts=(msgspec.structs.replace(OTHER, **values),))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (other(name="binance"), "accounts[0].name 'binance': is the name of another account"),
        (other(name="a:b"), "accounts[0].name 'a:b': must be letters, digits, - and _"),
        (other(cash="much"), "accounts[0].cash 'much': must be a decimal number"),
        (other(leverage="0"), "accounts[0].leverage '0': must be above 0"),
        (
            other(venue=VenueSpec(day_end_ns=5)),
            "accounts[0].venue.day_end_ns 5: is a setting of [venue] alone",
        ),
        (other(venue=VenueSpec(matching="quotes")), "must be bars at all accounts of an engine, or at none"),
        (other(fees=FeesSpec(taker_bps="x")), "accounts[0].fees.taker_bps 'x'"),
        (other(fees=FeesSpec(currency="BTC")), "must not be the currency of the fees"),
        (other(risk=ScopeRiskSpec(gross_max="-1")), "accounts[0].risk.gross_max '-1': must be above 0"),
        (changed(accounts=()), "instruments[1].account 'kraken': is no account; did you mean"),
        (
            EngineSpec(instruments=(HERE,), risk=RiskSpec(portfolio=ScopeRiskSpec(gross_max="1"))),
            "risk.portfolio None: is for several accounts: this engine has one",
        ),
    ],
)
def test_what_an_account_cannot_have_is_named(spec, words):
    """The key, the value, the rule and what would do."""
    words = words.removesuffix("; did you mean")
    with pytest.raises(TradecoreError) as caught:
        Engine(spec, [])
    assert words in str(caught.value)


def test_each_account_has_balances_of_its_own_under_its_name():
    """The same coin is there twice; the reporting currency is that of the first account."""
    engine = Engine(SPEC, [])
    balances = engine.balances()
    held = {name: balances[name].balance for name in balances}
    assert held == {"USD": "1000", "BTC": "0", "kraken:EUR": "500", "kraken:BTC": "2"}
    summary = engine.summary()
    assert summary.accounts == {"binance": "1000", "kraken": "550"}, "bitcoin has no price yet"
    assert (summary.equity, summary.cash) == ("1550", "1550")


def test_scopes_name_the_account_or_all_of_them():
    """A limit of an account is set by its name; `account` alone would say nothing."""
    engine = Engine(SPEC, [])
    engine.command(SetLimit(scope="account:kraken", limit="gross_max", value="50", person="Ada"), 1)
    engine.command(SetLimit(scope="portfolio", limit="gross_max", value="70", person="Ada"), 1)
    engine.run()
    of = [engine.limits(scope)["gross_max"] for scope in ("account:binance", "account:kraken", "portfolio")]
    assert of == [None, "50", "70"]
    assert [change.scope for change in engine.summary().changes] == ["account:kraken", "portfolio"]
    with pytest.raises(TradecoreError, match="must be portfolio, account:NAME, strategy:NAME"):
        engine.limits("account")
    with pytest.raises(TradecoreError, match="known are binance, kraken"):
        engine.limits("account:okx")
    recorded = Command(command="set_limit", scope="account", scope_id=1, limit="gross_max", value="50")
    assert Units(SPEC, []).scope(recorded.scope, recorded.scope_id) == "account:kraken"


def test_a_setting_belongs_to_the_account_that_has_it():
    """What an account does not say is as the first one has it; its settlement is its own currency."""
    units = Units(SPEC, [])
    assert [units.settlement(0), units.settlement(1)] == ["USD", "EUR"]
    assert [SPEC.balance_of(HERE), SPEC.balance_of(THERE)] == ["USD", "kraken:EUR"]
    assert [units.account(0), units.account(1)] == ["binance", "kraken"]


def test_the_first_record_of_one_account_is_as_it_was():
    """Settings that only several accounts have are not in it; those of several come back whole."""
    one = SessionConfig(engine=EngineSpec(instruments=(HERE,)))
    text = one.encoded()
    assert not any(word in text for word in (b'"accounts"', b'"portfolio"', b'"account":null'))
    assert SessionConfig.decoded(text).engine == one.engine
    assert not one.changes_since(text)
    several = SessionConfig(engine=SPEC)
    assert SessionConfig.decoded(several.encoded()).engine == SPEC
    assert "engine.accounts.0.name" in several.changes_since(text)


def test_a_carried_account_names_each_balance():
    """The opening of the next journal has the balances by the names of their accounts."""
    carried = followed_account(SPEC, [], [])
    assert {name: f"{amount:f}" for name, amount in carried.opening.cash.items()} == {
        "USD": "1000",
        "BTC": "0",
        "kraken:EUR": "500",
        "kraken:BTC": "2",
    }
