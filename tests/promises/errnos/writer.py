"""A writer of a journal one of whose calls fails, in a process of its own, and what is looked at after it."""

import os
import shutil
import tempfile
from pathlib import Path
from random import Random

import msgspec

from promises.errnos.shim import ERRORS, Shim, calls_in
from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.domain.journal import JournalFolder, JournalWriter, Segments, encode_session_end

_GROUPS = 24
_AFTER = 6
JOURNAL = "j"
_CHILD_BROKE = 3


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One failed call: which, in what, and what was wrong after it.

    Attributes
    ----------
    name : str
        What makes it happen again.
    call : str
        Which call failed, empty where none did.
    stopped : bool
        Whether the writer stopped.
    findings : tuple of str
        What was wrong.
    """

    name: str
    call: str
    stopped: bool
    findings: tuple[str, ...] = ()


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer does: how long its segments are, what room it keeps, what it finds at its start."""

    segment_bytes: int
    reserve_bytes: int
    records_before: int
    is_torn: bool
    text_max: int
    packs: bool = False

    def frame(self, number: int) -> bytes:
        """Return the record that every such writer has at this place."""
        return encode_session_end(number, "x" * (number * 7_919 % self.text_max))


def tried(shim: Shim, seed: int, number: int) -> Tried:
    """Let a call fail, which and how a number decides."""
    draw = Random(f"errno/{seed}/{number}")
    shape = Shape(
        segment_bytes=draw.choice((0, 2_000, 2_000)),
        reserve_bytes=draw.choice((0, 0, 4_096)),
        records_before=draw.choice((0, 0, 30)),
        is_torn=draw.random() < 0.5,
        # A segment that could not be begun is tried again a mebibyte later.
        text_max=draw.choice((300,) * 7 + (120_000,)),
    )
    with tempfile.TemporaryDirectory(prefix="tradecore-errnos-", dir="/dev/shm") as place:
        again = draw.randrange(1 << 30)
        count = calls_of(shim, shape, Path(place) / "dry", again)
        error, half = draw.choice(ERRORS), draw.random() < 0.5
        at = 1 + draw.randrange(max(count, 1))
        folder = Path(place) / "wet"
        prepare(shape, folder)
        said, notes = run(shim, shape, folder, at, error, half=half, seed=again)
        calls = calls_in(notes)
        failed = next((call for call in calls if call.fails), None)
        name = f"seed {seed} number {number}: {os.strerror(error)} at call {at}"
        if failed is None:
            return Tried(name=name, call="", stopped=False)
        findings = [*_acknowledged_after(said), *_retried(calls), *_lost(shape, folder, said, calls)]
        return Tried(
            name=f"{name}, {failed.name} {failed.path}",
            call=f"{failed.name} {failed.path}",
            stopped=any(line.startswith("error") for line in said),
            findings=tuple(findings),
        )


def calls_of(shim: Shim, shape: Shape, folder: Path, seed: int) -> int:
    """Return how many calls a writer makes that nothing happens to."""
    prepare(shape, folder)
    _, notes = run(shim, shape, folder, 0, 0, half=False, seed=seed)
    return len(calls_in(notes))


def run(
    shim: Shim, shape: Shape, folder: Path, at: int, error: int, *, half: bool, seed: int
) -> tuple[list[str], Path]:
    """Run a writer in a fork; return what it said and where its calls are noted."""
    notes, words = folder.with_suffix(".notes"), folder.with_suffix(".said")
    child = os.fork()
    if not child:
        try:
            with words.open("w", encoding="utf-8", buffering=1) as said:
                shim.arm(folder, at, error, half=half, notes=notes)
                _write(shape, folder, Random(seed), said)
            os._exit(0)
        finally:
            os._exit(_CHILD_BROKE)
    _, status = os.waitpid(child, 0)
    lines = words.read_text(encoding="utf-8").splitlines()
    if status:
        lines.append(f"ended with wait status {status}")
    return lines, notes


def prepare(shape: Shape, folder: Path) -> None:
    """Lay down what a writer before this one has left."""
    folder.mkdir()
    if not shape.records_before:
        return
    path = folder / JOURNAL
    # The last thing in a file that is torn is a record.
    segment_bytes = 0 if shape.is_torn else shape.segment_bytes
    writer = JournalFolder(path).writer(0, Segments(bytes_max=segment_bytes))
    for number in range(shape.records_before):
        writer.append(shape.frame(number))
        writer.commit(True)
    writer.close()
    if shape.is_torn:
        os.truncate(path, path.stat().st_size - 7)


