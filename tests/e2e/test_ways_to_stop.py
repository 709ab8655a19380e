"""Each way to stop an engine does the same: by command, by file, by signal; of everything and of a part."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from support.command_line import PAPER, CommandLine
from tradecore.domain.journal import JournalFolder
from tradecore_api.command_text import request_of
from tradecore_api.control import client
from tradecore_api.state_dir import StateDir

TWO = PAPER.replace("seconds = 5\nvirtual = true", "seconds = 900").replace(
    """[strategy]
class = "tradecore_api.demo_strategies:Quoter"
quantity = 0.01
position_max = 0.05
""",
    """[[strategies]]
name = "first"
class = "tradecore_api.demo_strategies:Quoter"
quantity = 0.01
offset_ticks = 20_000
tolerance_ticks = 90_000
[[strategies]]
name = "second"
class = "tradecore_api.demo_strategies:Quoter"
quantity = 0.01
offset_ticks = 20_000
tolerance_ticks = 90_000
""",
)
WAIT_SECONDS_MAX = 20.0
SIGNALS = {"pause": signal.SIGUSR1, "kill": signal.SIGUSR2}
if sys.platform == "linux":
    SIGNALS |= {"cancel-all": signal.SIGRTMIN, "flatten": signal.SIGRTMIN + 1}


class Running:
    """An engine that trades in paper mode, and what it has been told."""

    def __init__(self, shell):
        self.shell = shell
        self.state = shell.folder / "state" / "one"
        shell.write("two.toml", TWO)
        self.engine = None

    def start(self):
        """Start it and wait until it trades."""
        self.engine = self.shell.start("run", "two.toml", "--json")
        self.until(lambda: self.status().get("orders", 0) > 2)

    def status(self):
        """Return what the engine says, or nothing."""
        with self.shell.start("status", "one", "--json") as process:
            output, _ = process.communicate(timeout=20)
        return (json.loads(output) if output else {}).get("engine") or {}

    def commands(self):
        """Return the commands in its journal, without their times."""
        folder = JournalFolder(str(self.state / "engine.journal"))
        return [fields for _, _, kind, fields in folder.reader() if kind == "command"]

    def until(self, is_so):
        """Wait until something is so."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not (said := is_so()):
            assert time.monotonic() < deadline
            assert self.engine.poll() is None, self.engine.communicate()
            time.sleep(0.05)
        return said

    def by_command(self, line):
        """Say it on the command line."""
        self.shell.run(*line.split())

    def by_file(self, line):
        """Lay a file with the line into the state directory."""
        known = len(self.commands())
        (self.state / "x.command").write_text(f"{line}\n")
        self.until(lambda: len(self.commands()) > known)

    def by_name(self, line):
        """Lay a file without a byte there: a full disk has room for that."""
        known = len(self.commands())
        (self.state / f"{line}.command").touch()
        self.until(lambda: len(self.commands()) > known)

    def by_signal(self, line):
        """Send the signal of the command."""
        known = len(self.commands())
        self.engine.send_signal(SIGNALS[line])
        self.until(lambda: len(self.commands()) > known)

    def by_api(self, line):
        """Ask over the control socket, as a program does."""
        client.ask(StateDir("one", within=self.shell.folder / "state"), request_of(line), seconds_max=10)

    def open_orders(self):
        """Return the open orders, each with its strategy."""
        return {row["order_id"]: row["strategy"] for row in self.status()["order_rows"]}


