"""Commands that stop trading, as a line of text: what a file in the state directory says."""

from tradecore.domain.commands import command_of, commands
from tradecore.domain.errors import InvalidValueError
from tradecore.ports.control_channel import ControlRequest, Stop

# Commands that nobody has to answer for by name; all others are of the command line.
_STOPS = ("pause", "resume", "flatten", "kill", "release-kill", "cancel-all")
RULE = f"must be stop, cancel ORDER, or one of {', '.join(_STOPS)} with or without a scope"


def request_of(text: str) -> ControlRequest:
    """Return the request that a line says, e.g. `pause`, `flatten instrument:BTC-USD` or `cancel 17`.

    Raises
    ------
    InvalidValueError
        When it says something else, or the command has no such scope or number.
    """
    if len(lines := text.strip().splitlines()) > 1:
        rule = "must be one line: a file has one command"
        raise InvalidValueError("command", "; ".join(lines)[:80], rule)
    match text.split():
        case ["stop"]:
            return Stop()
        case ["cancel", number] if number.isascii() and number.isdigit():
            return command_of("cancel", order=int(number))
        case [name] if name in _STOPS:
            return command_of(name.replace("-", "_"))
        case [name, scope] if (
            name in _STOPS and "scope" in commands()[name.replace("-", "_")].__struct_fields__
        ):
            return command_of(name.replace("-", "_"), scope=scope)
        case _:
            raise InvalidValueError("command", text[:80], RULE)
