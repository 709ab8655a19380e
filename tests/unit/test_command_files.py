"""Commands by file and by signal: none is lost between two that come at once, or while an engine starts."""

import asyncio
import contextlib
import os
import signal
import sys

import pytest

from tradecore.domain.commands import Kill, Pause
from tradecore.domain.errors import InvalidValueError
from tradecore.ports.control_channel import ControlReply
from tradecore.runtime.forked_child import ForkWatch
from tradecore_api import command_files, signals
from tradecore_api.command_files import HALF_WRITTEN_SECONDS_MAX, UNFINISHED_SECONDS_MIN, CommandFiles
from tradecore_api.command_signals import CommandSignals
from tradecore_api.command_text import request_of
from tradecore_api.open_writers import without_writers
from tradecore_api.state_dir import StateDir


@pytest.fixture
def state(tmp_path):
    """Return a state directory."""
    made = StateDir("one", within=tmp_path)
    made.create()
    return made


def lay(path, text):
    """Lay a file there in one step, as a careful operator does."""
    beside = path.with_name("beside")
    beside.write_text(text)
    beside.replace(path)


@pytest.mark.parametrize("is_accepted", [True, False])
async def test_a_command_that_is_laid_over_one_being_carried_out_is_carried_out_too(state, is_accepted):
    """The first may take a while, and what takes its name meanwhile is another command."""
    path, heard = state.path / "now.command", []

    async def answer(request):
        heard.append(request)
        if len(heard) == 1:
            lay(path, "kill")
        return ControlReply(accepted=is_accepted, message="" if is_accepted else "no")

    files = CommandFiles(state)
    lay(path, "pause")
    await files.work(answer)
    await files.work(answer)
    assert heard == [Pause(), Kill()]
    assert not path.exists()
    await files.work(answer)
    assert len(heard) == 2


class Heard:
    """What was carried out, in order."""

    def __init__(self) -> None:
        self.requests = []

    async def __call__(self, request):
        """Take a request."""
        self.requests.append(request)
        return ControlReply(accepted=True)


async def test_a_file_that_is_being_written_is_not_taken_for_the_command_of_its_name(state):
    """`echo "pause strategy:maker" >pause.command` makes an empty file first, which is about everything."""
    path, heard, files = state.path / "pause.command", Heard(), CommandFiles(state)
    with path.open("w") as written:
        await files.work(heard)
        assert heard.requests == []
        written.write("pause strategy:maker")
    await files.work(heard)
    assert heard.requests == [Pause(scope="strategy:maker")]
    assert not path.exists()


@pytest.mark.parametrize("said", ["kill", "release-kill", "flatten"])
async def test_half_of_a_line_is_not_taken_for_a_command_about_everything(state, said):
    """`{ printf kill; printf " strategy:maker"; } >now.command`: its first half is a command by itself."""
    path, heard, files = state.path / "now.command", Heard(), CommandFiles(state)
    with path.open("w") as written:
        written.write(said)
        written.flush()
        await files.work(heard)
        assert heard.requests == []
        written.write(" strategy:maker")
    await files.work(heard)
    assert heard.requests == [request_of(f"{said} strategy:maker")]


async def test_a_line_with_its_end_is_carried_out_at_once_though_it_is_open(state):
    """Nothing that follows could make it another command."""
    path, heard = state.path / "now.command", Heard()
    with path.open("w") as written:
        written.write("kill\n")
        written.flush()
        await CommandFiles(state).work(heard)
    assert heard.requests == [Kill()]


async def test_a_line_without_its_end_is_carried_out_once_nothing_more_comes(state):
    """Whoever holds the file open holds no stop."""
    path, heard, files = state.path / "now.command", Heard(), CommandFiles(state)
    with path.open("w") as written:
        written.write("kill")
        written.flush()
        await files.work(heard)
        await asyncio.sleep(UNFINISHED_SECONDS_MIN)
        await files.work(heard)
    assert heard.requests == [Kill()]


async def test_a_file_that_is_not_read_to_its_end_is_refused(state):
    """What stands beyond what is read would be left out."""
    path, heard = state.path / "now.command", Heard()
    path.write_text("kill" + " " * command_files.BYTES_MAX + "strategy:maker\n")
    await CommandFiles(state).work(heard)
    assert heard.requests == []
    assert path.with_name("now.command.refused").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whether a file is open to be written")
