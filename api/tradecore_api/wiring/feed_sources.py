"""Where the market data of each instrument come from."""

import msgspec

from tradecore.domain.account_part import parts_of
from tradecore.domain.spec import InstrumentSpec
from tradecore_api.config.tables import Config, FeedTable, LiveTable, LocalFeedTable
from tradecore_api.wiring.secrets import venue_url


class FeedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A feed, and the instruments that it brings.

    Attributes
    ----------
    table : FeedTable or None
        The feed, with its address where it is a local one; `None` where a configuration names none.
    numbers : tuple of int
        The engine's numbers of its instruments.
    instruments : tuple of InstrumentSpec
        Those instruments by the names that the venue has for them.
    """

    table: FeedTable | None
    numbers: tuple[int, ...]
    instruments: tuple[InstrumentSpec, ...]

    def narrowed(self, config: Config) -> Config:
        """Return a configuration with the instruments of this source alone."""
        tables = msgspec.structs.replace(config.tables, instruments=self.instruments)
        return msgspec.structs.replace(config, tables=tables)


def sources_of(config: Config) -> tuple[FeedSource, ...]:
    """Return the sources of all instruments, each source once; without a feed one that has none.

    Raises
    ------
    ConfigError
        When the file of keys that says where a venue listens cannot be used.
    """
    tables = config.tables
    found: dict[tuple[FeedTable | None, int], dict[int, InstrumentSpec]] = {}
    for part, account in zip(parts_of(config.engine_spec()), (None, *tables.accounts), strict=True):
        live = tables.live if account is None else account.live
        table = tables.feed if account is None or account.feed is None else account.feed
        symbols = {} if live is None else live.symbols
        addressed = _addressed(config, table, live or tables.live)
        for number in part.instruments:
            instrument = tables.instruments[number]
            named = msgspec.structs.replace(
                instrument, symbol=symbols.get(instrument.symbol, instrument.symbol)
            )
            _put(found, addressed, number, named)
    return tuple(
        FeedSource(
            table=table, numbers=tuple(sorted(here)), instruments=tuple(here[at] for at in sorted(here))
        )
        for (table, _), here in (found or {(tables.feed, 0): {}}).items()
    )


def _put(
    found: dict[tuple[FeedTable | None, int], dict[int, InstrumentSpec]],
    table: FeedTable | None,
    number: int,
    instrument: InstrumentSpec,
) -> None:
    """Add an instrument to the first feed of a source that does not have its market yet.

    Two accounts at one venue may trade one market, and a feed brings it as one instrument.
    """
    place = 0
    while any(each.symbol == instrument.symbol for each in found.get((table, place), {}).values()):
        place += 1
    found.setdefault((table, place), {})[number] = instrument


def _addressed(config: Config, table: FeedTable | None, live: LiveTable | None) -> FeedTable | None:
    """Return a feed with its address: a local one that names none is that of its account's venue."""
    if not isinstance(table, LocalFeedTable) or table.url is not None or live is None:
        return table
    return msgspec.structs.replace(table, url=venue_url(config, live))
