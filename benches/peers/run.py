"""Run peers and tradecore in turn on the same data, compare the answers, and print one table.

Usage: `make bench-peers [ARGS=...]`, or `python benches/peers/run.py` with

    -k WORD     only cases whose name has the word
    --rounds N  how often each pair is started anew (2); the best run of each side counts
    --save      keep the result as benches/baseline.json
    --busy      other work runs on the machine meanwhile: count processor time, and say so
    --check     `make bench-check`: only the light cases; 1 when a ratio fell too far
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from cases import CASES, Case, Peer
from check import check
from environments import ROOT, NotInstalledError, python_of
from footprint import footprint
from machine import available_gb, machine
from side import FailedError, sides
from table import footprint_table, table

RESULTS = ROOT / "benches" / "results" / "peers.json"
BASELINE = ROOT / "benches" / "baseline.json"
FOOTPRINT = "B9 installation, import, memory"


def main(arguments: list[str]) -> int:
    """Measure or check.

    Returns
    -------
    int
        1 when answers differ, or when `--check` finds a ratio that fell too far or could not be taken.
    """
    parser = argparse.ArgumentParser(description="Run peers and tradecore in turn on the same data.")
    parser.add_argument("-k", default="", metavar="WORD", help="only cases whose name has the word")
    parser.add_argument("--rounds", type=int, default=2, help="how often each pair is started anew")
    parser.add_argument("--save", action="store_true", help="keep the result as benches/baseline.json")
    parser.add_argument("--busy", action="store_true", help="note that other work ran meanwhile")
    parser.add_argument("--check", action="store_true", help="1 when a light ratio fell too far")
    options = parser.parse_args(arguments)
    cases = [case for case in CASES if options.k in case.name]
    if options.check:
        return check([case for case in cases if case.is_light], json.loads(BASELINE.read_text()))
    rows = []
    for case in cases:
        print(case.name, file=sys.stderr)
        rows.append(measure(case, options.rounds, is_busy=options.busy))
    result = {"machine": machine(), "rows": rows}
    if options.k in FOOTPRINT:
        print(FOOTPRINT, file=sys.stderr)
        result["footprint"] = footprint()
    write(RESULTS, result)
    if options.save:
        save(result)
    print(table(rows))
    if "footprint" in result:
        print(footprint_table(result["footprint"]["rows"]))
    return int(any(row.get("agree") is False for row in rows))


def save(result: dict) -> None:
    """Keep the rows as the baseline; those of cases that did not run this time stay as they were."""
    measured = {row["name"]: row for row in result["rows"]}
    if BASELINE.exists():
        before = json.loads(BASELINE.read_text())
        measured = {row["name"]: row for row in before["rows"]} | measured
        result = before | result
    rows = [measured[case.name] for case in CASES if case.name in measured]
    write(BASELINE, {**result, "rows": rows})


def measure(case: Case, rounds: int, *, is_busy: bool = False) -> dict:
    """Run a pair in turn and condense it to one row; a peer that cannot run gives its reason instead.

    On a busy machine times are processor time, which other work does not add to.
    """
    clock = "cpu_seconds" if is_busy else "seconds"
    row: dict = {
        "busy": is_busy,
        "name": case.name,
        "workload": case.workload,
        "peer": case.peer.name,
        "unit": case.unit,
        "count": case.count,
        "goal": case.goal,
    }
    try:
        peer, python, note = installed(case.peer)
        demand_memory(case.memory_gb)
        pairs = [turns(case._replace(peer=peer), python, case.repeats) for _ in range(rounds)]
    except (NotInstalledError, FailedError) as problem:
        return {**row, "not_run": str(problem)}
    peers, ours = ([pair[side] for pair in pairs] for side in (0, 1))
    agree, why = compared(case, peers[-1]["answer"], ours[-1]["answer"])
    return {
        **row,
        "note": note,
        "peer_version": peers[0]["version"],
        "peer_python": peers[0]["python"],
        "version": ours[0]["version"],
        "python": ours[0]["python"],
        "peer_per_second": case.count / best(peers, clock),
        "per_second": case.count / best(ours, clock),
        "ratio": best(peers, clock) / best(ours, clock),
        "cpu_ratio": best(peers, "cpu_seconds") / best(ours, "cpu_seconds"),
        "peer_runs": seconds(peers, clock),
        "runs": seconds(ours, clock),
        "peer_delay_us": least_delays(peers),
        "delay_us": least_delays(ours),
        "peer_peak_mb": round(peers[0]["peak_mb"]),
        "peak_mb": round(ours[0]["peak_mb"]),
        "agree": agree,
        "why": why,
    }


def installed(peer: Peer) -> tuple[Peer, Path, str]:
    """Find a peer's interpreter; where there is none, that of the older version that stands in for it."""
    try:
        return peer, python_of(peer), ""
    except NotInstalledError as problem:
        if peer.fallback is None:
            raise
        return peer.fallback, python_of(peer.fallback), f"the newer version {problem}"


def demand_memory(wanted_gb: float) -> None:
    """Refuse to push the machine into swapping."""
    free = available_gb()
    if free < wanted_gb:
        raise NotInstalledError(f"needs {wanted_gb:g} GB of free memory, {free:.1f} found")


def turns(case: Case, python: Path, repeats: int) -> tuple[dict, dict]:
    """Start both, let them run in turn, and give what they found."""
    with sides(case, python) as (theirs, ours):
        for _ in range(repeats):
            theirs.run()
            ours.run()
        return theirs.result(), ours.result()


def seconds(results: Iterable[dict], clock: str) -> list[float]:
    """List the times of all runs."""
    return [value for result in results for value in result[clock]]


def best(results: Iterable[dict], clock: str) -> float:
    """Give the shortest time of all runs: what the machine can do when nothing disturbs."""
    return min(seconds(results, clock))


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


def write(path: Path, result: dict) -> None:
    """Write JSON for people and programs."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
