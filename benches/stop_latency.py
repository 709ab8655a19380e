"""How long does it take until nothing new can leave, once somebody says stop?

Usage: `benches/stop_latency.py [--times 200] [--rate 1000] [--orders 100]`.

- `in_process_ms`: a kill in an engine that has so many open orders, until it has asked for the end of all of
  them and refuses the next one. That is the decision itself, without journal and socket.
- `command_ms`, `signal_ms`, `file_ms`: of an engine that sends so many orders a second, from the command at
  its control socket, the signal or the empty file to the kill in its journal: nothing new leaves any more.
- `answer_ms`: from the command to its answer, which comes when the kill switch is a file too, durable.
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
        self.next_ns = ctx.now_ns + 5_000_000
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
feed = { kind = "simulated", seed = 7, seconds = 120 }
strategy = { class = "busy.py:Busy", orders_per_event = ORDERS }
database = { enabled = false }
log = { level = "error" }
"""
# How often the strategy acts in a second.
EVENTS_PER_SECOND = 200
WAIT_SECONDS_MAX = 60.0


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
    reader = JournalFolder(state.journal).reader()

    def is_killed() -> bool:
        return any(kind == "command" and fields["command"] == "kill" for _, _, kind, fields in reader)

    while is_killed():
        continue

    def by_command() -> None:
        threading.Thread(target=lambda: client.ask(state, Kill(), seconds_max=5.0)).start()

    for name, say in (
        ("command_ms", by_command),
        ("signal_ms", lambda: engine.send_signal(signal.SIGUSR2)),
        ("file_ms", (state.path / "kill.command").touch),
    ):
        for _ in range(max(times // 4, 1)):
            say_at = time.perf_counter_ns()
            say()
            _until(is_killed, 0.0005)
            took.setdefault(name, []).append((time.perf_counter_ns() - say_at) / 1e6)
            _until(lambda: not list(state.path.glob("*.command")))
            release()
            is_killed()
    return took


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
    at = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    found = {
        name: round(ranked[min(int(len(ranked) * share), len(ranked) - 1)], 3) for name, share in at.items()
    }
    return {"times": len(ranked), **found}


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--orders", type=int, default=100)
    arguments = parser.parse_args()
    found = {"in_process_ms": shown(in_process(arguments.times, arguments.orders))}
    ways = measured(arguments.times, arguments.rate)
    found["orders_per_second"] = {"times": 1, "p50": round(ways.pop("orders_per_second")[0], 1)}
    found |= {name: shown(values) for name, values in ways.items()}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
