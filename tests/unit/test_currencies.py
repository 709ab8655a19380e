"""What an account in several currencies is refused, and how its settings are told."""

import pytest

from tradecore import AccountSpec, Engine, EngineSpec, FeesSpec, InstrumentSpec, TradecoreError
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.units import Units
from tradecore.strategy import StrategyBinding

GOLD = InstrumentSpec(symbol="XAU-USD", tick_size="1", base="XAU")
TIN = InstrumentSpec(symbol="TIN-XAU", tick_size="1", settlement="XAU")
ACCOUNT = AccountSpec(cash={"USD": "10", "XAU": "0"}, conversions={"XAU": "XAU-USD"})
SPEC = EngineSpec(instruments=(GOLD, TIN), account=ACCOUNT)


def said(**changes):
    """Return what is wrong with the specification, one line each."""
    account = AccountSpec(**({"cash": ACCOUNT.cash, "conversions": ACCOUNT.conversions} | changes))
    with pytest.raises(TradecoreError) as caught:
        Engine(EngineSpec(instruments=(GOLD, TIN), account=account), [])
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conversions": {}}, "account.conversions.XAU 'none': must say what a unit is worth in USD"),
        ({"conversions": {"XAU": "XAU-EUR"}}, "must be the symbol of an instrument (XAU-USD, TIN-XAU)"),
        ({"conversions": {"XAU": "TIN-XAU"}}, "go in a circle"),
        ({"conversions": {"XAU": "0"}}, "a constant above 0"),
        ({"conversions": {"XAU": "1", "USD": "1"}}, "needs no conversion"),
        ({"cash": {"USD": "-1"}}, "account.cash.USD '-1': must not be below 0"),
        ({"cash": {"USD": "much"}}, "account.cash.USD 'much': must be a decimal number"),
        ({"cash": {}}, "account.cash {}: must be an amount, or a table of amounts by their names"),
    ],
)
def test_a_setting_that_leads_nowhere_is_named(changes, words):
    """The key, the value, the rule and what would do."""
    assert words in said(**changes)


def test_a_spot_instrument_owns_its_base_and_takes_no_fee_from_it():
    """What is not simulated is refused at the start."""
    with pytest.raises(TradecoreError, match="a fee taken from what is bought is not simulated"):
        Engine(EngineSpec(instruments=(GOLD, TIN), account=ACCOUNT, fees=FeesSpec(currency="XAU")), [])


def test_refusals_name_the_currency():
    """A limit in gold is told in gold."""
    units = Units(SPEC, ["one"])
    assert refusal_words("not_owned", 10**18, 3 * 10**18, units, 0) == (
        "with other open orders it sells 3.00 XAU that was not bought, the account has 1.00 XAU"
    )
    assert "no price of XAU yet" in refusal_words("conversion_missing", 1, 1, units, 0)


def test_a_strategy_asks_for_a_balance_by_the_name_of_its_currency():
    """Another name is an error that says the rule."""
    asked = []

    class Asks:
        def on_start(self, ctx):
            asked.extend(ctx.balance(name) for name in ("USD", "XAU"))
            with pytest.raises(TradecoreError, match="must be a currency of the account"):
                ctx.balance("EUR")

    Engine(SPEC, [StrategyBinding(name="asks", strategy=Asks())]).run()
    assert asked == [10.0, 0.0]
