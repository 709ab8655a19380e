"""Do memory, descriptors, threads, tasks and children of a live engine stay where they are, hour after hour?

Usage: `benches/live_soak.py [--minutes 60] [--warm-up 20] [--rate 200] [--faults-ppm 20000] [--seed 1]`.

A local venue, an engine and its watchdog run as processes. The engine trades so many orders a second, with
faults planted at the venue, a journal whose segments turn and are packed, tables in a database, a drop copy
and a watchdog that asks every second. All three are looked at every few seconds. After the warm-up a
straight line is laid through what each look saw (least squares); its slope is what grew.

- Of engine and watchdog, memory may grow by `--mib-an-hour` at most after the warm-up. What venues may say
  again is remembered, the newest 65,536 trades and names: until that is full, memory grows by design, and the
  warm-up lasts until then at least. A short run ends before that, and is held to `--bytes-an-order` instead.
- Nothing else may have grown by more than two pieces over the whole run, beyond its noise.
- The venue is exempt where memory is concerned: it is a test's, and keeps the list of all that it ever did,
  because that is what the books are held against. It is bounded by the order: `--venue-bytes-an-order`.
- What grows on the disk grows by design: the journal and the tables. They are told, and bounded by nothing.

The exit code is 1 when a bound is broken or books and venue differ. `--leak-bytes` lets the strategy keep
so many bytes an order, which has to be found.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from live_load import cpu_seconds, written_faults
from tradecore.domain.errors import VenueError
from tradecore_api.live_demo.child import Child
from tradecore_api.live_demo.pair import ENGINE, Answer, Pair, standing_of

HERE = Path(__file__).resolve().parent
LOOK_SECONDS = 2.0
SETTLE_SECONDS_MAX = 60.0
END_SECONDS_MAX = 60.0
HOUR_SECONDS = 3_600.0
MIB = 1 << 20
# So many at least make a line.
LOOKS_MIN = 20
# Once so many fills were booked, all is full that an engine remembers of what a venue may say again.
FILLS_FULL = 70_000
# Descriptors, threads, tasks and children come and go with requests that are under way: more by the end
# counts where it is more than this many, and more than so many times the uncertainty of the slope.
PIECES_MAX = 2.0
ERRORS_MAX = 4.0
# What a burst of requests needs stays for some seconds more, so looks near each other see one burst. What
# has leaked is in the least of several.
LOOKS_OF_A_BURST = 5
VENUE = """
seed = {seed}
limits = {{ per_second = 0, burst = 100_000 }}
[[accounts]]
name = "soak"
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
feed = {{ kind = "local" }}
instruments = [{{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}]
account = {{ name = "soak", cash = "1000000" }}
venue = {{ matching = "book" }}
strategy = {{ class = "{strategy}:Pace", per_second = {rate}, leak_bytes = {leak_bytes} }}
journal = {{ path = "soak.journal", segment_mb = 4 }}
database = {{ path = "soak.db" }}
log = {{ level = "info" }}
[live]
person = "Test"
keys = "venue-keys.json"
answer_timeout_ms = 1_000
report_timeout_ms = 1_000
check_interval_ms = 5_000
drop_copy = {{ enabled = true, interval_ms = 1_000 }}
[live.canary]
instruments = ["BTC-USD"]
order_value_max = 1_000_000_000
orders_a_day_max = 1_000_000
position_value_max = 1_000_000_000
[watchdog]
check_ms = 1_000
[risk]
quantity_max = "1"
notional_max = "100000"
position_max = "50"
price_collar_bps = "500"
open_orders_max = 300
"""


class Looks:
    """What was seen of one process, look by look."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.seen: dict[str, list[float]] = {}

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """Note one look."""
        self.times.append(at)
        for name, value in values.items():
            self.seen.setdefault(name, []).append(value)

    def since(self, seconds: float) -> "Looks":
        """Return what was seen from then on."""
        late = Looks()
        for number, at in enumerate(self.times):
            if at >= seconds:
                late.add(at, {name: values[number] for name, values in self.seen.items()})
        return late

    def least(self, many: int) -> "Looks":
        """Return the least of so many looks in a row, and again of those after them."""
        found = Looks()
        for first in range(0, len(self.times) - many + 1, many):
            part = slice(first, first + many)
            low = {name: min(values[part]) for name, values in self.seen.items()}
            found.add(sum(self.times[part]) / many, low)
        return found


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return how much a value grew in a second, by the line with the least squares; 0 for less than two."""
    if len(times) < 2:
        return 0.0
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    width = sum((at - middle) ** 2 for at in times)
    return sum((at - middle) * (value - mean) for at, value in zip(times, values, strict=True)) / width


def uncertainty(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the standard error of a slope; 0 for less than three."""
    if len(values) < 3:
        return 0.0
    middle, mean, grows = sum(times) / len(times), sum(values) / len(values), slope(times, values)
    rest = sum((value - mean - grows * (at - middle)) ** 2 for at, value in zip(times, values, strict=True))
    return float((rest / (len(times) - 2) / sum((at - middle) ** 2 for at in times)) ** 0.5)


def _children_of(thread: Path) -> int:
    try:
        return len((thread / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since the threads were listed.
        return 0


def look_at(pid: int) -> dict[str, float]:
    """Return what a process holds: memory in bytes, descriptors, threads, children."""
    place = Path(f"/proc/{pid}")
    rows = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    children = sum(_children_of(task) for task in (place / "task").iterdir())
    return {
        "memory": float(rows["VmRSS"].split()[0]) * 1024,
        # What no file backs: a file that is mapped to be read is no memory that is kept.
        "memory_anonymous": float(rows["RssAnon"].split()[0]) * 1024,
        "descriptors": float(len(list((place / "fd").iterdir()))),
        "threads": float(rows["Threads"]),
        "children": float(children),
    }


def main(arguments: list[str]) -> int:
    """Run the bench and print one JSON document.

    Returns
    -------
    int
        0 when all is flat and both sides are the same, else 1.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, default in (
        ("minutes", 60.0),
        ("warm-up", 20.0),
        ("mib-an-hour", 1.0),
        ("bytes-an-order", 0.0),
        ("venue-bytes-an-order", 4_096.0),
    ):
        parser.add_argument(f"--{name}", type=float, default=default)
    for name, number in (("rate", 200), ("faults-ppm", 20_000), ("seed", 1), ("leak-bytes", 0)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--looks", help="file for every look, as lines of JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tradecore-soak-") as folder:
        found = measured(Path(folder), options)
    print(json.dumps(found, indent=1))
    return 0 if not found["broken"] else 1


def measured(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Run all three in a folder, and return what came of it."""
    (folder / "venue.toml").write_text(VENUE.format(seed=options.seed))
    strategy = HERE / "live_pace.py"
    live = LIVE.format(strategy=strategy, rate=options.rate, leak_bytes=options.leak_bytes)
    (folder / ENGINE).write_text(live)
    with Pair(
        folder, written_faults(folder, options), lambda _: None, end_seconds_max=END_SECONDS_MAX
    ) as pair:
        pair.start_venue()
        pair.arm("soak")
        watchdog = Child("watchdog", folder, "watchdog", ENGINE)
        try:
            pair.start_engine()
            pids = {**pair.pids(), "watchdog": watchdog.pid}
            looks, orders = trade(pair, watchdog, pids, options)
            said = pair.settled(lambda: SETTLE_SECONDS_MAX)
            cpu = {name: cpu_seconds(pid) for name, pid in pids.items()}
            compared = None if said is None else pair.compared(pair.truth(), said)
            pair.end_engine()
            faults = pair.end_venue()
        finally:
            watchdog.end(END_SECONDS_MAX)
        disk = {
            "journal_bytes": sum(path.stat().st_size for path in folder.glob("soak.journal*")),
            "segments": len(list(folder.glob("soak.journal*"))),
            "tables_bytes": sum(path.stat().st_size for path in folder.glob("soak.db*")),
        }
    warm = max(options.warm_up * 60, 0.0 if options.bytes_an_order else full_at(looks["engine"]))
    late = {name: each.since(warm) for name, each in looks.items()}
    grown = {name: growth(each) for name, each in late.items()}
    rate = slope(late["engine"].times, late["engine"].seen.get("orders", []))
    differences = ["not settled"] if compared is None else list(compared.differences)
    return {
        **vars(options),
        "orders": orders,
        "orders_per_second": round(rate, 1),
        "faults": sum(faults.values()),
        "looks": {name: len(each.times) for name, each in late.items()},
        "growth": grown,
        "engine_bytes_an_order": round(grown["engine"]["memory"] * MIB / HOUR_SECONDS / max(rate, 1e-9), 1),
        "disk": disk,
        "differences": differences,
        "broken": broken(late, grown, rate, options) + differences,
        "cpu_seconds": cpu,
        "load_average": round(os.getloadavg()[0], 1),
    }


def trade(
    pair: Pair, watchdog: Child, pids: Mapping[str, int], options: argparse.Namespace
) -> tuple[dict[str, Looks], int]:
    """Let the engine trade, and look; return what was seen and how many orders there were."""
    looks = {name: Looks() for name in pids}
    file = Path(options.looks).open("w") if options.looks else None  # noqa: SIM115 - open for an hour
    began, orders = time.monotonic(), 0
    next_look = began
    while (now := time.monotonic()) < began + options.minutes * 60:
        said = pair.look()
        watchdog.require()
        if said is None or now < next_look or not standing_of(said).is_agreed:
            continue
        next_look = now + LOOK_SECONDS
        orders = standing_of(said).orders
        seen = {name: look_at(pid) for name, pid in pids.items()}
        seen["engine"] |= figures_of(said)
        try:
            seen["venue"]["tasks"] = pair.venue_tasks()
        except VenueError:
            # A machine that is busy for seconds: the venue takes no request that old.
            continue
        for name, values in seen.items():
            looks[name].add(now - began, values)
        if file is not None:
            file.write(json.dumps({"at": round(now - began, 1), **seen}) + "\n")
            file.flush()
    return looks, orders


def full_at(looks: Looks) -> float:
    """Return when all was full that an engine remembers; never, where it was not."""
    fills = looks.seen.get("fills", [])
    times = zip(looks.times, fills, strict=True)
    return next((at for at, booked in times if booked >= FILLS_FULL), float("inf"))


def figures_of(said: Answer) -> dict[str, float]:
    """Return what an engine says of itself, as numbers."""
    return {name: float(str(said[name])) for name in ("tasks", "orders", "fills", "read_model_lag_records")}


def growth(looks: Looks) -> dict[str, float]:
    """Return what grew: memory in MiB an hour, everything else in pieces an hour."""
    found = {}
    for name, values in looks.seen.items():
        if name in ("orders", "fills"):
            continue
        an_hour = slope(looks.times, values) * HOUR_SECONDS
        found[name] = round(an_hour / MIB if name.startswith("memory") else an_hour, 3)
    found["memory_mib"] = round(looks.seen["memory"][-1] / MIB, 1) if looks.times else 0.0
    return found


def broken(
    late: Mapping[str, Looks],
    grown: Mapping[str, Mapping[str, float]],
    orders_per_second: float,
    options: argparse.Namespace,
) -> list[str]:
    """Return which bounds are broken, in words."""
    said = []
    for name, looks in late.items():
        if len(looks.times) < LOOKS_MIN:
            said.append(f"the {name} was looked at {len(looks.times)} times after the warm-up: too few")
            continue
        hours = (looks.times[-1] - looks.times[0]) / HOUR_SECONDS
        memory_max = options.mib_an_hour
        an_order = {"venue": options.venue_bytes_an_order, "engine": options.bytes_an_order}.get(name, 0.0)
        memory_max += an_order * orders_per_second * HOUR_SECONDS / MIB
        if grown[name]["memory"] > memory_max:
            grew = grown[name]["memory"]
            said.append(f"the {name} grew by {grew:g} MiB an hour, and may by {memory_max:.1f}")
        least = looks.least(LOOKS_OF_A_BURST)
        for what in ("descriptors", "threads", "children", "tasks"):
            values = least.seen.get(what, [0.0] * len(least.times))
            noise = ERRORS_MAX * uncertainty(least.times, values) * HOUR_SECONDS * hours
            more = slope(least.times, values) * HOUR_SECONDS * hours
            if more > max(PIECES_MAX, noise):
                said.append(f"the {name} has {more:.1f} {what} more by the end")
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
