"""The tables of a configuration file, as values."""

from enum import StrEnum
from typing import Annotated

import msgspec

from tradecore.decision import GateConfig
from tradecore.domain.spec import (
    AccountSpec,
    ApprovalSpec,
    CanarySpec,
    EngineSpec,
    FeesSpec,
    InstrumentSpec,
    Mode,
    Name,
    RiskSpec,
    VenueAccountSpec,
    VenueSpec,
)
from tradecore.strategy import FirstBar
from tradecore.strategy.check import HISTORY_MAX
from tradecore_api.config.approval_table import ApprovalTable
from tradecore_api.config.canary_table import CanaryTable
from tradecore_api.config.drop_copy_table import DropCopyTable
from tradecore_api.config.history_tables import HistoryTable
from tradecore_api.config.journal_table import JournalTable
from tradecore_api.config.process_tables import DaemonTable, LogTable, Positive, WatchdogTable
from tradecore_api.config.retry_tables import LiveRetriesTable
from tradecore_api.config.stop_tables import FlattenTable, SafetyTable

Count = Annotated[int, msgspec.Meta(ge=0)]
Paths = str | tuple[str, ...]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]
# As the engine has the names of people who answer for commands.
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose keys are all known."""


class Market(StrEnum):
    """Which market of Binance the configuration means."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"


class BinanceFeedTable(Table, frozen=True, tag_field="kind", tag="binance"):
    """`[feed] kind = "binance"`: live public market data, no key needed."""

    market: Market = Market.SPOT
    ws_url: str | None = None
    rest_url: str | None = None
    queue_batches_max: Positive = 1024


class CaptureMarket(StrEnum):
    """Which market a capture is of; `auto` looks at its first messages."""

    AUTO = "auto"
    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"


class CaptureFeedTable(Table, frozen=True, tag_field="kind", tag="binance_capture"):
    """`[feed] kind = "binance_capture"`: recorded messages, one `<receive_ns> <json>` a line.

    `speed` 0 replays as fast as possible, 1 in real time, n at n times real time. Without
    [[instruments]] those in the capture are taken, ticks and lots as its first messages show them.
    """

    path: str
    market: CaptureMarket = CaptureMarket.AUTO
    speed: NonNegative = 0.0


class BookVenue(StrEnum):
    """Venues whose book messages state checksums."""

    KRAKEN = "kraken"
    KRAKEN_V1 = "kraken_v1"
    OKX = "okx"


class BookCaptureFeedTable(Table, frozen=True, tag_field="kind", tag="book_capture"):
    """`[feed] kind = "book_capture"`: recorded book messages of Kraken or OKX, as fast as possible.

    Lines of `<receive_ns> <json>`, or as cryptofeed writes them, or `{"init": ..., "updates": [...]}`; each
    venue in each form. Every checksum is compared with the book. [[instruments]] name the pairs as the venue
    does, with its ticks and lots. `book_levels_max` is the depth that the capture names: by its channel
    (`book-25`, `books5`), by the recorded subscription, or else by the size of the snapshot.
    """

    path: str
    venue: BookVenue


class SimulatedFeedTable(Table, frozen=True, tag_field="kind", tag="simulated"):
    """`[feed] kind = "simulated"`: a seeded exchange full of agents; `virtual` runs it unpaced."""

    seed: int = 7
    seconds: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = 20.0
    virtual: bool = False


class LocalFeedTable(Table, frozen=True, tag_field="kind", tag="local"):
    """`[feed] kind = "local"`: the market data of a local venue; without `url`, of the one in `[live]`."""

    url: str | None = None


FeedTable = BinanceFeedTable | CaptureFeedTable | BookCaptureFeedTable | SimulatedFeedTable | LocalFeedTable


class DataFormat(StrEnum):
    """How historical data are stored."""

    AUTO = "auto"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
    JSON = "json"
    LEAN = "lean"
    JOURNAL = "journal"


class Rounding(StrEnum):
    """What happens to a price that is not on the tick."""

    EXACT = "exact"
    NEAREST = "nearest"


class QuoteSide(StrEnum):
    """Which price bars of quotes give."""

    MID = "mid"
    BID = "bid"
    ASK = "ask"


