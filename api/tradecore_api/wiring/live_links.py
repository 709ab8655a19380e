"""The venues of a live engine, and its lines to them."""

from collections.abc import Mapping, Sequence

import msgspec

from tradecore.domain.errors import ConfigError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import EngineSpec
from tradecore.domain.units import Units
from tradecore.domain.venue_keys import TradingKey
from tradecore.ports.venue import Venue
from tradecore.runtime import SystemClock
from tradecore.runtime.live.fence import AccountHold, Fence
from tradecore.runtime.live.needs import unmet
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.live.venue_links import VenueLinks
from tradecore.strategy import StrategyBinding
from tradecore_api.config.tables import Config
from tradecore_api.live_papers import LivePapers, Papers
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring.arming import Armed
from tradecore_api.wiring.hosts import place_of
from tradecore_api.wiring.live import drop_copy, link_settings, open_venue, report_key, shared_budget
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import venue_url

Venues = Mapping[str, Venue]


def _fences_of(
    accounts: Sequence[LiveAccount], folder: JournalFolder, holds: Mapping[str, AccountHold]
) -> dict[str, Fence]:
    """Return the fence of each account that is held, by its name."""
    return {
        name: Fence(name, folder.first_hash, holds[name], epoch_min=account.live.epoch)
        for account in accounts
        if (name := account.part.name) in holds
    }


async def open_venues(
    armed: Armed, folder: JournalFolder | None = None, holds: Mapping[str, AccountHold] | None = None
) -> dict[str, Venue]:
    """Connect to the venue of each account, with the keys that trade; returns them by the accounts' names.

    Each that is held on this machine is behind a fence, which knows the orders of the journal in `folder`.

    Raises
    ------
    ConfigError
        As of `open_venue`, and when two accounts are one account at their venue.
    VenueError
        When one does not answer; the others are closed again.
    """
    config = armed.config
    accounts = accounts_of(config)
    _check_apart(config)
    fences = {} if folder is None else _fences_of(accounts, folder, holds or {})
    opened: dict[str, Venue] = {}
    try:
        for account in accounts:
            name = account.part.name
            opened[name] = await open_venue(armed, account, fences.get(name))
    except BaseException:
        await close_venues(opened)
        raise
    return opened


async def close_venues(venues: Venues) -> None:
    """Close venues that no session took over; one that fails keeps no other open."""
    for venue in venues.values():
        try:
            await venue.aclose()
        except (TradecoreError, OSError):
            continue


def _check_apart(config: Config) -> None:
    """Refuse two accounts with one key at one venue: each would take the orders of the other for foreign."""
    known: dict[tuple[str, str], str] = {}
    for account in accounts_of(config):
        live = account.live
        there = (place_of(venue_url(config, live)), live_key(config, live, TradingKey).key_id)
        other = known.setdefault(there, account.part.name)
        if other != account.part.name:
            key = f"{config.key_of(live)}.account"
            rule = f"is the account of {other!r} at its venue, too: one account has one name, and one owner"
            raise ConfigError(config.source_of(key), key, live.account, rule)


def watched_spec(config: Config, venues: Venues) -> EngineSpec:
    """Return the specification, with what the engine does as the venue of each account does not."""
    spec = config.engine_spec()
    watched = {name: venue.capabilities.watched for name, venue in venues.items()}
    if not watched:
        return spec
    first = watched.pop(spec.account.name)
    others = {name: kinds for name, kinds in watched.items() if kinds}
    renewing = tuple(name for name, venue in venues.items() if not venue.capabilities.replaces)
    return msgspec.structs.replace(spec, watched=first, watched_at=others or None, renews_amended=renewing)


def check_needs(config: Config, bindings: Sequence[StrategyBinding], venues: Venues) -> None:
    """Refuse to start where nobody does what the engine or a strategy needs at an account.

    Raises
    ------
    ConfigError
        Names who needs what, and all that is not there.
    """
    for account in accounts_of(config) if venues else ():
        here = [each for each in bindings if set(each.instruments) & set(account.part.instruments)]
        needs = {each.name: tuple(getattr(type(each.strategy), "venue_needs", ())) for each in here}
        if missing := unmet(venues[account.part.name].capabilities, needs):
            words = "; ".join(f"{who} needs {', '.join(names)}" for who, names in missing.items())
            rule = f"does not have all that is needed, and the engine cannot do it in its place: {words}"
            key = f"{config.key_of(account.live)}.venue"
            raise ConfigError(config.source_of(key), key, None, f"{rule}; see docs/orders.md")


def links(config: Config, folder: JournalFolder, venues: Venues) -> VenueLinks | None:
    """Return the lines to the venues; the names of their orders say which journal they are of."""
    if not venues:
        return None
    spec = config.engine_spec()
    units = Units(spec, ())
    found = {}
    for account in accounts_of(config):
        venue = venues[account.part.name]
        found[account.part.name] = VenueLink(
            venue,
            folder.first_hash,
            units,
            link_settings(config, account.live, venue.capabilities),
            budget=shared_budget(config, account.live, venue.capabilities),
            clock=SystemClock(),
            part=account.part,
            copy=drop_copy(config, account, units),
        )
    return VenueLinks(found, units.parts)


def papers_of(
    config: Config, state: StateDir, journal: JournalFolder, lines: Mapping[str, VenueLink]
) -> Papers:
    """Return what writes the papers of each account: of the first those of the engine itself.

    Raises
    ------
    ConfigError
        When the keys cannot be read.
    """
    return Papers(
        {
            account.part.name: LivePapers(
                state.of_venue_account(account.part.name),
                journal,
                lines[account.part.name],
                report_key(config, account.live),
            )
            for account in accounts_of(config)
        }
    )
