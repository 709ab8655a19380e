"""Signals that end a command stay its own; handlers of others are no part of a callback."""

import os
import signal
import sys

import pytest

from support.command_line import PAPER, CommandLine
from tradecore import _core
from tradecore_api import signals
from tradecore_api.exit_codes import ExitCode

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)


def ours(number, frame):
    """Stand for the handler of a command."""


@pytest.fixture
def kept():
    """Keep SIGTERM, and put everything back afterwards."""
    before = {number: signals.install(number, ours) for number in (signal.SIGTERM, signal.SIGUSR1)}
    signals.keep([signal.SIGTERM])
    yield
    signals.let_go()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL, lambda number, frame: None])
def test_the_handler_of_a_kept_signal_is_not_replaced(handler):
    """The message names the signal and what it is for."""
    with pytest.raises(ValueError, match="SIGTERM cannot be replaced here: SIGTERM ends this command"):
        signal.signal(signal.SIGTERM, handler)
    assert signal.getsignal(signal.SIGTERM) is ours
    # Whoever saves a handler and puts it back changes nothing.
    assert signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM)) is ours


@pytest.mark.usefixtures("kept")
def test_what_was_replaced_all_the_same_is_taken_back():
    """C code, and whoever kept the function of before, gets past `signal.signal`."""
    assert signals.reinstall() == []
    signals.install(signal.SIGTERM, signal.SIG_IGN)
    assert signals.reinstall() == ["SIGTERM"]
    assert signal.getsignal(signal.SIGTERM) is ours
    signals.let_go()
    assert signal.signal is signals.install


@pytest.mark.usefixtures("kept")
def test_other_handlers_are_called_and_given_back():
    """With number and frame, in the thread that they interrupt; whoever asks gets the one that was set."""
    heard = []

    def hear(number, frame):
        heard.append((number, frame is not None))

    signal.signal(signal.SIGUSR1, hear)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert heard == [(signal.SIGUSR1, True)]
    assert signal.signal(signal.SIGUSR1, signal.SIG_IGN) is hear


@pytest.mark.usefixtures("kept")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_has_an_end_of_its_own():
    """A pool of processes may set what it likes in its workers."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


def test_what_a_call_apart_returns_and_raises_is_passed_on():
    """With its arguments; calls may be within each other."""
    assert _core.call_apart(lambda a, b: _core.call_apart(lambda: a + b), 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        _core.call_apart(lambda: 1 / 0)


HANDLER = '''
import os
import signal


class Handler:
    """Trades when a signal comes, which it sends itself in the middle of a callback."""

    seen: int = 0

    def on_start(self, ctx):
        """Set the handler."""
        signal.signal(signal.SIGUSR1, lambda number, frame: self.trade(ctx))

    def trade(self, ctx):
        """Buy, and write down what is said to that."""
        try:
            said = ctx.buy(quantity=0.01)
        except RuntimeError as error:
            said = error
        with open("said.txt", "a") as file:
            file.write(f"{said}\\n")

    def on_trade(self, ctx, trade):
        """Signal now and then, but never where the journal is replayed."""
        self.seen += 1
        if self.seen % 20 == 1 and not os.path.exists("replays"):
            os.kill(os.getpid(), signal.SIGUSR1)
        if self.seen % 7 == 1:
            ctx.buy(quantity=0.01)
'''


def test_the_journal_of_a_strategy_whose_handler_buys_replays(tmp_path):
    """The order of the handler is refused, those of the callback are taken as ever."""
    shell = CommandLine(tmp_path)
    shell.write("handler.py", HANDLER)
    strategy = PAPER.index("[strategy]")
    shell.write("paper.toml", PAPER[:strategy] + '[strategy]\nclass = "handler.py:Handler"\n')

    shell.run("run", "paper.toml", "--set", "feed.seconds=2", "--set", "risk.calls_max=100000")

    said = (tmp_path / "said.txt").read_text().splitlines()
    assert said
    assert all("Handler" in line and "signal handler" in line for line in said), said[0]
    (tmp_path / "replays").touch()
    journal = tmp_path / "state" / "one" / "engine.journal"
    shell.run("journal", "replay", journal, code=ExitCode.OK)
