"""What an operator is told beside that a command was taken."""

from collections.abc import Sequence

import msgspec

from tradecore.domain.commands import (
    CancelAll,
    Command,
    Flatten,
    Kill,
    Pause,
    Release,
    ReleaseKill,
    Resume,
    Stopping,
)
from tradecore.domain.money_requests import Money
from tradecore.engine import Engine

# Scopes of a stop that are everything: the only account that there is, or all of several.
WHOLE = frozenset({None, "account", "portfolio"})


def spoken_of(engine: Engine, request: Command | Money) -> Command | Money:
    """Return a request in which the only account, by its name, is everything; any other one as it is.

    So a kill of it is latched for every next start, and what ends a stop of everything says so.
    """
    names = engine.spec.account_names
    if len(names) != 1 or getattr(request, "scope", None) != f"account:{names[0]}":
        return request
    # What a limit halted is named as the halt is.
    return msgspec.structs.replace(request, scope=None if isinstance(request, Stopping) else "account")


def answer_words(engine: Engine, command: Command | Money) -> str:
    """Say that a command ends what never was, or at which accounts it works; empty where neither matters.

    It is journalled in any case.
    """
    found = engine.summary()
    if isinstance(command, Stopping) and command.scope in WHOLE:
        command = msgspec.structs.replace(command, scope=None)
    match command:
        case Release(scope=scope) if scope not in found.halts:
            halted = ", ".join(found.halts)
            beside = f"; halted is {halted}" if halted else ""
            return f"nothing was halted in {scope}, so nothing changed{beside}"
        case Resume(scope=None) if not found.is_paused:
            return f"it was not paused, so nothing changed{_parts(found.stops)}"
        case ReleaseKill(scope=None) if not found.is_killed:
            return f"the kill switch was not engaged, so nothing changed{_parts(found.stops)}"
        case Resume(scope=str(scope)) if f"pause {scope}" not in found.stops:
            return f"{scope} was not paused by itself, so nothing changed{_parts(found.stops)}"
        case ReleaseKill(scope=str(scope)) if f"kill {scope}" not in found.stops:
            return f"{scope} was not killed by itself, so nothing changed{_parts(found.stops)}"
        case Resume(scope=None) | ReleaseKill(scope=None) if found.stops:
            return f"{command.done()}{_parts(found.stops)}"
        case (
            Pause(scope=None)
            | Resume(scope=None)
            | Flatten(scope=None)
            | Kill(scope=None)
            | ReleaseKill(scope=None)
            | CancelAll(scope=None)
        ) if len(engine.spec.account_names) > 1:
            return f"{command.done()}; at every account: {', '.join(engine.spec.account_names)}"
        case Flatten(within_bps=int()):
            return command.done()
        case _:
            return ""


def _parts(stops: Sequence[str]) -> str:
    """Say what is stopped in parts, and stays so until somebody says otherwise of that very part."""
    return f"; stopped in parts: {', '.join(stops)}" if stops else ""
