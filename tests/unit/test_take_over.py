"""Taking an account over: first the epoch, then the process; and what is said where that cannot be ended."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from support.armed import Armed
from tradecore.domain.errors import ConfigError, FencedError, StorageError
from tradecore.runtime.live.client_ids import EPOCH_MAX
from tradecore_api import take_over as module
from tradecore_api.config import read
from tradecore_api.config.process_tables import WatchdogCancels
from tradecore_api.epoch_file import EpochFile
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import code_of
from tradecore_api.instance_lock import InstanceLock, VenueTakenError
from tradecore_api.state_dir import StateDir
from tradecore_api.take_over import StillHeldError, seize
from tradecore_api.watchdog.watching import Owners
from tradecore_api.wiring.venue_claims import claimed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks and signals of POSIX")


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """Return a live configuration whose state is in a folder of the test."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    return Armed(tmp_path)


def state():
    """Return the state directory of the account, made."""
    made = StateDir("main")
    made.create()
    return made


def epoch_of(config):
    """Return the epoch of the account."""
    with claimed(config) as holds:
        return holds["main"].epoch()


def test_an_epoch_is_kept_and_only_grows(tmp_path):
    """By whoever has the file open; the highest that there is fits."""
    one, two = EpochFile(tmp_path / "epoch"), EpochFile(tmp_path / "epoch")
    assert (one.epoch(), two.epoch()) == (0, 0)
    for raised, known in (
        (1, 1),
        (1, 1),
        (7, 7),
        (3, 7),
        (EPOCH_MAX, EPOCH_MAX),
        (EPOCH_MAX + 1, EPOCH_MAX + 1),
    ):
        one.raise_to(raised)
        assert (one.epoch(), two.epoch()) == (known, known)
    assert EpochFile(tmp_path / "epoch").epoch() == EPOCH_MAX + 1
    assert (tmp_path / "epoch").read_bytes() == b"epoch 32768\n"


def test_a_file_that_goes_bad_later_says_nothing_new(tmp_path):
    """Neither one that is emptied or written over, nor one that is closed: no engine ends by that."""
    kept = EpochFile(tmp_path / "epoch")
    kept.raise_to(4)
    for content in (b"", b"epoch 00002\n", b"\xff" * 12, b"epoch 00009", b"epoch 0000x\n"):
        (tmp_path / "epoch").write_bytes(content)
        assert kept.epoch() == 4
    kept.close()
    kept.close()
    assert kept.epoch() == 4
    with pytest.raises(StorageError, match="is closed"):
        kept.raise_to(5)


@pytest.mark.parametrize(
    "content", [b"12\n", b"epoch 00001", b"epoch 00001\n\n", b"epoch    1x\n", b"\xff" * 12]
)
def test_a_file_of_something_else_is_refused_at_the_start(tmp_path, content):
    """Nobody knows then who has the account."""
    (tmp_path / "epoch").write_bytes(content)
    with pytest.raises(StorageError, match=r"holds no epoch but .* then remove it"):
        EpochFile(tmp_path / "epoch")


def test_nobody_there_is_taken_over_from_all_the_same(ground):
    """The machine of the other engine may be gone: the epoch is raised, and the account is free."""
    config = ground.config()
    seize(config, state(), "live.journal")
    assert epoch_of(config) == 1
    with claimed(config, takes_over=True) as holds:
        assert (holds["main"].epoch(), holds["main"].takes_over) == (1, True)


def test_a_process_that_holds_the_account_is_fenced_and_ended(ground, caplog):
    """Also one that is stopped. Whoever had the account knows the epoch first; the log says who was ended."""
    config = ground.config()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(ground.folder / "live.toml")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(VenueTakenError), claimed(config):
            pass
        holder.send_signal(signal.SIGSTOP)
        reaped = threading.Thread(target=holder.wait)
        reaped.start()
        seize(config, state(), "live.journal")
        reaped.join(10)
        assert holder.returncode == -signal.SIGKILL
        assert epoch_of(config) == 1
        (said,) = [record.words for record in caplog.records if record.msg == "taken_over"]
        assert said.endswith(f"is fenced and sends nothing more; its process {holder.pid} was ended")
    finally:
        holder.kill()
        holder.communicate()


