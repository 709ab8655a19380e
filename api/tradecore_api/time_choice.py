"""`--since` and `--until`: which times a command is asked about."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tradecore.domain.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def chosen_times(arguments: argparse.Namespace) -> Callable[[int], bool]:
    """Return what tells whether UTC nanoseconds are from `since` on and before `until`.

    Raises `ConfigError` for what is no date and no time.
    """
    since_ns, until_ns = _bound("--since", arguments.since), _bound("--until", arguments.until)

    def is_chosen(time_ns: int) -> bool:
        return (since_ns is None or time_ns >= since_ns) and (until_ns is None or time_ns < until_ns)

    return is_chosen


def _bound(option: str, text: str | None) -> int | None:
    """Return a date or time of ISO 8601 in UTC nanoseconds; without a zone it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        rule = "must be a date or a time such as 2026-11-28 or 2026-11-28T18:30:00Z"
        raise ConfigError("command line", option, text, rule) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1) * 1_000
