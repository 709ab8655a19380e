"""The tables that say how often a live engine asks again."""

from typing import Annotated

import msgspec

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class RetryTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often something is sent in all, the first wait, doubled each time, and the longest one.

    Waits vary by half, so that many do not come back together.
    """

    tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    first_wait_ms: _Positive = 100
    longest_wait_ms: _Positive = 5_000


class ModificationRetryTable(RetryTable, frozen=True):
    """As `[live.retries.placement]`, for amendments and cancels; a cancel goes on beyond its tries."""

    tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    first_wait_ms: _Positive = 200
    longest_wait_ms: _Positive = 3_000


class DataRetryTable(RetryTable, frozen=True):
    """As `[live.retries.placement]`, for questions."""

    tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    first_wait_ms: _Positive = 500
    longest_wait_ms: _Positive = 10_000


class LiveRetriesTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[live.retries]`: how what provably did not happen is sent again, and what had no answer asked again.

    `placement` is of new orders, `modification` of amendments and cancels, `data` of questions.
    """

    placement: RetryTable = RetryTable()
    modification: ModificationRetryTable = ModificationRetryTable()
    data: DataRetryTable = DataRetryTable()
