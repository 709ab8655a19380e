"""The clock of the machine is set while an engine runs: forwards, backwards, by seconds and by days."""

import time

import pytest

from support.desk import Desk
from support.preloaded import CAN_PRELOAD, REASON, build
from tradecore.domain.journal import JournalFolder
from tradecore.ports.control_channel import Status
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import ENVIRONMENT_NAME, StateDir

pytestmark = [pytest.mark.timeout(90), pytest.mark.skipif(not CAN_PRELOAD, reason=REASON)]
# Seconds that are added to the time of day, one after the other.
JUMPS = (-3600, 5, 86_400, -86_400, 0)
BEATS = """
[daemon]
heartbeat_interval_ms = 200
clock_interval_ms = 100
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk all of whose processes take their time of day from a file."""
    (tmp_path / "shift").write_text("0")
    library = build("shifted_clock", tmp_path)
    desk = Desk(tmp_path, BEATS)
    monkeypatch.setenv(ENVIRONMENT_NAME, desk.environment[ENVIRONMENT_NAME])
    desk.environment |= {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(tmp_path / "shift")}
    yield desk
    desk.close()


def records():
    """Ask the engine how long its journal is; from here, because a command for each look takes long."""
    return client.ask(StateDir("one"), Status(), seconds_max=5).status["records"]


@pytest.mark.without(
    "clock",
    works="the engine trades on, answers and starts again, and no time in its journal falls",
)
def test_a_clock_that_is_set_stops_neither_the_engine_nor_its_journal(desk):
    """It trades on, answers, ends cleanly, starts again on its journal, and no time in that falls."""
    journal = desk.directory / "journal"
    process = desk.start("--set", f"journal.path={journal}")
    for seconds in JUMPS:
        before = records()
        (desk.directory / "shift").write_text(str(seconds))
        desk.wait_until(lambda before=before: records() > before + 20, process)
        shown = desk.call("status", "one")
        assert shown.returncode == ExitCode.OK, (seconds, shown.stdout, shown.stderr)
        time.sleep(0.3)
    desk.call("pause", "one", code=ExitCode.OK)
    desk.call("stop", "one", code=ExitCode.OK)
    assert process.wait() == ExitCode.OK
    assert JournalFolder(journal).verify().status == "intact"

    # The next start is an hour before the end of the last session.
    (desk.directory / "shift").write_text("-3600")
    again = desk.start("--set", f"journal.path={journal}")
    desk.call("stop", "one", code=ExitCode.OK)
    assert again.wait() == ExitCode.OK
    desk.call("journal", "replay", str(journal), code=ExitCode.OK)
    market = [time_ns for _, time_ns, kind, _ in JournalFolder(journal).reader() if kind in ("flow", "clock")]
    assert market == sorted(market)
