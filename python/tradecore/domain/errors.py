"""Exceptions, split by who must act. An expected "no" is a value (`Refused`), not an exception."""

import re
from collections.abc import Sequence

from tradecore.domain.quoted import quoted
from tradecore.domain.times import iso_time


class TradecoreError(Exception):
    """Everything this project raises on purpose.

    It can be copied, and sent to another process whole: so an error in a worker of a pool reaches the caller.
    """

    def __reduce__(self) -> tuple[object, ...]:
        """Bring message and attributes along: by itself an exception is made again from its message alone."""
        return _remade, (type(self), self.args), self.__dict__


class InvalidValueError(TradecoreError):
    """The caller gave a value that cannot be accepted.

    Parameters
    ----------
    field : str
        Name of the value.
    value : object
        What was given.
    rule : str
        What it must be.
    """

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(f"{field} {_shown(field, value)}: {rule}")
        self.field = field
        self.value = value
        self.rule = rule


class OffGridError(InvalidValueError):
    """A price or a size is none that the instrument has; an order with it is refused and ends no strategy.

    Parameters
    ----------
    field, value, rule
        As of `InvalidValueError`.
    refusal : str
        Rule of the refusal: `off_tick`, `off_lot`, `not_a_number`, or `invalid_order` for what is too large.
    limit, actual : int
        Limit and value of the refusal. For a number between two steps these are the nearest step and the one
        on its other side, in ticks or lots.
    """

    def __init__(
        self, field: str, value: object, rule: str, *, refusal: str, limit: int, actual: int
    ) -> None:
        super().__init__(field, value, rule)
        self.refusal = refusal
        self.limit = limit
        self.actual = actual


class InvalidSpecError(InvalidValueError):
    """Settings cannot be accepted; names everything that is wrong with them at once.

    `field`, `value` and `rule` are those of the first problem.

    Parameters
    ----------
    problems : sequence of InvalidValueError
        What is wrong, at least one; `field` of each is the path of its key, e.g. `instruments[1].tick_size`.

    Attributes
    ----------
    problems : tuple of InvalidValueError
        The same.
    """

    def __init__(self, problems: Sequence[InvalidValueError]) -> None:
        first = problems[0]
        super().__init__(first.field, first.value, first.rule)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Give every problem a line."""
        lines = [str(problem) for problem in self.problems]
        if len(lines) == 1:
            return lines[0]
        return "\n  ".join([f"{len(lines)} settings cannot be accepted:", *lines])


class ConfigError(TradecoreError):
    """The operator must change the configuration: names file, key, value and rule.

    Parameters
    ----------
    source : str
        File, environment variable or command-line option the value came from.
    key : str
        Dotted key, e.g. `account.cash`.
    value : object
        What was given; `None` when it is missing.
    rule : str
        What it must be, and what to do next.

    Attributes
    ----------
    others : tuple of ConfigError
        What else is wrong, found at the same time.
    """

    def __init__(self, source: str, key: str, value: object, rule: str) -> None:
        given = "" if value is None else f" = {quoted(value)}"
        super().__init__(f"{source}: {key}{given}: {rule}")
        self.source = source
        self.key = key
        self.value = value
        self.rule = rule
        self.others: tuple[ConfigError, ...] = ()

    @classmethod
    def of(cls, problems: Sequence["ConfigError"]) -> "ConfigError":
        """Return the first of several problems, which brings the others along in `others` and as notes."""
        # One that was told of before is among the others of an earlier one, too.
        found = {id(each): each for problem in problems for each in (problem, *problem.others)}
        first, *rest = found.values()
        first.others = tuple(rest)
        first.__notes__ = [str(problem) for problem in rest]
        return first


class DataError(TradecoreError):
    """Input data cannot be used: says where (file, line or message) and why.

    Parameters
    ----------
    where : str
        File and row, or feed and message number.
    what : str
        The broken rule with the offending value, and what to do next.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class StrategyError(TradecoreError):
    """A strategy failed and its author must act: names strategy, callback, engine time and cause.

    Parameters
    ----------
    strategy : str
        Name of the strategy.
    callback : str
        What was called, e.g. `on_bar`.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    what : str
        The exception, and the line of the strategy it came from.
    """

    def __init__(self, strategy: str, callback: str, time_ns: int, what: str) -> None:
        super().__init__(f"strategy {strategy!r} failed in {callback}{_at(time_ns)}: {what}")
        self.strategy = strategy
        self.callback = callback
        self.time_ns = time_ns
        self.what = what


