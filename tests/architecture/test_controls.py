"""The table of controls says what is true: its rules, settings and tests exist."""

import re

import msgspec
import pytest
from msgspec import inspect

from support.scripts import script
from support.shared import ROOT
from support.tree import names_in_tables
from tradecore.domain import InstrumentRiskSpec, RiskSpec, ScopeRiskSpec, StrategyRiskSpec
from tradecore_api.config.tables import ConfigTables

WANTED = {f"C{number}" for number in (*range(1, 10), 11, 12, 14, 16, 20, 23, 24, 25)}


@pytest.fixture(scope="module")
def documents():
    """Return the generator of documents, which reads the list of controls."""
    return script("tools/generate_docs.py")


@pytest.fixture(scope="module")
def controls(documents):
    """Return the list of controls."""
    return documents.listed_controls()


def is_setting(path):
    """Tell whether a dotted path leads to a key of the configuration."""
    kind = inspect.type_info(ConfigTables)
    for part in path.split("."):
        if isinstance(kind, inspect.DictType):
            kind = kind.value_type
            continue
        if isinstance(kind, inspect.UnionType):
            # A table that may be absent.
            (kind,) = [each for each in kind.types if isinstance(each, inspect.StructType)]
        fields = {field.encode_name: field.type for field in kind.fields}
        if part not in fields:
            return False
        kind = fields[part]
    return True


def is_test(test):
    """Tell whether a test stands in the file that is named for it, marked as one."""
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text()
    if file.endswith(".py"):
        return re.search(rf"^(async )?def {name}\(", text, re.MULTILINE) is not None
    return re.search(rf"#\[test\]\n(\s*#\[.*\]\n)*\s*fn {name}\(", text) is not None


def test_every_control_of_the_list_is_there_once(controls):
    """The controls of the pre-trade list, in order and none twice."""
    numbers = [control.number for control in controls]

    assert sorted(set(numbers)) == sorted(numbers)
    assert set(numbers) == WANTED


def test_every_rule_of_a_control_is_a_rule_that_refuses(controls):
    """The names are those that a refusal shows."""
    names = set(names_in_tables("rust/types/src/refusal.rs"))

    assert [rule for control in controls for rule in control.rules if rule not in names] == []
    assert all(control.rules for control in controls)


def test_every_setting_of_a_control_can_be_set(controls):
    """The keys lead somewhere in a configuration file."""
    assert [key for control in controls for key in control.settings if not is_setting(key)] == []
    assert all(control.settings for control in controls)


def test_every_setting_of_risk_can_be_changed_while_it_runs_or_says_why_not(documents):
    """A new setting is a limit that a command sets, or stands in the list of those that stay."""
    limits = set(names_in_tables("rust/types/src/limit.rs"))
    settings = {
        field.encode_name
        for table in (RiskSpec, InstrumentRiskSpec, ScopeRiskSpec, StrategyRiskSpec)
        for field in msgspec.structs.fields(table)
    }
    fixed = {known.setting for known in documents.fixed_settings()}

    assert [setting for setting in fixed if not is_setting(setting)] == []
    assert all(known.why for known in documents.fixed_settings())
    rest = settings - limits - {setting.rpartition(".")[2] for setting in fixed}
    # `allow` and `forbid` change the instruments; the others are tables.
    assert rest == {"instruments", "account", "portfolio", "strategy", "instrument"}
    assert limits <= settings


def test_every_test_of_a_control_exists(controls):
    """A control without a test that is run is no control."""
    assert [test for control in controls for test in control.tests if not is_test(test)] == []
    assert all(control.tests for control in controls)


def test_a_test_or_setting_that_is_not_there_is_found_out():
    """The two checks above can fail."""
    assert is_test("rust/kernel/tests/scopes.rs::a_strategy_trades_only_what_it_is_allowed")
    assert not is_test("rust/kernel/tests/scopes.rs::a_strategy_trades_what_it_likes")
    assert not is_test("rust/kernel/tests/scopes.rs::rig")
    assert is_setting("risk.strategy.NAME.net_max")
    assert is_setting("live.drop_copy.interval_ms")
    assert not is_setting("live.drop_copy.interval")
    assert not is_setting("risk.strategy.NAME.net_most")
