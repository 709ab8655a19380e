"""The demo on a real pseudo-terminal: it names its strategies, and Ctrl-C leaves the terminal clean."""

import os
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals of POSIX", allow_module_level=True)

import termios

from support.terminal import Terminal
from tradecore_api.exit_codes import ExitCode

COMMAND = [sys.executable, "-m", "tradecore_api", "demo", "--seconds", "600", "--json"]


@pytest.fixture
def terminal(tmp_path):
    """Start the demo on a terminal as wide as its picture."""
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    opened = Terminal(COMMAND, {**plain, "TRADECORE_STATE_DIR": str(tmp_path)}, tmp_path, columns=100)
    yield opened
    opened.close()


def echoes(terminal):
    """Tell whether the terminal shows the keys that are pressed."""
    return bool(termios.tcgetattr(terminal.master)[3] & termios.ECHO)


def test_ctrl_c_leaves_nothing_of_the_view_behind(terminal):
    """No line of the picture, no `^C` in it, the cursor there, and keys are shown again."""
    assert echoes(terminal)
    terminal.read_until(lambda raw: raw.count("Ctrl-C ends it") >= 3)
    assert not echoes(terminal)
    os.write(terminal.master, b"\x03")

    assert terminal.end() == ExitCode.OK
    assert [line for line in terminal.screen() if line.strip()] == []
    assert "^C" not in terminal.raw
    assert terminal.is_cursor_shown()
    assert echoes(terminal)


def test_the_view_names_the_strategies(terminal):
    """In its title, and at each of their orders."""
    terminal.read_until(lambda raw: raw.count("Ctrl-C ends it") >= 3 and "strategy" in raw)
    assert "Quoter, Trend (running)" in terminal.raw
