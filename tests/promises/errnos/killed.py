"""Writers of a journal that are killed at one of their calls, and again in the recovery from it."""

import tempfile
from pathlib import Path
from random import Random

from promises.errnos.shim import KILL, Shim, calls_in
from promises.errnos.writer import JOURNAL, Shape, Tried, calls_of, prepare, run
from tradecore.domain.errors import TradecoreError
from tradecore.domain.journal import JournalFolder

# How often a writer is killed on its way to where the one before was.
_DEPTH = 3


def tried(shim: Shim, seed: int, number: int) -> Tried:
    """Kill writers of one journal one after the other, at calls that a number decides."""
    draw = Random(f"kill/{seed}/{number}")
    shape = Shape(
        segment_bytes=draw.choice((0, 2_000, 2_000)),
        reserve_bytes=draw.choice((0, 0, 4_096)),
        records_before=draw.choice((0, 0, 30)),
        is_torn=draw.random() < 0.5,
        text_max=300,
        packs=draw.random() < 0.3,
    )
    calls: list[str] = []
    findings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tradecore-kills-", dir="/dev/shm") as place:
        count = calls_of(shim, shape, Path(place) / "dry", draw.randrange(1 << 30))
        folder = Path(place) / "wet"
        prepare(shape, folder)
        acknowledged = 0
        at = 1 + draw.randrange(count)
        for depth in range(1 + draw.choice((0, _DEPTH))):
            half = draw.random() < 0.5
            said, notes = run(shim, shape, folder, at, KILL, half=half, seed=draw.randrange(1 << 30))
            killed_at = [call for call in calls_in(notes) if call.fails]
            notes.unlink()
            if not killed_at:
                break
            calls += [call.name for call in killed_at]
            acknowledged = max([acknowledged, *_acknowledged(said)])
            findings += _lost(folder, shape, acknowledged, f"kill {depth + 1} at call {at}")
            # A start makes a few calls before it writes anything of its own.
            at = 1 + draw.randrange(6)
    return Tried(
        name=f"seed {seed} number {number}", call=" ".join(calls), stopped=True, findings=tuple(findings)
    )


def _acknowledged(said: list[str]) -> list[int]:
    """Return how many records each commit said there are; a kill takes nothing that was written."""
    return [int(line.split()[1]) for line in said if line.startswith(("durable", "written"))]


def _lost(folder: Path, shape: Shape, acknowledged: int, when: str) -> list[str]:
    """Return what of the acknowledged is gone, or not as it was; nothing is changed."""
    path = folder / JOURNAL
    if not path.exists():
        return [f"{when}: the journal is gone"] if acknowledged else []
    try:
        whole = b"".join(JournalFolder(path).chunks())
    except TradecoreError as error:
        return [f"{when}: {error}"] if acknowledged else []
    records = 0
    wanted = b""
    while len(wanted) < len(whole):
        wanted += shape.frame(records)
        records += 1
    if whole != wanted:
        return [f"{when}: there are records that nobody wrote"]
    return [f"{when}: {acknowledged} records were committed, {records} are there"] * (records < acknowledged)
