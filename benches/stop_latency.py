"""How long does it take until nothing new can leave, once somebody says stop?

Usage: `benches/stop_latency.py [--times 200] [--rate 1000] [--orders 100]`.

- `in_process_ms`: a kill in an engine that has so many open orders, until it has asked for the end of all of
  them and refuses the next one. That is the decision itself, without journal and socket.
- `command_ms`, `signal_ms`, `file_ms`: of an engine that sends so many orders a second, from the command at
  its control socket, the signal or the empty file to the kill in its journal: nothing new leaves any more.
- `answer_ms`: from the command to its answer, which comes when the kill switch is a file too, durable.
- `orders_after_kill`: orders in the journal after a kill and before its release; there must be none.
- `orders_per_second`: what the engine really sent before that. Where it is below nine tenths of `--rate`,
  this machine is too slow or too busy for the figures to be of that load, and the exit code is 1.
- The baseline `status_ms` is the same way to the engine and back, with nothing to do and nothing to write.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tradecore import AccountSpec, EngineSpec, InstrumentSpec, Matching, Mode, StrategyBinding, VenueSpec
from tradecore.domain import EventBatch
from tradecore.domain.commands import Kill, ReleaseKill
from tradecore.domain.journal import JournalFolder
from tradecore.engine import Engine
from tradecore.ports.control_channel import Status
from tradecore_api.control import client
from tradecore_api.state_dir import StateDir

BUSY = '''
class Busy:
    """Sends and cancels, so many times a second of the market's time."""

    orders_per_event: int = 1

    def on_book(self, ctx, book):
        """Take back what rests and rest anew, far from the market, every five milliseconds."""
        if book.best_bid_ticks is None or ctx.now_ns < self.next_ns:
            return
        # Of the market's time, so that a book that comes late is made up for.
        self.next_ns = max(self.next_ns, ctx.now_ns - 100_000_000) + 5_000_000
        for order in self.resting:
            ctx.cancel(order)
        self.resting = []
        for _ in range(self.orders_per_event):
            answer = ctx.buy(quantity=0.001, limit_ticks=book.best_bid_ticks // 2)
            if isinstance(answer, int):
                self.resting.append(answer)

    def on_start(self, ctx):
        """Have nothing."""
        self.resting, self.next_ns = [], 0
'''
CONFIG = """
mode = "paper"
account = { name = "bench", cash = 1_000_000 }
instruments = [{ symbol = "BTC-USD", tick_size = 0.01, lot_size = 0.0001 }]
feed = { kind = "simulated", seed = 7, seconds = 36_000 }
strategy = { class = "busy.py:Busy", orders_per_event = ORDERS }
database = { enabled = false }
log = { level = "error" }
"""
# How often the strategy acts in a second.
EVENTS_PER_SECOND = 200
WAIT_SECONDS_MAX = 60.0
# Below this share of the rate that was asked for, the figures are not of that load.
RATE_SHARE_MIN = 0.9


class Rests:
    """Rests one order at each quote."""

    def on_quote(self, ctx, quote):
        """Far below the market."""
        ctx.buy(quantity=1, limit_ticks=50)


def in_process(times: int, orders: int) -> list[float]:
    """Return how long a kill took, in milliseconds."""
    took = []
    for _ in range(times):
        spec = EngineSpec(
            mode=Mode.PAPER,
            instruments=(InstrumentSpec(symbol="X", tick_size="1", lot_size="1"),),
            venue=VenueSpec(matching=Matching.QUOTES),
            account=AccountSpec(cash="1000000000"),
        )
        engine = Engine(spec, [StrategyBinding(strategy=Rests(), name="rests", instruments=(0,))])
        batch = EventBatch()
        for number in range(orders):
            batch.quote(1_000 + number, 0, 99, 10, 100, 10)
        engine.feed(batch)
        engine.run()
        assert engine.summary().open_orders == orders
        begun = time.perf_counter_ns()
        engine.command(Kill(), engine.now_ns + 1)
        engine.run()
        took.append((time.perf_counter_ns() - begun) / 1e6)
        assert engine.summary().is_killed
    return took


def measured(times: int, rate: int) -> dict[str, list[float]]:
    """Return how long each way took in an engine under load, in milliseconds."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "busy.py").write_text(BUSY)
        (folder / "bench.toml").write_text(CONFIG.replace("ORDERS", str(max(1, rate // EVENTS_PER_SECOND))))
        os.environ["TRADECORE_STATE_DIR"] = str(folder / "state")
        with subprocess.Popen(
            [sys.executable, "-m", "tradecore_api", "run", "bench.toml", "--json"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        ) as engine:
            try:
                return _ways(StateDir("bench"), engine, times)
            finally:
                engine.kill()


def _ways(state: StateDir, engine: subprocess.Popen[bytes], times: int) -> dict[str, list[float]]:
    _until(lambda: _asked(state).get("orders", 0) > 100)
    before, begun = _asked(state)["orders"], time.monotonic()
    time.sleep(2.0)
    sent = (_asked(state)["orders"] - before) / (time.monotonic() - begun)
    took: dict[str, list[float]] = {"orders_per_second": [sent]}

    def release() -> None:
        assert client.ask(state, ReleaseKill(), seconds_max=5.0).accepted
        time.sleep(0.02)

    for _ in range(times):
        took.setdefault("status_ms", []).append(_ms(lambda: client.ask(state, Status(), seconds_max=5.0)))
        took.setdefault("answer_ms", []).append(_ms(lambda: client.ask(state, Kill(), seconds_max=5.0)))
        release()
    seen = Seen(state)
    seen.has_new_kill()

    def by_command() -> None:
        threading.Thread(target=lambda: client.ask(state, Kill(), seconds_max=5.0)).start()

    for name, say in (
        ("command_ms", by_command),
        ("signal_ms", lambda: engine.send_signal(signal.SIGUSR2)),
        ("file_ms", (state.path / "kill.command").touch),
    ):
        for _ in range(times):
            say_at = time.perf_counter_ns()
            say()
            _until(seen.has_new_kill, 0.0005)
            took.setdefault(name, []).append((time.perf_counter_ns() - say_at) / 1e6)
            _until(lambda: not list(state.path.glob("*.command")))
            release()
            seen.has_new_kill()
    took["orders_after_kill"] = [float(seen.orders_after_kill)]
    return took


class Seen:
    """Reads the journal of a running engine as it grows.

    Attributes
    ----------
    orders_after_kill : int
        Orders between a kill and its release.
    """

    def __init__(self, state: StateDir) -> None:
        self._reader = JournalFolder(state.journal).reader()
        self._is_killed = False
        self.orders_after_kill = 0

    def has_new_kill(self) -> bool:
        """Read what is new; tell whether a kill is in it."""
        is_new = False
        for _, _, kind, fields in self._reader:
            if kind == "command" and fields["command"] in ("kill", "release_kill"):
                self._is_killed = fields["command"] == "kill"
                is_new = is_new or self._is_killed
            elif kind == "order" and self._is_killed:
                self.orders_after_kill += 1
        return is_new


def _asked(state: StateDir) -> dict[str, object]:
    try:
        return client.ask(state, Status(), seconds_max=1.0).status
    except client.NotAnsweringError:
        return {}


def _ms(call) -> float:
    begun = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begun) / 1e6


def _until(is_so, pause: float = 0.02) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not is_so():
        if time.monotonic() >= deadline:
            raise TimeoutError("the engine of the bench does not do what it should")
        time.sleep(pause)


def shown(values: list[float]) -> dict[str, float]:
    """Return count, median, and the ends of a distribution."""
    ranked = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    found = {
        name: round(ranked[min(int(len(ranked) * share), len(ranked) - 1)], 3) for name, share in at.items()
    }
    return {"times": len(ranked), **found}


def main() -> int:
    """Measure, and print one JSON document.

    Returns
    -------
    int
        0 when the load was as asked for and no order came after a kill, else 1.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--orders", type=int, default=100)
    arguments = parser.parse_args()
    found = {"in_process_ms": shown(in_process(arguments.times, arguments.orders))}
    ways = measured(arguments.times, arguments.rate)
    (sent,), (after,) = ways.pop("orders_per_second"), ways.pop("orders_after_kill")
    plain = {"orders_per_second": round(sent, 1), "orders_after_kill": int(after)}
    print(json.dumps(plain | found | {name: shown(values) for name, values in ways.items()}, indent=2))
    return 0 if sent >= RATE_SHARE_MIN * arguments.rate and not after else 1


if __name__ == "__main__":
    sys.exit(main())
