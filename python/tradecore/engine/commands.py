"""Commands of operators, from the names that people use to events."""

from typing import cast

from tradecore.domain import EventBatch, InvalidValueError
from tradecore.domain.commands import Command, Plain, SafetyPause, commands
from tradecore.engine.scopes import ScopeNames


def command_batch(command: Command, time_ns: int, names: ScopeNames) -> EventBatch:
    """Return a command as a batch of one event.

    Raises
    ------
    InvalidValueError
        When it is no command, or it does not make sense by itself.
    """
    if not isinstance(cast("object", command), Plain):
        rule = f"must be a command of tradecore.domain.commands: {', '.join(commands())}"
        raise InvalidValueError("command", command, rule)
    # What a command says beside its name it says in these words, whichever command it is.
    scope, instrument = getattr(command, "scope", None), getattr(command, "instrument", None)
    what, number = (None, 0) if scope is None else names.numbered(scope)
    batch = EventBatch()
    batch.command(
        time_ns,
        command.name,
        scope=what,
        scope_id=number,
        limit=getattr(command, "limit", None),
        value=getattr(command, "value", None),
        instrument_id=None if instrument is None else names.instrument(instrument),
        person=getattr(command, "person", None),
        order_id=getattr(command, "order", None),
        # At the market at once is no distance, and needs no time.
        within_bps=getattr(command, "within_bps", None) or None,
        then_market_ns=getattr(command, "then_market_ns", None)
        if getattr(command, "within_bps", 0)
        else None,
        safety=(command.cause, command.seen, command.bound) if isinstance(command, SafetyPause) else None,
    )
    return batch
