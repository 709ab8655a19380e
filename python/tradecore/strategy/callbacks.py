"""The callbacks of a strategy: which there are, what each is called with, and what only looks like one."""

import difflib
import inspect
from collections.abc import Iterator
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType

# What each callback gets beside the context.
CALLBACKS = {
    "on_start": (),
    "on_bar": ("bar",),
    "on_quote": ("quote",),
    "on_book": ("book",),
    "on_trade": ("trade",),
    "on_fill": ("fill",),
    "on_order": ("update",),
    "on_timer": ("timer_id",),
    "on_cash_flow": ("flow",),
    "on_liquidation": ("liquidation",),
    "on_revision": ("revision",),
    "on_stop": (),
    "save_state": (),
    "load_state": ("state",),
}
# Where a strategy says which forms of its state it reads; no method.
STATE_VERSIONS = "state_versions"
_STATE_VERSION_MAX = 2**63 - 1
# What other programs call these: their users write such a name first.
_ELSEWHERE = {
    "on_candle": "on_bar",
    "on_kline": "on_bar",
    "on_data": "on_bar",
    "on_tick": "on_trade or on_quote",
    "on_orderbook": "on_book",
    "on_order_book": "on_book",
    "next": "on_bar",
    "init": "on_start",
    "populate_indicators": "on_start (indicators of ctx) and on_bar",
    "populate_entry_trend": "on_bar (ctx.buy, ctx.sell)",
    "populate_exit_trend": "on_bar (ctx.close)",
    "populate_buy_trend": "on_bar (ctx.buy, ctx.sell)",
    "populate_sell_trend": "on_bar (ctx.close)",
    "custom_stoploss": "on_bar (stop_loss_pct= of ctx.buy)",
}
# Nothing calls these while data come.
_AT_THE_ENDS = frozenset({"on_start", "on_stop", "save_state", "load_state"})
# Calling such a function runs nothing of it: its result has to be awaited or iterated.
_LAZY = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def signature_problems(strategy: object) -> list[tuple[str, str]]:
    """Return each callback that cannot be called as the engine calls it, and what is wrong with it.

    `state_versions`, which is no callback, is among them where it names no versions. The second of a pair
    names file, line and the signature that the callback should have.
    """
    found = []
    for name, arguments in CALLBACKS.items():
        callback = getattr(strategy, name, None)
        if callback is not None and (problem := _problem(name, callback, arguments)) is not None:
            found.append((name, problem))
    if (problem := _versions_problem(strategy)) is not None:
        found.append((STATE_VERSIONS, problem))
    return found


def is_state_version(value: object) -> bool:
    """Tell whether a value names a form of a strategy's state: a whole number that a snapshot can hold."""
    return type(value) is int and 0 <= value <= _STATE_VERSION_MAX


def unknown_callbacks(strategy: object) -> list[str]:
    """Return a sentence for each method that reads like a callback and that nothing calls.

    A method that another one of the strategy names is not among them: the strategy calls it by itself.
    """
    owner = type(strategy)
    methods = {
        name: value
        for part in reversed(owner.__mro__)
        for name, value in vars(part).items()
        if isinstance(value, FunctionType | staticmethod | classmethod)
    }
    named = {word for method in methods.values() for word in _names(method)}
    return [
        _unknown(name, methods[name])
        for name in sorted(methods)
        if name not in CALLBACKS and name not in named and _reads_like_one(name)
    ]


def has_callbacks(strategy: object) -> bool:
    """Tell whether anything calls the strategy between its start and its end."""
    return any(getattr(strategy, name, None) is not None for name in CALLBACKS.keys() - _AT_THE_ENDS)


def _versions_problem(strategy: object) -> str | None:
    said = getattr(strategy, STATE_VERSIONS, ())
    listed = said if isinstance(said, list | tuple) else (said,)
    if all(is_state_version(version) for version in listed):
        return None
    return f"is {said!r:.80}, but must be whole numbers from 0 on, its own version first, such as (2, 1)"


def _problem(name: str, callback: object, arguments: tuple[str, ...]) -> str | None:
    code = _code(callback)
    is_lazy = code is not None and bool(code.co_flags & _LAZY)
    if callable(callback) and not is_lazy and _takes(callback, code, 1 + len(arguments)):
        return None
    # From here on only for those who did it wrong: every engine of a sweep asks.
    wanted = f"def {name}({', '.join(('self', 'ctx', *arguments))})"
    if not callable(callback):
        return f"is {callback!r}, but must be a method: {wanted}"
    place = "" if code is None else f" ({_place(code)})"
    if code is not None and is_lazy:
        what = "async" if code.co_flags & inspect.CO_COROUTINE else "a generator"
        return f"must not be {what}, because nothing would run it: write {wanted}{place}"
    return f"takes other arguments than the engine gives: write {wanted}{place}"


def _takes(callback: object, code: CodeType | None, count: int) -> bool:
    """Tell whether a callable can be called with so many arguments by position."""
    if type(callback) is MethodType and code is not None and not code.co_kwonlyargcount:
        wanted = count + 1
        defaults = len(getattr(callback.__func__, "__defaults__", None) or ())
        if code.co_argcount - defaults <= wanted <= code.co_argcount:
            return True
    try:
        inspect.signature(callback).bind(*range(count))  # type: ignore[arg-type] # the caller saw that it is callable
    except TypeError:
        return False
    except ValueError:
        # A callable of another language does not say.
        return True
    return True


def _code(callback: object) -> CodeType | None:
    function = inspect.unwrap(getattr(callback, "__func__", callback))  # type: ignore[arg-type] # or any object
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _place(code: CodeType) -> str:
    return f"{PurePath(code.co_filename).name} line {code.co_firstlineno}"


def _names(method: object) -> Iterator[str]:
    """Give every name that the code of a method reads, that of functions inside it among them."""
    code = _code(method)
    waiting = [] if code is None else [code]
    while waiting:
        code = waiting.pop()
        yield from code.co_names
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                waiting.append(constant)
            elif isinstance(constant, str):
                # As in `getattr(self, "on_signal")`.
                yield constant


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


_PLAIN = {_plain(name): name for name in CALLBACKS}


def _reads_like_one(name: str) -> bool:
    return name.startswith("on_") or _plain(name) in _PLAIN or name in _ELSEWHERE


def _unknown(name: str, method: object) -> str:
    code = _code(method)
    place = "" if code is None else f" ({_place(code)})"
    close = (
        _PLAIN.get(_plain(name))
        or _ELSEWHERE.get(name)
        or next(iter(difflib.get_close_matches(name, CALLBACKS, 1, 0.7)), None)
    )
    hint = f"did you mean {close}?" if close else f"the callbacks are {', '.join(CALLBACKS)}"
    return f"nothing calls {name}{place}: {hint}"
