"""A live engine beside its venue and watchdog, as processes, and each way to stop it."""

import io
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import msgspec

from support.holder import HANGS
from support.shared import ROOT
from support.watched_engine import LIVE, WatchedEngine, until
from tradecore.domain.commands import ReleaseKill, Resume
from tradecore.domain.journal import JournalFolder
from tradecore.ports.control_channel import Status
from tradecore_api.cli import main
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import StateDir

# How long a way may take until what it promises is so, on a machine that does much else.
SECONDS_MAX = 10.0
# The end of a process that was told to end.
END_SECONDS_MAX = 5.0
# What is on its way when a command is answered may reach the venue until then.
GRACE_SECONDS = 0.3
QUIET_SECONDS = 0.6
ACCOUNT = "main"
STRATEGY = LIVE[LIVE.index("[strategy]") : LIVE.index("[journal]")]
HOLDER = '[strategy]\nclass = "holder.py:Holder"\n'
DATABASE = "[database]\nenabled = false"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way to stop, and what it promises.

    Attributes
    ----------
    name : str
        What it is called in a message.
    command : tuple of str
        Its command line; empty where it is none.
    ends_orders, closes, is_quiet, ends_process : bool
        Whether the orders that are open then end; positions are closed; no new order comes any more; the
        process ends.
    """

    name: str
    command: tuple[str, ...] = ()
    ends_orders: bool = False
    closes: bool = False
    is_quiet: bool = False
    ends_process: bool = False


WAYS = (
    Way(name="pause", command=("pause", ACCOUNT), is_quiet=True),
    Way(name="cancel-all", command=("cancel-all", ACCOUNT), ends_orders=True),
    Way(name="cancel-all of a part", command=("cancel-all", ACCOUNT, "instrument:BTC-USD"), ends_orders=True),
    Way(name="flatten", command=("flatten", ACCOUNT), ends_orders=True, closes=True),
    Way(name="file", ends_orders=True, is_quiet=True),
    Way(name="signal", ends_orders=True, is_quiet=True),
    Way(name="emergency-stop", command=("emergency-stop", ACCOUNT), ends_orders=True, is_quiet=True),
    Way(name="kill", command=("kill", ACCOUNT), ends_orders=True, is_quiet=True),
    Way(name="SIGTERM", is_quiet=True, ends_process=True),
    Way(name="watchdog", ends_orders=True, is_quiet=True, ends_process=True),
)


class StoppedEngine(WatchedEngine):
    """The three processes in a folder; what is taken away from the engine says how it is to be started.

    Parameters
    ----------
    folder : Path
        Where they run.
    journal : str
        Where the journal is.
    tables : bool
        Whether the engine keeps tables in a database.
    """

    def __init__(self, folder, *, journal="live.journal", tables=False, live="", more=""):
        super().__init__(folder, live=live)
        text = (folder / "live.toml").read_text().replace(STRATEGY, HOLDER)
        text = text.replace('path = "live.journal"', f'path = "{journal}"\nreserve_mb = 1')
        text = text.replace(DATABASE, '[database]\npath = "tables.sqlite"') if tables else text
        (folder / "live.toml").write_text(text + more)
        shutil.copy(ROOT / "tests" / "support" / "holder.py", folder / "holder.py")
        self.journal = JournalFolder(str(folder / journal))
        self.state = folder / "state" / ACCOUNT
        self.environment = {}
        # Where the engine's output goes; its own file, unless a test gives it something else.
        self.output = None

    def start(self, *, is_watched=True):
        """Start the venue, and the watchdog where one is needed; return once they are there."""
        self.start_venue()
        if is_watched:
            self.start_watchdog()
        return self

    def start_trading(self):
        """Start the engine where it has ended, take back what stopped it, and wait until it trades."""
        if self.engine is None or self.engine.poll() is not None:
            with (self.shell.folder / "engine.log").open("ab") as log:
                self.engine = subprocess.Popen(
                    [sys.executable, "-m", "tradecore_api", "run", "live.toml", "--json"],
                    cwd=self.shell.folder,
                    env={**self.shell.environment, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=self.output or log,
                    stderr=self.output or log,
                )
            self.processes.append(self.engine)
        until(self._is_up)
        said = self.status()
        if said["is_killed"]:
            self.tell(ReleaseKill())
        until(self._trades)

    def _trades(self):
        """Take back what paused it, also a moment later: a clock that was set right has jumped, too."""
        if self.status()["is_paused"]:
            self.tell(Resume())
        return len(self.open_orders()) >= 2 and self.held()

    def _is_up(self):
        assert self.engine.poll() is None, (self.engine.poll(), self.logs())
        said = self.status()
        return said.get("venue") and said["venue"]["step"] == "agreed"

    def status(self):
        """Return what the engine says; nothing while it does not answer."""
        try:
            return self.tell(Status()).status
        except client.NotAnsweringError:
            return {}

    def tell(self, request):
        """Tell the engine something from here: a process for each would take long."""
        return client.ask(StateDir(ACCOUNT, within=self.shell.folder / "state"), request, seconds_max=5.0)

    def logs(self):
        """Return what the engine has logged last."""
        return (self.shell.folder / "engine.log").read_text(errors="replace")[-3_000:]

    def held(self):
        """Return what the account holds at the venue."""
        rows = self.asked("query", "GET", "/positions")["positions"]
        return [row for row in rows if float(row["quantity"])]

    def last_number(self):
        """Return the number of the newest order that the venue ever saw."""
        deeds = self.asked("truth", "GET", "/truth")["deeds"]
        return max((deed["number"] for deed in deeds if deed["type"] == "order"), default=0)

    def names(self):
        """Return the venue's names of the orders that are open."""
        return {row["venue_order_id"] for row in self.open_orders()}

    def say(self, way):
        """Stop in this way; return the exit code, and the last line that was said."""
        if way.command:
            return self.command(*way.command)
        match way.name:
            case "file":
                (self.state / "kill.command").touch()
            case "signal":
                self.engine.send_signal(signal.SIGUSR2)
            case "SIGTERM":
                self.engine.send_signal(signal.SIGTERM)
            case "watchdog":
                self.engine.kill()
        return None, ""

    def command(self, *arguments):
        """Run a command in this process, which does nothing else; return its exit code and last line."""
        output = io.StringIO()
        with redirect_stdout(output), redirect_stderr(output):
            code = main(list(arguments))
        said = output.getvalue()
        assert "Traceback" not in said, said
        return code, said.strip().splitlines()[-1]

    def end(self, begun):
        """Wait for the end of the engine's process; return its exit code."""
        code = self.engine.wait(20)
        lived = time.monotonic() - begun
        assert lived < END_SECONDS_MAX, (lived, self.logs())
        return code


