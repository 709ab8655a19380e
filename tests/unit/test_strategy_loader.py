"""Strategies are found by name and built with checked parameters."""

import sys
from typing import Annotated

import pytest

from tradecore.domain import ConfigError, InvalidValueError
from tradecore.strategy import BarSource, Bounds, build, load_class, parameters

SOURCE = "engine.toml"

CROSS = """
import sys
from typing import Annotated
from tradecore.strategy import Bounds


class Cross:
    fast: Annotated[int, Bounds(ge=2, le=200)] = 10
    slow: int = 30
    _private: int = 1


class Other:
    pass
"""


class Cross:
    """A strategy with parameters of several kinds."""

    fast: Annotated[int, Bounds(ge=2, le=200)] = 10
    slow: int = 30
    name: str = "cross"
    share: float = 0.5
    _private: int = 1
    required: int


@pytest.fixture
def strategy_file(tmp_path):
    """Return a directory with a strategy file."""
    (tmp_path / "cross.py").write_text(CROSS)
    return tmp_path


def test_a_class_is_found_in_a_file_beside_the_configuration(strategy_file):
    """Files are looked up from `base`, and read once."""
    found = load_class("cross.py:Cross", source=SOURCE, base=strategy_file)
    assert found.__name__ == "Cross"
    assert load_class("cross.py:Cross", source=SOURCE, base=strategy_file) is found


def test_two_files_of_one_name_are_two_modules(strategy_file, tmp_path_factory):
    """A file is known by its path and not by its name."""
    other = tmp_path_factory.mktemp("other")
    (other / "cross.py").write_text("class Cross:\n    fast: int = 99\n")
    first = load_class("cross.py:Cross", source=SOURCE, base=strategy_file)
    second = load_class("cross.py:Cross", source=SOURCE, base=other)
    assert parameters(first)["fast"] == 10
    assert parameters(second)["fast"] == 99


def test_a_class_is_found_in_an_importable_module():
    """Anything importable will do."""
    assert load_class("collections:OrderedDict", source=SOURCE).__name__ == "OrderedDict"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("cross.py", "must be"),
        ("", "must be"),
        (":Cross", "must be"),
        ("cross.py:not a name", "must be"),
        ("missing.py:Cross", "there is no file"),
        ("cross.py:Crss", "Cross, Other"),
        ("no_such_module_at_all:Cross", "no module named"),
        ("broken.py:Cross", "line 2"),
    ],
)
def test_a_target_that_leads_nowhere_names_file_key_and_rule(strategy_file, target, said):
    """The operator learns what is wrong and what there is."""
    (strategy_file / "broken.py").write_text("x = 1\ndef (:\n")
    with pytest.raises(ConfigError) as caught:
        load_class(target, source=SOURCE, key="strategies.0.class", base=strategy_file)
    assert (caught.value.source, caught.value.key) == (SOURCE, "strategies.0.class")
    assert said in caught.value.rule


def test_parameters_are_public_annotated_attributes_with_a_default():
    """What is private, or has no default, is no parameter."""
    assert parameters(Cross) == {"fast": 10, "slow": 30, "name": "cross", "share": 0.5}


def test_values_are_set_and_the_rest_keep_their_defaults():
    """Two strategies of one class do not share their parameters."""
    first = build(Cross, {"fast": 5}, source=SOURCE)
    second = build(Cross, {}, source=SOURCE)
    assert (first.fast, first.slow) == (5, 30)
    assert (second.fast, Cross.fast) == (10, 10)


@pytest.mark.parametrize(
    ("values", "key", "said"),
    [
        ({"fast": 1}, "strategy.fast", ">= 2"),
        ({"fast": 201}, "strategy.fast", "<= 200"),
        ({"fast": "10"}, "strategy.fast", "int"),
        ({"fast": True}, "strategy.fast", "int"),
        ({"share": "half"}, "strategy.share", "float"),
        ({"fsat": 10}, "strategy.fsat", "did you mean fast?"),
        ({"_private": 2}, "strategy._private", "no parameter"),
        ({"zzz": 2}, "strategy.zzz", "it has fast"),
    ],
)
def test_a_wrong_parameter_names_key_and_rule(values, key, said):
    """Unknown names, wrong types and broken bounds are one error of the operator."""
    with pytest.raises(ConfigError) as caught:
        build(Cross, values, source=SOURCE)
    assert caught.value.key == key
    assert said in caught.value.rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input", BarSource()),
        ("500ms", BarSource(500_000_000)),
        ("1m", BarSource(60_000_000_000)),
        ("5s:quotes", BarSource(5_000_000_000, "quotes")),
        ("1d:trades", BarSource(86_400_000_000_000, "trades")),
        ("1h:bars", BarSource(3_600_000_000_000, "bars")),
        ("1w", BarSource(604_800_000_000_000)),
        ("1mo", BarSource(months=1)),
        ("12mo:bars", BarSource(months=12, prices="bars")),
        ("100tick", BarSource(rule="100tick")),
        ("0.5volume", BarSource(rule="0.5volume")),
        ("1e6notional:trades", BarSource(rule="1e6notional")),
        ("20range", BarSource(rule="20range")),
        ("10imbalance", BarSource(rule="10imbalance")),
        ("50volume-imbalance", BarSource(rule="50volume-imbalance")),
    ],
)
def test_bar_lengths_read_as_nanoseconds(text, expected):
    """`input`, a length with a unit and what the bars are built from, or a rule."""
    assert BarSource.parse(text) == expected
    assert BarSource.parse(expected.text()) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "m", "0s", "-1m", "1.5s", "1x", "1m:books", "²s", "999999999d", "9" * 5000 + "s"),
        *("tick", "0tick", "-1tick", "0.0volume", "100tick:quotes", "100ticks", "1e999tick"),
        *("0w", "0mo", "5mo", "13mo", "1.5mo", "1w:books", "1y", "99999w"),
        *(".5volume", "1.5tick", "0e5tick", "9" * 5000 + "tick"),
    ],
)
def test_bar_lengths_that_are_none_are_refused(text):
    """Anything else is one error, also lengths that no clock can count."""
    with pytest.raises(InvalidValueError):
        BarSource.parse(text)


