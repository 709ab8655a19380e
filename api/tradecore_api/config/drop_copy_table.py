"""The settings of the second reader of a live account."""

from typing import Annotated

import msgspec


class DropCopyTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[live.drop_copy]`: a second reader, which holds what the venue shows it against the books.

    It is on where there is a key that can only ask (`venue_query`); with `enabled = true` a start without
    one is refused, and `false` leaves it out. It looks every `interval_ms`, and asks `url`: another endpoint
    of the venue, where it has one. Without it, it is the one that the file of keys names, or the venue's own.
    Its host has to be this machine, for a local venue, or one of `venues` of the canary profile.
    """

    enabled: bool | None = None
    interval_ms: Annotated[int, msgspec.Meta(ge=100, le=5_000)] = 5_000
    url: str | None = None
