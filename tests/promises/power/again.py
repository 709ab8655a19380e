"""The power fails once more, while the start after the first time recovers."""

import importlib
import random
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import msgspec

from promises.power.disk import Disk, drawn
from promises.power.explored import Explored, check_seen, drawn_moment, explore, lay, moments_of
from promises.power.recording import Recording, record
from promises.power.said import Say

# Images of the first cut that one process recovers.
_FIRST_MAX = 200
_IMAGES_EACH = 6


def write(directory: Path, say: Say, seed: str, setting: str, saids: str) -> None:
    """Recover each image, in a process that is recorded; what is wrong with one is told by the first part."""
    judge = importlib.import_module(f"promises.power.{setting}").Judge(int(seed))
    for number, said in enumerate(msgspec.json.decode(Path(saids).read_bytes())):
        # Whatever it says or raises, the images of the first cut are judged elsewhere.
        with suppress(Exception):
            judge.faults(directory / str(number), said)


def explored_again(
    setting: ModuleType, first: Recording, work: Path, *, size: int, seed: int, deadline: float
) -> Explored:
    """Judge images of what recovered some images of a run.

    Parameters
    ----------
    setting : module
        Has the judge.
    first : Recording
        The run.
    work : Path
        Where files may be.
    size, seed, deadline
        As `explore` takes them.
    """
    directory, saids = work / "again", work / "saids"
    directory.mkdir()
    draw = random.Random(seed)
    moments = list(moments_of(first, Disk(), ()))
    known = []
    for number in range(max(1, min(_FIRST_MAX, size // _IMAGES_EACH))):
        moment = drawn_moment(moments, draw)
        lay(moment.disk.after_a_cut(drawn(moment.pending, draw)), directory / str(number))
        known.append(moment.said)
    saids.write_bytes(msgspec.json.encode(known))
    starts = [Disk.of(directory / str(number)) for number in range(len(known))]
    whole = Disk.of(directory)
    recording = record("again", directory, work, (str(seed), setting.__name__.rpartition(".")[2], str(saids)))
    check_seen(recording, directory, whole)
    found = []
    left = size
    for number, (start, said) in enumerate(zip(starts, known, strict=True)):
        share = left // (len(known) - number)
        each = explore(
            recording.below(str(number)),
            setting.Judge(seed),
            work,
            start=start,
            said=said,
            size=share,
            seed=seed + number,
            deadline=deadline,
        )
        left -= each.tried
        found.append((number, each))
        if time.monotonic() > deadline:
            break
    failures = [f"{number}/{failure}" for number, each in found for failure in each.failures]
    return Explored(
        tried=sum(each.tried for _, each in found),
        moments=sum(each.moments for _, each in found),
        found=sum(each.found for _, each in found),
        failures=tuple(failures),
        worst=next((f"{number}/{each.worst}" for number, each in found if each.found), ""),
        bounded_by="; ".join(dict.fromkeys(each.bounded_by for _, each in found if each.bounded_by)),
    )
