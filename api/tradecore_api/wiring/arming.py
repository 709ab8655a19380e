"""Arms a live configuration, and lets nothing trade that is not armed."""

import time
from pathlib import Path
from typing import final

import msgspec

from tradecore.domain import one_line
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import EngineSpec, InstrumentSpec, Mode
from tradecore.domain.venue_keys import TradingKey
from tradecore.runtime.live.arming import ArmedAccount, ArmedStrategy, Arming, ArmingKey, SignedArming
from tradecore.runtime.session_config import ArmedBy
from tradecore.strategy.code import code_of, hold_to
from tradecore_api.arming_file import ARM_COMMAND, armed_words, read_arming, write_arming
from tradecore_api.config.tables import Config, StrategyConfig
from tradecore_api.state_dir import StateDir
from tradecore_api.version import VERSION
from tradecore_api.wiring.feeds import feed_identity
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import venue_url
from tradecore_api.wiring.strategies import strategies

_SECRET_OF_THIS_MODULE = object()
_PERSON_BYTES_MAX = 32


@final
class Armed:
    """A live configuration that a person armed as it is now.

    Whoever holds one may open a connection that trades: `open_venue` takes nothing else. Only `armed` makes
    one, so that paper and shadow never have any.
    """

    __slots__ = ("_config", "_signed")

    def __init__(self, config: Config, signed: SignedArming, proof: object) -> None:
        if proof is not _SECRET_OF_THIS_MODULE:
            raise InvalidValueError("armed", type(proof).__name__, "must come from `wiring.arming.armed`")
        self._config, self._signed = config, signed

    @property
    def config(self) -> Config:
        """The configuration."""
        return self._config

    @property
    def by(self) -> ArmedBy:
        """Who armed it and when."""
        return self._signed.by

    @property
    def words(self) -> str:
        """Who armed what and when, in a line."""
        return armed_words(self._signed.arming)

    def require_code(self) -> None:
        """Refuse code that was changed since it was looked at; to be called when strategies are loaded.

        What is imported later is held to what was armed: a file that was changed by then does not run.

        Raises
        ------
        ConfigError
            Names the files.
        """
        known = {strategy.name: strategy.code for strategy in self._signed.arming.strategies}
        changed = [
            words for now in _strategies(self._config) for words in now.code.changes_since(known[now.name])
        ]
        if changed:
            raise _not_as_armed(self._config, changed)
        if ran := self.hold_code():
            rule = "was loaded by this process as it was before it was changed; start the process anew"
            raise ConfigError(self._config.source, "live", None, f"{', '.join(ran)} {rule}")

    def hold_code(self) -> list[str]:
        """Let no file of a strategy run here that is not as it was armed; return those that did before."""
        known = {strategy.name: strategy.code for strategy in self._signed.arming.strategies}
        folder = _folder_of(self._config)
        ran = [
            name
            for strategy in self._config.strategies
            for name in hold_to(strategy.reference, known[strategy.name], folder)
        ]
        return list(dict.fromkeys(ran))


def require_armed(proof: object) -> None:
    """Refuse anything but the proof that a configuration is armed, for those whom no type checker warns.

    Raises
    ------
    InvalidValueError
        Names what it is.
    """
    if type(proof) is not Armed:
        rule = "must be an Armed: what is not armed opens no connection that trades"
        raise InvalidValueError("armed", type(proof).__name__, rule)


def arm(config: Config, person: str, state: StateDir | None = None) -> SignedArming:
    """Arm a live configuration as it is now: write down, signed, what may trade where, and how much.

    It is written into the state directory of its account, or where `state` says.

    Raises
    ------
    ConfigError
        When it is not of live mode, or a strategy, a key or a host of it cannot be used.
    StorageError
        When it cannot be written.
    """
    is_plain = one_line.is_one_line(person) and person == person.strip()
    if not is_plain or not 0 < len(person.encode()) <= _PERSON_BYTES_MAX:
        rule = f"must be a name of 1 to {_PERSON_BYTES_MAX} bytes, all printable: who arms it"
        raise ConfigError("command line", "--by", person, rule)
    _require_live(config)
    strategies(config)
    signed = SignedArming.of(_arming_of(config, person), _key(config))
    write_arming(state or StateDir(config.tables.account.name), signed)
    return signed


