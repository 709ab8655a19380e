"""When an engine inside of another program is ready: only when nothing at all stands against new risk."""

import pytest

from tradecore_api.embedding import EmbeddedEngine

READY = {"phase": "running", "is_paused": False, "is_killed": False, "venue": {"step": "agreed"}}


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Return an engine that says of itself what a test wants."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    made = EmbeddedEngine(
        {
            "mode": "paper",
            "account": {"name": "one", "cash": "100000"},
            "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
            "feed": {"kind": "simulated", "seconds": 600},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
        }
    )

    def of(**said):
        monkeypatch.setattr(made._daemon, "status", lambda: said)
        return made

    return of


@pytest.mark.parametrize(
    ("changes", "is_ready"),
    [
        ({}, True),
        ({"venue": None}, True),
        ({"venue": {"step": "comparing"}}, False),
        ({"venue": {"step": "differs"}}, False),
        ({"venue": {}}, False),
        ({"is_paused": True}, False),
        ({"is_killed": True}, False),
        ({"phase": "starting"}, False),
        ({"phase": "stopping"}, False),
        ({"phase": "ended"}, False),
    ],
)
def test_it_is_ready_when_it_runs_free_and_agrees_with_its_venue(engine, changes, is_ready):
    """A simulated venue has nothing to agree on."""
    assert engine(**(READY | changes)).is_ready is is_ready


def test_one_that_says_nothing_is_not_ready(engine):
    """It does not run."""
    assert engine().is_ready is False
