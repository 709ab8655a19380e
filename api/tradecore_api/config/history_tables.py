"""The tables that say where the past before a session comes from."""

import msgspec

from tradecore_api.config.gap import Gap


class _HistoryTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far back a session is warmed up."""

    length: str = "1h"
    bars: str | None = None
    gap: Gap = Gap.REFUSE


class LocalHistoryTable(_HistoryTable, frozen=True, tag_field="kind", tag="local"):
    """`[history] kind = "local"`: what traded on a local venue before; without `url`, on the one in `[live]`.

    The past warms up bars and indicators before the first live event: strategies are called, and what they
    ask for is refused (`warming_up`). `length` is how far back it begins. All of it is trades, or with
    `bars = "1m"` bars of that length until the last moment at which every bar of a strategy ended, and trades
    from there on. A restart asks for what traded since its journal ends.

    With `gap = "refuse"` a start ends (65) where something is missing between the past and the feed; with
    `tell` it is logged (`history_gap`), and the session goes on with it.
    """

    url: str | None = None


class BinanceHistoryTable(_HistoryTable, frozen=True, tag_field="kind", tag="binance"):
    """`[history] kind = "binance"`: what traded before, by the public REST interface of the feed's market.

    Trades of one price and side at one moment come as one, so a bar that counts trades is a longer one there;
    other keys as of `local`. `url` is another host; without it that of the feed is asked.
    """

    url: str | None = None


class FilesHistoryTable(_HistoryTable, frozen=True, tag_field="kind", tag="files"):
    """`[history] kind = "files"`: the trades and bars of the files in `[data]`; other keys as of `local`.

    Files end before a live feed begins, so there is a gap: they need `gap = "tell"`.
    """


HistoryTable = LocalHistoryTable | BinanceHistoryTable | FilesHistoryTable
