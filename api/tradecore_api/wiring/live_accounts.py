"""The accounts of a configuration in live mode."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.account_part import AccountPart, parts_of
from tradecore.domain.errors import ConfigError
from tradecore.domain.spec import EngineSpec, InstrumentSpec
from tradecore_api.config import live_check
from tradecore_api.config.tables import Config, LiveTable


class LiveAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a live engine.

    Attributes
    ----------
    part : AccountPart
        What of the engine belongs to it.
    live : LiveTable
        Its venue.
    instruments : tuple of InstrumentSpec
        What it trades, in the order of `part.instruments` and by the venue's own names.
    is_only : bool
        Whether the engine has no other.
    """

    part: AccountPart
    live: LiveTable
    instruments: tuple[InstrumentSpec, ...]
    is_only: bool

    @property
    def lot_sizes(self) -> dict[str, Decimal]:
        """The size of a lot by the venue's name of its instrument."""
        return {each.symbol: Decimal(each.lot_size) for each in self.instruments}


def accounts_of(config: Config, spec: EngineSpec | None = None) -> tuple[LiveAccount, ...]:
    """Return the accounts of a live configuration, by their numbers.

    `spec` is that of the journal, where instruments are not for the configuration to say.

    Raises
    ------
    ConfigError
        When an account has no venue.
    """
    spec = spec or config.engine_spec()
    parts = parts_of(spec)
    tables = {name: (key, live) for name, key, live in live_check.tables_of(config)}
    found = []
    for part in parts:
        key, live = tables.get(part.name, ("live", None))
        if live is None:
            rule = f'is missing: mode = "live" needs a venue for the account {part.name!r}'
            raise ConfigError(config.source, key, None, rule)
        instruments = _there([spec.instruments[number] for number in part.instruments], live)
        found.append(LiveAccount(part=part, live=live, instruments=instruments, is_only=len(parts) == 1))
    return tuple(found)


def _there(instruments: Sequence[InstrumentSpec], live: LiveTable) -> tuple[InstrumentSpec, ...]:
    """Return instruments by the venue's names of them."""
    return tuple(
        msgspec.structs.replace(each, symbol=live.symbols.get(each.symbol, each.symbol))
        for each in instruments
    )
