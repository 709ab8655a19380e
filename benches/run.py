"""Run all benches, write benches/results/*.json and print one table, the native benches' own below it.

Usage: `python benches/run.py [--no-native] [pytest arguments]`, or `make bench`.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
COLUMNS = ("workload", "value", "unit", "baseline", "ratio", "goal")


def main(arguments: list[str]) -> int:
    """Run, summarise and print.

    Returns
    -------
    int
        0 when every bench gave the right answer and kept its bounds; else what pytest or cargo said.
    """
    RESULTS.mkdir(exist_ok=True)
    raw = RESULTS / "pytest-benchmark.json"
    raw.unlink(missing_ok=True)
    native = "--no-native" not in arguments
    options = [argument for argument in arguments if argument != "--no-native"]
    command = [
        *(sys.executable, "-m", "pytest", str(HERE), "-q", "-p", "no:xdist", "--timeout=900"),
        *("--benchmark-enable", f"--benchmark-json={raw}", "--benchmark-quiet", *options),
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
    rows = [row_of(entry) for entry in json.loads(raw.read_text())["benchmarks"]] if raw.exists() else []
    (RESULTS / "table.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))
    return (run_native() if native else 0) or done.returncode


def row_of(entry: dict) -> dict:
    """Condense one result of pytest-benchmark."""
    facts = entry["extra_info"]
    value = facts["amount"] / entry["stats"]["median"]
    return {
        "workload": facts["workload"],
        "value": value,
        "unit": facts["unit"],
        "baseline": facts["plain"],
        "baseline_value": facts["plain_value"],
        "ratio": value / facts["plain_value"],
        "goal": facts["goal"],
        "first_line": facts["first_line"],
        **{name: fact for name, fact in facts.items() if name.startswith("also_")},
    }


def table(rows: list[dict]) -> str:
    """Lay the rows out as one table; further figures follow below."""
    lines = [COLUMNS, *(cells(row) for row in sorted(rows, key=lambda row: row["workload"]))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    for row in rows:
        also = [
            f"{name.removeprefix('also_')} {fact}" for name, fact in row.items() if name.startswith("also_")
        ]
        text += [f"{row['workload']}: {', '.join(also)}"] if also else []
    return "\n".join(text)


def cells(row: dict) -> tuple[str, ...]:
    """Write one row as text."""
    least, goal = row["first_line"], short(row["goal"])
    if least is not None:
        goal += f" (at least {short(least)}: {'met' if row['value'] >= least else 'MISSED'})"
    return (
        row["workload"],
        short(row["value"]),
        row["unit"],
        f"{row['baseline']} {short(row['baseline_value'])}",
        f"{row['ratio']:.2f}x",
        goal,
    )


def short(value: float) -> str:
    """Write a figure with three digits and its magnitude."""
    for limit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{sign}"
    return f"{value:.3g}"


def run_native() -> int:
    """Run the native benches, print their tables and keep them in a file; give what cargo said."""
    command = ["cargo", "bench", "--workspace", "--locked", "--quiet", "--bench", "*"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    (RESULTS / "native.txt").write_text(done.stdout)
    print(f"\nNative benches:\n{done.stdout.strip()}")
    if done.returncode != 0:
        print(f"native benches failed with {done.returncode}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
