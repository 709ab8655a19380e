"""The real daemon survives kills at calls of the system, and what a kill would lose is found."""

import os
import sys

import pytest

from promises.part import Asked
from promises.sweep import sweep
from promises.wire.watched import STRACE

pytestmark = [
    pytest.mark.skipif(
        STRACE is None or not sys.platform.startswith("linux"), reason="needs Linux and strace"
    ),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]


def cut(journal):
    """Take away the newer half of a journal, as a disk would that loses what was synced."""
    if journal.exists():
        os.truncate(journal, journal.stat().st_size // 2)


def test_a_daemon_that_is_killed_as_it_trades_and_the_venue_say_the_same_in_the_end():
    """Wherever it is killed."""
    found = sweep(Asked(size=2, seed=19, jobs=1, seconds_max=60.0))
    assert found.failures == ()
    assert found.rows[0].tried == 2


def test_a_journal_that_has_lost_orders_is_found():
    """The venue has orders that the journal does not know."""
    found = sweep(Asked(size=1, seed=37, jobs=1, seconds_max=60.0), cut)
    assert found.failures
    assert found.rows[0].found
