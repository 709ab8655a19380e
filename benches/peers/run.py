"""Run peers and tradecore in turn on the same data, compare the answers, and print one table.

Usage: `make bench-peers [ARGS=...]`, or `python benches/peers/run.py` with

    -k WORD     only cases whose name has the word
    --rounds N  how often each pair runs in turn (2); the best run of each counts
    --save      keep the result as benches/baseline.json
    --busy      say in the result that other work ran on the machine meanwhile
    --check     `make bench-check`: only the cheap cases; 1 when a ratio fell by more than 15%
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from cases import CASES, Case
from environments import HERE, ROOT, NotInstalledError, python_of

RESULTS = ROOT / "benches" / "results" / "peers.json"
BASELINE = ROOT / "benches" / "baseline.json"
FALL_MAX = 0.15
ATTEMPTS = 3
CHECK_REPEATS = 2
SECONDS_MAX = 1_800
COLUMNS = (
    *("workload", "peer", "peer does", "tradecore does", "unit", "ratio", "goal"),
    *("p50/p99/p99.9 us: peer", "tradecore", "peak MB: peer", "tradecore", "answers agree"),
)


class FailedError(Exception):
    """A script ended with an error; the message is its last line."""


def main(arguments: list[str]) -> int:
    """Measure or check.

    Returns
    -------
    int
        1 when answers differ, or when `--check` finds a ratio that fell too far.
    """
    parser = argparse.ArgumentParser(description="Run peers and tradecore in turn on the same data.")
    parser.add_argument("-k", default="", metavar="WORD", help="only cases whose name has the word")
    parser.add_argument("--rounds", type=int, default=2, help="how often each pair runs in turn")
    parser.add_argument("--save", action="store_true", help="keep the result as benches/baseline.json")
    parser.add_argument("--busy", action="store_true", help="note that other work ran meanwhile")
    parser.add_argument("--check", action="store_true", help="1 when a cheap ratio fell by more than 15%%")
    options = parser.parse_args(arguments)
    cases = [case for case in CASES if options.k in case.name]
    if options.check:
        return check([case for case in cases if case.is_cheap])
    rows = []
    for case in cases:
        print(case.name, file=sys.stderr)
        rows.append({**measure(case, options.rounds), "busy": options.busy})
    result = {"machine": machine(), "rows": rows}
    write(RESULTS, result)
    if options.save:
        save(result)
    print(table(rows))
    return int(any(row.get("agree") is False for row in rows))


def save(result: dict) -> None:
    """Keep the rows as the baseline; those of cases that did not run this time stay as they were."""
    measured = {row["name"]: row for row in result["rows"]}
    if BASELINE.exists():
        kept = {row["name"]: row for row in json.loads(BASELINE.read_text())["rows"]}
        measured = kept | measured
    rows = [measured[case.name] for case in CASES if case.name in measured]
    write(BASELINE, {**result, "rows": rows})


def measure(case: Case, rounds: int) -> dict:
    """Run a pair in turn and condense it to one row; a peer that cannot run gives its reason instead."""
    row: dict = {
        "name": case.name,
        "workload": case.workload,
        "peer": case.peer.name,
        "unit": case.unit,
        "count": case.count,
        "goal": case.goal,
    }
    try:
        python = python_of(case.peer)
        demand_memory(case.memory_gb)
        pairs = [turn(case, python, case.repeats) for _ in range(rounds)]
    except (NotInstalledError, FailedError) as problem:
        return {**row, "not_run": str(problem)}
    peers, ours = ([pair[side] for pair in pairs] for side in (0, 1))
    agree, why = compared(case, peers[-1]["answer"], ours[-1]["answer"])
    return {
        **row,
        "peer_version": peers[0]["version"],
        "peer_python": peers[0]["python"],
        "version": ours[0]["version"],
        "python": ours[0]["python"],
        "peer_per_second": case.count / best(peers),
        "per_second": case.count / best(ours),
        "ratio": best(peers) / best(ours),
        "peer_runs": seconds(peers),
        "runs": seconds(ours),
        "peer_delay_us": least_delays(peers),
        "delay_us": least_delays(ours),
        "peer_peak_mb": round(peers[0]["peak_mb"]),
        "peak_mb": round(ours[0]["peak_mb"]),
        "agree": agree,
        "why": why,
    }


def demand_memory(wanted_gb: float) -> None:
    """Refuse to push the machine into swapping."""
    free = available_gb()
    if free < wanted_gb:
        raise NotInstalledError(f"needs {wanted_gb:g} GB of free memory, {free:.1f} found")


def turn(case: Case, python: Path, repeats: int, *more: str) -> tuple[dict, dict]:
    """Run the peer, then ours."""
    peer = [str(python), "-W", "ignore", *scripted(case.peer.script)]
    own = [sys.executable, *scripted(("with_tradecore.py",))]
    return (
        call(peer, case.key, case.count, repeats, *more),
        call(own, case.ours or case.key, case.count, repeats, *more),
    )


def scripted(script: tuple[str, ...]) -> list[str]:
    """Give the path of a script and its arguments."""
    return [str(HERE / script[0]), *script[1:]]


def call(command: list[str], *arguments: object) -> dict:
    """Run one script in a process of its own and read its line."""
    paths = [str(ROOT / "benches"), str(ROOT / "tests")]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise FailedError(f"ended with {done.returncode}: {said[-1][:160]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def seconds(results: Iterable[dict]) -> list[float]:
    """List the times of all runs."""
    return [value for result in results for value in result["seconds"]]


def best(results: Iterable[dict]) -> float:
    """Give the shortest time of all runs: what the machine can do when nothing disturbs."""
    return min(seconds(results))


def least_delays(results: list[dict]) -> dict[str, float] | None:
    """Give each percentile as the quietest round had it."""
    rounds = [result["delay_us"] for result in results if "delay_us" in result]
    return {point: min(one[point] for one in rounds) for point in rounds[0]} if rounds else None


def compared(case: Case, theirs: dict[str, float], ours: dict[str, float]) -> tuple[bool, str]:
    """Say whether what both found is the same, and what differs."""
    names = theirs.keys() & ours.keys()
    wrong = [
        f"{name}: {theirs[name]:.10g} and {ours[name]:.10g}"
        for name in sorted(names)
        if abs(theirs[name] - ours[name]) > allowed(case, theirs[name])
    ]
    if wrong or not names:
        return False, "; ".join(wrong) or "nothing in common"
    gap = max(abs(theirs[name] - ours[name]) for name in names)
    return True, f"within {gap:.1g}: {case.because}" if gap else ""


def allowed(case: Case, value: float) -> float:
    """Counts have to be equal; a figure may be off by the tolerance."""
    return 0.0 if float(value).is_integer() else case.tolerance


def check(cases: list[Case]) -> int:
    """Compare the ratios of the cheap cases with the baseline.

    A pair whose ratio is below the limit runs again, up to three times; the best run of each side counts, so
    one disturbance on a busy machine does not fail it and a real loss does.
    """
    before = {row["name"]: row["ratio"] for row in json.loads(BASELINE.read_text())["rows"] if "ratio" in row}
    fallen = 0
    for case in cases:
        if case.name not in before:
            print(f"{case.name}: no baseline")
            continue
        least = before[case.name] * (1 - FALL_MAX)
        try:
            ratio, attempts = best_ratio(case, least)
        except (NotInstalledError, FailedError) as problem:
            print(f"{case.name}: not run, {problem}")
            continue
        is_fallen = ratio < least
        fallen += is_fallen
        verdict = "FELL" if is_fallen else "holds"
        print(f"{verdict}  {case.name}: {ratio:.2f}, was {before[case.name]:.2f}, {attempts} turns")
    return int(fallen > 0)


def best_ratio(case: Case, least: float) -> tuple[float, int]:
    """Run a pair until its ratio is good enough, at most some times."""
    python = python_of(case.peer)
    peers: list[dict] = []
    ours: list[dict] = []
    for _ in range(ATTEMPTS):
        theirs, own = turn(case, python, CHECK_REPEATS, "--no-delays")
        peers.append(theirs)
        ours.append(own)
        ratio = best(peers) / best(ours)
        if ratio >= least:
            break
    return ratio, len(ours)


def machine() -> dict[str, object]:
    """Describe the machine, without its name."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory_kb("MemTotal") / 1e6),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def available_gb() -> float:
    """Give the memory that is free for a peer."""
    return memory_kb("MemAvailable") / 1e6


