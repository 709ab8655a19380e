"""Who can open a connection that trades: one function, for one kind of value, which one place can make."""

import ast
import inspect
import typing

from support.tree import files, name_of
from tradecore.domain.commands import commands
from tradecore_api.wiring import arming, live, live_links

OPENS = "api/tradecore_api/wiring/live.py"
PROVES = "api/tradecore_api/wiring/arming.py"


def places(is_it):
    """Return the files of the product that have such a node of source."""
    found = set()
    for below in ("api", "python", "adapters", "examples", "benches"):
        for path in files(".py", below=below):
            if "/tests/" in name_of(path):
                continue
            if any(is_it(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
                found.add(name_of(path))
    return found


def calls(name, of=None):
    """Tell of a node whether it calls a function of this name."""

    def is_it(node):
        if not isinstance(node, ast.Call):
            return False
        called = node.func
        if isinstance(called, ast.Attribute):
            owner = called.value.id if isinstance(called.value, ast.Name) else None
            return called.attr == name and (of is None or owner == of)
        return of is None and isinstance(called, ast.Name) and called.id == name

    return is_it


def test_one_function_opens_a_connection_that_trades_and_takes_the_proof():
    """Paper and shadow have none: a type checker refuses the call, and so does the function."""
    assert places(calls("connect", of="LocalVenue")) == {OPENS}
    for opens in (live.open_venue, live_links.open_venues):
        first = next(iter(inspect.signature(opens).parameters))
        assert typing.get_type_hints(opens)[first] is arming.Armed


def test_one_place_makes_the_proof():
    """From a live configuration that is as a person armed it."""
    assert places(calls("Armed")) == {PROVES}
    made_by = [
        node.name
        for node in ast.walk(ast.parse(inspect.getsource(arming)))
        if isinstance(node, ast.FunctionDef) and any(calls("Armed")(inner) for inner in ast.walk(node))
    ]
    assert made_by == ["armed"]


def test_one_place_reads_the_key_that_trades():
    """It looks at the mode first, and at the host."""

    def names_the_key(node):
        if not isinstance(node, ast.Call) or calls("live_key")(node):
            return False
        named = [*node.args, *(each.value for each in node.keywords)]
        return any(isinstance(each, ast.Name) and each.id == "TradingKey" for each in named)

    # `required` is the adapter's own check of what it is given.
    assert places(names_the_key) <= {"adapters/local/tradecore_local/client.py"}


def test_no_command_changes_the_mode_of_an_engine():
    """What it began as it is until it ends."""
    assert not [name for name in commands() if "mode" in name or "live" in name or "arm" in name]


def test_the_pattern_finds_what_it_looks_for():
    """One that never matches would prove nothing."""
    (call,) = [node for node in ast.walk(ast.parse("LocalVenue.connect(1)")) if calls("connect")(node)]
    assert calls("connect", of="LocalVenue")(call)
    assert not calls("connect", of="LocalVenueQueries")(call)