@pytest.fixture
def running(tmp_path):
    """Return an engine that trades."""
    made = Running(CommandLine(tmp_path))
    made.start()
    yield made
    made.engine.kill()
    made.engine.communicate()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_way_says_the_same_and_is_latched_alike(running):
    """The journal has the same commands, a kill has its latch, and what was done is not done again."""
    for line in ("pause", "kill"):
        before = len(running.commands())
        ways = (running.by_command, running.by_file, running.by_name, running.by_signal)
        for way in ways:
            way(line)
        assert running.commands()[before:] == [{"command": line}] * len(ways)
    assert (running.state / "kill.latch").exists()
    assert running.status()["is_killed"]
    running.until(lambda: not list(running.state.glob("*.command")))
    running.by_file("release-kill")
    running.until(lambda: not (running.state / "kill.latch").exists())
    assert not running.status()["is_killed"]
    count = len(running.commands())
    (running.state / "stop.command").touch()
    assert running.engine.wait(20) == 0
    assert len(running.commands()) == count


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_part_is_stopped_by_command_and_by_file_and_stays_so_after_a_restart(running):
    """The other strategy trades on; status says what is stopped; the kill file is for everything alone."""
    running.by_command("pause strategy:first")
    running.by_file("kill strategy:second")
    assert [each["scope"] for each in running.commands()] == ["strategy", "strategy"]
    assert running.status()["stops"] == ["pause strategy:first", "kill strategy:second"]
    assert not (running.state / "kill.latch").exists()
    rows = running.status()["order_rows"]
    assert not [row for row in rows if row["strategy"] == "second"]
    shown = running.shell.run("status", "one")[0]
    assert "stopped in parts  pause strategy:first; kill strategy:second" in shown
    assert "was not paused, so nothing changed; stopped in parts" in running.shell.run("resume")[0]
    running.shell.run("stop", "one")
    running.engine.communicate()
    running.engine = running.shell.start("run", "two.toml", "--json")
    running.until(running.status)
    assert running.status()["stops"] == ["pause strategy:first", "kill strategy:second"]
    running.by_command("resume strategy:first")
    running.by_command("kill strategy:second --release")
    assert running.status()["stops"] == []
    running.by_command("flatten instrument:BTC-USD")
    running.by_command("cancel-all one strategy:second")
    assert "known are first, second" in running.shell.run("pause", "strategy:third", code=6)[1]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_order_is_cancelled_and_one_that_is_not_open_is_refused(running):
    """By its number, as status shows it."""
    running.by_command("pause")
    row = running.until(lambda: running.status()["order_rows"])[0]
    running.by_command(f"cancel {row['order_id']}")
    assert running.commands()[-1] == {"command": "cancel", "order_id": row["order_id"]}
    running.until(
        lambda: row["order_id"] not in [each["order_id"] for each in running.status()["order_rows"]]
    )
    count = len(running.commands())
    running.shell.run("cancel", "999999", code=6)
    assert len(running.commands()) == count


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_file_that_makes_no_sense_or_is_anothers_stops_nothing(running):
    """It is called refused, the log says why, and the next file is carried out."""
    (running.state / "a.command").write_text("set-limit account loss_max off")
    (running.state / "b.command").symlink_to(Path("/etc/hostname"))
    (running.state / "c.command").mkdir()
    if os.geteuid() == 0:
        foreign = running.state / "d.command"
        foreign.write_text("kill")
        os.chown(foreign, 12345, 12345)
    os.mkfifo(running.state / "e.command")
    running.by_file("pause")
    running.until(lambda: not list(running.state.glob("*.command")))
    assert [each["command"] for each in running.commands()] == ["pause"]
    assert not running.status()["is_killed"]
    assert {path.name[0] for path in running.state.glob("*.refused")} >= {"a", "b", "c", "e"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_decision_is_the_same_record_by_whatever_way_it_comes(running):
    """Each stop, of everything and of each part, by command, file and program; by signal where one has it."""
    scopes = ("", " account", " strategy:first", " instrument:BTC-USD")
    # The command line takes a second each time: every stop with one of the two, and both with some stop.
    names = ("pause", "resume", "cancel-all", "flatten", "kill", "release-kill")
    others = dict(zip(names, ("strategy:first", "instrument:BTC-USD") * 3, strict=True))
    for name in names:
        for scope in scopes:
            before = len(running.commands())
            # On the command line an engine may be named before the part, and has to be before a bare word.
            typed = f"kill one{scope} --release" if name == "release-kill" else f"{name} one{scope}"
            running.by_api(f"{name}{scope}")
            running.by_file(f"{name}{scope}")
            ways = 2
            if scope in ("", " account", f" {others[name]}"):
                running.by_command(typed)
                ways += 1
            if not scope and name in SIGNALS:
                running.by_signal(name)
                ways += 1
            found = running.commands()[before:]
            assert len(found) == ways, (name, scope, found)
            assert all(record == found[0] for record in found), found
            assert found[0]["command"] == name.replace("-", "_")
            assert ("scope" in found[0]) == bool(scope)
    running.shell.run("stop", "one")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_order_of_a_part_is_cancelled_and_no_other(running):
    """By strategy and by order, by command, file and signal; strategies go on."""
    running.by_command("pause")
    found = running.until(lambda: len(set(running.open_orders().values())) == 2 and running.open_orders())
    running.by_file("cancel-all strategy:first")
    running.until(lambda: "first" not in running.open_orders().values())
    others = {order for order, strategy in found.items() if strategy == "second"}
    assert others <= running.open_orders().keys()
    one = min(others)
    running.by_file(f"cancel {one}")
    running.until(lambda: one not in running.open_orders())
    assert running.open_orders().keys() == others - {one}
    running.by_signal("cancel-all" if "cancel-all" in SIGNALS else "kill")
    running.until(lambda: not running.open_orders())


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_flatten_by_limit_is_said_in_every_way_and_by_the_settings(running):
    """The record has distance and time, which a replay needs; the answer says what will happen."""
    said = {"command": "flatten", "within_bps": 20, "then_market_ns": 5_000_000_000}
    answer = running.shell.run("flatten", "--within-bps", "20", "--then-market", "5")[0]
    assert "by limit within 20 bps of the mark, and at the market after 5 s" in answer
    running.by_file("flatten --within-bps 20 --then-market 5")
    running.by_api("flatten --within-bps 20 --then-market 5")
    assert running.commands() == [said] * 3
    running.by_file("flatten strategy:first --within-bps 7")
    part = {"command": "flatten", "scope": "strategy", "scope_id": 0}
    assert running.commands()[-1] == {**part, "within_bps": 7, "then_market_ns": 30_000_000_000}
    assert "must be a whole number" in running.shell.run("flatten", "--within-bps", "1.5", code=78)[1]
    running.shell.run("stop", "one")
    running.engine.communicate()
    running.shell.write("two.toml", TWO + "\n[flatten]\nwithin_bps = 30\nthen_market_ms = 1000\n")
    running.engine = running.shell.start("run", "two.toml", "--json")
    running.until(running.status)
    running.by_command("flatten")
    assert running.commands()[-1] == {"command": "flatten", "within_bps": 30, "then_market_ns": 1_000_000_000}
    running.by_command("flatten --within-bps 0")
    assert running.commands()[-1] == {"command": "flatten"}
    running.shell.run("stop", "one")
    running.shell.run("journal", "replay", str(running.state / "engine.journal"))
    told = running.shell.run("journal", "tail", str(running.state / "engine.journal"), "-n", "100000")[0]
    assert "flattening: every order is cancelled and every position is closed by limit" in told