class TimeFormat(StrEnum):
    """How a table writes its times; `auto` looks at the first ones."""

    AUTO = "auto"
    ISO = "iso"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    DIGITS = "digits"
    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


class Implausible(StrEnum):
    """What happens to prices and columns that are possible but hardly right."""

    REFUSE = "refuse"
    ACCEPT = "accept"


class InstrumentDataTable(Table, frozen=True):
    """`[data.instrument.NAME]`: files of the instrument of this symbol and how they are read.

    What is absent is as in `[data]`.
    """

    path: Paths | None = None
    trades: Paths | None = None
    quotes: Paths | None = None
    funding: Paths | None = None
    marks: Paths | None = None
    format: DataFormat | None = None
    columns: dict[str, str] | tuple[str, ...] | None = None
    rounding: Rounding | None = None
    quote_side: QuoteSide | None = None
    interval_ns: Positive | None = None
    timezone: str | None = None
    time_format: TimeFormat | None = None
    date: str | None = None
    price_scale: Positive | None = None
    implausible: Implausible | None = None


class DataTable(Table, frozen=True):
    """`[data]`: bars, trades and quotes of the past for `tradecore backtest`.

    `path` is a file, a list of files, a directory (its data files) or a pattern such as `btc/*.csv.gz`.
    Several files are one series in the order of time, whatever they are called; a row that two of them have
    alike is taken once, and two that differ about one time are an error. With several instruments each has
    its own: write `{symbol}` in the path (`/` and `:` of a symbol become `_`), or name them in
    `[data.paths]`, e.g. `"BTC-USD" = "btc.csv"`. Where their files are not all of one kind, a table
    `[data.instrument."BTC-USD"]` has any of these keys for one instrument. All are merged by time.

    `trades` and `quotes` are files with the trades and the best prices, with or in place of the bars in
    `path`: at one time bars come first, then quotes, then trades. Orders are matched against what
    `venue.matching` says: `bars` need a `path`, `quotes` need `quotes`. `trades`, `quotes`, `funding` and
    `marks` take a `{symbol}` as `path` does.

    `columns` maps `time, open, high, low, close, volume` to the names used in the file, or lists them in the
    order in which they stand there, with `""` for a column to pass over. `funding` is a file
    with the columns `time`, `rate` (0.0001 is one basis point) and perhaps `mark`; `marks` one with `time`
    and `price`, the mark price known at that time. Both belong to bars of a perpetual. Every position there
    pays or receives funding, whether its instrument has margin rules or the leverage of the account.

    `format` is told by the file: `arrow` is Feather and Arrow IPC, `json` a list of rows as freqtrade keeps
    it, `lean` the zip files of QuantConnect's LEAN, whose day and scale are told by the names of file and
    folders. `quote_side` says which price LEAN's bars of quotes give.

    `time_format` says how times are written: `iso` (year first), `day_first`, `month_first`, `digits`
    (`20260107[hh[mm[ss]]]`), or `s`, `ms`, `us`, `ns` since 1970; `auto` looks at the whole column and asks
    where two readings are plausible. With `date = "2024-08-31"` numbers are counted from that midnight in
    `timezone`, milliseconds unless `time_format` says otherwise. Prices are divided by `price_scale`.
    `implausible = "accept"` takes what is possible but hardly right. docs/data.md has it all.
    """

    path: Paths | None = None
    paths: dict[str, Paths] = {}
    trades: Paths | None = None
    quotes: Paths | None = None
    instrument: dict[str, InstrumentDataTable] = {}
    funding: Paths | None = None
    marks: Paths | None = None
    format: DataFormat = DataFormat.AUTO
    columns: dict[str, str] | tuple[str, ...] = {}
    rounding: Rounding = Rounding.EXACT
    quote_side: QuoteSide = QuoteSide.MID
    interval_ns: Positive | None = None
    timezone: str = "UTC"
    time_format: TimeFormat = TimeFormat.AUTO
    date: str | None = None
    price_scale: Positive | None = None
    implausible: Implausible = Implausible.REFUSE


class StrategyTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[strategy]`: every key that is not named here is a parameter of the strategy itself.

    `bars` is `input`, a length such as `1m`, `1h`, `1d`, `1w`, `1mo` or `5s:quotes`, or a rule: `100tick`,
    `50volume`, `1e6notional`, `20range` (ticks), `10imbalance` (trades) or `50volume-imbalance`. A list such
    as `["5m", "1h", "1d"]` gives the strategy all of them. Bars of a length are built from the bars given as
    input or from trades, whichever come first; `:bars`, `:trades` or `:quotes` after the length says it
    outright. `history` is how many of each stay at hand. `first_bar` says what becomes of a first bar that
    began before the data did: `whole` leaves it out, `any` shows it; absent, it is left out if it is built
    from bars. docs/bars.md has it all.
    """

    reference: str = msgspec.field(name="class")
    name: Name | None = None
    instruments: tuple[str, ...] = ()
    bars: str | tuple[str, ...] = "input"
    first_bar: FirstBar | None = None
    history: Annotated[int, msgspec.Meta(ge=0, le=HISTORY_MAX)] = 0


class LiveVenue(StrEnum):
    """The venues that orders can go to."""

    LOCAL = "local"


class EnvironmentSecretsTable(Table, frozen=True, tag_field="kind", tag="environment"):
    """`[live.secrets] kind = "environment"`: variables such as `TRADECORE_SECRET_VENUE_TRADING`.

    They are taken out of the environment at the start, so that no process that is started later gets them.
    """


class FileSecretsTable(Table, frozen=True, tag_field="kind", tag="file"):
    """`[live.secrets] kind = "file"`: a JSON file of mode 0600, `{"venue_trading": {...}}`.

    It belongs to the user of the engine or to root, and is no symbolic link.
    """

    path: str


class SystemdSecretsTable(Table, frozen=True, tag_field="kind", tag="systemd"):
    """`[live.secrets] kind = "systemd"`: credentials of the service, `LoadCredential=venue_trading:FILE`."""


SecretsTable = EnvironmentSecretsTable | FileSecretsTable | SystemdSecretsTable


class ShortLookback(StrEnum):
    """What a start does that needs fills which the venue shows no more."""

    HALT = "halt"
    ACCEPT = "accept"


class Foreign(StrEnum):
    """What becomes of orders and positions at the account that others made."""

    REPORT = "report"
    ADOPT = "adopt"


class DeadManOnStop(StrEnum):
    """What becomes of the venue's dead man's timer when the engine ends cleanly."""

    TAKE_BACK = "take_back"
    KEEP = "keep"


class LiveTable(Table, frozen=True):
    """`[live]`: the venue that orders go to with `mode = "live"`.

    Its keys come from `keys`, the file that `tradecore venue serve --keys FILE` writes, or from a store in
    `[live.secrets]`; then `url` says where the venue listens. A store has each key under a name of the
    account and its use: `venue_trading` may do everything with orders, `venue_query` may only ask,
    and `venue_watchdog` may end orders. `account` is another word in place of `venue`; with `keys` it is the
    name of the account there, where the file has keys of several.

    An answer that takes longer than `answer_timeout_ms` counts as lost, and the venue is asked what became of
    the order; so it is when a report takes longer than `report_timeout_ms`, or `report_timeouts_ms` for its
    kind, e.g. `{ market = 5_000 }`. `epoch` is in the names of orders; `tradecore run --take-over` counts it
    up by itself, and this is the least that it is.

    Books and venue are compared at the start, after each loss of the stream, and every `check_interval_ms` (0
    for never). `short_lookback` says what a start does whose journal is older than the fills that the venue
    shows: `halt` takes no new risk, `accept` goes on if orders and positions agree.

    Orders and positions that others made at the account are reported (`foreign = "report"`), or with `adopt`
    taken over by a strategy of the name `external`, which only holds them. `assign` names a strategy for
    those in an instrument, e.g. `{ BTC-USD = "trend" }`. `symbols` has the venue's own name of an instrument
    that has another one here, e.g. `{ BTC-USD-B = "BTC-USD" }`.

    Where the venue has a dead man's timer, it ends all orders of the account when the engine has said nothing
    for `dead_man_ms` (0 for never). A clean end takes it back, or with `dead_man_on_stop = "keep"` does not.

    `person` is who answers for what is traded, and `[live.canary]` bounds it: a run needs both, and that
    somebody armed it (`tradecore arm`). `[accounts.live]` without them has those of `[live]`.
    """

    person: PersonName | None = None
    canary: CanaryTable | None = None
    approval: ApprovalTable | None = None
    keys: str | None = None
    url: str | None = None
    secrets: SecretsTable | None = None
    venue: LiveVenue = LiveVenue.LOCAL
    account: str | None = None
    epoch: Annotated[int, msgspec.Meta(ge=0, le=32_767)] = 0
    answer_timeout_ms: Positive = 10_000
    report_timeout_ms: Positive = 60_000
    report_timeouts_ms: dict[str, Positive] = {}
    retries: LiveRetriesTable = LiveRetriesTable()
    drop_copy: DropCopyTable = DropCopyTable()
    check_interval_ms: Count = 60_000
    short_lookback: ShortLookback = ShortLookback.HALT
    foreign: Foreign = Foreign.REPORT
    assign: dict[str, str] = {}
    symbols: dict[str, str] = {}
    dead_man_ms: Count = 30_000
    dead_man_on_stop: DeadManOnStop = DeadManOnStop.TAKE_BACK


class AccountTable(VenueAccountSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[accounts]]`: a venue account beside that of `[account]`, with money and terms of its own.

    Its instruments name it (`account = "kraken"`), and are settled in `currency` unless they say otherwise:
    absent, that is the reporting currency. `cash` is an amount of `currency`, or a table by currency; what a
    unit of another currency is worth, `[account.conversions]` says for all accounts. `fees` and `venue` that
    are absent are as in `[fees]` and `[venue]`; the volume of fee tiers is the account's own. `risk` has its
    limits. Measured latencies, `finalize` and `day_end_ns` are settings of `[venue]` alone.

    With `mode = "live"` `[accounts.live]` names its venue, with keys and settings of its own, as `[live]`
    does for the first account. `[accounts.feed]` is where its market data come from; absent, it is as
    `[feed]` says, of its own venue where that is a local one.
    """

    live: LiveTable | None = None
    feed: FeedTable | None = None

    @property
    def spec(self) -> VenueAccountSpec:
        """The part that decides the behaviour of the engine."""
        return VenueAccountSpec(**{name: getattr(self, name) for name in VenueAccountSpec.__struct_fields__})


class StatisticsTable(Table, frozen=True):
    """`[statistics]`: how often a backtest samples the equity where orders are not matched against bars.

    `sample` is a length such as `1s`, `5m`, `1h` or `1d`, or `off` for the start and the end alone. There is
    one sample at each multiple of it before which something happened, 32 bytes each. Runs on bars have one at
    each bar.
    """

    sample: str = "1m"


class DatabaseTable(Table, frozen=True):
    """`[database]`: the SQLite read model; not part of the order path.

    When a run ends, it waits for the tables at most `finish_timeout_ms` (and, after a signal, no longer than
    `daemon.stop_timeout_ms` allows); the next start completes what is missing then.
    """

    enabled: bool = True
    path: str | None = None
    finish_timeout_ms: Positive = 10_000


class DecisionTable(Table, frozen=True):
    """`[decision]`: conditions that a request must meet before risk sees it, but what closes (docs/gates.md).

    `[[decision.gates]]` tables: `kind = "max_spread"` with `ticks`, `"cooldown"` with `seconds`, or
    `"trading_hours"` with `start` and `end`, hours of the day in UTC.
    """

    gates: tuple[GateConfig, ...] = ()


class ConfigTables(Table, frozen=True):
    """A configuration file with all its tables; a key that is not known is an error."""

    mode: Mode = Mode.PAPER
    account: AccountSpec = AccountSpec()
    accounts: tuple[AccountTable, ...] = ()
    instruments: tuple[InstrumentSpec, ...] = ()
    feed: FeedTable | None = None
    data: DataTable | None = None
    strategy: StrategyTable | None = None
    strategies: tuple[StrategyTable, ...] = ()
    fees: FeesSpec = FeesSpec()
    venue: VenueSpec = VenueSpec()
    risk: RiskSpec = RiskSpec()
    decision: DecisionTable = DecisionTable()
    statistics: StatisticsTable = StatisticsTable()
    live: LiveTable | None = None
    history: HistoryTable | None = None
    journal: JournalTable = JournalTable()
    database: DatabaseTable = DatabaseTable()
    daemon: DaemonTable = DaemonTable()
    watchdog: WatchdogTable = WatchdogTable()
    log: LogTable = LogTable()
    flatten: FlattenTable = FlattenTable()
    safety: SafetyTable | None = None


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy to run.

    Attributes
    ----------
    reference : str
        `file.py:Class` or `package.module:Class`.
    key : str
        Where it stands in the configuration, for errors: `strategy` or `strategies.0`.
    """

    reference: str
    name: str
    instruments: tuple[str, ...]
    bars: str | tuple[str, ...]
    history: int
    first_bar: FirstBar | None = None
    parameters: dict[str, object]
    key: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A checked configuration.

    Attributes
    ----------
    tables : ConfigTables
        What the file says, overrides applied.
    strategies : tuple of StrategyConfig
        From `[strategy]` or `[[strategies]]`.
    source : str
        The file it came from, or a name for a built-in one.
    sources : dict
        Where each overridden key came from, for errors.
    """

    tables: ConfigTables
    strategies: tuple[StrategyConfig, ...]
    source: str
    sources: dict[str, str] = {}

    def source_of(self, key: str) -> str:
        """Return the file, variable or option a dotted key came from."""
        above = key
        while above:
            if above in self.sources:
                return self.sources[above]
            above = above.rpartition(".")[0]
        below = [source for name, source in self.sources.items() if name.startswith(f"{key}.")]
        return below[0] if below else self.source

    def key_of(self, live: LiveTable) -> str:
        """Return where a table of a live account stands: `live`, or `accounts.0.live`."""
        of_others = [index for index, each in enumerate(self.tables.accounts) if each.live is live]
        return f"accounts.{of_others[0]}.live" if of_others else "live"

    def key_of_canary(self, index: int) -> str:
        """Return where the canary profile of an account stands, by the account's number."""
        own = self.tables.live if index == 0 else self.tables.accounts[index - 1].live
        return "live.canary" if own is None or own.canary is None else f"{self.key_of(own)}.canary"

    def canary_of(self, live: LiveTable) -> CanaryTable | None:
        """Return what bounds a live account: its own canary profile, or that of `[live]`."""
        common = None if self.tables.live is None else self.tables.live.canary
        return live.canary or common

    def person_of(self, live: LiveTable) -> str | None:
        """Return who answers for what a live account trades."""
        common = None if self.tables.live is None else self.tables.live.person
        return live.person or common

    def engine_spec(self, mode: Mode | None = None) -> EngineSpec:
        """Return the part that decides the behaviour of the engine."""
        tables = self.tables
        return EngineSpec(
            mode=mode or tables.mode,
            instruments=tables.instruments,
            account=tables.account,
            accounts=tuple(each.spec for each in tables.accounts),
            fees=tables.fees,
            venue=tables.venue,
            risk=tables.risk,
            canaries=self._canaries(),
            approval=self._approval() if (mode or tables.mode) is Mode.LIVE else None,
        )

    def _approval(self) -> ApprovalSpec | None:
        live = self.tables.live
        return None if live is None or live.approval is None else live.approval.spec

    def _canaries(self) -> tuple[CanarySpec, ...]:
        """Return what bounds each live account; a backtest of a live configuration is bounded as that is."""
        if self.tables.mode is not Mode.LIVE:
            return ()
        named = {self.tables.account.name: self.tables.live}
        named |= {account.name: account.live for account in self.tables.accounts}
        return tuple(
            canary.spec(
                name, [each.symbol for each in self.tables.instruments if (each.account or first) == name]
            )
            for first in [self.tables.account.name]
            for name, live in named.items()
            if live is not None and (canary := self.canary_of(live)) is not None
        )
