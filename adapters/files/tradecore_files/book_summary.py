"""What a recorded book of Kraken or OKX holds."""

from pathlib import Path

import msgspec

from tradecore.domain.steps import power_of_ten
from tradecore_files.book_contents import BookPair, BookVenue, book_contents
from tradecore_files.summary import FileSummary, InstrumentGuess


def summarize_books(path: Path, venue: str, summary: FileSummary) -> FileSummary:
    """Complete a summary with pairs, depths, snapshots and what is missing."""
    contents = book_contents(path, BookVenue(venue))
    pairs = contents.pairs
    problems = [contents.problem] if contents.problem else []
    if not pairs and not problems:
        problems.append(f"{path}: holds no book messages, and book_capture reads nothing else")
    counts = {
        "snapshot": sum(pair.snapshots for pair in pairs.values()),
        "update": sum(pair.updates for pair in pairs.values()),
        "other": contents.others,
    }
    notes = [f"{name}: {what}" for name, pair in pairs.items() for what in _notes(pair)]
    return msgspec.structs.replace(
        summary,
        format=f"{venue}_capture",
        kind="messages",
        rows=contents.messages,
        first_time_ns=contents.first_time_ns,
        last_time_ns=contents.last_time_ns,
        messages={name: count for name, count in counts.items() if count},
        symbols=tuple(sorted(pairs)),
        instruments=tuple(_guess(name, pair) for name, pair in pairs.items()),
        notes=tuple(notes),
        problems=tuple(problems),
    )


def _guess(symbol: str, pair: BookPair) -> InstrumentGuess:
    return InstrumentGuess(
        symbol=symbol,
        tick_size=power_of_ten(pair.price_decimals),
        lot_size=power_of_ten(pair.size_decimals),
        book_levels_max=pair.levels_max,
    )


def _notes(pair: BookPair) -> list[str]:
    notes = []
    if not pair.snapshots:
        notes.append(
            "there is no snapshot, so no book will come: changes alone do not tell what it was before"
        )
    if len(pair.channels) > 1:
        notes.append(f"messages of several channels ({', '.join(sorted(pair.channels))}): leave those of one")
    return notes