def memory_kb(name: str) -> int:
    """Read one line of the kernel's account of memory."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def write(path: Path, result: dict) -> None:
    """Write JSON for people and programs."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def table(rows: list[dict]) -> str:
    """Lay the rows out as one table."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cells(row: dict) -> tuple[str, ...]:
    """Write one row as text."""
    if "not_run" in row:
        return (row["workload"], row["peer"], f"not run: {row['not_run']}", *[""] * (len(COLUMNS) - 3))
    agree = ("yes" if row["agree"] else "NO") + (f", {row['why']}" if row["why"] else "")
    return (
        *(row["workload"], f"{row['peer']} {row['peer_version']}"),
        *(short(row["peer_per_second"]), short(row["per_second"]), row["unit"]),
        *(f"{row['ratio']:.2f}x", f"{row['goal']:g}x"),
        *(points(row["peer_delay_us"]), points(row["delay_us"])),
        *(str(row["peer_peak_mb"]), str(row["peak_mb"]), agree),
    )


def points(delays: dict[str, float] | None) -> str:
    """Write percentiles."""
    return "" if delays is None else " / ".join(f"{value:.3g}" for value in delays.values())


def short(value: float) -> str:
    """Write a figure with three digits and its magnitude."""
    for limit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{sign}"
    return f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
