"""kill -9 of a session that makes snapshots, and of the starts that go on from them, three deep."""

import random
import signal
import sys
import time

import pytest
from msgspec.structs import replace

from support.nightly import size
from support.paper_desk import CAPTURE, PaperDesk, trading
from tradecore.domain.journal import JournalFolder

# Each is a session that is killed at work, and three starts after it that are killed as they recover.
TRIPLES = size(usual=2, nightly=60)
SPEED = 1
OFTEN = ("journal.snapshot_events=150",)

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX"),
    pytest.mark.timeout(540),
]


def killed(process, seconds):
    """Kill a start after a while."""
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_starts_from_snapshots_that_are_killed_three_deep_lose_nothing(tmp_path):
    """The end is that of a run which nobody disturbed, and the later starts did go on from snapshots."""
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    undisturbed = PaperDesk(tmp_path / "undisturbed", CAPTURE)
    expected = undisturbed.finish(settings=("journal.snapshot_events=0",))
    assert JournalFolder(undisturbed.journal).snapshots.paths() == []
    desk = PaperDesk(tmp_path / "killed", CAPTURE)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    for _ in range(TRIPLES):
        length = desk.journal.stat().st_size if desk.journal.exists() else 0
        process = desk.start(speed=SPEED, settings=OFTEN)
        desk.wait_until_longer(length, process)
        killed(process, chance.uniform(0.5, 1.2))
        for _ in range(3):
            killed(desk.start(speed=SPEED, settings=OFTEN), chance.uniform(0.2, 0.9))
    actual = desk.finish(settings=OFTEN)

    for name in ("events", "orders", "fills", "pnl", "positions", "orders_digest", "state_hash"):
        assert actual[name] == expected[name], f"seed {seed}: {name}"
    assert trading(desk.records()) == trading(undisturbed.records()), f"seed {seed}"
    assert desk.told("snapshot_passed_over") == [], f"seed {seed}"
    starts = [line["from_snapshot"] for line in desk.told("start_journal")]
    assert starts == sorted(starts), f"seed {seed}"
    assert starts[-1] > 0, f"seed {seed}"
    # All of it still replays from its beginning, and comes to the same.
    again = desk.finish(settings=("journal.restart=start",))
    assert again["state_hash"] == expected["state_hash"]
    assert desk.told("start_journal")[-1]["from_snapshot"] == 0


@pytest.mark.without(
    "snapshot", works="a start takes the one before it, or replays the whole journal, and says so"
)
@pytest.mark.parametrize("harm", ["cut", "changed", "ahead"])
def test_a_snapshot_that_is_no_good_is_passed_over_and_said(tmp_path, harm):
    """The one before is taken, or all is replayed; the end is the same."""
    for name in ("undisturbed", "harmed"):
        (tmp_path / name).mkdir()
    undisturbed = PaperDesk(tmp_path / "undisturbed", CAPTURE)
    expected = undisturbed.finish()
    desk = PaperDesk(tmp_path / "harmed", CAPTURE)
    process = desk.start(speed=SPEED, settings=OFTEN)
    desk.wait_until_longer(0, process)
    deadline = time.monotonic() + 30
    while len(JournalFolder(desk.journal).snapshots.paths()) < 2:
        assert time.monotonic() < deadline, desk.log.read_text()[-2000:]
        time.sleep(0.05)
    killed(process, 0)
    paths = JournalFolder(desk.journal).snapshots.paths()
    newest, before = paths
    data = newest.read_bytes()
    if harm == "cut":
        newest.write_bytes(data[: len(data) // 2])
    elif harm == "changed":
        newest.write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    else:
        newest.rename(newest.with_name(newest.name[:-15] + "9" * 15))
        kept = JournalFolder(desk.journal).snapshots
        newest = kept.paths()[0]
        newest.write_bytes(_moved(kept.read(newest), 999_999).encoded())
    actual = desk.finish(settings=OFTEN)

    for name in ("events", "orders", "fills", "pnl", "positions", "orders_digest", "state_hash"):
        assert actual[name] == expected[name], name
    (said,) = desk.told("snapshot_passed_over")
    assert newest.name in said["words"] or "snapshot" in said["words"]
    assert desk.told("start_journal")[-1]["from_snapshot"] == int(before.name[-15:])


def _moved(snapshot, seq):
    """Return a snapshot that says that it stands elsewhere."""
    return type(snapshot)(replace(snapshot.head, seq=seq), snapshot.body)