def opened(path: Path, segments: Segments) -> JournalWriter:
    """Return the writer that is put to the test."""
    return JournalFolder(path).writer(0, segments)


def _write(shape: Shape, folder: Path, draw: Random, said) -> None:
    """Write groups, and after the first error try some more; each commit that returns is said."""
    segments = Segments(bytes_max=shape.segment_bytes, reserve_bytes=shape.reserve_bytes, packs=shape.packs)
    try:
        journal = opened(folder / JOURNAL, segments)
    except StorageError as error:
        said.write("error " + str(error).replace("\n", " ") + "\n")
        return
    left = _GROUPS
    while left:
        left -= 1
        try:
            for _ in range(draw.randrange(1, 5)):
                journal.append(shape.frame(journal.records))
            is_durable = draw.random() < 0.7
            journal.commit(is_durable)
            said.write(
                f"{'durable' if is_durable else 'written'} {journal.records} {journal.durable_records}\n"
            )
        except StorageError:
            said.write("error\n")
            left = min(left, _AFTER)


def _acknowledged_after(said: list[str]) -> list[str]:
    """Return what was acknowledged after the first error."""
    if "error" not in said:
        return [line for line in said if line.startswith("ended")]
    after = said[said.index("error") :]
    return [f"acknowledged after the error: {line}" for line in after if not line.startswith("error")]


def _retried(calls) -> list[str]:
    """Return what was synced, or written to, after its sync had failed."""
    found: list[str] = []
    failed = next((number for number, call in enumerate(calls) if call.fails), len(calls))
    if failed < len(calls) and calls[failed].name == "sync" and calls[failed].path in {JOURNAL, "."}:
        path = calls[failed].path
        found = [
            f"{call.name} {path} after its sync had failed"
            for call in calls[failed + 1 :]
            if call.path == path and call.name in {"sync", "write"}
        ]
    return found[:1]


def _lost(shape: Shape, folder: Path, said: list[str], calls) -> list[str]:
    """Return what of the acknowledged is gone: the system may have dropped what a failed sync was to keep."""
    durable = max(
        (int(line.split()[2]) for line in said if line.startswith(("durable", "written"))), default=0
    )
    path = folder / JOURNAL
    failed = next((number for number, call in enumerate(calls) if call.fails), len(calls))
    if failed < len(calls) and (calls[failed].name, calls[failed].path) == ("sync", JOURNAL):
        synced = [call.size for call in calls[:failed] if (call.name, call.path) == ("sync", JOURNAL)]
        keep = _kept_bytes(calls[:failed], synced)
        if keep is not None:
            os.truncate(path, keep)
    found: list[str] = []
    try:
        if not path.exists():
            return [f"{durable} records were acknowledged, and there is no journal"] if durable else []
        status = JournalFolder(path).verify().status
        if status not in {"intact", "torn"} and durable:
            found.append(f"the journal is {status}")
        whole = b"".join(JournalFolder(path).chunks())
        wanted = b"".join(map(shape.frame, range(durable)))
        if not whole.startswith(wanted):
            found.append(f"{durable} records were acknowledged, and they are not all there")
        writer = JournalFolder(path).writer(0)
        if whole != b"".join(map(shape.frame, range(writer.records))):
            found.append("there are records that nobody wrote")
        writer.append(shape.frame(writer.records))
        writer.commit(True)
        writer.close()
    except TradecoreError as error:
        found.append(f"a later start cannot go on: {error}")
    shutil.rmtree(folder)
    return found


def _kept_bytes(calls, synced: list[int]) -> int | None:
    """Return how long the newest segment was when it was last synced; `None` where that is not known."""
    turned = [number for number, call in enumerate(calls) if call.name == "rename" and call.path == JOURNAL]
    if turned:
        # It was synced under another name before it took this place.
        after = [call.size for call in calls[turned[-1] :] if (call.name, call.path) == ("sync", JOURNAL)]
        return after[-1] if after else None
    return synced[-1] if synced else None
