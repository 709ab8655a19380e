"""What somebody meant who wrote a name that there is none of, as Python's own traceback would say."""

import difflib
import inspect
import re
from collections.abc import Iterable

from tradecore._core import OrderDesk
from tradecore.engine.context import Context

_UNKNOWN_ARGUMENT = re.compile(r"\b(OrderDesk|Context)\.(\w+)\(\) got an unexpected keyword argument '(\w+)'")
_OWNERS = {"OrderDesk": OrderDesk, "Context": Context}
# What others call our arguments.
_ELSEWHERE = {
    "qty": "quantity",
    "size": "quantity",
    "amount": "quantity",
    "price": "limit",
    "tif": "time_in_force",
    "sl": "stop_loss",
    "tp": "take_profit",
    "stoploss": "stop_loss",
    "symbol": "instrument_id",
    "pair": "instrument_id",
}


def meant(error: BaseException) -> str:
    """Return `; did you mean NAME?` for a wrong name of an attribute or argument, else nothing."""
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        return _nearest(error.name, _attributes(error.obj)) or _of_context(error.name, error.obj)
    if type(error) is TypeError and (found := _UNKNOWN_ARGUMENT.search(str(error))) is not None:
        owner, method, word = found.groups()
        if callable(called := getattr(_OWNERS[owner], method, None)):
            known = inspect.signature(called).parameters
            return _did(_ELSEWHERE[word]) if _ELSEWHERE.get(word) in known else _nearest(word, known)
    return ""


def _attributes(owner: object) -> list[str]:
    own = object.__getattribute__(owner, "__dict__") if type(owner).__dictoffset__ else {}
    return [name for name in (*dir(type(owner)), *own) if not name.startswith("_")]


def _of_context(name: str, owner: object) -> str:
    """Other programs have on the strategy itself what is on its context here."""
    is_own = type(owner).__module__.partition(".")[0] not in {"builtins", "tradecore"}
    return _did(f"ctx.{name}") if is_own and name in dir(Context) else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return _did(by_lower[near[0]]) if near else ""


def _did(name: str) -> str:
    return f"; did you mean {name}?"
