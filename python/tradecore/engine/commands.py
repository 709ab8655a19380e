"""Commands of operators, from the names that people use to events."""

import msgspec

from tradecore.domain import EventBatch
from tradecore.engine.scopes import ScopeNames


class Subject(msgspec.Struct, frozen=True):
    """What a command says beside its name, as `Engine.command` takes it."""

    scope: str = ""
    limit: str = ""
    value: str | None = None
    instrument: str = ""
    person: str = ""


def command_batch(kind: str, time_ns: int, about: Subject, names: ScopeNames) -> EventBatch:
    """Return a command as a batch of one event.

    Raises
    ------
    InvalidValueError
        When there is no such command, or it does not make sense by itself.
    """
    batch = EventBatch()
    match kind:
        case "set_limit":
            scope = names.numbered(about.scope)
            batch.set_limit(time_ns, *scope, about.limit, about.value, about.person)
        case "release":
            batch.release(time_ns, *names.numbered(about.scope), about.person)
        case "allow" | "forbid":
            strategy_id, instrument_id = names.strategy(about.scope), names.instrument(about.instrument)
            batch.permit(time_ns, strategy_id, instrument_id, kind == "allow", about.person)
        case _:
            batch.command(time_ns, kind)
    return batch