def kept(world, way, without, before):
    """Assert that a way has kept its promise at the venue, which has to answer."""
    deadline = before.begun + SECONDS_MAX + without.seconds_more
    if way.closes and "close" not in without.does_not:
        until(lambda: not world.held(), deadline - time.monotonic())
    if way.ends_orders:
        until(lambda: not before.names & world.names(), deadline - time.monotonic())
    if way.is_quiet:
        time.sleep(GRACE_SECONDS)
        last = world.last_number()
        time.sleep(QUIET_SECONDS)
        assert world.last_number() == last, f"{way.name} without {without.name}: new orders at the venue"
        if way.ends_orders:
            assert world.names() == set()


class Before(msgspec.Struct, frozen=True):
    """What was open at the venue when a way began, and when that was."""

    names: set[str]
    begun: float


def proved(world, way, without):
    """Take the resource away, stop in this way, and hold what comes of it against what is promised.

    Returns
    -------
    float
        How long it took until the promise was kept, in seconds.
    """
    world.start_trading()
    where = f"{way.name} without {without.name}"
    names = world.names()
    without.take(world)
    try:
        # A venue that answers nobody now is asked for what was open just before.
        before = Before(names if without.hides_venue else world.names(), time.monotonic())
        code, line = world.say(way)
        if way.command:
            assert time.monotonic() - before.begun < SECONDS_MAX + without.seconds_more, where
            wanted = without.codes.get(way.name, ExitCode.OK)
            assert code == wanted, (where, code, line, world.logs())
        assert without.says.get(way.name, "") in line, (where, line)
        if way.name == "SIGTERM":
            code, wanted = world.end(before.begun), without.codes.get(way.name, ExitCode.OK)
            assert code == wanted, (where, code, world.logs())
            assert world.journal.verify().status in ("intact", "torn"), where
            # Nobody is left who could send anything.
            return time.monotonic() - before.begun
        if not without.hides_venue:
            kept(world, way, without, before)
    finally:
        without.give_back(world)
    if without.hides_venue:
        kept(world, way, without, Before(before.names, time.monotonic()))
    return time.monotonic() - before.begun


def hang(world):
    """Let the strategy's next callback not come back."""
    (world.shell.folder / HANGS).touch()
    time.sleep(0.3)


def go_on(world):
    """Let it come back."""
    (world.shell.folder / HANGS).unlink(missing_ok=True)
