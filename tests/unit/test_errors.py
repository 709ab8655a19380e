"""What exceptions promise wherever they are caught."""

import copy
from multiprocessing.reduction import ForkingPickler

import pytest

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    GateError,
    InvalidSpecError,
    InvalidValueError,
    OffGridError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)

NEGATIVE = InvalidValueError("account.cash", -5, "must be above 0")
ERRORS = [
    NEGATIVE,
    OffGridError("limit", 1.005, "must lie on the tick", refusal="off_tick", limit=100, actual=101),
    InvalidSpecError([NEGATIVE, InvalidValueError("mode", "live", "must be one of backtest, shadow, paper")]),
    ConfigError.of(
        [ConfigError("a.toml", "mode", None, "is missing"), ConfigError("a.toml", "cash", 0, "is 0")]
    ),
    DataError("row 3", "close nan: is not a number"),
    StrategyError("cross", "on_bar", 1_700_000_000_000_000_000, "ZeroDivisionError: division by zero"),
    GateError("MaxSpread", "cross", 1_700_000_000_000_000_000, "KeyError: 3"),
    VenueError("no answer", retry_after_ns=5),
    StorageError("a.journal", "the disk is full", retry_after_ns=7),
    BrokenInvariantError("a promise is broken"),
]


def _seen(error: TradecoreError) -> tuple[object, ...]:
    """Return all that a caller can see, exceptions in it as their text."""
    attributes = {name: str(value) for name, value in vars(error).items()}
    return type(error), str(error), repr(error), attributes


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_whole_out_of_another_process(error: TradecoreError) -> None:
    """A pool that cannot build an error of its worker waits for ever, so every one can be sent and copied."""
    sent = ForkingPickler.loads(ForkingPickler.dumps(error))

    assert _seen(sent) == _seen(error)
    assert _seen(copy.copy(error)) == _seen(copy.deepcopy(error)) == _seen(error)
