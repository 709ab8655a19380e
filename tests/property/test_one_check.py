"""Settings are checked once: what a file may not say, Python may not either, and the other way round."""

import math
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import idle_strategy
from support.idle_strategy import Idle
from tradecore import (
    AccountSpec,
    BarSource,
    Engine,
    EngineSpec,
    FeesSpec,
    FeeTierSpec,
    InstrumentRiskSpec,
    InstrumentSpec,
    InvalidSpecError,
    MarginSpec,
    MarginTierSpec,
    Mode,
    RiskSpec,
    ScopeRiskSpec,
    SlippageSpec,
    StrategyBinding,
    StrategyRiskSpec,
    VenueSpec,
)
from tradecore_api.config import keys, read
from tradecore_api.wiring import engines


class Other(StrEnum):
    """A word of somebody else's."""

    SHADOW = "shadow"


SPEC = EngineSpec(
    mode=Mode.PAPER,
    instruments=(
        InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),
        InstrumentSpec(
            symbol="TIN",
            tick_size="0.01",
            margin=MarginSpec(
                leverage="5",
                tiers=(
                    MarginTierSpec(notional_max="1000", maintenance_ppm=5000),
                    MarginTierSpec(maintenance_ppm=10000),
                ),
            ),
        ),
    ),
    account=AccountSpec(cash="5000"),
    fees=FeesSpec(tiers=(FeeTierSpec(volume_min="10", maker_bps="1", taker_bps="2"),)),
    venue=VenueSpec(matching="quotes", slippage=SlippageSpec(ticks=1)),
    risk=RiskSpec(
        quantity_max="100",
        account=ScopeRiskSpec(gross_max="1000"),
        strategy={"idle": StrategyRiskSpec(open_orders_max=3, instruments=("GOLD",))},
        instrument={"TIN": InstrumentRiskSpec(quantity_max="7")},
    ),
)
PATHS = [
    ("mode",),
    ("instruments",),
    ("instruments", 0),
    *[("instruments", 0, field) for field in InstrumentSpec.__struct_fields__ if field != "calendar"],
    ("instruments", 1, "symbol"),
    *[("instruments", 1, "margin", field) for field in MarginSpec.__struct_fields__],
    *[("instruments", 1, "margin", "tiers", 1, field) for field in MarginTierSpec.__struct_fields__],
    *[("account", field) for field in AccountSpec.__struct_fields__],
    *[("fees", field) for field in FeesSpec.__struct_fields__],
    *[("fees", "tiers", 0, field) for field in FeeTierSpec.__struct_fields__],
    *[("venue", field) for field in VenueSpec.__struct_fields__ if "latency_" not in field],
    ("venue", "order_latency_ns"),
    *[("venue", "slippage", field) for field in SlippageSpec.__struct_fields__],
    *[("risk", field) for field in RiskSpec.__struct_fields__],
    *[("risk", "account", field) for field in ScopeRiskSpec.__struct_fields__],
    *[("risk", "strategy", "idle", field) for field in StrategyRiskSpec.__struct_fields__],
    *[("risk", "instrument", "TIN", field) for field in InstrumentRiskSpec.__struct_fields__],
    ("risk", "instrument", "IRON"),
    ("risk", "strategy", "nobody"),
    ("strategies", 0, "fast"),
    ("strategies", 0, "share"),
    ("strategies", 0, "label"),
    ("strategies", 0, "history"),
    ("strategies", 0, "bars"),
    ("strategies", 0, "name"),
]
VALUES = [
    -1, 0, 1, 3, 2**31, 2**70, -(2**70), True, 0.5, 0.1, -0.25, math.nan, math.inf, 1e300, 10**400,
    "", "1", "-5", "0", "nan", "many", "1e3", "0.0000000000000000001", "9" * 40, "GOLD", "TIN", "a/b", "é",
    "x" * 300,
    "\ud800", "live", "Shadow", "shadow", "book", "bars", "isolated", "inverse", "kraken",
    Mode.SHADOW, Other.SHADOW, Mode, Decimal("1.50"), Decimal("0.25"), Decimal("NaN"),
    Decimal("1e-30"), Decimal(-1),
    np.int64(3), np.float64(0.1), np.float32(2), np.bool_(True), np.array([1]), (), [], {},
    {"x": 1}, {1: 2}, b"1",
    ("GOLD",), ["GOLD", "TIN"], ("IRON",), "1h", "100tick",
]  # fmt: skip


