"""The table of the journal."""

from enum import StrEnum
from typing import Annotated

import msgspec

_Positive = Annotated[int, msgspec.Meta(ge=1)]
# In mebibytes, because a journal of many tiny files is slow to open.
_Mebibytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]
_Hours = Annotated[int, msgspec.Meta(ge=0, le=24 * 366)]


class Restart(StrEnum):
    """What a start goes on from."""

    SNAPSHOT = "snapshot"
    START = "start"


class JournalTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[journal]`: where the journal of a run is and how long a group without orders may wait for its sync.

    The journal goes on in a new file when one has `segment_mb` MiB, or spans `segment_hours` of the market's
    time and has a MiB at least; 0 is for no bound. With `pack`, older files are compressed beside the engine:
    nothing of them is lost ([the journal](journal.md#segments)). `reserve_mb` MiB of the disk are kept for
    when it is full ([a full disk](journal.md#a-full-disk)); 0 keeps none.

    A snapshot of the whole state is made every `snapshot_events` records of the journal, market events and
    orders alike, and at a clean end; 0 makes none. A start goes on from the newest one that it can use
    ([snapshots](journal.md#snapshots)); `restart = "start"` replays the journal from its beginning instead,
    as `run --from-start` does.

    A backtest writes no journal, and refuses when it is asked for one. The configuration of a paper or shadow
    run may be backtested as it is.
    """

    path: str | None = None
    commit_interval_ms: _Positive = 50
    segment_mb: _Mebibytes = 64
    segment_hours: _Hours = 24
    pack: bool = True
    snapshot_events: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 200_000
    restart: Restart = Restart.SNAPSHOT
    reserve_mb: Annotated[int, msgspec.Meta(ge=0, le=1 << 10)] = 8
