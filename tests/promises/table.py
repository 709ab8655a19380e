"""The table of all promises: what parts found, which tests hold the rest, and what is not built."""

from support.scripts import script

CATALOGUE = script("tools/promise_table.py")
HEAD = ("promise", "what", "tried", "found", "by", "seconds", "worst")
# A table that a terminal can show; the whole text is in the file.
_WORDS_MAX = 90
# What is of no promise: how much there was in all.
_OF_ALL = "all"


def lines(run):
    """Return the table, a line for each promise and part."""
    seconds = {each.name: f"{each.found.seconds:.0f}" for each in run.parts if each.found}
    return [
        line
        for entry in (*CATALOGUE.promises(), None)
        for line in _lines_of(entry, run.rows_of(entry.number if entry else _OF_ALL), seconds)
    ]


def _lines_of(entry, rows, seconds):
    told = [_line(part, row, seconds[part]) for part, row in rows]
    if entry is None or any(part != CATALOGUE.PLANTED for part, _ in rows):
        return told
    # A bug that is noticed shows that its test looks, and not how often the promise was tried.
    if entry.not_built:
        return [(entry.number, entry.name, "not built", "-", "-", "-", ""), *told]
    by = f"{len(entry.tests)} of its tests"
    return [(entry.number, entry.name, "by the suite", "-", by, "-", ""), *told]


def _line(part, row, seconds):
    tried = f"{row.tried:,}" if row.tried else "not tried"
    return row.promise, _short(row.what), tried, f"{row.found:,}", part, seconds, _short(row.worst)


def _short(words):
    return words if len(words) <= _WORDS_MAX else words[: _WORDS_MAX - 3] + "..."


def known_faults():
    """Return what is known to break promises, a line each."""
    return [f"{', '.join(each.promises)}: {each.says}" for each in CATALOGUE.known_faults()]


def times(run):
    """Return what each part took, and what kept it from its size."""
    return [
        (
            each.name,
            "-" if each.found is None else f"{each.found.seconds:.0f}",
            each.trouble or (each.found.bounded_by if each.found else "") or "all of it",
        )
        for each in run.parts
    ]


def silent(run):
    """Name the promises that a part is to try, and of which it told nothing at all."""
    told = {each.name: {row.promise for row in each.found.rows} for each in run.parts if each.found}
    return [
        f"{entry.number} by {part}"
        for entry in CATALOGUE.promises()
        for part in entry.parts
        if part in told and entry.number not in told[part]
    ]


def strangers(run):
    """Name the promises that parts tell of and nobody made."""
    known = {entry.number for entry in CATALOGUE.promises()} | {_OF_ALL}
    return sorted({row.promise for each in run.parts if each.found for row in each.found.rows} - known)
