"""Tells what happened in a run, in the order of time: engine, venue, and what went wrong."""

from collections.abc import Iterable, Iterator

import msgspec

from tradecore.domain.journal import JournalFolder
from tradecore.domain.times import iso_time
from tradecore.testkit.local_venue.records import Deed

_MARKET = frozenset({"quote", "trade", "book", "clock", "flow", "mark", "bar", "checked_book"})
_LEFT_OUT = frozenset({"config", "engine_version"})


class Mark(msgspec.Struct, frozen=True):
    """Something that the simulation did: a fault, a kill, a start."""

    time_ns: int
    words: str


def story(journal: JournalFolder, deeds: Iterable[Deed], marks: Iterable[Mark]) -> Iterator[str]:
    """Yield a line for each record of the journal but market data, each deed of the venue and each mark.

    What has the same time is in this order: marks, deeds, records.
    """
    found = [(mark.time_ns, 0, "run", mark.words) for mark in marks]
    found += [(deed.time_ns, 1, "venue", _words(msgspec.to_builtins(deed))) for deed in deeds]
    found += [
        (time_ns, 2, f"#{seq}", f"{kind} {_words(fields)}")
        for seq, time_ns, kind, fields in journal.reader()
        if kind not in _MARKET
    ]
    found.sort(key=lambda each: each[:2])
    for time_ns, _, who, words in found:
        yield f"{iso_time(time_ns)} {who:>8} {words}"


def _words(fields: dict[str, object]) -> str:
    said = (
        f"{name}={value}"
        for name, value in fields.items()
        if value not in (None, "", False) and name not in _LEFT_OUT
    )
    return " ".join(said)