class GateError(StrategyError):
    """A decision gate failed and its author must act: names gate, strategy, engine time and cause.

    Parameters
    ----------
    gate : str
        Name of the gate's class.
    strategy : str
        Name of the strategy whose request it was to judge.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    what : str
        The exception, and the line of the gate it came from.
    """

    def __init__(self, gate: str, strategy: str, time_ns: int, what: str) -> None:
        super().__init__(strategy, f"gate {gate}", time_ns, what)
        self.gate = gate

    def __str__(self) -> str:
        """Blame the gate: the strategy only asked for what it was to judge."""
        asked = f"a request of strategy {self.strategy!r}{_at(self.time_ns)}"
        return f"decision gate {self.gate!r} failed to judge {asked}: {self.what}"


class VenueError(TradecoreError):
    """An exchange or broker failed, or its answer is unknown.

    Parameters
    ----------
    message : str
        What happened.
    retry_after_ns : int or None
        When a retry may make sense, in nanoseconds from now.
    """

    def __init__(self, message: str, retry_after_ns: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_ns = retry_after_ns


class StorageError(TradecoreError):
    """A disk or database failed: names the path, the operation and the cause.

    Parameters
    ----------
    path : str
        File or directory.
    message : str
        What failed and what to do next.
    retry_after_ns : int or None
        When a retry may make sense, in nanoseconds from now.
    """

    def __init__(self, path: str, message: str, retry_after_ns: int | None = None) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.retry_after_ns = retry_after_ns


class FencedError(TradecoreError):
    """Another engine has taken the account over, or had it with a higher epoch: this one sends nothing more.

    Parameters
    ----------
    account : str
        Name of the account.
    found : str
        What says so, in words.
    advice : str
        What to do.
    """

    def __init__(self, account: str, found: str, advice: str) -> None:
        super().__init__(f"account {account!r} is fenced: {found}. {advice}")
        self.account = account
        self.found = found


class BrokenInvariantError(TradecoreError):
    """A promise of ours is broken: stop trading and keep the journal."""


class DivergenceError(BrokenInvariantError):
    """A replay does not make the recorded bytes again: a strategy or the engine is another one than before.

    Parameters
    ----------
    where : str
        Where they part, in words.
    advice : str
        What to do.
    """

    def __init__(self, where: str, advice: str) -> None:
        super().__init__(f"{where}. {advice}")
        self.where = where


class StrategyWarning(UserWarning):
    """A strategy has something that does nothing, such as a method that nothing calls."""


def _remade(kind: type[TradecoreError], args: tuple[object, ...]) -> TradecoreError:
    """Return an exception with these `args`; its `__init__` is not called, for it takes something else."""
    return kind.__new__(kind, *args)


def _shown(field: str, value: object) -> str:
    """Return a value as it was given, in one line, a time also as people read it."""
    # A table of numpy has a line for each row.
    text = re.sub(r"\n\s*", " ", quoted(value))
    # The native engine gives numbers as text.
    digits = value if isinstance(value, str) else text
    is_time = field.endswith("time_ns") and re.fullmatch(r"-?[0-9]{1,19}", digits) is not None
    return f"{digits} ({iso_time(int(digits))})" if is_time else text


def _at(time_ns: int) -> str:
    """Return when it was, as people read it; before its first event an engine has no time."""
    return f" at {iso_time(time_ns)}" if time_ns else " before the first event"
