"""When an instrument trades, as a table: what decides how long an order for the day lives."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import msgspec

from tradecore.domain.errors import InvalidValueError

# Calendar of what trades all the time; it has no table.
ALWAYS_OPEN = "24/7"

_StepNs = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Steps = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class SessionTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trading sessions of a calendar in the order of time, written briefly: they stand in journals.

    `of` makes one from starts and ends, `sessions_ns` gives these back. An engine takes 1 to 65,536 sessions.

    Attributes
    ----------
    first_ns : int
        When the first session begins, UTC nanoseconds.
    step_ns : int
        What the spans are counted in, nanoseconds; a minute for most exchanges.
    spans : tuple of int
        Length of the first session, pause after it, length of the second one and so on, in steps. The last
        one is the length of a session; a pause may be 0.
    """

    first_ns: int
    step_ns: _StepNs
    spans: tuple[_Steps, ...]

    @classmethod
    def of(cls, starts_ns: Sequence[int], ends_ns: Sequence[int]) -> "SessionTable":
        """Make a table of sessions, each from its start on, until before its end, UTC nanoseconds.

        Raises
        ------
        InvalidValueError
            When there are none, when there are not as many ends as starts, when one does not end after its
            start, or when one begins before the end of the one before it.
        """
        if not starts_ns or len(starts_ns) != len(ends_ns):
            rule = f"must be as many as the starts, of which there are {len(starts_ns)}, and at least one"
            raise InvalidValueError("ends_ns", len(ends_ns), rule)
        times = [int(time_ns) for pair in zip(starts_ns, ends_ns, strict=True) for time_ns in pair]
        spans = [later - earlier for earlier, later in pairwise(times)]
        if any(length <= 0 for length in spans[::2]):
            raise InvalidValueError("ends_ns", list(ends_ns), "must each be later than the start")
        if any(pause < 0 for pause in spans[1::2]):
            rule = "must not be before the end of the session before"
            raise InvalidValueError("starts_ns", list(starts_ns), rule)
        step_ns = math.gcd(*spans)
        return cls(first_ns=times[0], step_ns=step_ns, spans=tuple(span // step_ns for span in spans))

    def sessions_ns(self) -> list[tuple[int, int]]:
        """Return the start and end of every session, UTC nanoseconds."""
        times = [self.first_ns]
        for span in self.spans:
            times.append(times[-1] + span * self.step_ns)
        return list(zip(times[::2], times[1::2], strict=True))
