"""Exceptions, split by who must act. An expected "no" is a value (`Refused`), not an exception."""

from tradecore.domain.times import iso_time


class TradecoreError(Exception):
    """Everything this project raises on purpose."""


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
        super().__init__(f"{field} {value!r}: {rule}")
        self.field = field
        self.value = value
        self.rule = rule


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
    """

    def __init__(self, source: str, key: str, value: object, rule: str) -> None:
        given = "" if value is None else f" = {value!r}"
        super().__init__(f"{source}: {key}{given}: {rule}")
        self.source = source
        self.key = key
        self.value = value
        self.rule = rule


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


class BrokenInvariantError(TradecoreError):
    """A promise of ours is broken: stop trading and keep the journal."""


class StrategyWarning(UserWarning):
    """A strategy has something that does nothing, such as a method that nothing calls."""


def _at(time_ns: int) -> str:
    """Return when it was, as people read it; before its first event an engine has no time."""
    return f" at {iso_time(time_ns)}" if time_ns else " before the first event"