def plain(value: object) -> object:
    """Return structs as the tables of a file, what is absent left out."""
    match value:
        case msgspec.Struct():
            return {
                name: plain(getattr(value, name))
                for name in value.__struct_fields__
                if getattr(value, name) is not None
            }
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case tuple():
            return [plain(item) for item in value]
        case _:
            return value


def with_value(value: object, path: tuple[str | int, ...], new: object) -> object:
    """Return a tree of structs or of tables with something else at a path."""
    if not path:
        return new
    first, *rest = path
    if isinstance(value, dict):
        return value | {first: with_value(value.get(first), tuple(rest), new)}
    if isinstance(value, list | tuple):
        items = [with_value(item, tuple(rest), new) if at == first else item for at, item in enumerate(value)]
        return type(value)(items)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value, **{str(first): with_value(getattr(value, str(first)), tuple(rest), new)}
        )
    return value


def by_python(changes: dict[tuple[str | int, ...], object]) -> tuple[set[str], object]:
    """Return the keys that an engine refuses, and what it is made of when it refuses none."""
    spec, binding, strategy = SPEC, {"name": "idle", "bars": BarSource(), "history": 0}, Idle()
    for path, value in changes.items():
        if path[0] != "strategies":
            spec = with_value(spec, path, value)
        elif path[-1] in binding:
            binding[path[-1]] = value
        else:
            setattr(strategy, str(path[-1]), value)
    listed = getattr(spec, "instruments", ())
    # A file that names no instruments of a strategy means all of them.
    places = tuple(range(len(listed))) if isinstance(listed, list | tuple) else (0,)
    try:
        engine = Engine(spec, [StrategyBinding(strategy=strategy, instruments=places, **binding)])
    except InvalidSpecError as error:
        return {keys.of_path(problem.field) for problem in error.problems}, None
    return set(), engine.spec


def by_file(changes: dict[tuple[str | int, ...], object]) -> tuple[set[str], object]:
    """Return the keys of a file that are refused, and what the engine would be made of."""
    strategy = {"class": f"{Path(idle_strategy.__file__)}:Idle", "name": "idle"}
    # In live mode a file names its venue; any file will do for keys that nobody reads.
    tree = plain(SPEC) | {"strategies": [strategy], "live": {"keys": idle_strategy.__file__}}
    # None of them is for a file to say: the run looks them up and asks the venue.
    tree.pop("calendars")
    tree.pop("watched")
    tree.pop("renews_amended")
    # A file says it of the live account.
    tree.pop("canaries")
    for path, value in changes.items():
        tree = with_value(tree, path, value)
    tree["live"] |= {"person": "Ada", "canary": canary_of(tree)}
    found = read._read(tree, "test.toml", Path.cwd(), [], {})
    problems = engines.problems_of(found)
    # Its symbols are those of the file: what is wrong with one is wrong with the instrument, too.
    refused = {error.key for error in problems if not error.key.startswith("live.canary.instruments")}
    if problems:
        return refused, None
    return refused, msgspec.structs.replace(found.config.engine_spec(), canaries=SPEC.canaries)


def canary_of(tree: dict[str, object]) -> dict[str, object]:
    """Return bounds of all instruments that a file names."""
    listed = tree["instruments"] if isinstance(tree["instruments"], list | tuple) else []
    symbols = [each.get("symbol") for each in listed if isinstance(each, dict)]
    return {
        "instruments": [symbol for symbol in symbols if isinstance(symbol, str)],
        "order_value_max": "1",
        "orders_a_day_max": 1,
        "position_value_max": "1",
    }


