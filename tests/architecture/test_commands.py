"""Commands are listed once: names and meanings in the native module, their structs and words in one file."""

import msgspec
import pytest

from tradecore._core import command_names
from tradecore.domain import EventBatch, InvalidValueError
from tradecore.domain.commands import Command, Kill, Plain, Stopping, command_of, commands
from tradecore.ports.control_channel import ControlRequest
from tradecore_api.cli import build_parser

SAID = {
    "scope": "strategy:one",
    "person": "Ada",
    "limit": "gross_max",
    "value": "7",
    "instrument": "GOLD",
    "order": 5,
    "within_bps": 20,
    "then_market_ns": 5_000_000_000,
    "cause": "feed_lost",
    "seen": 61_000_000_000,
    "bound": 60_000_000_000,
}
# `tradecore kill` and `tradecore kill --release`: both work without an engine too. The engine gives the other
# one itself.
NOT_BY_NAME = {"release_kill", "safety_pause"}


def made(name):
    """Make a command that says everything it can."""
    return command_of(name, **{field: SAID[field] for field in commands()[name].__struct_fields__})


def test_there_is_one_list_of_commands():
    """What Python has a struct for is what the native module knows, and it says what each does."""
    assert [*commands()] == [name for name, _ in command_names()]
    assert set(Command.__args__) == {*commands().values()}
    assert all(about.endswith(".") for _, about in command_names())


@pytest.mark.parametrize("name", commands())
def test_a_command_goes_every_way_as_one_struct(name):
    """It has words of its own, comes back from the wire, and the command line knows it."""
    command = made(name)
    assert command.name == name
    assert command.words() != Plain.words(command)
    assert command.done()
    sent = msgspec.msgpack.encode(command)
    assert msgspec.msgpack.decode(sent, type=ControlRequest) == command
    known = build_parser()._subparsers._group_actions[0].choices
    assert (name.replace("_", "-") in known) is (name not in NOT_BY_NAME)


@pytest.mark.parametrize("name", commands())
def test_a_command_that_lacks_something_is_refused_by_every_door(name):
    """Python's struct and the native batch need the same."""
    kind = commands()[name]
    # A stop that names no part is about everything.
    fields = [field for field in kind.__struct_fields__ if kind not in Stopping.__subclasses__()]
    for left_out in fields:
        with pytest.raises(InvalidValueError, match=left_out):
            command_of(name, **{field: SAID[field] for field in fields if field != left_out})
    if fields:
        with pytest.raises(InvalidValueError, match="must be given"):
            EventBatch().command(1, name)


@pytest.mark.parametrize("kind", Stopping.__subclasses__())
def test_a_stop_of_a_part_says_so_and_one_of_everything_does_not(kind):
    """Whoever reads the journal sees which part it was; a scope without a name is none."""
    part, everything = kind(scope="strategy:one"), kind()
    assert "strategy one" in part.words()
    assert "strategy" not in everything.words()
    assert kind(scope="") == everything


def test_a_request_of_another_version_is_still_taken():
    """Every request used to have all fields; what a command does not know is passed over."""
    before = {"command": "kill", "scope": "", "limit": "", "value": None, "instrument": "", "person": ""}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=ControlRequest) == Kill()
