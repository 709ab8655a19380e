"""The one way through the house: events to strategies to risk to venue, synchronous and deterministic."""

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import msgspec

from tradecore._core import (
    Callback,
    Kernel,
    paused_by,
    restore,
    set_consents,
    set_traders,
    snapshot_of,
    stops,
)
from tradecore.decision import Gate
from tradecore.domain import EngineSpec, EventBatch, Instrument, InvalidValueError, LatencySamples, Mode
from tradecore.domain.commands import Command, SafetyPause
from tradecore.domain.errors import StrategyError
from tradecore.domain.opening import Adjustment, Conversion, Opening, Transfer
from tradecore.domain.shape import Problems
from tradecore.domain.spec import ApprovalSpec
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units
from tradecore.engine.account_events import AccountNames, change_batch, checked_opening, opening_batch
from tradecore.engine.activity import Activity
from tradecore.engine.activity_report import Watched, collected
from tradecore.engine.activity_watch import ActivityWatch
from tradecore.engine.asked_gate import asked_gates
from tradecore.engine.blame import blamed
from tradecore.engine.commands import command_batch
from tradecore.engine.context import Context
from tradecore.engine.kept_state import LOAD, SAVE, KeptState, decoded_state, encoded_state, without_pair
from tradecore.engine.parts import checked_parts
from tradecore.engine.scopes import ScopeNames
from tradecore.engine.summary import BookCounts, CurrencyBalance, EngineSummary, LimitChange
from tradecore.strategy import StrategyBinding, Timeframe

_ATTO = Decimal(1).scaleb(-18)
# Where the equity is sampled by the clock: once a minute.
SAMPLE_NS = 60_000_000_000
# Commands come after every market event of the same time.
_COMMAND_SOURCE = 1_000
# Bars of an instrument, what becomes of the first one, and how many are kept.
_SeriesKey = tuple[int, Timeframe, str | None, int]


class _Handlers(msgspec.Struct):
    """The callbacks of one strategy; read by the kernel, absent ones are `None`."""

    context: Context
    on_bar: Callback | None
    on_quote: Callback | None
    on_book: Callback | None
    on_trade: Callback | None
    on_fill: Callback | None
    on_order: Callback | None
    on_timer: Callback | None
    on_cash_flow: Callback | None
    on_liquidation: Callback | None
    on_revision: Callback | None

    def callbacks(self) -> dict[str, Callback]:
        """Return those that the strategy has, by name."""
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "context"}
        return {name: callback for name, callback in found.items() if callback is not None}