HOLDER = """
import sys, time
from pathlib import Path
from tradecore_api.config import read
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring.venue_claims import claimed
config, state = read.load(Path(sys.argv[1])), StateDir("main")
state.create()
InstanceLock(state.lock, "main").acquire()
with claimed(config):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("refusal", [PermissionError, None])
def test_one_that_cannot_be_ended_is_fenced_and_the_message_says_how_to_go_on(ground, monkeypatch, refusal):
    """It belongs to somebody else, or hangs in the kernel, where a signal waits."""
    monkeypatch.setattr(module, "END_SECONDS_MAX", 0.1)

    def kill(*_):
        if refusal is not None:
            raise refusal

    monkeypatch.setattr(module, "living_holder", lambda _: os.getppid())
    monkeypatch.setattr(module.os, "kill", kill)
    config = ground.config()
    with pytest.raises(StillHeldError) as found:
        seize(config, state(), "live.journal")
    assert code_of(found.value) is ExitCode.ALREADY_RUNNING
    said = str(found.value)
    assert f"is fenced and sends nothing more, but the process {os.getppid()}" in said
    assert "`tradecore journal backup live.journal COPY`" in said
    assert epoch_of(config) == 1


def test_an_engine_in_this_process_is_not_ended(ground):
    """A program that runs engines inside of itself ends them; the account stays theirs."""
    config, made = ground.config(), state()
    lock = InstanceLock(made.lock, "main")
    lock.acquire()
    try:
        module_seconds, module.END_SECONDS_MAX = module.END_SECONDS_MAX, 0.1
        with pytest.raises(StillHeldError):
            seize(config, made, "live.journal")
    finally:
        module.END_SECONDS_MAX = module_seconds
        lock.release()


def test_who_takes_over_is_not_held_up_by_a_name_of_one_that_hangs(ground, monkeypatch):
    """Its copy of the journal is in another directory, and the name in the kernel goes with the process."""
    config = ground.config()
    with claimed(config):
        monkeypatch.setenv("TRADECORE_STATE_DIR", str(ground.folder / "elsewhere"))
        with pytest.raises(VenueTakenError), claimed(config):
            pass
        with claimed(config, takes_over=True) as holds:
            assert holds["main"].epoch() == 0


def test_a_directory_that_takes_no_writing_is_said_before_anything_happens(ground, monkeypatch):
    """The other engine goes on: it was not fenced."""
    config = ground.config()

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tradecore_api.epoch_file.os.write", refuse)
    monkeypatch.setattr(module.os, "kill", lambda *_: pytest.fail("nobody is ended"))
    with pytest.raises(StorageError, match="cannot be written: Read-only file system"):
        seize(config, state(), "live.journal")
    monkeypatch.undo()


def test_only_a_live_account_is_taken_over(ground):
    """In paper mode nothing leaves, so that the other one needs only to be ended."""
    ground.change('mode = "live"', 'mode = "paper"')
    text = (ground.folder / "live.toml").read_text()
    live = text[text.index("[live]") : text.index("[feed]")]
    ground.change(live, "")
    with pytest.raises(ConfigError, match="emergency-stop main"):
        seize(read.load(ground.folder / "live.toml"), StateDir("main"), "j")


def test_a_fenced_end_has_an_exit_code_of_its_own():
    """A unit file can tell by it that a start again is of no use."""
    assert code_of(FencedError("main", "a", "b")) is ExitCode.FENCED == 9


def test_a_watchdog_ends_orders_of_all_epochs_of_its_engine_and_of_no_higher_one():
    """Those of an engine that has taken the account over are not its own."""
    owners = Owners(WatchdogCancels.OWN)
    owners.learn({"main": "t000abcde t001abcde"})

    class Order:
        def __init__(self, name):
            self.client_order_id = name

    owns = owners.owns("main")
    names = ["t000abcde000000001", "t001abcde000000002", "t002abcde000000003", "web", None]
    assert [owns(Order(name)) for name in names] == [True, True, False, False, False]
