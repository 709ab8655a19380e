"""Every place of a specification is checked, and what nobody touched costs nothing."""

import gc
import typing
import weakref

import msgspec
import pytest

from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    FeesSpec,
    FeeTierSpec,
    InstrumentRiskSpec,
    InstrumentSpec,
    InvalidSpecError,
    MarginSpec,
    MarginTierSpec,
    RiskSpec,
    ScopeRiskSpec,
    SlippageSpec,
    StrategyBinding,
    StrategyRiskSpec,
    VenueAccountSpec,
    VenueSpec,
)
from tradecore.domain import SessionTable, shape
from tradecore.strategy import loader

# One struct at every place that can have one; all else is as nobody touched it.
SPEC = EngineSpec(
    instruments=(
        InstrumentSpec(symbol="GOLD", tick_size="1"),
        InstrumentSpec(
            symbol="TIN", tick_size="1", margin=MarginSpec(tiers=(MarginTierSpec(maintenance_ppm=10_000),))
        ),
    ),
    accounts=(VenueAccountSpec(name="other", cash="1", fees=FeesSpec(), venue=VenueSpec()),),
    fees=FeesSpec(tiers=(FeeTierSpec(volume_min="10", maker_bps="1", taker_bps="2"),)),
    risk=RiskSpec(strategy={"idle": StrategyRiskSpec()}, instrument={"TIN": InstrumentRiskSpec()}),
)
STRUCTS = [
    AccountSpec, EngineSpec, FeesSpec, FeeTierSpec, InstrumentRiskSpec, InstrumentSpec, MarginSpec,
    MarginTierSpec, RiskSpec, ScopeRiskSpec, SlippageSpec, StrategyRiskSpec, VenueAccountSpec, VenueSpec,
]  # fmt: skip
Path = tuple[str | int, ...]


class Idle:
    """Does nothing."""

    fast: int = 10


def places(value: object, path: Path = ()) -> typing.Iterator[Path]:
    """Give every field of every struct in a tree."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield (*path, name)
            yield from places(getattr(value, name), (*path, name))
    elif isinstance(value, dict | tuple):
        for at, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, at))


def changed(value: object, path: Path, new: object) -> object:
    """Return a tree with something else at a place."""
    if not path:
        return new
    at, rest = path[0], path[1:]
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **{str(at): changed(getattr(value, str(at)), rest, new)})
    if isinstance(value, dict):
        return value | {at: changed(value[at], rest, new)}
    return tuple(changed(item, rest, new) if at == index else item for index, item in enumerate(value))


def key(path: Path) -> str:
    """Return a path as messages name it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def engine(spec: EngineSpec) -> Engine:
    """Make an engine of a specification."""
    return Engine(spec, [StrategyBinding(name="idle", strategy=Idle(), instruments=(0, 1))])


def refused(spec: EngineSpec) -> list[str]:
    """Return the keys that an engine of this specification refuses."""
    try:
        engine(spec)
    except InvalidSpecError as error:
        return [problem.field for problem in error.problems]
    return []


def test_a_wrong_value_is_found_in_every_place():
    """One wrong value at a time among defaults, wherever it is nested: exactly that key is refused."""
    all_places = list(places(SPEC))
    wrong = {key(path): refused(changed(SPEC, path, object())) for path in all_places}
    assert {name for name, found in wrong.items() if name not in found} == set()
    # What names an instrument is refused beside one that has no name any more.
    assert {name for name, found in wrong.items() if len(found) > 1} == {"instruments[1].symbol"}
    reached = {type(struct) for path in all_places if (struct := at(path[:-1])) is not None}
    assert reached == set(STRUCTS)
    assert len(all_places) == 185


def at(path: Path) -> object:
    """Return what stands at a place."""
    value: object = SPEC
    for part in path:
        value = getattr(value, part) if isinstance(value, msgspec.Struct) else value[part]
    return value


def test_two_wrong_values_far_apart_are_both_found():
    """A place that is refused ends the look at no other one."""
    spec = changed(SPEC, ("venue", "slippage", "ticks"), -1)
    spec = changed(spec, ("instruments", 1, "margin", "tiers", 0, "leverage_max"), 0)
    assert refused(spec) == ["instruments[1].margin.tiers[0].leverage_max", "venue.slippage.ticks"]


@pytest.mark.parametrize("cls", [*STRUCTS, SessionTable], ids=lambda cls: cls.__name__)
def test_defaults_are_what_their_types_allow(cls):
    """They are not looked at again in an engine, so they are here."""
    problems = shape.Problems()
    for field in msgspec.structs.fields(cls):
        if field.default is not msgspec.NODEFAULT:
            shape.checked(field.default, msgspec.inspect.type_info(field.type), field.name, problems)
    assert problems.found == []


def test_a_specification_comes_back_as_it_was():
    """What is left out of a check is put back."""
    assert engine(SPEC).spec == SPEC
    odd = changed(SPEC, ("venue", "bar_fill"), "close")
    assert engine(odd).spec.venue == VenueSpec(bar_fill="close")


def test_nobody_looks_at_defaults(monkeypatch):
    """Engines are made by the thousand in searches, most of their settings as nobody touched them."""
    looked: list[str] = []
    whole = shape.checked

    def counted(value, kind, key, report):
        looked.append(key)
        return whole(value, kind, key, report)

    monkeypatch.setattr(shape, "checked", counted)
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),))
    problems = shape.Problems()
    shape.checked_tree(spec, EngineSpec, "", problems)
    # Tables are made anew for each specification, so that this one is looked at, and empty.
    made_anew = ["calendars"]
    given = ["instruments", "instruments[0]", "instruments[0].symbol", "instruments[0].tick_size"]
    assert sorted(looked) == made_anew + given


def test_annotations_of_a_class_are_asked_for_once(monkeypatch):
    """Each engine asks for the parameters of its strategies."""
    asked = []
    whole = typing.get_type_hints

    def counted(*arguments, **named):
        asked.append(arguments[0])
        return whole(*arguments, **named)

    monkeypatch.setattr(loader.typing, "get_type_hints", counted)

    class Mine:
        slow: int = 3

    for value in (3, 4, 5):
        strategy = Mine()
        strategy.slow = value
        Engine(SPEC, [StrategyBinding(name="idle", strategy=strategy)])
    assert asked == [Mine]


def test_a_changed_default_of_a_class_is_seen():
    """Annotations are remembered, values are not."""

    class Mine:
        slow: int = 3

    assert loader.parameters(Mine) == {"slow": 3}
    Mine.slow = 7
    assert loader.parameters(Mine) == {"slow": 7}


def test_a_class_that_nobody_holds_is_forgotten():
    """A notebook defines its class again and again."""

    class Mine:
        slow: int = 3

    loader.parameters(Mine)
    gone = weakref.ref(Mine)
    del Mine
    gc.collect()
    assert gone() is None
