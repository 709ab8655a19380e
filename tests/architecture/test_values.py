"""Values do not change: a struct that others see is frozen, or it is named here with what changes it."""

import importlib
import inspect
import pkgutil

import msgspec
import pytest

import tradecore
import tradecore_api
import tradecore_audit
import tradecore_binance
import tradecore_calendars
import tradecore_files
import tradecore_local
import tradecore_log
import tradecore_secrets
import tradecore_sqlite

ROOMS = (
    tradecore,
    tradecore_api,
    tradecore_audit,
    tradecore_binance,
    tradecore_calendars,
    tradecore_files,
    tradecore_local,
    tradecore_log,
    tradecore_secrets,
    tradecore_sqlite,
)
# What follows something as it goes on, and rows that are read by the thousand.
CHANGING = {
    "tradecore": {"BookedOrder", "OrderLife", "VenueOrder"},
    "tradecore_api": {"Progress"},
    "tradecore_binance": {"DepthMessage"},
    "tradecore_files": {"BookPair"},
    "tradecore_sqlite": {"OrderRow", "SessionRow", "Settings"},
}
FIELDS_BY_NAME = 4
# Tables of a configuration are made of a file, and rows of what a database or a venue sends.
BY_PLACE = {
    "tradecore": {"BarSource", "GateVerdict"},
    "tradecore_api": {"BinanceFeedTable", "ConfigTables", "DataTable", "InstrumentDataTable", "LiveTable"}
    | {"BinanceHistoryTable", "LocalHistoryTable"},
    "tradecore_binance": {"DepthMessage"},
    "tradecore_sqlite": {"SessionRow"},
}
# They run something when they are imported.
LEFT_OUT = {"tradecore_api.__main__", "tradecore_audit.__main__"}


def structs(room):
    """Yield the structs that a room declares, but for those of one module alone."""
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if found.name in LEFT_OUT:
            continue
        module = importlib.import_module(found.name)
        for name, value in inspect.getmembers(module, inspect.isclass):
            is_own = value.__module__ == module.__name__ and not name.startswith("_")
            if is_own and issubclass(value, msgspec.Struct):
                yield value


def parameters_of(kind):
    """Return what its constructor takes."""
    return inspect.signature(kind).parameters.values()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_a_value_that_others_see_does_not_change(room):
    """Rows that a module reads from JSON for itself, with a name that begins with `_`, may."""
    changing = {kind.__qualname__ for kind in structs(room) if not kind.__struct_config__.frozen}

    assert changing == CHANGING.get(room.__name__, set())


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_a_value_of_many_fields_is_made_by_their_names(room):
    """From four on; rows of a wire that are lists stand in the order of their fields."""
    by_place = {
        kind.__qualname__
        for kind in structs(room)
        if len(kind.__struct_fields__) >= FIELDS_BY_NAME
        and not kind.__struct_config__.array_like
        and any(
            given.kind is given.POSITIONAL_OR_KEYWORD for given in inspect.signature(kind).parameters.values()
        )
    }

    assert by_place == BY_PLACE.get(room.__name__, set())
