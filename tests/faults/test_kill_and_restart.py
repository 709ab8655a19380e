"""kill -9 at random moments of a paper session, and what every restart finds."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.shared import EXAMPLE_DATA, ROOT
from tradecore.domain.journal import JournalFolder

KILLS = int(os.environ.get("TRADECORE_KILLS", "200"))
# Slow enough that all runs together, at most a fifth of a second each, do not reach the end of the capture:
# at this speed it takes a minute.
SPEED = 1
CONFIG = ROOT / "examples" / "paper-binance-capture.toml"
CAPTURE = EXAMPLE_DATA / "binance-spot.gz"

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX"),
    pytest.mark.timeout(540),
]


class PaperDesk:
    """One account whose `tradecore run` is started again and again."""

    def __init__(self, directory: Path, capture: Path) -> None:
        self.directory = directory
        self.capture = capture
        self.environment = {**os.environ, "TRADECORE_STATE_DIR": str(directory / "state")}
        self.log = directory / "log"

    @property
    def journal(self) -> Path:
        """The journal of the account."""
        return self.directory / "state" / "binance-capture" / "engine.journal"

    def start(self, *, speed: float) -> subprocess.Popen[str]:
        """Start a run; what it says is appended to the log."""
        command = [sys.executable, "-m", "tradecore_api", "run", str(CONFIG), "--json"]
        settings = [f"feed.path={self.capture}", f"feed.speed={speed}", "database.enabled=false"]
        settings += ["log.json=true", "log.level=debug"]
        options = [part for setting in settings for part in ("--set", setting)]
        with self.log.open("a") as log:
            return subprocess.Popen(
                command + options, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def wait_until_longer(self, length: int, process: subprocess.Popen[str]) -> None:
        """Wait until the journal is longer than this; the test fails when the process ends by itself."""
        deadline = time.monotonic() + 20
        while not self.journal.exists() or self.journal.stat().st_size <= length:
            assert process.poll() is None, f"ended by itself: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.002)

    def finish(self) -> dict[str, object]:
        """Run to the end of the capture and return the summary."""
        done = self.start(speed=0)
        out, _ = done.communicate(timeout=60)
        assert done.returncode == 0, self.log.read_text()[-2000:]
        return json.loads(out)

    def acknowledged(self) -> Iterator[tuple[int, int, str]]:
        """Yield number, order and report of each report that was told; a kill may cut a line off."""
        for line in self.log.read_text().splitlines():
            with suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                if told["event"] == "report":
                    yield told["seq"], told["order_id"], told["report"]

    def records(self) -> list[tuple[int, str, dict[str, object]]]:
        """Read the journal: sequence number, kind and fields of each record."""
        return [(seq, kind, fields) for seq, _, kind, fields in JournalFolder(self.journal).reader()]


def trading(records):
    """Orders and reports in order, without their sequence numbers: restarts put session records between."""
    return [(kind, fields) for _, kind, fields in records if kind in {"order", "report", "refused"}]


@pytest.mark.without("process", works="`kill -9` at any moment loses and doubles nothing that was told")
def test_nothing_is_lost_or_doubled_by_two_hundred_kills(tmp_path):
    """No acknowledged order or fill is lost or doubled, positions are the sum of fills, the run goes on."""
    (tmp_path / "undisturbed").mkdir()
    (tmp_path / "killed").mkdir()
    undisturbed = PaperDesk(tmp_path / "undisturbed", CAPTURE)
    expected = undisturbed.finish()
    desk = PaperDesk(tmp_path / "killed", CAPTURE)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lengths = []

    for _ in range(KILLS):
        length = desk.journal.stat().st_size if desk.journal.exists() else 0
        process = desk.start(speed=SPEED)
        # Most die at work; the others while they start or recover.
        if chance.random() < 0.8:
            desk.wait_until_longer(length, process)
        time.sleep(chance.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if desk.journal.exists() and desk.journal.stat().st_size:
            verdict = JournalFolder(desk.journal).verify()
            assert verdict.status in {"intact", "torn"}, f"seed {seed}: {verdict.message}"
            lengths.append(verdict.records)
    actual = desk.finish()

    records = desk.records()
    assert lengths == sorted(lengths), f"seed {seed}: a restart lost committed records"
    assert len(set(lengths)) > KILLS // 4, "the kills must have met a session at work"
    for name in ("events", "orders", "fills", "pnl", "positions", "orders_digest", "state_hash"):
        assert actual[name] == expected[name], f"seed {seed}: {name}"
    assert trading(records) == trading(undisturbed.records()), f"seed {seed}"
    acknowledged = list(desk.acknowledged())
    by_seq = {seq: fields for seq, kind, fields in records if kind == "report"}
    assert len({seq for seq, _, _ in acknowledged}) > 100
    for seq, order_id, report in acknowledged:
        assert by_seq[seq]["order_id"] == order_id, f"seed {seed}"
        assert by_seq[seq]["report"] == report, f"seed {seed}"
    assert position_of(records) == pytest.approx(float(actual["positions"]["BTCUSDT"]), abs=1e-12)


def position_of(records) -> float:
    """Sum up the fills of a journal, in BTC: lots of the example are 0.00001."""
    sides = {fields["order_id"]: fields["side"] for _, kind, fields in records if kind == "order"}
    lots = sum(
        fields["lots"] * (1 if sides[fields["order_id"]] == "buy" else -1)
        for _, kind, fields in records
        if kind == "report" and fields["report"] == "fill"
    )
    return lots / 100_000
