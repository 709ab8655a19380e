"""Says where a replay parts from its journal: time, event, order and values, in words."""

from typing import NoReturn

from tradecore.domain.errors import DataError, DivergenceError
from tradecore.domain.narrator import Narrator, Noted
from tradecore.domain.record import records_in
from tradecore.domain.times import iso_time
from tradecore.engine import Engine

_LENGTH_BYTES = 4
_ADVICE = (
    "Has a strategy, one of its files or the engine changed? Trading stopped; the journal is kept. Go on "
    "with the old code; or start with --carry-over, which begins a new journal with the cash and the "
    "positions of this one; or with --new-journal, which begins with the configured cash"
)


def raise_divergence(recorded: bytes, regenerated: bytes, engine: Engine) -> NoReturn:
    """Say where recorded and regenerated frames part.

    Parameters
    ----------
    recorded, regenerated : bytes
        Whole frames from the same place of the journal; somewhere in what both have they differ.
    engine : Engine
        Whose instruments and strategies they name.

    Raises `DivergenceError`, always.
    """
    narrator = Narrator(engine.spec, [binding.name for binding in engine.strategies])
    was, made = _first_difference(recorded, regenerated, narrator)
    told = [f"the journal has {_told(was, narrator)}", f"the replay makes {_told(made, narrator)}"]
    if was is not None and made is not None and (different := _differences(was, made, narrator)):
        told.append(f"different: {different}")
    known = was or made
    when = iso_time(known.record.time_ns) if known is not None else "its end"
    raise DivergenceError(f"the replay parts from the journal at {when}: {'; '.join(told)}", _ADVICE)


def _first_difference(
    recorded: bytes, regenerated: bytes, narrator: Narrator
) -> tuple[Noted | None, Noted | None]:
    """Return the first two frames that differ; `None` where one side has no more."""
    start = 0
    while True:
        was, made = _frame(recorded, start), _frame(regenerated, start)
        if was != made or not was:
            return _noted(was, narrator), _noted(made, narrator)
        # The reports that follow name their order by its number alone.
        _noted(was, narrator)
        start += len(was)


def _frame(data: bytes, start: int) -> bytes:
    length = int.from_bytes(data[start : start + _LENGTH_BYTES], "little")
    return data[start : start + _LENGTH_BYTES + length]


def _noted(frame: bytes, narrator: Narrator) -> Noted | None:
    if not frame:
        return None
    try:
        (record,) = records_in(frame, [0])
    except DataError:
        return None
    return narrator.note(record)


def _told(noted: Noted | None, narrator: Narrator) -> str:
    if noted is None:
        return "nothing that can be read"
    return f"{noted.record.kind.replace('_', ' ')} ({narrator.words(noted)})"


def _differences(was: Noted, made: Noted, narrator: Narrator) -> str:
    """Return the values that differ between two records of a kind; empty for two kinds."""
    if was.record.kind != made.record.kind:
        return ""
    before, after = narrator.values(was), narrator.values(made)
    before["time"], after["time"] = iso_time(was.record.time_ns), iso_time(made.record.time_ns)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} was {_value(before, name)}, is {_value(after, name)}" for name in names)


def _value(values: dict[str, object], name: str) -> str:
    return str(values[name]) if name in values else "absent"
