"""The package itself: what it lists, and what it can be caught by."""

import inspect

import tradecore
from tradecore import domain


def test_every_name_of_the_package_is_listed_once():
    """Also after it was used; completion in a notebook shows the list."""
    assert tradecore.StrategyError is domain.StrategyError
    assert len(dir(tradecore)) == len(set(dir(tradecore)))


def test_every_error_that_can_come_out_of_a_run_has_a_name_in_the_package():
    """Who writes `except tradecore.StrategyError` finds it where the other errors are."""
    errors = {name for name, cls in vars(domain).items() if inspect.isclass(cls) and name.endswith("Error")}
    assert errors <= set(dir(tradecore))