class Engine:
    """A deterministic engine with its strategies: the same events give the same orders, byte for byte.

    It never waits, reads a clock or opens a file; two engines in one process do not see each other.

    Parameters
    ----------
    spec : EngineSpec
        Instruments, account, fees, venue and risk.
    strategies : sequence of StrategyBinding
        The strategies, called in this order for one event. Bars that close at one moment come the longest
        first, once a strategy has several lengths.
    recording : bool
        Keep journal frames for `take_frames`, and traces of decisions among them.
    digest : bool
        Hash orders for `orders_digest`.
    equity_curve : bool
        Record the equity over time: at every bar given as input where orders are matched against bars, else
        by the clock.
    sample_ns : int or None
        Span of that clock in nanoseconds; `None`: start and end alone.
    gates : sequence of Gate
        Decision gates of every strategy.
    latency : LatencySamples or None
        Measured latencies in place of the constant ones; `spec` of the engine then has their digest.
    opening : Opening or None
        What the account begins with, in place of `account.cash`; fed before the first event. An engine that
        is brought to the end of a journal takes the opening of that journal.

    Raises
    ------
    InvalidSpecError
        When specification, strategies or gates make no sense: names every key that is wrong by its path.
    InvalidValueError
        When the specification names other latencies.
    """

    def __init__(
        self,
        spec: EngineSpec,
        strategies: Sequence[StrategyBinding],
        *,
        recording: bool = False,
        digest: bool = True,
        equity_curve: bool = False,
        sample_ns: int | None = SAMPLE_NS,
        gates: Sequence[Gate] = (),
        latency: LatencySamples | None = None,
        opening: Opening | None = None,
    ) -> None:
        parts = checked_parts(spec, strategies, gates)
        self.spec = spec = _measured(parts.spec, latency)
        self.instruments = tuple(
            Instrument.of(instrument_id, instrument)
            for instrument_id, instrument in enumerate(spec.instruments)
        )
        self.strategies = parts.strategies
        self.sample_ns = sample_ns
        self._names = ScopeNames(
            strategies=tuple(binding.name for binding in self.strategies),
            instruments=tuple(instrument.symbol for instrument in self.instruments),
            accounts=spec.account_names,
        )
        self._kernel = Kernel(
            spec,
            list(self._names.strategies),
            recording=recording,
            digest=digest,
            equity_curve=equity_curve,
            sample_ns=sample_ns,
            latency=latency,
        )
        if spec.approval is not None:
            _ask_people(self._kernel, spec.approval)
        self._kernel.set_gates(asked_gates(parts.gates, self._names.strategies), is_tracing=recording)
        self._handlers: list[_Handlers] = []
        self._series: dict[_SeriesKey, int] = {}
        problems = Problems()
        self._add_timeframes(problems)
        problems.raise_any()
        for strategy_id, binding in enumerate(self.strategies):
            try:
                self._handlers.append(self._bind(strategy_id, binding))
            except InvalidValueError as error:
                # Only bars depend on the instrument: their volume must be a multiple of its lot.
                problems(f"strategies[{strategy_id}].bars", error.value, error.rule)
        problems.raise_any()
        set_traders(self._kernel, [list(binding.instruments) for binding in self.strategies])
        self._watched = [
            Watched(binding, handlers.context, handlers.callbacks())
            for binding, handlers in zip(self.strategies, self._handlers, strict=True)
        ]
        self._account_names = AccountNames(self._names, self.instruments)
        # Whatever is wrong with it is said here, where it was given.
        self._opening = checked_opening(opening, self._account_names)
        self._is_started = False

    @property
    def kernel(self) -> Kernel:
        """The native engine, for readers: trades, equity curve, open orders."""
        return self._kernel

    @property
    def now_ns(self) -> int:
        """Time of the engine: of the last event it saw, UTC nanoseconds."""
        return self._kernel.now_ns

    def feed(self, batch: EventBatch, source: int = 0) -> None:
        """Queue the events that a batch has now; sources are merged by time.

        The batch keeps its events and can be fed to other engines. To fill one anew, `clear` it first: its
        memory is used again once every engine that it was fed to has run.

        Raises
        ------
        InvalidValueError
            When a time falls or an instrument is unknown; nothing of the batch is queued then.
        """
        if self._opening is not None and (first_ns := batch.first_time_ns) is not None:
            self._open(self._opening, first_ns, is_replayed=batch.begins_account)
        self._kernel.feed(batch, source)

    def _open(self, opening: Opening, first_ns: int, *, is_replayed: bool) -> None:
        if not is_replayed:
            time_ns = first_ns if opening.time_ns is None else opening.time_ns
            self._kernel.feed(opening_batch(opening, time_ns, self._account_names), 0)
        self._opening = None

    def change_account(self, change: Adjustment | Conversion | Transfer, time_ns: int) -> None:
        """Queue a correction of the account, a conversion of cash, or money that its owner brings or takes.

        Parameters
        ----------
        change : Adjustment, Conversion or Transfer
            How much, and why.
        time_ns : int
            When; not before the engine's own time, UTC nanoseconds.

        Raises
        ------
        InvalidValueError
            When it cannot be booked; nothing is queued then.
        """
        self.feed(change_batch(change, max(time_ns, self._kernel.now_ns)), _COMMAND_SOURCE)

    def check_change(self, change: Adjustment | Conversion | Transfer) -> None:
        """Check a change as `change_account` does, and queue nothing."""
        self._kernel.check_commands(change_batch(change, self._kernel.now_ns))

    def run(self) -> int:
        """Consume every event fed, calling strategies; return how many events were consumed.

        Raises
        ------
        StrategyError
            When a strategy raises anything; what it raised is the cause.
        GateError
            When a decision gate raises anything; it is a `StrategyError` that names the gate.
        BrokenInvariantError
            When a promise of ours is broken; the engine must not be used any further.
        """
        if not self._is_started:
            self._is_started = True
            self._call("on_start")
            for known in self._watched:
                known.context.end_start()
        try:
            return self._kernel.run(self._handlers)
        except BaseException as error:
            if (failure := blamed(error, self.strategies, None, self.now_ns)) is None:
                raise
            raise failure from error

    def command(self, command: Command, time_ns: int) -> None:
        """Queue an operator's command.

        Parameters
        ----------
        command : Command
            One of the structs of `tradecore.domain.commands`: `Pause()` or `SetLimit(scope="account", ...)`.
        time_ns : int
            When, UTC nanoseconds; at the engine's own time where that is later.

        Raises
        ------
        InvalidValueError
            When it cannot be carried out; nothing is queued then.
        """
        batch = command_batch(command, max(time_ns, self._kernel.now_ns), self._names)
        self.feed(batch, _COMMAND_SOURCE)

    def check_command(self, command: Command) -> None:
        """Check a command as `command` does, and queue nothing."""
        self._kernel.check_commands(command_batch(command, self._kernel.now_ns, self._names))

    def limits(self, scope: str) -> dict[str, str | None]:
        """Return the limits of `account`, `strategy:NAME` or `instrument:SYMBOL`, by setting.

        Raises
        ------
        InvalidValueError
            When there is no such scope.
        """
        return self._kernel.limits(*self._names.numbered(scope))

    def finish(self) -> None:
        """End the data: open positions are dealt with as `venue.finalize` says; strategies get `on_stop`."""
        self.run()
        if self.spec.mode is Mode.BACKTEST:
            self._kernel.finish(self.spec.venue.finalize)
            self.run()
        self._call("on_stop")
        self._kernel.sample_equity()

    def take_frames(self) -> bytes:
        """Return the journal frames, inputs and outputs in order, since the last call."""
        return self._kernel.take_frames()

    def state_hash(self) -> str:
        """Return the hash of the whole state, hexadecimal."""
        return self._kernel.state_hash()

    def orders_digest(self) -> str:
        """Return the hash of every order, refusal, cancel and amendment so far, hexadecimal.

        Empty where they are not all known: after `go_on`, and with `digest=False`.
        """
        return self._kernel.orders_digest()

    def keep(self) -> KeptState:
        """Return the whole state, with what each strategy keeps: another engine can `go_on` from it.

        To be called when everything fed has run and the frames are taken. `save_state` may look at the engine
        and ask it for nothing: a replay does not call it, so an order of it would come from nowhere.

        Raises
        ------
        InvalidValueError
            When a strategy has no `save_state` and `load_state`, or keeps what is no plain value.
        StrategyError
            When `save_state` raises, or asks for an order, a cancel or a timer, which is refused.
        RuntimeError
            When there are events that have not run, or frames that nobody took.
        """
        if missing := without_pair(self.strategies):
            rule = f"must have {SAVE} and {LOAD} to be kept in a snapshot"
            raise InvalidValueError("strategies", ", ".join(missing), rule)
        states = self.kept_states()
        return KeptState(
            body=snapshot_of(self._kernel),
            states=states,
            state_hash=self._kernel.state_hash(),
            time_ns=self._kernel.now_ns,
        )

    def kept_states(self) -> tuple[bytes, ...]:
        """Return what each strategy keeps of itself, as MessagePack; raises as `keep` does."""
        return tuple(encoded_state(known.binding.name, self._called(known, SAVE)) for known in self._watched)

    def go_on(self, body: bytes, states: Sequence[bytes], *, is_foreign: bool = False) -> None:
        """Go on, as a fresh engine with the same settings, from what `keep` returned.

        Strategies get `load_state` in place of `on_start`: there they ask for their indicators again, which
        have kept their values. It changes nothing else. An engine that raises here is of no more use.

        Raises
        ------
        DataError
            When the state cannot be read, or is of an engine with other settings.
        StrategyError
            When `load_state` raises, places an order or sets a timer.
        """
        restore(self._kernel, body, is_foreign)
        self._opening = None
        self._is_started = True
        state_hash = self._kernel.state_hash()
        for known, state in zip(self._watched, states, strict=True):
            name = known.binding.name
            self._call_one(known, LOAD, decoded_state(name, state))
            known.context.end_start()
            if self._kernel.state_hash() != state_hash or self._kernel.take_frames():
                what = "it placed an order, set a timer or changed something else of the engine"
                raise StrategyError(name, LOAD, self.now_ns, what)

    def bars_left_out(self) -> dict[str, int]:
        """Return how many bars given as input are in no longer bar, by symbol and length: `{"ACME 1h": 12}`.

        They were outside of the sessions of the instrument's calendar, or came after their bar had ended.
        """
        counts: dict[str, int] = {}
        for (instrument_id, timeframe, _, _), series in self._series.items():
            name = f"{self.instruments[instrument_id].symbol} {timeframe.name}"
            counts[name] = max(counts.get(name, 0), self._kernel.bars_left_out(series))
        return {name: count for name, count in counts.items() if count}

    def snapshot_requests(self) -> list[int]:
        """Return the instruments whose book needs a snapshot."""
        return [i.instrument_id for i in self.instruments if self._kernel.needs_snapshot(i.instrument_id)]

    def best_prices(self) -> dict[str, tuple[float | None, float | None]]:
        """Return best bid and ask of every instrument; the last price twice where there are only bars."""
        prices: dict[str, tuple[float | None, float | None]] = {}
        for instrument in self.instruments:
            best = self.best_ticks(instrument.instrument_id)
            bid, ask = (None if ticks is None else instrument.price(ticks) for ticks in best)
            prices[instrument.symbol] = (bid, ask)
        return prices

    def best_ticks(self, instrument_id: int) -> tuple[int | None, int | None]:
        """Return best bid and ask of an instrument, in ticks; the last price twice where it has only bars."""
        best = self._kernel.best_ticks(instrument_id)
        if best == (None, None) and not self._kernel.needs_snapshot(instrument_id):
            mark = self._kernel.mark_ticks(instrument_id)
            return (mark, mark)
        return best

    def summary(self) -> EngineSummary:
        """Return counts, money and positions."""
        counters = self._kernel.counters()
        money = self._kernel.money()
        books = [self._kernel.book_counts(i.instrument_id) for i in self.instruments]
        return EngineSummary(
            events=counters["events"],
            orders=counters["orders"],
            fills=counters["fills"],
            maker_fills=counters["maker_fills"],
            refusals=counters["refusals"],
            open_orders=len(self._kernel.open_orders()),
            cash=_text(money["cash"]),
            equity=_text(money["equity"]),
            pnl=_text(money["equity"] - money["opening"]),
            fees=_text(money["fees"]),
            funding=_text(money["funding"]),
            borrow=_text(money["borrow"]),
            liquidation_fee=_text(money["liquidation_fee"]),
            insurance=_text(money["insurance"]),
            adjusted=_text(money["adjusted"]),
            balances=self.balances(),
            accounts=self._accounts(),
            positions=self._positions(),
            book=BookCounts(
                **{name: sum(book[name] for book in books) for name in BookCounts.__struct_fields__}
            ),
            halts=self._halts(),
            changes=self._changes(),
            stops=self.stops(),
            is_paused=self._kernel.is_paused,
            paused_by=self._paused_by(),
            is_killed=self._kernel.is_killed,
            now_ns=self._kernel.now_ns,
        )

    def _paused_by(self) -> str:
        """Return why the engine has paused itself, and when; empty where a person did, and where it runs."""
        found = paused_by(self._kernel)
        if found is None:
            return ""
        time_ns, cause, seen, bound = found
        return f"{SafetyPause(cause=cause, seen=seen, bound=bound).why()}, at {iso_time(time_ns, 0)}"

    def stops(self) -> tuple[str, ...]:
        """Return what operators have stopped in parts: the command and its scope, `kill instrument:GOLD`."""
        named = self._names.named
        return tuple(f"{name} {named(what, number)}" for name, what, number in stops(self._kernel))

    def balances(self) -> dict[str, CurrencyBalance]:
        """Return what the account has of every currency, by its name; that of the account comes first."""
        told: dict[str, CurrencyBalance] = {}
        for row in self._kernel.balances():
            names = CurrencyBalance.__struct_fields__
            amounts = {name: None if row[name] is None else _text(row[name]) for name in names}
            told[row["currency"]] = msgspec.convert(amounts, CurrencyBalance)
        return told

    def _accounts(self) -> dict[str, str]:
        """Return what each venue account is worth, where there are several."""
        equities = map(_text, self._kernel.account_equities()) if self.spec.accounts else ()
        return dict(zip(self.spec.account_names, equities, strict=False))

    def activity(self) -> Activity:
        """Return what the strategies did so far, what became of their orders and what they never got."""
        return collected(self._kernel, self._units(), self._watched)

    def watch(self, *, has_refusals: bool = True) -> ActivityWatch:
        """Return what says, each thing once, what keeps the strategies from trading while the engine runs.

        `has_refusals`: the first refusal of each rule and strategy too.
        """
        return ActivityWatch(self._kernel, self._units(), self._watched, has_refusals=has_refusals)

    def _units(self) -> Units:
        return Units(self.spec, self._names.strategies)

    def _halts(self) -> dict[str, str]:
        return {self._names.named(what, number): rule for what, number, rule, _, _ in self._kernel.halts()}

    def _changes(self) -> tuple[LimitChange, ...]:
        changes = []
        for time_ns, fields in self._kernel.changes():
            row: dict[str, object] = {**fields, "time_ns": time_ns}
            row["scope"] = self._names.named(str(fields["scope"]), cast("int", row.pop("scope_id")))
            if "instrument" in row:
                row["instrument"] = self._names.instruments[cast("int", row["instrument"])]
            changes.append(msgspec.convert(row, LimitChange))
        return tuple(changes)

    def _positions(self) -> dict[str, str]:
        lots = {
            i.symbol: self._kernel.position_total_lots(i.instrument_id) * i.lot_size for i in self.instruments
        }
        return {symbol: f"{size.normalize():f}" for symbol, size in lots.items() if size}

    def _bind(self, strategy_id: int, binding: StrategyBinding) -> _Handlers:
        context = Context(self._kernel, strategy_id, binding, self.instruments)
        context.bind_series(
            lambda instrument_id, timeframe: self._series_of(binding, instrument_id, timeframe)
        )
        strategy = binding.strategy
        handlers = _Handlers(
            context,
            *(
                None if (method := getattr(strategy, name, None)) is None else Callback(method)
                for name in (
                    "on_bar",
                    "on_quote",
                    "on_book",
                    "on_trade",
                    "on_fill",
                    "on_order",
                    "on_timer",
                    "on_cash_flow",
                    "on_liquidation",
                    "on_revision",
                )
            ),
        )
        for what, handler in (("fill", handlers.on_fill), ("order", handlers.on_order)):
            if handler is not None:
                self._kernel.subscribe_own(strategy_id, what)
        for instrument_id in binding.instruments:
            for timeframe in binding.timeframes() if handlers.on_bar is not None else ():
                series = self._series_of(binding, instrument_id, timeframe)
                self._kernel.subscribe_bars(strategy_id, series)
            for what, handler in (
                ("quote", handlers.on_quote),
                ("book", handlers.on_book),
                ("trade", handlers.on_trade),
            ):
                if handler is not None:
                    self._kernel.subscribe(strategy_id, what, instrument_id)
        return handlers

    def _add_timeframes(self, problems: Problems) -> None:
        """Add the bars of every strategy, the longest first, where one of them has several lengths.

        Bars that end at one moment come in the order in which they were added.
        """
        if all(len(binding.timeframes()) == 1 for binding in self.strategies):
            return
        wanted = [
            (strategy_id, binding, timeframe)
            for strategy_id, binding in enumerate(self.strategies)
            for timeframe in binding.timeframes()
        ]
        for strategy_id, binding, timeframe in sorted(wanted, key=lambda each: -each[2].source.length_ns):
            try:
                for instrument_id in binding.instruments:
                    self._series_of(binding, instrument_id, timeframe)
            except InvalidValueError as error:
                problems(f"strategies[{strategy_id}].bars", error.value, error.rule)

    def _series_of(self, binding: StrategyBinding, instrument_id: int, timeframe: Timeframe) -> int:
        key = (instrument_id, timeframe, binding.first_bar, binding.history)
        if key not in self._series:
            self._series[key] = self._kernel.add_series(
                instrument_id, timeframe.source, timeframe.name, binding.first_bar, binding.history
            )
        return self._series[key]

    def _call(self, name: str) -> None:
        for known in self._watched:
            if getattr(known.binding.strategy, name, None) is not None:
                known.note_call(name)
                self._call_one(known, name)

    def _call_one(self, known: Watched, name: str, *arguments: object) -> object:
        self._kernel.begin_calls()
        try:
            return self._called(known, name, *arguments)
        finally:
            self._kernel.end_calls()

    def _called(self, known: Watched, name: str, *arguments: object) -> object:
        """Call a strategy that may ask for nothing meanwhile, unless calls have begun."""
        try:
            return getattr(known.binding.strategy, name)(known.context, *arguments)
        except BaseException as error:
            if (failure := blamed(error, [known.binding], name, self.now_ns)) is None:
                raise
            raise failure from error


def _measured(spec: EngineSpec, latency: LatencySamples | None) -> EngineSpec:
    """Return the specification with the digest of the latencies, which must be those it names."""
    digest = None if latency is None else latency.digest
    venue = spec.venue
    if digest is None and (name := venue.latency_digest or venue.latency_file):
        raise InvalidValueError("latency", None, f"needs the samples {name}")
    if venue.latency_digest not in (None, digest):
        raise InvalidValueError(
            "venue.latency_digest", venue.latency_digest, f"the samples given have {digest}"
        )
    return msgspec.structs.replace(spec, venue=msgspec.structs.replace(venue, latency_digest=digest))


def _ask_people(kernel: Kernel, approval: ApprovalSpec) -> None:
    """Let entries wait for a person's yes."""
    try:
        set_consents(kernel, approval.above, approval.timeout_ns, approval.price_move_bps)
    except InvalidValueError as error:
        raise InvalidValueError(f"approval.{error.field}", error.value, error.rule) from error


def _text(atto: int) -> str:
    """Write money in atto units as decimal text."""
    return f"{(atto * _ATTO).normalize():f}" if atto else "0"
