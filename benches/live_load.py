"""How many orders a second reach a venue, how late, and is one lost or doubled when engines die?

Usage: `benches/live_load.py [--rate 1000] [--seconds 60] [--kills 10] [--faults-ppm 20000] [--seed 1]`.

A local venue and an engine run as processes: daemon, journal, risk, REST and WebSocket. Faults are planted in
so many of a million requests. The engine is killed at random times. At the end all orders are ended, and the
list of all that the venue did is held against the journal. The exit code is 1 when anything differs.

`restart_seconds` are from the start of a process after a kill until the engine takes commands, so that
a person can stop and close, and until books and venue agree, so that it takes new risk: the median and
the longest.

`orders_per_second` counts the time in which books and venue agreed. `cpu_seconds` are of the venue and
the last engine: an order costs either about 0.6 ms of a core, most of it for HTTP. That bounds
the rate: both need a core for themselves, and `load_average` says whether they had it.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from tradecore.runtime.live.client_ids import ClientIds
from tradecore.testkit.local_venue.comparison import Comparison, Truth
from tradecore.testkit.local_venue.records import OrderRow
from tradecore_api.live_demo.pair import ENGINE, Answer, Pair, standing_of

HERE = Path(__file__).resolve().parent
SETTLE_SECONDS_MAX = 60.0
END_SECONDS_MAX = 60.0
VENUE = """
seed = {seed}
limits = {{ per_second = 0, burst = 100_000 }}
[[accounts]]
name = "bench"
balances = {{ USD = "1000000" }}
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = {{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}
"""
LIVE = """
mode = "live"
live.keys = "venue-keys.json"
live.answer_timeout_ms = 1_000
live.report_timeout_ms = 1_000
live.person = "Test"
live.canary.instruments = ["BTC-USD"]
live.canary.order_value_max = 1_000_000_000
live.canary.orders_a_day_max = 1_000_000
live.canary.position_value_max = 1_000_000_000
feed = {{ kind = "local" }}
instruments = [{{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}]
account = {{ name = "bench", cash = "1000000" }}
venue = {{ matching = "book" }}
strategy = {{ class = "{strategy}:Pace", per_second = {rate} }}
journal = {{ path = "live.journal" }}
database = {{ enabled = false }}
log = {{ level = "warning" }}
[risk]
quantity_max = "1"
notional_max = "100000"
position_max = "50"
price_collar_bps = "500"
# Where the venue is slower than the strategy, orders are refused instead of waiting in a line that grows.
open_orders_max = 300
"""
# Parts of what goes wrong with a request; and with a frame, where each fault breaks the stream off.
REQUEST_FAULTS = (
    ("request_lost", "submit", ""),
    ("answer_lost", "submit", ""),
    ("server_error", "submit", "takes_effect = true"),
    ("answer_late", "submit", "delay_ms = 300"),
    ("html_page", "submit", ""),
)
CANCEL_FAULTS = (("request_lost", "cancel", ""), ("answer_lost", "cancel", ""))
FRAME_FAULTS = (
    ("frame_unsent", "stream_fill", ""),
    ("frame_doubled", "stream_fill", ""),
    ("frame_lost", "stream_order", ""),
    ("frame_swapped", "stream_order", ""),
    ("disconnect", "stream_order", ""),
)
FRAME_PPM = 20
SHARES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))


def main(arguments: list[str]) -> int:
    """Run the bench and print one JSON document.

    Returns
    -------
    int
        0 when both sides are the same, else 1.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, default in (
        ("rate", 1_000),
        ("seconds", 60),
        ("kills", 10),
        ("faults-ppm", 20_000),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tradecore-bench-") as folder:
        found = measured(Path(folder), options)
    print(json.dumps(found, indent=1))
    return 0 if found["differences"] == [] else 1


def measured(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Run venue and engine in a folder, and return what came of it."""
    write(folder, options)
    os.environ["BENCH_TIMES"] = str(folder / "times.txt")
    # What the engine said last: where it does not settle, that says why.
    seen: deque[Answer | None] = deque(maxlen=1)
    with Pair(folder, written_faults(folder, options), seen.append, end_seconds_max=END_SECONDS_MAX) as pair:
        pair.start_venue()
        pair.arm("bench")
        pair.start_engine()
        seconds_up, restarts = trade(pair, options)
        said = pair.settled(lambda: SETTLE_SECONDS_MAX)
        cpu = {name: cpu_seconds(pid) for name, pid in pair.pids().items()}
        truth = pair.truth()
        compared = None if said is None else pair.compared(truth, said)
        frame_bytes = sum(map(len, pair.journal.chunks()))
        records = sum(1 for _ in pair.journal.reader())
        ids = ClientIds(0, pair.journal.first_hash())
        pair.end_engine()
        faults = pair.end_venue()
    return {
        **vars(options),
        **counts(compared, seen[-1]),
        "seconds_up": round(seconds_up, 1),
        "restart_seconds": restarts,
        "journal_records": records,
        "faults": sum(faults.values()),
        "frame_bytes_per_order": None if compared is None else frame_bytes // max(compared.orders_there, 1),
        "orders_per_second": None if compared is None else round(compared.orders_there / seconds_up),
        **latencies(folder / "times.txt", truth, ids),
        "cpu_seconds": cpu,
        "load_average": round(os.getloadavg()[0], 1),
    }


def write(folder: Path, options: argparse.Namespace) -> None:
    """Write the settings of both."""
    (folder / "venue.toml").write_text(VENUE.format(seed=options.seed))
    (folder / ENGINE).write_text(LIVE.format(strategy=HERE / "live_pace.py", rate=options.rate))


def written_faults(folder: Path, options: argparse.Namespace) -> list[str]:
    """Write what goes wrong; return the arguments of the venue."""
    rule = '[[rules]]\nkind = "{}"\nendpoint = "{}"\nprobability_ppm = {}\n{}\n'
    rules = [
        rule.format(kind, endpoint, ppm, more)
        for faults, ppm in (
            (REQUEST_FAULTS, options.faults_ppm // len(REQUEST_FAULTS)),
            (CANCEL_FAULTS, options.faults_ppm // len(CANCEL_FAULTS)),
            (FRAME_FAULTS, min(FRAME_PPM, options.faults_ppm)),
        )
        for kind, endpoint, more in faults
        if ppm
    ]
    (folder / "faults.toml").write_text(f"seed = {options.seed}\n{''.join(rules)}")
    return ["--settings", "venue.toml", "--faults", "faults.toml"]


def trade(pair: Pair, options: argparse.Namespace) -> tuple[float, dict[str, list[float]]]:
    """Let the engine trade, killed at random times; return how long both agreed, and how long starts took."""
    chance = random.Random(options.seed)
    kills = sorted(chance.uniform(0, options.seconds) for _ in range(options.kills))
    up, seen, started, starts = 0.0, time.monotonic(), 0.0, 0
    commands: list[float] = []
    agreed: list[float] = []
    while up < options.seconds:
        said = pair.look()
        now, before = time.monotonic(), seen
        seen = now
        if said is not None and len(commands) < starts:
            commands.append(now - started)
        if said is None or not standing_of(said).is_agreed:
            continue
        if len(agreed) < starts:
            agreed.append(now - started)
        up += now - before
        if kills and up >= kills[0]:
            kills.pop(0)
            pair.kill_engine()
            pair.start_engine()
            started, starts = time.monotonic(), starts + 1
    found = {"until_commands": commands, "until_agreed": agreed}
    return up, {name: [round(median(each), 2), round(max(each), 2)] for name, each in found.items() if each}


def counts(compared: Comparison | None, said: Answer | None) -> dict[str, object]:
    """Return both sides beside each other."""
    if compared is None:
        names = ("venue", "order_rows", "position_rows", "halts", "is_paused")
        stands = None if said is None else {name: said.get(name) for name in names}
        return {"differences": [f"not settled within {SETTLE_SECONDS_MAX:g} s: {stands}"]}
    return {
        "orders_there": compared.orders_there,
        "orders_booked": compared.orders_booked,
        "fills_there": compared.fills_there,
        "fills_booked": compared.fills_booked,
        "cash_there": str(compared.cash_there),
        "cash_booked": str(compared.cash_booked),
        "differences": list(compared.differences),
    }


def latencies(times: Path, truth: Truth, ids: ClientIds) -> dict[str, object]:
    """Return how long after its decision an order was taken by the venue, and known to be taken, in ms."""
    noted: dict[str, dict[int, int]] = {"d": {}, "a": {}}
    for line in times.read_text().splitlines():
        parts = line.split()
        # The last line of an engine that was killed may be cut off.
        if len(parts) == 3 and parts[1] in noted and len(parts[2]) == 19:
            noted[parts[1]].setdefault(int(parts[0]), int(parts[2]))
    taken: dict[int, int] = {}
    for deed in truth.deeds:
        if isinstance(deed, OrderRow) and (order_id := ids.order_id(deed.client_order_id)) is not None:
            taken.setdefault(order_id, deed.time_ns)
    decided = noted["d"]
    return {
        "ms_from_decision_to_taken": shares(decided, taken),
        "ms_from_decision_to_told": shares(decided, noted["a"]),
    }


def shares(begun: Mapping[int, int], ended: Mapping[int, int]) -> dict[str, float]:
    """Return shares of the differences, in ms."""
    found = sorted(ended[name] - begun[name] for name in begun.keys() & ended.keys())
    if not found:
        return {}
    return {
        name: round(found[min(int(share * len(found)), len(found) - 1)] / 1e6, 3) for name, share in SHARES
    }


def cpu_seconds(pid: int) -> float:
    """Return how much time of a processor a process has taken; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
