"""Carries an account over: its journal is kept, and a new one begins with what the account has."""

from collections.abc import Sequence

import msgspec

from tradecore.domain.commands import Command
from tradecore.domain.errors import ConfigError, InvalidValueError, StorageError
from tradecore.domain.journal import JournalFolder, encode_session
from tradecore.domain.opening import Opening
from tradecore.domain.spec import InstrumentSpec, Mode, Positions
from tradecore.engine.carried import CarriedAccount, followed_account, opened_frames
from tradecore.runtime.recovery import feed_taken_up_at, recorded_config
from tradecore.runtime.session_config import SessionConfig, check_mode


class CarriedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What was carried over, and what was not.

    Attributes
    ----------
    kept : str
        Where the journal before is now.
    opening : Opening
        What the new journal begins with.
    commands : tuple of Command
        Commands of operators that were given again.
    orders : tuple of str
        Open orders that ended.
    left_out : tuple of str
        What could not be taken along, a sentence each.
    """

    kept: str
    opening: Opening
    commands: tuple[Command, ...] = ()
    orders: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def carry_over(
    folder: JournalFolder, config: SessionConfig, version: str, changed: Sequence[str]
) -> CarriedOver:
    """Begin a new journal with the account of the one that is there, which is kept beside it.

    The journal is verified first. The new one is written whole under a name of its own and takes the place of
    the old one in one step: whenever the process dies, one of the two is in place.

    Parameters
    ----------
    folder : JournalFolder
        The journal; nobody writes it.
    config : SessionConfig
        What the account goes on with.
    version : str
        Version of the program, for the first record.
    changed : sequence of str
        What is different, each in words; it is kept in the opening.

    Raises
    ------
    ConfigError
        When what the account holds has no place in the new configuration; nothing is changed then.
    StorageError
        When the journal is damaged, when another process writes it, or when the disk says no.
    """
    # A tail that a crash left unfinished is cut off and kept, as at any other start.
    folder.writer(0).close()
    finding = folder.verify()
    if finding.status != "intact":
        raise StorageError(
            folder.where, f"is {finding.status}: only a journal that is intact is carried over"
        )
    recorded = _recorded(folder)
    check_mode(recorded.engine.mode.value, config.engine.mode, folder.where)
    account = followed_account(recorded.engine, recorded.names, folder.chunks())
    if recorded.engine.mode is Mode.LIVE:
        _check_all_has_ended(account, folder)
        _check_no_tickets(account, recorded, folder)
    account, left_out = _as_known(account, recorded, config, folder)
    is_same_feed = recorded.feed == config.feed
    opening = msgspec.structs.replace(
        account.opening,
        before=finding.head,
        changed=_told_changes(changed, account.orders, left_out),
        # The feed brings again what a retention has dropped from the journal.
        market_events=account.opening.market_events + finding.dropped if is_same_feed else 0,
    )
    if is_same_feed and (taken_up_at := feed_taken_up_at(folder)) is not None:
        # Events before that time are left out by their time: the count does not have them.
        config = msgspec.structs.replace(config, feed_from_ns=taken_up_at)
    note = encode_session(account.time_ns, version, config.encoded())
    frames = note + _first_frames(config, opening, account, folder)
    kept = folder.succeed(frames, account.time_ns, finding.file_bytes)
    return CarriedOver(
        kept=kept.where,
        opening=opening,
        commands=account.commands,
        orders=account.orders,
        left_out=left_out,
    )


def _recorded(folder: JournalFolder) -> SessionConfig:
    """Return the configuration of a journal of any version."""
    try:
        return SessionConfig.decoded(recorded_config(folder))
    except msgspec.ValidationError as error:
        raise ConfigError(
            folder.where,
            "session",
            None,
            f"the configuration in its first record cannot be read ({error}): start with --new-journal",
        ) from error


def _first_frames(
    config: SessionConfig, opening: Opening, account: CarriedAccount, folder: JournalFolder
) -> bytes:
    try:
        return opened_frames(config.engine, config.names, opening, account.commands, account.time_ns)
    except InvalidValueError as error:
        is_about_lots = error.field.startswith("opening.lots")
        way = "close the position" if is_about_lots else "take that money out"
        commands = "`tradecore flatten`" if is_about_lots else "`tradecore transfer` or `convert`"
        raise ConfigError(
            folder.where,
            error.field,
            error.value,
            f"{error.rule}. The account cannot be carried over as it is: restore that setting, or {way} with "
            f"the settings of before ({commands}), then carry it over",
        ) from error


def _check_all_has_ended(account: CarriedAccount, folder: JournalFolder) -> None:
    """Refuse to go on where orders may be open at a venue: the new journal would not know of their fills."""
    if account.orders:
        raise ConfigError(
            folder.where,
            "orders",
            len(account.orders),
            f"may be open at the venue ({'; '.join(account.orders)}), and what they fill would be in no "
            "books. Start once more with the settings and the code of before, end them "
            "(`tradecore kill`), and carry the account over then",
        )


def _check_no_tickets(account: CarriedAccount, recorded: SessionConfig, folder: JournalFolder) -> None:
    """Refuse to go on with tickets at a venue: the names that they have there are in this journal alone."""
    hedged = {
        instrument.symbol
        for instrument in recorded.engine.instruments
        if recorded.engine.positions_of(instrument) is Positions.HEDGING
    }
    tickets = [lot for lot in account.opening.lots if lot.instrument in hedged]
    if tickets:
        raise ConfigError(
            folder.where,
            "account.positions",
            Positions.HEDGING.value,
            f"has tickets that are open at the venue ({len(tickets)} of them), whose names there are in this "
            "journal alone. Close them with the settings and the code of before (`tradecore flatten`), then "
            "carry the account over",
        )


def _as_known(
    account: CarriedAccount, recorded: SessionConfig, config: SessionConfig, folder: JournalFolder
) -> tuple[CarriedAccount, tuple[str, ...]]:
    """Leave out what is about strategies and instruments that are gone; a position of one is refused."""
    strategies = set(config.names)
    symbols = {instrument.symbol for instrument in config.engine.instruments}
    for lot in account.opening.lots:
        what = "strategy" if lot.strategy not in strategies else "instrument"
        name = lot.strategy if what == "strategy" else lot.instrument
        if lot.strategy not in strategies or lot.instrument not in symbols:
            raise ConfigError(
                folder.where,
                what,
                name,
                "is in the configuration no more, and the account has a position there: "
                f"{lot.quantity:f} {lot.instrument} of {lot.strategy}. Put the {what} back, or close the "
                "position with the settings of before (`tradecore flatten`), then carry the account over",
            )
    _check_contracts(account, recorded, config, folder)
    scopes = {*config.engine.account_scopes, *(f"strategy:{name}" for name in strategies)}
    scopes |= {f"instrument:{symbol}" for symbol in symbols}
    opening = msgspec.structs.replace(
        account.opening,
        prices={symbol: price for symbol, price in account.opening.prices.items() if symbol in symbols},
        losses=tuple(loss for loss in account.opening.losses if loss.scope in scopes),
    )
    commands = tuple(
        command
        for command in account.commands
        if getattr(command, "scope", None) in scopes | {None}
        and getattr(command, "instrument", None) in symbols | {None}
    )
    gone = [f"`{command.words()}`" for command in account.commands if command not in commands]
    gone += [f"losses of {loss.scope}" for loss in account.opening.losses if loss.scope not in scopes]
    left_out = tuple(f"{what} is about what is gone, and was left out" for what in gone)
    return msgspec.structs.replace(account, opening=opening, commands=commands), left_out


def _check_contracts(
    account: CarriedAccount, recorded: SessionConfig, config: SessionConfig, folder: JournalFolder
) -> None:
    """Refuse a position in what is another contract now: its profit would be another."""
    now = {instrument.symbol: instrument for instrument in config.engine.instruments}
    held = {lot.instrument for lot in account.opening.lots}
    for was in recorded.engine.instruments:
        if was.symbol in held:
            _check_positions(was, now[was.symbol], recorded, config, folder)
        for key in ("kind", "multiplier", "settlement", "base") if was.symbol in held else ():
            if getattr(was, key) != getattr(now[was.symbol], key):
                raise ConfigError(
                    folder.where,
                    f"instruments.{was.symbol}.{key}",
                    getattr(now[was.symbol], key),
                    f"was {getattr(was, key)}, and the account has a position in it: restore it, or close "
                    "the position with the settings of before (`tradecore flatten`), then carry it over",
                )


def _check_positions(
    was: InstrumentSpec,
    now: InstrumentSpec,
    recorded: SessionConfig,
    config: SessionConfig,
    folder: JournalFolder,
) -> None:
    """Refuse a position that was netted where positions hedge now, and tickets where they are netted."""
    before, after = recorded.engine.positions_of(was), config.engine.positions_of(now)
    if before != after:
        raise ConfigError(
            folder.where,
            "account.positions",
            after.value,
            f"was {before.value}, and the account has a position in {was.symbol}: restore it, or close the "
            "position with the settings of before (`tradecore flatten`), then carry it over",
        )


def _told_changes(changed: Sequence[str], orders: Sequence[str], left_out: Sequence[str]) -> str:
    """Return the text that the opening keeps."""
    ended = [f"ended: {order}" for order in orders]
    return "\n".join([*changed, *ended, *left_out])