def armed(config: Config, state: StateDir | None = None) -> Armed:
    """Return the proof that a live configuration is armed as it is now; `state` is where that was written.

    Raises
    ------
    ConfigError
        When it is not of live mode, was not armed, or is not as it was armed: names what has changed.
    StorageError
        When the arming cannot be read.
    """
    _require_live(config)
    signed = read_arming(state or StateDir(config.tables.account.name))
    if signed is None:
        rule = "is not armed: nothing trades with money that nobody armed"
        raise ConfigError(config.source, "live", None, f"{rule}; {_how(config)}")
    if problems := signed.problems(_key(config)):
        raise _not_as_armed(config, problems)
    if changes := _arming_of(config, signed.arming.person).changes_since(signed.arming):
        raise _not_as_armed(config, changes)
    found = Armed(config, signed, _SECRET_OF_THIS_MODULE)
    found.hold_code()
    return found


def _require_live(config: Config) -> None:
    if config.tables.mode is not Mode.LIVE:
        rule = f"only a live configuration is armed, and this one is of {config.tables.mode.value} mode"
        raise ConfigError(config.source_of("mode"), "mode", config.tables.mode.value, rule)


def _not_as_armed(config: Config, changes: list[str]) -> ConfigError:
    rule = f"is not as it was armed: {'; '.join(changes)}. Look at it, and then {_how(config)}"
    return ConfigError(config.source, "live", None, rule)


def _how(config: Config) -> str:
    if not Path(config.source).is_file():
        return "arm it: call `EmbeddedEngine.arm`"
    with_options = ", with the same --set and variables" if config.sources else ""
    return f"arm it: `{ARM_COMMAND} {config.source} --by PERSON`{with_options}"


def _key(config: Config) -> ArmingKey:
    """Return the key that signs: made of that of the first account."""
    key = live_key(config, accounts_of(config)[0].live, TradingKey)
    return ArmingKey.of(key.key_id, key.secret)


def _arming_of(config: Config, person: str) -> Arming:
    spec = config.engine_spec()
    canaries = {canary.account: canary for canary in spec.canaries}

    def armed_account(account: LiveAccount) -> ArmedAccount:
        live = account.live
        name, canary = account.part.name, config.canary_of(live)
        return ArmedAccount(
            name=name,
            host=venue_url(config, live).rstrip("/"),
            key_id=live_key(config, live, TradingKey).key_id,
            person=config.person_of(live) or "",
            canary=canaries[name],
            venues=() if canary is None else canary.venues,
            settings={
                "symbols": live.symbols,
                "assign": live.assign,
                "foreign": live.foreign.value,
                **_what_bounds_count_by(config, spec, name),
            },
        )

    return Arming(
        person=person,
        time_ns=time.time_ns(),
        version=VERSION,
        account=config.tables.account.name,
        strategies=tuple(_strategies(config)),
        accounts=tuple(armed_account(account) for account in accounts_of(config)),
        approval=spec.approval,
    )


def _what_bounds_count_by(config: Config, spec: EngineSpec, account: str) -> dict[str, object]:
    """Return what says what an order at an account is worth, and when its day begins.

    With another multiplier, another conversion or the prices of another feed a canary profile bounds
    something else.
    """
    own = next((each for each in spec.accounts if each.name == account), spec.account)
    instruments = [each for each in spec.instruments if spec.account_of(each) == account]
    return {
        "currency": own.currency,
        "conversions": spec.account.conversions,
        "day_start_ns": spec.risk.day_start_ns,
        "feed": feed_identity(config),
        **{f"instrument {each.symbol}": _without_defaults(each) for each in instruments},
    }


def _without_defaults(instrument: InstrumentSpec) -> dict[str, object]:
    plain = InstrumentSpec(symbol=instrument.symbol, tick_size="")
    known: dict[str, object] = msgspec.to_builtins(plain)
    values: dict[str, object] = msgspec.to_builtins(instrument)
    return {name: value for name, value in values.items() if value != known[name]}


def _folder_of(config: Config) -> Path:
    return Path(config.source).absolute().parent


def _strategies(config: Config) -> list[ArmedStrategy]:
    return [_armed_strategy(config, strategy) for strategy in config.strategies]


def _armed_strategy(config: Config, strategy: StrategyConfig) -> ArmedStrategy:
    location, _, name = strategy.reference.rpartition(":")
    code = code_of(
        strategy.reference,
        source=config.source_of(f"{strategy.key}.class"),
        key=f"{strategy.key}.class",
        base=_folder_of(config),
    )
    return ArmedStrategy(
        name=strategy.name,
        reference=f"{Path(location).name if location.endswith('.py') else location}:{name}",
        code=code,
        settings={
            "instruments": strategy.instruments,
            "bars": strategy.bars,
            "history": strategy.history,
            "first_bar": strategy.first_bar,
        },
        parameters=strategy.parameters,
    )
