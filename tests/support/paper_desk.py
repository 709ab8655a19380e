"""A paper account on a recorded market, run by the command line, started and killed again and again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from support.shared import EXAMPLE_DATA, ROOT
from tradecore.domain.journal import JournalFolder

CONFIG = ROOT / "examples" / "paper-binance-capture.toml"
CAPTURE = EXAMPLE_DATA / "binance-spot.gz"


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

    def start(self, *, speed: float, settings: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a run; what it says is appended to the log."""
        command = [sys.executable, "-m", "tradecore_api", "run", str(CONFIG), "--json"]
        usual = [f"feed.path={self.capture}", f"feed.speed={speed}", "database.enabled=false"]
        usual += ["log.json=true", "log.level=debug"]
        options = [part for setting in (*usual, *settings) for part in ("--set", setting)]
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

    def finish(self, settings: Sequence[str] = ()) -> dict[str, object]:
        """Run to the end of the capture and return the summary."""
        done = self.start(speed=0, settings=settings)
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

    def told(self, event: str) -> list[dict[str, object]]:
        """Return every line of the log about an event."""
        lines = []
        for line in self.log.read_text().splitlines():
            with suppress(ValueError, TypeError):
                said = json.loads(line)
                if said.get("event") == event:
                    lines.append(said)
        return lines


def trading(records):
    """Orders and reports in order, without their sequence numbers: restarts put session records between."""
    return [(kind, fields) for _, kind, fields in records if kind in {"order", "report", "refused"}]
