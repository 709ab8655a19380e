"""Lays images of a recorded run into a directory, one by one, and lets the real recovery look at each."""

import hashlib
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path

import msgspec

from promises.power.disk import Disk, Fate, Image, Pending, drawn, fates_of, systematic
from promises.power.recording import Recording, UnseenCallError
from promises.power.said import Judge, Said

# Of so many images at most half are those that are always looked at; the rest is drawn.
_SYSTEMATIC_MAX = 0.6
# Images in a row that were there before, after which there is nothing new.
_STALE_MAX = 2_000
_NAMED_MAX = 20


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment between two operations at which the power may fail."""

    done: int
    disk: Disk
    pending: list[Pending]
    said: Said


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes
    ----------
    tried : int
        Images that differ from each other, or in what had been said.
    moments : int
        Moments of the run.
    found : int
        Images with a fault.
    failures : tuple of str
        The faults of the first of them, each with the name of its image.
    worst : str
        Name of the image with the most faults.
    bounded_by : str
        What kept it from its size.
    """

    tried: int
    moments: int
    found: int
    failures: tuple[str, ...]
    worst: str
    bounded_by: str = ""


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory in memory where the system has such a place, and take it away in the end."""
    place = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="power-", dir=place if place.is_dir() else None))
    try:
        yield directory.resolve()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def check_seen(recording: Recording, directory: Path, disk: Disk) -> None:
    """Compare the record with the files at the end, byte for byte; raises `UnseenCallError`.

    Parameters
    ----------
    recording : Recording
        The record.
    directory : Path
        Where the program wrote.
    disk : Disk
        As it was before that; it is at the end then.
    """
    for op in recording.ops:
        disk.do(op)
    image = disk.live()
    expected = {name: image.contents[file] for name, file in image.names.items()}
    files = (path for path in directory.rglob("*") if path.is_file())
    found = {str(path.relative_to(directory)): path.read_bytes() for path in files}
    expected, found = (
        {name: content for name, content in each.items() if not name.endswith("-shm")}
        for each in (expected, found)
    )
    if expected != found:
        differing = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
        raise UnseenCallError(f"the record and the files differ in {differing}")


def explore(
    recording: Recording,
    judge: Judge,
    work: Path,
    *,
    start: Disk,
    said: Said = (),
    size: int,
    seed: int,
    deadline: float,
    faults_max: int | None = None,
) -> Explored:
    """Judge so many images of a run, or as many as there are or time is for.

    Parameters
    ----------
    recording : Recording
        The run.
    judge : Judge
        Looks at each image.
    work : Path
        Where the images are laid.
    start : Disk
        As it was before the run.
    said : Said
        What was said before it.
    size : int
        How many.
    seed : int
        Of what is drawn.
    deadline : float
        When to stop, by the monotonic clock.
    faults_max : int, optional
        So many images with a fault are enough.
    """
    moments = list(moments_of(recording, start, said))
    draw = random.Random(seed)
    seen: set[bytes] = set()
    faulty: dict[str, list[str]] = {}
    place = work / "image"
    bounded_by, stale = "", 0
    for moment, name, fates in _candidates(moments, draw, int(size * _SYSTEMATIC_MAX)):
        if len(seen) >= size or len(faulty) == faults_max:
            break
        if time.monotonic() > deadline:
            bounded_by = f"time: {len(seen)} of {size} images"
            break
        image = moment.disk.after_a_cut(fates)
        # The same files after other words are another image: more of them was said to be safe.
        key = _key(image, len(moment.said))
        if key in seen:
            stale += 1
            if stale == _STALE_MAX:
                break
            continue
        stale = 0
        seen.add(key)
        lay(image, place)
        if faults := _judged(judge, place, moment.said):
            faulty[f"{moment.done}/{name}"] = faults
    if not bounded_by and len(seen) < size and faults_max is None:
        bounded_by = f"the run has no more than {len(seen)} images that differ"
    shutil.rmtree(place, ignore_errors=True)
    worst = max(faulty, key=lambda name: len(faulty[name]), default="")
    named = [f"{name}: {'; '.join(faults)}" for name, faults in faulty.items()]
    return Explored(
        tried=len(seen),
        moments=len(moments),
        found=len(faulty),
        failures=tuple(named[:_NAMED_MAX]),
        worst=worst,
        bounded_by=bounded_by,
    )


def lay(image: Image, place: Path) -> None:
    """Lay an image into a directory, in the place of what was there; two names of one file stay such."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for directory in image.directories:
        (place / directory).mkdir(parents=True)
    first: dict[int, Path] = {}
    for name, file in image.names.items():
        path = place / name
        if file in first:
            os.link(first[file], path)
        else:
            first[file] = path
            number = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(number, image.contents[file])
            os.close(number)


def moments_of(recording: Recording, disk: Disk, before: Said) -> Iterator[Moment]:
    """Yield the moments of a run, with what was said until then.

    Parameters
    ----------
    recording : Recording
        The run.
    disk : Disk
        As it was before the run; it goes on with it.
    before : Said
        What was said before it.
    """
    for done, said in recording.with_marks():
        if done:
            disk.do(recording.ops[done - 1])
        yield Moment(done=done, disk=disk.kept(), pending=list(disk.pending), said=[*before, *said])


def _candidates(
    moments: list[Moment], draw: random.Random, systematic_max: int
) -> Iterator[tuple[Moment, str, list[Fate]]]:
    yield from islice(_always(moments, draw), systematic_max)
    is_open = any(moment.pending for moment in moments)
    for number in count() if is_open else ():
        moment = drawn_moment(moments, draw)
        yield moment, f"drawn-{number}", drawn(moment.pending, draw)


def drawn_moment(moments: list[Moment], draw: random.Random) -> Moment:
    """Draw a moment: the more waits for a sync, the likelier."""
    (moment,) = draw.choices(moments, [len(moment.pending) for moment in moments])
    return moment


def _always(moments: list[Moment], draw: random.Random) -> Iterator[tuple[Moment, str, list[Fate]]]:
    """Yield what is always looked at, one of each moment in turn: no moment is left out for want of time."""
    waiting = {moment.done: systematic(moment.pending) for moment in moments}
    for known in waiting.values():
        draw.shuffle(known)
    while any(waiting.values()):
        for moment in moments:
            if waiting[moment.done]:
                name = waiting[moment.done].pop()
                yield moment, name, fates_of(name, moment.pending)


def _key(image: Image, words: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((words, image.directories, sorted(image.names.items()))).encode())
    for file in sorted(image.contents):
        content = image.contents[file]
        digest.update(b"%d:%d:" % (file, len(content)))
        digest.update(content)
    return digest.digest()


def _judged(judge: Judge, place: Path, said: Said) -> list[str]:
    """Judge an image; what a recovery cannot read is a fault as well, whatever it raises."""
    try:
        return judge.faults(place, said)
    except Exception as error:  # noqa: BLE001 - a recovery that fails is what is looked for
        return [f"{type(error).__name__}: {error}".replace(str(place), "IMAGE")]
