"""A journal that turns over, is closed, opened, packed, thinned out, copied, followed and set aside."""

import os
from pathlib import Path

from promises.power import traded
from promises.power.said import Said, Say
from tradecore.domain.journal import JournalFolder, Segments

WHAT = "journals: records, segments, packing, dropping, backup, a successor, setting aside"
SHARE = 0.36
NAME = "main.journal"
# Small, so that a short run turns over often.
SEGMENTS = Segments(bytes_max=6_000, reserve_bytes=2_048)
_SLICES = 12
_GROUP = 13
_CREATED_NS = 1
# The groups up to this one go into the journal that follows, after its first record.
_FOLLOWING = 6


def write(directory: Path, say: Say, seed: str) -> None:
    """Write it, in a process that is recorded."""
    frames = traded.frames(_SLICES)
    groups = traded.groups(frames, _GROUP, int(seed))
    folder = JournalFolder(directory / "deep" / "down" / NAME)
    half = len(groups) // 2
    _append(folder, groups[:half], say)
    _tear(folder, groups[half])
    folder.pack()
    _append(folder, groups[half:], say)
    say(begun="backup")
    folder.backup(directory / "copies" / "first")
    say(ended="backup", records=len(frames))
    say(begun="drop")
    folder.pack()
    *_, (_, last_ns, *_) = folder.reader()
    if not folder.drop_market_events(last_ns).dropped:
        raise AssertionError("nothing was dropped, so nothing would be tried of that")
    say(begun="succeed")
    folder.succeed(frames[0], _CREATED_NS, folder.verify().bytes)
    say(ended="succeed")
    _append(folder, groups[1:_FOLLOWING], say)
    say(begun="aside")
    folder.set_aside()
    say(ended="aside")


def _append(folder: JournalFolder, groups: list[tuple[bytes, ...]], say: Say) -> None:
    writer = folder.writer(_CREATED_NS, SEGMENTS)
    for number, group in enumerate(groups):
        writer.append(b"".join(group))
        writer.commit(number % 3 != 0)
        if number % 3 != 0:
            say(ended="commit", records=writer.records)
    writer.close()
    say(ended="commit", records=writer.records)


def _tear(folder: JournalFolder, group: tuple[bytes, ...]) -> None:
    """Leave the end that a power cut leaves: so what the next start does with it is recorded as well."""
    writer = folder.writer(_CREATED_NS, SEGMENTS)
    writer.append(b"".join(group))
    writer.close()
    with folder.absolute.open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 100)
        os.fsync(file.fileno())


class Judge:
    """Opens what is left of the journal as the next start does, and compares it with what was written."""

    def __init__(self, seed: int) -> None:
        self._first = traded.frames(_SLICES)
        groups = traded.groups(self._first, _GROUP, seed)
        following = (frame for group in groups[1:_FOLLOWING] for frame in group)
        self._second = (self._first[0], *following)

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong with an image."""
        folder = JournalFolder(image / "deep" / "down" / NAME)
        begun = {str(each["begun"]) for each in said if "begun" in each}
        ended = [str(each["ended"]) for each in said if "ended" in each]
        found = []
        if "backup" in ended:
            copy = JournalFolder(image / "copies" / "first" / NAME)
            found += self._whole(copy, self._first, len(self._first), may_lack=False)
        has_followed = "succeed" in ended or ("succeed" in begun and self._is_second(folder))
        if not has_followed:
            safe = _safe_records(said)
            return found + self._goes_on(folder, self._first, safe, may_lack="drop" in begun)
        older = folder.older()
        kept = [each for each in older if each.verify().records > len(self._second)]
        if not kept:
            return [*found, "the journal that was kept for its successor is gone"]
        found += self._whole(kept[0], self._first, len(self._first), may_lack=True)
        since = said[_place_of(said, "succeed") :] if "succeed" in ended else []
        safe = max(_safe_records(since), 1)
        if "aside" in ended and folder.exists():
            return [*found, "a journal that was set aside is back in its place"]
        second = [each for each in older if each.where != kept[0].where]
        if "aside" in begun and not folder.exists():
            aside = second[0] if second else folder
            return found + self._whole(aside, self._second, safe, may_lack=False)
        return found + self._goes_on(folder, self._second, safe, may_lack=False)

    def _is_second(self, folder: JournalFolder) -> bool:
        return folder.exists() and folder.verify().records <= len(self._second)

    def _goes_on(
        self, folder: JournalFolder, frames: tuple[bytes, ...], records: int, *, may_lack: bool
    ) -> list[str]:
        """Let a writer open it and go on, as a start does."""
        if records and not folder.exists():
            return [f"the journal is gone, of which {records} records were said to be safe"]
        if folder.exists() and records and folder.verify().status == "damaged":
            return ["the journal is damaged before its recovery"]
        writer = folder.writer(_CREATED_NS, SEGMENTS)
        known = writer.records
        if known < records:
            writer.close()
            return [f"{records - known} records are lost of {records} that were said to be safe"]
        added = frames[known : known + 3]
        writer.append(b"".join(added))
        writer.commit(True)
        writer.close()
        return self._whole(folder, frames, known + len(added), may_lack=may_lack)

    def _whole(
        self, folder: JournalFolder, frames: tuple[bytes, ...], records: int, *, may_lack: bool
    ) -> list[str]:
        """Compare it with what was written, frame by frame."""
        finding = folder.verify()
        if finding.status != "intact" or finding.records < records:
            return [f"{folder.absolute.name} is {finding.status} with {finding.records} of {records} records"]
        kept: dict[int, bytes] = {}
        for first, chunk in folder.numbered_chunks():
            kept |= dict(enumerate(traded.split(chunk), first))
        if any(frames[number] != frame for number, frame in kept.items()):
            return [f"{folder.absolute.name} has other records than were written"]
        lost = [number for number in range(records) if number not in kept]
        wrong = [number for number in lost if not may_lack or not traded.is_market(frames[number])]
        return [f"{folder.absolute.name} lacks records {wrong[:5]}"] if wrong else []


def _safe_records(said: Said) -> int:
    """Return how many records were said to be safe."""
    commits = (each for each in said if each.get("ended") == "commit")
    return max((int(str(each["records"])) for each in commits), default=0)


def _place_of(said: Said, ended: str) -> int:
    """Return from where on things were said after something had ended."""
    return next(at for at, each in enumerate(said, 1) if each.get("ended") == ended)
