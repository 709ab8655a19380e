"""The tables of a configuration file that are about processes: the engine, its log, its watchdog."""

from enum import StrEnum
from typing import Annotated

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose keys are all known."""


class DaemonTable(ProcessTable, frozen=True):
    """`[daemon]`: heartbeat, control socket and the clock events of live feeds."""

    heartbeat_interval_ms: Positive = 500
    clock_interval_ms: Positive = 1000
    stop_timeout_ms: Positive = 4000


class WatchdogCancels(StrEnum):
    """Which orders a watchdog ends."""

    OWN = "own"
    ACCOUNT = "account"


class WatchdogTable(ProcessTable, frozen=True, kw_only=True):
    """`[watchdog]`: when `tradecore watchdog` takes the engine for gone, and what it does then.

    An engine that has given no sign of life for `silent_ms` hangs: neither a new heartbeat nor an answer. A
    start may take `start_ms`, because it reads its journal. `cancels = "own"` ends the orders of the engine,
    `account` all orders of its accounts in the instruments that the configuration names. `command` is a
    program with its arguments that is run for each alarm, for `command_timeout_ms` at most; it gets the alarm
    as JSON on its standard input and in words as its last argument. Every `check_ms` the venues are asked,
    to know that it could be done.
    """

    silent_ms: Annotated[int, msgspec.Meta(ge=500, le=600_000)] = 3_000
    start_ms: Annotated[int, msgspec.Meta(ge=1_000)] = 120_000
    cancels: WatchdogCancels = WatchdogCancels.OWN
    command: tuple[str, ...] = ()
    command_timeout_ms: Positive = 10_000
    check_ms: Annotated[int, msgspec.Meta(ge=1_000)] = 60_000


class LogLevel(StrEnum):
    """How much is told on stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogTable(ProcessTable, frozen=True):
    """`[log]`: how much is told, and whether as JSON lines."""

    level: LogLevel = LogLevel.INFO
    json: bool = False
