"""A crash at any byte of the journal: the restart goes on to the same end."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.sessions import open_session
from tradecore.domain.journal import JournalReader, journal_verify


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Bytes and outcome of a run without a crash."""
    path = tmp_path_factory.mktemp("reference") / "journal"
    session = open_session(path)
    asyncio.run(session.run())
    return Reference(path, session.engine.state_hash(), session.engine.orders_digest())


class Reference:
    """A run without a crash; not shown whole when a test fails."""

    def __init__(self, path, state_hash, orders_digest) -> None:
        self.data = path.read_bytes()
        self.acknowledged = acknowledged(path)
        self.state_hash = state_hash
        self.orders_digest = orders_digest


def acknowledged(path):
    """Return every order and report in a journal, in order."""
    return [
        (kind, tuple(sorted(fields.items())))
        for _, _, kind, fields in JournalReader(str(path))
        if kind in ("order", "report", "refused")
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0), second=st.floats(0.0, 1.0))
def test_a_journal_cut_anywhere_twice_leads_to_the_same_orders(tmp_path_factory, reference, share, second):
    """Nothing acknowledged is lost or doubled, and the end is that of the run without a crash."""
    data = reference.data
    path = tmp_path_factory.mktemp("cut") / "journal"
    path.write_bytes(data[: int(len(data) * share)])
    asyncio.run(open_session(path).run())
    grown = path.read_bytes()
    path.write_bytes(grown[: int(len(grown) * second)])
    session = open_session(path)
    asyncio.run(session.run())

    assert session.engine.state_hash() == reference.state_hash
    assert session.engine.orders_digest() == reference.orders_digest
    assert acknowledged(path) == reference.acknowledged
    assert journal_verify(str(path)).status == "intact"
