"""Commands by file and by signal: none is lost between two that come at once, or while an engine starts."""

import asyncio
import os
import signal
import sys

import pytest

from tradecore.domain.commands import Kill, Pause
from tradecore.ports.control_channel import ControlReply
from tradecore.runtime.forked_child import ForkWatch
from tradecore_api import signals
from tradecore_api.command_files import CommandFiles
from tradecore_api.command_signals import CommandSignals
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
