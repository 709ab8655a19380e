"""A child that a strategy forks is no engine: however it goes on, its parent trades and obeys as before."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from support.command_line import CommandLine
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

# A process whose child comes back; it ends as the child did.
COMES_BACK = """
import os
import sys
from tradecore.runtime.forked_child import ForkWatch

watch = ForkWatch()
if "closed" in sys.argv:
    os.close(2)
pid = os.fork()
if pid == 0:
    watch.end_child()
watch.end_child()
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.fixture
def full_pipe():
    """Give the end of a pipe that takes nothing more, because nobody reads the other one."""
    unread, full = os.pipe()
    os.set_blocking(full, False)
    with suppress(BlockingIOError):
        while True:
            os.write(full, bytes(4096))
    os.set_blocking(full, True)
    yield full
    os.close(unread)
    os.close(full)


@pytest.mark.parametrize(
    ("full", "argument", "is_heard"),
    [(None, "", True), ("stdout", "", True), ("stderr", "", False), ("stdout", "closed", False)],
)
def test_a_child_says_why_it_ends_if_standard_error_takes_it_at_once(full_pipe, full, argument, is_heard):
    """A full or closed one keeps it from speaking, never from its end; standard output has no part in it."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **({full: full_pipe} if full else {})}
    done = subprocess.run([sys.executable, "-c", COMES_BACK, argument], timeout=30, check=False, **streams)

    assert done.returncode == EXIT_CODE
    assert not done.stdout
    assert (b"the child was ended" in (done.stderr or b"")) == is_heard


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


FORKS = """
import os

from tradecore_api.demo_strategies import Quoter


class Forks(Quoter):
    def save_state(self, ctx):
        pid = os.fork()
        if pid:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with open("codes", "a") as codes:
                print(code, file=codes)
        return super().save_state(ctx)
"""
KEPT = """
mode = "paper"
account = { name = "one", cash = "100000" }
feed = { kind = "simulated", seconds = 3 }
instruments = [{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }]
strategy = { class = "forks.py:Forks" }
journal = { path = "one.journal", snapshot_events = 1_000 }
"""


@pytest.mark.timeout(90)
def test_a_child_that_save_state_forks_ends_there_also_at_the_end_of_the_run(tmp_path):
    """No other callback comes after the last one: the child would close the lines of its parent."""
    shell = CommandLine(tmp_path)
    shell.write("forks.py", FORKS)
    shell.write("one.toml", KEPT)
    output, _ = shell.run("run", "one.toml", "--json")
    codes = (tmp_path / "codes").read_text().split()
    assert len(codes) > 1
    assert set(codes) == {str(EXIT_CODE)}
    assert json.loads(output)["journal_verified"]
    assert JournalFolder(tmp_path / "one.journal").verify().status == "intact"
