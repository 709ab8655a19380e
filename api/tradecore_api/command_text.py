"""Commands that stop trading, as a line of text: what a file in the state directory says."""

import re

from tradecore.domain.commands import Flatten, command_of, commands
from tradecore.domain.errors import InvalidValueError
from tradecore.ports.control_channel import ControlRequest, Stop

# Commands that nobody has to answer for by name; all others are of the command line.
_STOPS = ("pause", "resume", "flatten", "kill", "release-kill", "cancel-all")
RULE = (
    f"must be stop, cancel ORDER, or one of {', '.join(_STOPS)} with or without a scope; "
    "flatten may have --within-bps BPS and --then-market SECONDS behind it"
)
_NS = 1_000_000_000
_BPS_MAX = 9_999
_DAY_SECONDS = 86_400
# More than the number of any order has; Python reads no more than 4,300.
_DIGITS_MAX = 40
_SPACE = re.compile(r"\s+")
# Where the options of a flatten begin, behind its scope or without one.
_OPTION = re.compile(r"(?:^|(?<=\s))--")


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
    name, _, said = _SPACE.sub(" ", text.strip(), count=1).partition(" ")
    match name, said:
        case "flatten", _ if _OPTION.search(said):
            return _flatten_of(text, said)
        case "stop", "":
            return Stop()
        case "cancel", _ if said.isascii() and said.isdigit() and len(said) <= _DIGITS_MAX:
            return command_of("cancel", order=int(said))
        case _, "" if name in _STOPS:
            return command_of(name.replace("-", "_"))
        case _ if (
            name in _STOPS
            and _is_scope(said)
            and "scope" in commands()[name.replace("-", "_")].__struct_fields__
        ):
            return command_of(name.replace("-", "_"), scope=said)
        case _:
            raise InvalidValueError("command", text[:80], RULE)


def _is_scope(said: str) -> bool:
    """Say whether this can be one part: only behind a colon is there a name, which may have spaces in it."""
    return ":" in said.split(maxsplit=1)[0] or len(said.split()) == 1


def _flatten_of(text: str, said: str) -> Flatten:
    """Return a flatten that says how it closes, in the words of the command line, behind its scope."""
    first = _OPTION.search(said)
    scope, options = (said[: first.start()].rstrip(), said[first.start() :].split()) if first else (said, [])
    given = dict(zip(options[::2], options[1::2], strict=False))
    known = {"--within-bps": 0, "--then-market": 0}
    is_known = len(options) % 2 == 0 and len(given) * 2 == len(options) and given.keys() <= known.keys()
    if not is_known or (scope and not _is_scope(scope)):
        raise InvalidValueError("command", text[:80], RULE)
    bps, seconds = given.get("--within-bps"), given.get("--then-market")
    return Flatten(
        scope=scope or None,
        within_bps=None if bps is None else distance_bps(bps),
        then_market_ns=None if seconds is None else time_ns(seconds),
    )


def distance_bps(text: str) -> int:
    """Return a distance in whole basis points, 0 to 9,999; 0 is at the market at once.

    Raises
    ------
    InvalidValueError
        When it is none.
    """
    digits = text.lstrip("0") or "0"
    # By its length first: a line of a file may have more digits than Python reads.
    is_number = text.isascii() and text.isdigit() and len(digits) <= len(str(_BPS_MAX))
    if not is_number or int(digits) > _BPS_MAX:
        raise InvalidValueError("--within-bps", text[:80], f"must be a whole number from 0 to {_BPS_MAX}")
    return int(digits)


def time_ns(text: str) -> int:
    """Return a time in seconds, such as `30` or `0.5`, in nanoseconds: above 0 and at most a day.

    Raises
    ------
    InvalidValueError
        When it is none.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    # What is no number compares as false.
    if not 1e-9 <= seconds <= _DAY_SECONDS:
        rule = f"must be a number of seconds above 0 and at most {_DAY_SECONDS}"
        raise InvalidValueError("--then-market", text[:80], rule)
    return round(seconds * _NS)
