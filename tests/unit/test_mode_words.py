"""A live engine is told from a paper one at a glance: by words, colour, and the name of its journal."""

import sys

import pytest

from tradecore.domain import EngineSpec, InstrumentSpec, Mode
from tradecore.domain.journal import JournalWriter, encode_session
from tradecore.runtime.session_config import SessionConfig
from tradecore_api import mode_words
from tradecore_api.config import read
from tradecore_api.own_journal import journal_folder
from tradecore_api.state_dir import StateDir

TABLES = """
mode = "{mode}"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "main"
[feed]
kind = "local"
url = "http://127.0.0.1:1"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
{more}
"""
LIVE = """
[live]
person = "Ada"
keys = "keys.json"
canary.instruments = ["BTC-USD"]
canary.order_value_max = 1
canary.orders_a_day_max = 1
canary.position_value_max = 1
"""


def test_only_a_live_one_has_other_words():
    """`status` and every answer say it."""
    assert mode_words.mode_words("live") == "LIVE: its orders leave for a venue"
    assert [mode_words.mode_words(mode) for mode in ("paper", "shadow", "of later")] == [
        "paper",
        "shadow",
        "of later",
    ]
    assert mode_words.named("main", "live") == "main (LIVE)"
    assert mode_words.named("main", "paper") == "main"


@pytest.mark.parametrize(
    ("environment", "is_terminal", "mode", "stands_out"),
    [
        ({}, True, "live", True),
        ({}, True, "paper", False),
        ({}, False, "live", False),
        ({"NO_COLOR": ""}, True, "live", False),
        ({"TERM": "dumb"}, True, "live", False),
    ],
)
def test_a_live_one_stands_out_on_a_terminal_that_shows_colours(
    monkeypatch, environment, is_terminal, mode, stands_out
):
    """Nothing is coloured in a file, nor where somebody asks for none."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    assert (mode_words.coloured("x", mode) != "x") is stands_out


@pytest.fixture
def place(tmp_path):
    """Return what says where the journal of a mode is, and what begins one there in some mode."""
    state = StateDir("main", within=tmp_path / "state")
    state.path.mkdir(parents=True)
    (tmp_path / "keys.json").write_text("{}")

    def found(mode, more=""):
        path = tmp_path / f"{mode}.toml"
        path.write_text(TABLES.format(mode=mode, more=(LIVE if mode == "live" else "") + more))
        return journal_folder(read.load(path).tables, state).where

    def begun(name, mode):
        instruments = (InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),)
        config = SessionConfig(engine=EngineSpec(mode=mode, instruments=instruments))
        journal = JournalWriter.open(str(state.path / name), 0)
        journal.append(encode_session(0, "1", config.encoded()))
        journal.commit(True)
        journal.close()

    return state.path, found, begun


def test_the_journal_of_a_live_engine_has_a_name_of_its_own(place):
    """A paper engine of the same account never begins there, and a path that is named is that path."""
    path, found, begun = place
    assert found("live") == str(path / "live.journal")
    assert found("paper") == str(path / "engine.journal")
    begun("engine.journal", Mode.PAPER)
    assert found("live") == str(path / "live.journal")
    assert found("live", '\n[journal]\npath = "x.journal"\n').endswith("/x.journal")


def test_a_live_session_that_began_under_the_other_name_goes_on_there(place):
    """An update must not begin a new journal beside open positions."""
    path, found, begun = place
    begun("engine.journal", Mode.LIVE)
    assert found("live") == str(path / "engine.journal")
    begun("live.journal", Mode.LIVE)
    assert found("live") == str(path / "live.journal")
