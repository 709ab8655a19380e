"""The tables of a configuration file, as values."""

from enum import StrEnum
from typing import Annotated

import msgspec

from tradecore.decision import GateConfig
from tradecore.domain.spec import (
    AccountSpec,
    EngineSpec,
    FeesSpec,
    InstrumentSpec,
    Mode,
    Name,
    RiskSpec,
    VenueSpec,
)
from tradecore.strategy import FirstBar
from tradecore.strategy.check import HISTORY_MAX

Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Paths = str | tuple[str, ...]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose keys are all known."""


class Market(StrEnum):
    """The markets of Binance."""

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


FeedTable = BinanceFeedTable | CaptureFeedTable | BookCaptureFeedTable | SimulatedFeedTable


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
    """How times are written."""

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


class JournalTable(Table, frozen=True):
    """`[journal]`: where the journal of a run is and how long a group without orders may wait for its sync.

    A backtest writes no journal, and refuses when it is asked for one. The configuration of a paper or shadow
    run may be backtested as it is.
    """

    path: str | None = None
    commit_interval_ms: Positive = 50


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


class DaemonTable(Table, frozen=True):
    """`[daemon]`: heartbeat, control socket and the clock events of live feeds."""

    heartbeat_interval_ms: Positive = 500
    clock_interval_ms: Positive = 1000
    stop_timeout_ms: Positive = 4000


class LogLevel(StrEnum):
    """How much is told on stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogTable(Table, frozen=True):
    """`[log]`: how much is told, and whether as JSON lines."""

    level: LogLevel = LogLevel.INFO
    json: bool = False


class DecisionTable(Table, frozen=True):
    """`[decision]`: conditions that a request must meet before risk sees it, but what closes (docs/gates.md).

    `[[decision.gates]]` tables: `kind = "max_spread"` with `ticks`, `"cooldown"` with `seconds`, or
    `"trading_hours"` with `start` and `end`, hours of the day in UTC.
    """

    gates: tuple[GateConfig, ...] = ()


class ConfigTables(Table, frozen=True):
    """A whole configuration file."""

    mode: Mode = Mode.PAPER
    account: AccountSpec = AccountSpec()
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
    journal: JournalTable = JournalTable()
    database: DatabaseTable = DatabaseTable()
    daemon: DaemonTable = DaemonTable()
    log: LogTable = LogTable()


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

    def engine_spec(self, mode: Mode | None = None) -> EngineSpec:
        """Return the part that decides the behaviour of the engine."""
        tables = self.tables
        return EngineSpec(
            mode=mode or tables.mode,
            instruments=tables.instruments,
            account=tables.account,
            fees=tables.fees,
            venue=tables.venue,
            risk=tables.risk,
        )
