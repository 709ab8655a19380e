"""Whatever lies beside the accounts keeps no command from the others."""

import sys

import pytest

from support.near_desk import NearDesk
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform == "win32", reason="links and locks of POSIX"),
]
ODD = ("backup 2026", "lost+found", "a file", "afile", "dangling")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk with a running engine among odd neighbours, the first and the last by name among them."""
    desk = NearDesk(tmp_path, monkeypatch)
    state = tmp_path / "state"
    for name in ("backup 2026", "lost+found"):
        (state / name).mkdir(parents=True)
    (state / "a file").write_text("x")
    (state / "afile").write_text("x")
    (state / "dangling").symlink_to(tmp_path / "nowhere")
    # An account that cannot be looked at: its lock file leads to itself.
    (state / "broken").mkdir()
    (state / "broken" / "engine.lock").symlink_to("engine.lock")
    (state / "broken" / "kill.latch").mkdir()
    desk.start()
    yield desk
    desk.close()


@pytest.mark.without(
    "state directory",
    works="whatever else lies beside the accounts is named, and every engine is reached",
)
def test_odd_neighbours_keep_no_command_from_the_others(desk):
    """The odd ones are named, the one that fails gives the code, and the running one is reached."""
    shown = desk.call("status")
    assert "running" in shown.stdout
    assert "engine.lock" in shown.stderr
    paused = desk.call("pause", code=ExitCode.OK)
    assert paused.stdout.startswith("one: paused")
    stopped = desk.call("emergency-stop")
    assert desk.engine()["is_killed"] is True
    assert "one: killed" in stopped.stdout
    assert "broken: " in stopped.stderr
    assert stopped.returncode == ExitCode.STORAGE
    for done in (shown, paused, stopped):
        assert "Traceback" not in done.stderr
        for name in ODD if done is not paused else ():
            assert f"{name} is left out" in done.stderr, done.stderr

    broken = desk.directory / "state" / "broken"
    (broken / "engine.lock").unlink()
    (broken / "kill.latch").rmdir()
    broken.rmdir()
    desk.call("emergency-stop", code=ExitCode.OK)
