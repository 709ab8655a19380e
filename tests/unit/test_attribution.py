"""Whose an order is, from the notes of the sessions in its journal."""

import msgspec
import pytest

from tradecore.domain import EngineSpec, InstrumentSpec
from tradecore.domain import record_bodies as bodies
from tradecore.domain.record import JournalRecord
from tradecore.runtime.session_config import ArmedBy, SessionConfig
from tradecore_api.attribution import Attribution

SPEC = EngineSpec(instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),))
ARMED = ArmedBy(person="Ada", time_ns=7, digest="d" * 64, code={"trend": "c" * 64})


def session(**said):
    """Return the note of a session."""
    config = SessionConfig(engine=SPEC, strategies=({"name": "trend"}, {"name": "grid"}), **said)
    return JournalRecord(
        seq=1, time_ns=0, body=bodies.Session(engine_version="1", config=config.encoded().decode())
    )


def order(strategy):
    """Return the record of an order of a strategy, by its number."""
    made = msgspec.structs.fields(bodies.Order)
    known = {"order_id": 1, "strategy": strategy, "instrument": 0, "side": "buy", "order_kind": "market"}
    rest = {each.name: 0 for each in made if each.required and each.name not in known}
    return JournalRecord(seq=2, time_ns=0, body=bodies.Order(**known | rest))


def test_an_order_is_that_of_the_session_which_made_it():
    """Person, arming and code are those of the last session before it; without an arming nobody's."""
    attribution = Attribution()
    assert attribution.of(order(0)) == {}
    assert attribution.of(session(arming=ARMED)) == {}
    by = {"person": "Ada", "arming": "d" * 64}
    assert attribution.of(order(0)) == {"attributed": {"strategy": "trend", **by, "code": "c" * 64}}
    assert attribution.of(order(1)) == {"attributed": {"strategy": "grid", **by}}
    assert attribution.of(order(2)) == {"attributed": {"strategy": "strategy 2", **by}}
    attribution.of(session())
    assert attribution.of(order(0)) == {"attributed": {"strategy": "trend"}}


@pytest.mark.parametrize("config", ["no json", b"\xff", "{}"])
def test_a_note_that_nobody_understands_attributes_nothing(config):
    """It is of another version, and stands in the export itself."""
    attribution = Attribution()
    attribution.of(JournalRecord(seq=1, time_ns=0, body=bodies.Session(engine_version="9", config=config)))
    assert attribution.of(order(0)) == {}