async def test_an_empty_file_that_nobody_has_open_is_a_command_at_once(state):
    """A kill by `touch kill.command` waits for nothing that may still be written."""
    path, heard = state.path / "kill.command", Heard()
    path.touch()
    await CommandFiles(state).work(heard)
    assert heard.requests == [Kill()]


async def test_who_writes_to_a_file_that_is_read_waits_and_ends_no_engine(state):
    """The signal that tells of a writer is one that does nothing."""
    path = state.path / "now.command"
    path.touch()
    with path.open("rb") as read, without_writers(read.fileno()) as is_whole:
        writer = asyncio.create_task(asyncio.to_thread(path.write_text, "kill"))
        await asyncio.sleep(0.1)
        assert is_whole == (sys.platform == "linux")
        assert writer.done() != is_whole
    await writer
    assert path.read_text() == "kill"


async def test_a_file_that_stays_empty_is_the_command_of_its_name(state, monkeypatch):
    """Where nobody can tell who writes: after a while, at once where it is old already, as one at a start."""
    monkeypatch.setattr(command_files, "without_writers", lambda _: contextlib.nullcontext(False))
    path, heard, files = state.path / "kill.command", Heard(), CommandFiles(state)
    path.touch()
    await files.work(heard)
    await asyncio.sleep(UNFINISHED_SECONDS_MIN)
    await files.work(heard)
    assert heard.requests == [Kill()]
    path.touch()
    os.utime(path, (1, 1))
    await CommandFiles(state).work(heard)
    assert heard.requests == [Kill(), Kill()]


@pytest.mark.parametrize("ahead_seconds", [3_600, 0])
async def test_what_makes_no_sense_is_refused_whatever_the_clock_says(state, ahead_seconds):
    """A file may be of a machine whose clock is ahead, or the clock is set back: the log says it still."""
    path, heard, files = state.path / "stop.command", Heard(), CommandFiles(state)
    path.write_text("sotp")
    written = path.stat().st_mtime + ahead_seconds
    os.utime(path, (written, written))
    await files.work(heard)
    assert path.exists()
    await asyncio.sleep(HALF_WRITTEN_SECONDS_MAX)
    await files.work(heard)
    assert not path.exists()
    assert path.with_name("stop.command.refused").read_text() == "sotp"


async def test_a_file_with_number_and_time_of_the_one_before_is_another_command(state):
    """A disk gives the next file the number of a removed one, and `cp -p` gives it the time of a template."""
    heard, files = Heard(), CommandFiles(state)
    path = state.path / "now.command"
    spare = state.path / "spare"
    path.write_text("pause")
    # A second name keeps the number, so that the next command surely has it.
    os.link(path, spare)
    about = path.stat()
    await files.work(heard)
    spare.write_text("kill")
    os.utime(spare, ns=(about.st_atime_ns, about.st_mtime_ns))
    spare.replace(path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (about.st_ino, about.st_mtime_ns)
    await files.work(heard)
    assert heard.requests == [Pause(), Kill()]


@pytest.mark.parametrize("text", ["kill\nstrategy:maker", "pause\nkill\n", "flatten\r\ninstrument:A"])
def test_two_lines_are_no_command(text):
    """Neither the first alone nor both together can be what is meant."""
    with pytest.raises(InvalidValueError, match="must be one line"):
        request_of(text)
    assert request_of("\n kill \n") == Kill()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
async def test_a_kill_by_signal_while_the_engine_starts_is_kept_until_it_has_started():
    """Nobody answers a signal, so nobody would know that it was lost."""
    heard = []
    by_signal = CommandSignals(heard.append, ForkWatch())
    before = by_signal.install()
    try:
        os.kill(os.getpid(), signal.SIGUSR2)
        await asyncio.sleep(0)
        assert heard == []
        by_signal.ready(asyncio.get_running_loop())
        assert heard == [Kill()]
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.01)
        assert heard == [Kill(), Pause()]
    finally:
        for number, handler in before.items():
            signals.install(number, handler)
