"""A journal stops at the first call that fails, and calls that fail find a writer that does not."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from promises.errnos.server import Served
from support.careless_journals import BUGS
from support.preloaded import CAN_PRELOAD, REASON, build

pytestmark = pytest.mark.skipif(not CAN_PRELOAD, reason=REASON)

PROGRAM = """
import sys, msgspec
from promises.errnos import server
from support import careless_journals
if sys.argv[1]:
    getattr(careless_journals, sys.argv[1])()
work = getattr(server, sys.argv[3])
print(msgspec.json.encode(work(1, 0, 1, int(sys.argv[2]), 60.0, broken_max=1)).decode())
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """Return the library that lets calls fail."""
    return build("failing_calls", tmp_path_factory.mktemp("shim"))


def served(shim, bug, size, what="serve"):
    """Let calls fail, or kill there, in a process of its own, with a bug planted there."""
    environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PROGRAM, bug, str(size), what]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=90)
    return msgspec.json.decode(done.stdout, type=Served)


def test_a_failed_call_stops_the_journal_and_loses_nothing_that_was_acknowledged(shim):
    """Of writers and engines; a write or sync that fails ends both."""
    found = served(shim, "", 60)
    assert found.broken == ()
    assert sum(found.tried.values()) == 60
    assert found.tried.keys() >= {"write", "sync", "create", "rename"}
    assert found.engines > 5
    assert found.stopped > 30


def test_kills_in_the_calls_of_a_writer_take_nothing_that_was_committed(shim):
    """One after the other, also in the recovery from the one before; and who commits late is found."""
    found = served(shim, "", 60, "serve_kills")
    assert found.broken == ()
    assert sum(found.tried.values()) >= 60
    assert found.tried.keys() >= {"write", "sync", "create"}
    assert served(shim, "groups_committed_late", 40, "serve_kills").broken


@pytest.mark.timeout(120)
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(shim, bug):
    """Calls that fail prove something only if they find who takes it lightly."""
    assert served(shim, bug, 40).broken, BUGS[bug].__doc__
