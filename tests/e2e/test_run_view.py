"""The live view of `run`, on a real pseudo-terminal: what it shows, and that it leaves the terminal clean."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from support.desk import Desk

if sys.platform == "win32":
    pytest.skip("pseudo-terminals of POSIX", allow_module_level=True)

from support.terminal import Terminal, drawn
from tradecore_api.exit_codes import ExitCode

CURSOR_HIDDEN = "\x1b[?25l"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SHOWN = "Ctrl-C or `tradecore stop one` ends it"
RAISING = """
class Raising:
    quantity: float = 1.0
    position_max: float = 1.0
    seen: int = 0

    def on_book(self, ctx, book):
        self.seen += 1
        if self.seen > 3000:
            raise ValueError("[red]enough[/red]")
"""


@pytest.fixture
def desk(tmp_path):
    """A desk that leaves no process behind."""
    desk = Desk(tmp_path)
    for name in ("NO_COLOR", "TERM"):
        desk.environment.pop(name, None)
    yield desk
    desk.close()


@pytest.fixture
def watched(desk):
    """Start `run` on terminals, which are closed afterwards."""
    opened = []

    def start(*options, environment=None, **size):
        command = [sys.executable, "-m", "tradecore_api", "run", str(desk.config), "--json", *options]
        opened.append(Terminal(command, {**desk.environment, **(environment or {})}, desk.directory, **size))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def panel(raw):
    """Return the lines of the last panel that was drawn."""
    lines = drawn(raw)
    start = max(index for index, line in enumerate(lines) if line.startswith("╭"))
    return lines[start : start + 20]


def is_left_clean(terminal):
    """Tell whether the cursor is back and nothing of the panel is left."""
    lines = [line for line in terminal.screen() if line.strip()]
    return terminal.is_cursor_shown() and not any(line.startswith(("╭", "│", "╰")) for line in lines)


@pytest.mark.parametrize("way", ["ctrl-c", "SIGTERM", "stop"])
def test_the_view_shows_the_account_and_leaves_a_clean_terminal(desk, watched, way):
    """Money, prices, positions and the log above them; afterwards the cursor is back and the panel gone."""
    terminal = watched()
    terminal.read_until(lambda raw: SHOWN in raw and "unrealised" in raw)
    shown = "\n".join(panel(terminal.raw))
    for word in (
        "tradecore paper: one: running",
        "equity",
        "session",
        "today",
        "BTC-USD",
        "refused",
        "Quoter",
    ):
        assert word in shown, shown
    assert CURSOR_HIDDEN in terminal.raw
    log = [line for line in terminal.screen() if re.match(r"2\d{3}-.*Z (info|warning)", line)]
    assert log

    if way == "ctrl-c":
        os.write(terminal.master, b"\x03")
    elif way == "SIGTERM":
        terminal.process.send_signal(signal.SIGTERM)
    else:
        stopping = subprocess.Popen(
            [sys.executable, "-m", "tradecore_api", "stop", "one"], env=desk.environment
        )
    # Read on all the while: a terminal that takes nothing is another test.
    assert terminal.end() == ExitCode.OK
    if way == "stop":
        assert stopping.wait(20) == ExitCode.OK
    assert is_left_clean(terminal)
    summary = json.loads(terminal.process.stdout.read())
    assert summary["journal_verified"] is True
    # What was logged is still to be read above.
    assert any("starts: account one" in line for line in terminal.screen())


def test_a_strategy_that_fails_leaves_its_message_on_a_clean_terminal(desk, watched):
    """The error comes after the view is gone, as it is, brackets included."""
    (desk.directory / "raising.py").write_text(RAISING)
    terminal = watched("--set", f"strategy.class={desk.directory / 'raising.py'}:Raising")
    assert terminal.end() == ExitCode.STRATEGY
    assert CURSOR_HIDDEN in terminal.raw
    assert is_left_clean(terminal)
    after = " ".join(line.strip() for line in terminal.screen()[-6:])
    assert "ValueError: [red]enough[/red]" in after


def test_the_view_follows_the_size_of_the_terminal(watched):
    """A panel is as wide as the terminal, also when that changes, and fits into few lines."""
    terminal = watched(columns=120, lines=40)
    terminal.read_until(lambda raw: SHOWN in raw)
    assert len(panel(terminal.raw)[0]) == 120
    terminal.resize(70, 8)
    mark = len(terminal.raw)
    terminal.read_until(lambda raw: re.search(r"╭[^╮\n]{68}╮", COLOURS.sub("", raw[mark:])) is not None)
    os.write(terminal.master, b"\x03")
    assert terminal.end() == ExitCode.OK
    assert terminal.is_cursor_shown()


@pytest.mark.parametrize(
    ("options", "environment"),
    [(["--plain"], {}), (["--no-view"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
)
def test_without_the_view_the_terminal_gets_plain_lines(watched, options, environment):
    """No control sequence reaches a terminal that wants none."""
    terminal = watched(*options, environment=environment)
    terminal.read_until(lambda raw: "as maker" in raw or "as taker" in raw)
    os.write(terminal.master, b"\x03")
    assert terminal.end() == ExitCode.OK
    assert "\x1b[" not in terminal.raw


def test_the_redraw_is_bounded(watched):
    """A busy market and a busy log cost the terminal no more than some drawings a second."""
    terminal = watched("--set", "log.level=debug")
    terminal.read_until(lambda raw: SHOWN in raw)
    mark = len(terminal.raw)
    terminal.read(3.0)
    new = terminal.raw[mark:]
    assert new.count(" debug ") > 50
    # A panel is drawn anew for the lines above it, and for its own figures.
    assert 4 <= new.count("╭") <= 2 * 3 * 4 + 2


def test_a_terminal_that_takes_nothing_holds_neither_the_engine_nor_its_end(desk, watched):
    """Ctrl-S, or a connection that hangs: the engine trades on, answers, and ends when it is told to."""
    terminal = watched("--set", "log.level=debug")
    terminal.read_until(lambda raw: SHOWN in raw)
    before = desk.engine()["events"]
    # From here on nobody reads, and the terminal fills up.
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        assert desk.status()["state"] == "running"
        time.sleep(0.5)
    assert desk.engine()["events"] > before + 1000
    desk.call("stop", "one", code=ExitCode.OK)
