"""A child that a strategy forks is no engine: however it goes on, its parent trades and obeys as before."""

import os
import sys
import time

import pytest

from support.held import CALLBACK, Held, seconds_until_ended
from tradecore.domain.commands import Kill
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.forked_child import EXIT_CODE
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.standing import look
from tradecore_api.state_dir import ENVIRONMENT_NAME, StateDir

if not hasattr(os, "fork"):
    pytest.skip("there is no fork", allow_module_level=True)

TOP = """
import asyncio
import os


def forked(goes_on):
    pid = os.fork()
    if pid == 0:
        return goes_on()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    Path("code").write_text(str(code))
    say()


async def later(goes_on):
    forked(goes_on)
"""
# What the child does after the fork; the engine waits for its end.
CHILDREN = {
    "comes back": "forked(lambda: None)",
    "asks and comes back": "forked(lambda: ctx.position())",
    "raises": "forked(lambda: 1 / 0)",
    "exits": "forked(lambda: sys.exit(0))",
    "comes back to the event loop": "self.task = asyncio.ensure_future(later(lambda: None))",
}


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_that_comes_back_ends_and_leaves_its_parent_alone(tmp_path, monkeypatch):
    """Its end touches neither sockets nor files of the engine, which obeys a kill and ends cleanly."""
    engines = {
        name: Held(tmp_path / str(number), CALLBACK.format(top=TOP, hold=hold))
        for number, (name, hold) in enumerate(CHILDREN.items())
    }
    try:
        for engine in engines.values():
            engine.start()
        for engine in engines.values():
            engine.wait_until_held()
        codes = {name: int((engine.shell.folder / "code").read_text()) for name, engine in engines.items()}
        for name, engine in engines.items():
            state = {entry.name for entry in engine.journal.parent.iterdir()}
            assert {"control.json", "control.sock", "engine.lock"} <= state, name
            assert not {"last_words.json", "failed_start.json"} & state, name
            monkeypatch.setenv(ENVIRONMENT_NAME, str(engine.shell.folder / "state"))
            assert client.ask(StateDir("one"), Kill(), seconds_max=5).accepted, name
            said = look("one")
            assert (said.state, said.engine["is_killed"], said.pid) == ("running", True, engine.process.pid)
        began = time.monotonic()
        seconds_until_ended({name: engine.process for name, engine in engines.items()})
        assert time.monotonic() - began < 5
        ends = {name: engine.process.returncode for name, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.kill()
    assert set(codes.values()) == {EXIT_CODE}
    assert set(ends.values()) == {ExitCode.OK}
    assert {JournalFolder(engine.journal).verify().status for engine in engines.values()} == {"intact"}