BESIDE = """
import helpers
from helpers import NAME


class Mine:
    name: str = NAME

    def again(self):
        import helpers

        return helpers.NAME

    def in_package(self):
        from parts.numbers import ONE
        import parts.numbers as numbers
        import parts.numbers

        return ONE, numbers.ONE, parts.numbers.ONE

    def missing(self):
        import nowhere_at_all
"""


def write_beside(directory, name):
    """Write a strategy with what it imports from beside it."""
    (directory / "mine.py").write_text(BESIDE)
    (directory / "helpers.py").write_text(f"from deeper import DEEP\nNAME = '{name}' + DEEP\n")
    (directory / "deeper.py").write_text("DEEP = '!'\n")
    (directory / "parts").mkdir()
    (directory / "parts" / "__init__.py").write_text("import deeper\n")
    (directory / "parts" / "numbers.py").write_text("ONE = 1\n")
    # Of what is installed nothing is hidden.
    (directory / "json.py").write_text("raise SystemExit('the file beside was taken')\n")
    (directory / "json_user.py").write_text("import json\n\n\nclass User:\n    text: str = json.dumps({})\n")


def test_a_file_imports_what_is_beside_it_and_two_directories_keep_theirs_apart(tmp_path_factory):
    """At the top, inside a method, through packages and further files; nobody else finds them."""
    found = []
    for name in ("one", "two"):
        directory = tmp_path_factory.mktemp(name)
        write_beside(directory, name)
        found.append(load_class("mine.py:Mine", source=SOURCE, base=directory)())

    assert [(mine.name, mine.again()) for mine in found] == [("one!", "one!"), ("two!", "two!")]
    assert [mine.in_package() for mine in found] == [(1, 1, 1)] * 2
    assert not {"helpers", "deeper", "parts"} & set(sys.modules)
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        found[0].missing()


def test_what_is_installed_comes_before_a_file_of_its_name(tmp_path):
    """A `json.py` beside a strategy changes nothing for anybody."""
    write_beside(tmp_path, "one")
    assert parameters(load_class("json_user.py:User", source=SOURCE, base=tmp_path)) == {"text": "{}"}


def test_a_fault_in_a_file_beside_is_told_and_can_be_mended(tmp_path):
    """The error names the strategy's file with its line; once the fault is gone the file is read anew."""
    write_beside(tmp_path, "one")
    (tmp_path / "helpers.py").write_text("raise ValueError('not yet')\n")
    with pytest.raises(ConfigError, match=r"mine.py, line 2 cannot be imported: ValueError: not yet"):
        load_class("mine.py:Mine", source=SOURCE, base=tmp_path)
    (tmp_path / "helpers.py").write_text("NAME = 'mended'\n")
    assert load_class("mine.py:Mine", source=SOURCE, base=tmp_path)().name == "mended"


def test_a_module_that_is_a_file_beside_is_offered_as_that_file(strategy_file, tmp_path, monkeypatch):
    """`strat:Trend` is how Python names it; here a file is named with its ending."""
    (tmp_path / "strat.py").write_text("class Trend:\n    pass\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.py").write_text("class Trend:\n    pass\n")
    monkeypatch.chdir(strategy_file.parent)
    for target, said in (
        ("strat:Trend", 'no module named strat; for the file strat.py write "strat.py:Trend"'),
        ("inner.deep:Trend", 'no module named inner; for the file inner/deep.py write "inner/deep.py:Trend"'),
        ("gone:Trend", "no module named gone"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_class(target, source="run.toml", base=tmp_path)
        assert caught.value.rule == said
        if "write" in said:
            assert load_class(said.split('"')[1], source="run.toml", base=tmp_path).__name__ == "Trend"


def test_a_file_in_the_working_directory_is_offered_too(tmp_path, monkeypatch):
    """An option starts there."""
    (tmp_path / "strat.py").write_text("class Trend:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r'write "strat\.py:Trend"'):
        load_class("strat:Trend", source="--set strategy.class", base=tmp_path / "elsewhere")
