"""Calls everything that `tradecore._core` has, with odd values or from many threads at once.

To be run as a process of its own, because what it looks for may end one: `core_sweep.py HOW SECONDS SEED
DIRECTORY`, where HOW is odd, specs or threads. It prints what it called as JSON. What a call raises is an
`Exception` with words; a panic, a `MemoryError` or a `SystemError` is printed and makes the exit code 1.
"""

import enum
import faulthandler
import inspect
import json
import random
import sys
import threading
import time
import typing
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from tradecore import _core
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, Mode, VenueSpec
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import BarSource, StrategyBinding

# What only the thread that runs an engine may call while it does.
OF_THE_RUN = frozenset(
    {"run", "begin_calls", "end_calls", "set_gates", "feed", "finish", "take_frames", "subscribe"}
)
# They end the process; tests/faults/test_deadline.py calls them.
ENDING = frozenset({"end_on_signals", "end_with", "end_within"})
THREADS = 8
SYMBOLS = [("BTCUSDT", 0, "0.01", "0.00001")]
BYTES_MAX = 3 << 30
SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),),
    account=AccountSpec(cash="100000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
ODD_NUMBERS = (
    0, 1, -1, 7, 2**31, 2**32, 2**53 + 1, 10**13, 2**60, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64,
    2**127 - 1, 2**127, -(2**127), 10**400,
    0.0, -0.0, 1.5, 5e-324, 1e18, 1e100, 1e308, -1e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
SLOTS = frozenset(
    {"__len__", "__iter__", "__next__", "__getitem__", "__setitem__", "__delitem__", "__contains__"}
)
COLUMNS = frozenset({"values", "high", "low", "close", "side", "order_id", "price_ticks", "lots", "action"})
ODD_TEXTS = ("", "\0", "x" * 1_000_000, "\ud800", "нет", "buy", "quote", "sma", "close", "account", "first")
ODD_BYTES = (b"", b"\0", b"\xff" * 1_000, bytes(64), b"{}" * 1_000, (2**31).to_bytes(4, "little") + bytes(60))
WORDS = {
    "name": tuple(row[0] for row in _core.indicator_table()),
    "what": ("quote", "book", "trade", "fill", "order"),
    "column": ("open", "high", "low", "close", "volume"),
    "scope": ("account", "strategy", "instrument"),
    "kind": ("funding", "borrow", "liquidation_fee", "insurance", "pause", "kill"),
    "finalize": ("none", "close", "last_open"),
    "time_in_force": ("gtc", "ioc", "fok", "day", "gtd"),
    "market": ("spot", "usdm", "coinm"),
    "venue": ("kraken", "kraken_v1", "okx"),
    "symbols": (SYMBOLS,),
    "bars": (BarSource(), BarSource(rule="10tick"), BarSource(interval_ns=1_000, prices="quotes")),
    "timeframe": ("input",),
    "first_bar": (None, "whole", "any"),
    "payload": (b'{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.0","q":"1.0","T":1,"m":true}',),
    "delimiter": (",", ";"),
    "state": ("new", "working", "partially_filled"),
}  # fmt: skip


def odd_arrays():
    """Arrays of every kind that a method could be given, and of those it should not."""
    whole = np.arange(64, dtype=np.int64)
    frozen = np.arange(64, dtype=np.float64)
    frozen.flags.writeable = False
    return (
        np.empty(0),
        np.empty(0, dtype=np.int64),
        np.array([np.nan, np.inf, -np.inf, 1e308, 5e-324] * 20),
        np.arange(128, dtype=np.float64),
        np.arange(128, dtype=np.float64)[::-2],
        frozen,
        whole,
        whole[::2],
        np.full(64, 2**63 - 1, dtype=np.int64),
        np.full(64, -(2**63), dtype=np.int64),
        np.zeros(64, dtype=np.uint8),
        np.full(64, 255, dtype=np.uint8),
        np.arange(64, dtype=np.uint64),
        np.zeros((2, 5, 2), dtype=np.int64),
        np.array(["a"] * 3),
        np.array(3.0),
    )


class Keeper:
    """A strategy that trades a little, and keeps everything it is handed."""

    def __init__(self):
        self.kept = {}
        self.calls = 0

    def keep(self, what):
        """Keep the last of each kind."""
        self.kept[type(what).__name__] = what

    def on_start(self, ctx):
        """Make an indicator."""
        self.keep(ctx.sma(3))
        self.ctx = ctx

    def on_quote(self, ctx, quote):
        """Trade now and then."""
        self.keep(quote)
        self.calls += 1
        if self.calls % 5 == 1:
            ctx.buy(quantity_lots=1)
            ctx.buy(quantity_lots=1, limit_ticks=10)
            ctx.set_timer(ctx.now_ns + 5)
            self.keep(ctx.buy(quantity_lots=2**40))
        elif self.calls % 5 == 3:
            ctx.close()

    def on_book(self, ctx, book):
        """Keep it."""
        self.keep(book)

    def on_trade(self, ctx, trade):
        """Keep it."""
        self.keep(trade)

    def on_bar(self, ctx, bar):
        """Keep it."""
        self.keep(bar)

    def on_fill(self, ctx, fill):
        """Keep it."""
        self.keep(fill)

    def on_order(self, ctx, update):
        """Keep it."""
        self.keep(update)

    def on_timer(self, ctx, timer_id):
        """Nothing to keep."""

    def on_cash_flow(self, ctx, flow):
        """Keep it."""
        self.keep(flow)


def events(start_ns, count):
    """Quotes, trades, levels and funding of one instrument."""
    batch = EventBatch()
    for number in range(count):
        time_ns = start_ns + number * 1_000
        batch.quote(time_ns, 0, 198 + number % 3, 50, 202, 50)
        batch.trade(time_ns + 1, 0, 200, 3, True, number + 1)
        if number % 10 == 0:
            batch.funding(time_ns + 2, 0, 100)
    return batch


def engine_of(keeper):
    """Return an engine that has traded, its journal frames recorded."""
    binding = StrategyBinding(name="keeper", strategy=keeper, bars="10tick", history=10)
    engine = Engine(SPEC, [binding], recording=True, equity_curve=True)
    engine.feed(events(1_000, 40))
    engine.run()
    return engine


class Buyer:
    """Buys once, and keeps what it is told of a trade that is told anew."""

    revision = None

    def on_quote(self, ctx, quote):
        """Buy."""
        ctx.buy(quantity_lots=1, limit_ticks=10)

    def on_revision(self, ctx, revision):
        """Keep it."""
        self.revision = revision


def revised():
    """Return what a strategy is told of a trade that its venue has corrected."""
    buyer = Buyer()
    spec = msgspec.structs.replace(SPEC, mode=Mode.LIVE)
    engine = Engine(spec, [StrategyBinding(name="buyer", strategy=buyer)])
    batch = EventBatch()
    batch.quote(1_000, 0, 198, 50, 202, 50)
    for revision in range(2):
        price_ticks = 10 - revision
        batch.venue_report(
            2_000, 0, 1, "fill", trade_id="t", price_ticks=price_ticks, lots=1, revision=revision
        )
    engine.feed(batch)
    engine.run()
    return buyer.revision


def subjects(directory):
    """Return an object of every class that there is, by the name of its class, and what else calls need."""
    keeper = Keeper()
    engine = engine_of(keeper)
    frames = engine.take_frames()
    journal = directory / "a.journal"
    writer = _core.JournalWriter.open(str(journal), 1)
    writer.append(frames)
    writer.commit(True)
    book = _core.L2Book()
    for price in range(1, 40):
        book.set(0, price, 5)
        book.set(1, price + 50, 5)
    orders = _core.OrderBook(1_000)
    for number in range(20):
        orders.add(number, number % 2, 100 + number % 2 * 50 + number, 5)
    made = {
        "Kernel": engine._kernel,
        "OrderDesk": keeper.ctx,
        "JournalWriter": writer,
        "JournalReader": _core.JournalReader(str(journal)),
        "DecodedFrames": _core.DecodedFrames(frames),
        "JournalFinding": _core.journal_verify(str(journal)),
        "L2Book": book,
        "BookSide": book.bids,
        "TopView": book.top_view(5),
        "OrderBook": orders,
        "ExchangeBook": _core.ExchangeBook(1_000),
        "OwnLevels": _core.OwnLevels(),
        "TradeBook": _core.TradeBook(engine.spec, 1),
        "AccountFollower": _core.AccountFollower(engine.spec, ["keeper"]),
        "EventBatch": events(10**9, 3),
        "BinanceDecoder": _core.BinanceDecoder("spot", SYMBOLS),
        "VenueBookDecoder": _core.VenueBookDecoder("kraken", SYMBOLS),
        "LatencySamples": _core.LatencySamples(*(np.arange(9) * 10 + each for each in (0, 1, 2))),
        "Callback": _core.Callback(print),
        "Revision": revised(),
        **{
            name: getattr(_core, name)(*(5 for _, _, default, *_ in parameters if default is None))
            for _, name, _, _, _, parameters in _core.indicator_table()
        },
    }
    return (
        engine,
        {**{name: each for name, each in keeper.kept.items() if hasattr(_core, name)}, **made},
        frames,
    )


def fresh(method):
    """Return a call of a method of a kernel that no event has come to yet."""

    def call(*given, **named):
        kernel = _core.Kernel(SPEC, ["keeper"])
        if method != "add_series":
            kernel.add_series(0, BarSource(), "input", None, 5)
        return getattr(kernel, method)(*given, **named)

    return call


class Sweep:
    """Calls with values drawn by one seed."""

    def __init__(self, seed, directory):
        self.engine, self.objects, frames = subjects(directory)
        self.directory = directory
        self.frames = frames
        self.called = Counter()
        self.faults = []
        self.words = 0
        self.kept = list(self.objects.values())
        self.arrays = odd_arrays()
        things = (None, True, [], {}, [0] * 1_000, object())
        self.pool = (*ODD_NUMBERS, *ODD_TEXTS, *ODD_BYTES, *things, *self.arrays)
        self.seed = seed

    def targets(self):
        """Return every method, property, constructor and function, by name."""
        found = []
        for name, value in sorted(vars(_core).items()):
            if name.startswith("__") or name in ENDING:
                continue
            if not inspect.isclass(value):
                if callable(value):
                    found.append((name, value, _parameters(value)))
                continue
            found.append((f"{name}()", value, _parameters(value)))
            subject = self.objects.get(name)
            if subject is None:
                continue
            for method in dir(type(subject)):
                if method.startswith("_") and method not in SLOTS:
                    continue
                if inspect.ismethod(getattr(type(subject), method, None)):
                    continue
                attribute = inspect.getattr_static(type(subject), method)
                label = f"{name}.{method}"
                if callable(attribute):
                    found.append((label, getattr(subject, method), _parameters(attribute)[1:] or None))
                else:
                    found.append((label, _reads(subject, method), []))
        early = ("add_series", "add_indicator", "set_gates", "subscribe", "subscribe_bars", "column")
        kernel = _core.Kernel
        found += [(f"new {name}", fresh(name), _parameters(getattr(kernel, name))[1:]) for name in early]
        return found

    def value(self, chance, parameter, oddness):
        """Return a value for a parameter: a likely one, or any of the odd ones."""
        if chance.random() < oddness:
            return chance.choice(self.pool)
        name = parameter.lower()
        likely = {
            "kernel": lambda: self.objects["Kernel"],
            "batch": lambda: chance.choice([self.objects["EventBatch"], events(chance.randrange(10**12), 3)]),
            "spec": lambda: SPEC,
            "frames": lambda: self.frames,
            "data": lambda: self.frames,
            "path": lambda: str(self.directory / f"{chance.randrange(4)}.journal"),
            "handlers": lambda: self.engine._handlers,
            "own": lambda: chance.choice([None, self.objects["OwnLevels"]]),
        }
        if name in WORDS:
            return chance.choice(WORDS[name])
        if name in likely:
            return likely[name]()
        if name in COLUMNS:
            return chance.choice([chance.randrange(300), *self.arrays])
        return chance.choice([0, 1, 2, 3, 100, 1_000, 5.0, None])

    def call(self, chance, target, oddness):
        """Call something once; note what no call may raise."""
        label, function, parameters = target
        given, named = [], {}
        for parameter in parameters or ():
            is_needed = parameter.default is inspect.Parameter.empty
            if not is_needed and chance.random() < 0.5:
                continue
            value = self.value(chance, parameter.name, oddness)
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY or named or not is_needed:
                named[parameter.name] = value
            else:
                given.append(value)
        self.called[label] += 1
        try:
            made = function(*given, **named)
        except (MemoryError, SystemError) as error:
            self.note(label, given, named, error)
        except Exception as error:  # noqa: BLE001 - any error is an answer
            # The words of an error have to be made, too.
            self.words += len(str(error))
        except BaseException as error:  # noqa: BLE001 - a panic is one
            self.note(label, given, named, error)
        else:
            if label.endswith("()") and len(self.kept) < 500:
                self.kept.append(made)

    def note(self, label, given, named, error):
        """Note a fault."""
        shown = f"{label}{tuple(given)!r:.200} {named!r:.300}: {type(error).__name__}: {error!s:.300}"
        if len(self.faults) < 200:
            self.faults.append(shown)


def _reads(subject, name):
    return lambda: getattr(subject, name)


def _parameters(function):
    try:
        return list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        # A slot such as `__getitem__`: one or two places.
        return []


def odd(sweep, seconds):
    """Call everything with odd values, one after another."""
    chance = random.Random(sweep.seed)
    targets = sweep.targets()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for target in targets:
            sweep.call(chance, target, chance.choice([0.1, 0.5, 1.0]))


def crowded(sweep, seconds):
    """Call everything from many threads, while one of them feeds and runs the engine."""
    sys.setswitchinterval(1e-5)
    live = engine_of(Keeper())
    kernel = live._kernel
    targets = sweep.targets()
    for method in (name for name in dir(kernel) if not name.startswith("_") and name not in OF_THE_RUN):
        attribute = inspect.getattr_static(type(kernel), method)
        if callable(attribute):
            targets.append((f"live {method}", getattr(kernel, method), _parameters(attribute)[1:]))
    end = time.monotonic() + seconds

    def call(number):
        chance = random.Random(sweep.seed + number)
        while time.monotonic() < end:
            sweep.call(chance, chance.choice(targets), 0.05)

    def run():
        start_ns = 10**12
        while time.monotonic() < end:
            start_ns += 10**9
            try:
                live.feed(events(start_ns, 50))
                live.run()
                sweep.called["runs"] += 1
            except Exception as error:  # noqa: BLE001 - any error is an answer
                sweep.called[f"refused: {error}"] += 1
            except BaseException as error:  # noqa: BLE001 - a panic is one
                sweep.note("Engine.run", (), {}, error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(THREADS - 1)]
    threads.append(threading.Thread(target=run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def specs(sweep, seconds):
    """Build and run engines of odd settings."""
    chance = random.Random(sweep.seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spec = SPEC
        for _ in range(chance.choice([1, 1, 2, 5])):
            spec = mutated(spec, chance, sweep.pool)
        history = chance.choice(sweep.pool) if chance.random() < 0.2 else 5
        try:
            binding = StrategyBinding(name="keeper", strategy=Keeper(), history=history)
            engine = Engine(spec, [binding], recording=True, equity_curve=True)
            sweep.called["built"] += 1
            engine.feed(events(1_000, 20))
            engine.run()
            engine.finish()
            sweep.called["run"] += 1
        except (MemoryError, SystemError) as error:
            sweep.note("Engine", (spec, history), {}, error)
        except Exception as error:  # noqa: BLE001 - any error is an answer
            sweep.called[type(error).__name__] += 1
        except BaseException as error:  # noqa: BLE001 - a panic is one
            sweep.note("Engine", (spec, history), {}, error)


def mutated(struct, chance, pool):
    """Return settings in which one, at any depth, is odd."""
    name = chance.choice(struct.__struct_fields__)
    value = getattr(struct, name)
    if value is None or (isinstance(value, tuple) and not value):
        hint = typing.get_type_hints(type(struct))[name]
        inner = [part for part in _parts(hint) if inspect.isclass(part) and issubclass(part, msgspec.Struct)]
        if inner and chance.random() < 0.9:
            made = _made(inner[0])
            value = made if value is None else (made,)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(struct, **{name: mutated(value, chance, pool)})
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return msgspec.structs.replace(struct, **{name: (mutated(value[0], chance, pool), *value[1:])})
    if isinstance(value, enum.Enum):
        return msgspec.structs.replace(struct, **{name: chance.choice(list(type(value)))})
    number = chance.choice(pool)
    if chance.random() < 0.5:
        number = chance.choice(ODD_NUMBERS[:20])
    if isinstance(value, str) and chance.random() < 0.8:
        number = chance.choice([str(number), "1e-18", "1e18", "0.000000000000000001", "1" + "0" * 38, "nan"])
    return msgspec.structs.replace(struct, **{name: number})


def _parts(hint):
    found = [hint]
    for part in typing.get_args(hint):
        found += _parts(part)
    return found


def _made(struct):
    needed = [field for field in msgspec.structs.fields(struct) if field.required]
    return struct(**{field.name: "1" for field in needed})


def main():
    """Sweep as the command line says."""
    how, seconds, seed, directory = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    faulthandler.enable()
    if sys.platform != "win32":
        import resource

        # More is not to be had by any number of a user; what asks for it ends the process.
        resource.setrlimit(resource.RLIMIT_AS, (BYTES_MAX, BYTES_MAX))
    sweep = Sweep(seed, directory)
    {"odd": odd, "threads": crowded, "specs": specs}[how](sweep, seconds)
    print(json.dumps({"called": sweep.called, "missing": sorted(_classes() - set(sweep.objects))}))
    for fault in dict.fromkeys(sweep.faults):
        print(fault, file=sys.stderr)
    assert decode_frames(sweep.frames)
    return 1 if sweep.faults else 0


def _classes():
    return {name for name, value in vars(_core).items() if inspect.isclass(value)}


if __name__ == "__main__":
    sys.exit(main())