def both(changes: dict[tuple[str | int, ...], object]) -> set[str]:
    """Return what both refuse, which must be the same."""
    (python, spec), (file, config) = by_python(changes), by_file(changes)
    assert python == file
    assert spec == config
    return python


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_each_value_of_each_setting_is_taken_or_refused_by_both_doors(path):
    """A number of numpy, a yes, half a surrogate pair: never by one alone, and never with another error."""
    refused = sum(bool(both({path: value})) for value in VALUES)
    assert refused > 0


@given(
    changes=st.dictionaries(
        st.sampled_from([path for path in PATHS if path not in [("instruments",), ("instruments", 0)]]),
        st.sampled_from(VALUES),
        max_size=6,
    )
)
def test_several_settings_are_refused_together(changes):
    """Every key that is wrong is named at once, by the same names."""
    both(changes)


def test_all_problems_are_told_at_once_with_their_paths():
    """What used to trade on paper, and what used to be found one at a time."""
    spec = EngineSpec(
        mode="real",
        instruments=(
            InstrumentSpec(symbol="GOLD", tick_size="1"),
            InstrumentSpec(symbol="GOLD", tick_size=-1),
        ),
        account=AccountSpec(cash="-5"),
    )
    with pytest.raises(InvalidSpecError) as caught:
        Engine(spec, [StrategyBinding(name="a", strategy=None), StrategyBinding(name="a", strategy=Idle())])
    assert [problem.field for problem in caught.value.problems] == [
        "mode",
        "instruments[1].tick_size",
        "account.cash",
        "instruments[1].symbol",
        "strategies[0].strategy",
        "strategies[1].name",
    ]
    assert "mode 'real': must be one of backtest, shadow, paper, live" in str(caught.value)


def test_a_symbol_among_none_is_told_that_there_are_none():
    """No list of known names where there is no name."""
    strategy = {"class": f"{Path(idle_strategy.__file__)}:Idle", "name": "idle", "instruments": ["GOLD"]}
    tree = {"mode": "paper", "instruments": [], "strategies": [strategy]}
    found = read._read(tree, "test.toml", Path.cwd(), [], {})
    rules = {error.key: error.rule for error in engines.problems_of(found)}
    assert rules["strategies.0.instruments"] == "is not in [[instruments]]; there are none"


def test_a_word_is_as_good_as_the_member_of_its_enumeration():
    """The engine sends nothing in shadow mode, however that was written."""
    spec = EngineSpec(mode="shadow", instruments=SPEC.instruments, venue=SPEC.venue)
    engine = Engine(spec, [])
    assert engine.spec.mode is Mode.SHADOW


def test_a_parameter_is_named_beside_a_wrong_setting_of_its_strategy():
    """A history that cannot be does not hide what else is wrong."""
    changes = {("strategies", 0, "fast"): -1, ("strategies", 0, "history"): -1}
    assert both(changes) == {"strategies.0.fast", "strategies.0.history"}


@pytest.mark.parametrize("fast", [5, -1])
@pytest.mark.parametrize("symbols", [["GOLD"], ["SILVER"]])
def test_a_strategy_that_names_its_instruments_may_stand_in_a_file_with_any_fault(symbols, fast):
    """What is wrong elsewhere is told, and so is a symbol that there is none of."""
    strategy = {"class": f"{Path(idle_strategy.__file__)}:Idle", "name": "idle", "instruments": symbols}
    tree = {
        "mode": "real",
        "instruments": [{"symbol": "GOLD", "tick_size": "1"}],
        "strategies": [strategy | {"fast": fast}],
    }
    found = read._read(tree, "test.toml", Path.cwd(), [], {})
    unknown = [] if symbols == ["GOLD"] else ["strategies.0.instruments"]
    outside = [] if fast > 0 else ["strategies.0.fast"]
    assert [error.key for error in engines.problems_of(found)] == ["mode", *unknown, *outside]
