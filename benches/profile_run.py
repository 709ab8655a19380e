"""Show where the time of one workload goes: `make profile WORKLOAD=b6`.

Builds the extension with its symbols below build/profile, runs the workload under `perf` and writes a table
of functions and the folded stacks that flame graphs are drawn from. Where perf is missing or may not sample,
and with PROFILER=callgrind, `valgrind` counts the instructions of one run instead.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "profile"
RESULTS = ROOT / "benches" / "results"
SCRIPT = ROOT / "benches" / "peers" / "with_tradecore.py"
# Workload: count of events and repeats, so that the engine and not the start fills the samples.
WORKLOADS = {
    "B1": (500_000, 20),
    "B2": (500_000, 20),
    "B4": (1_000_000, 20),
    "B5": (1_000_000, 10),
    "B6": (100_000, 20),
    "book": (1_000_000, 10),
    "matching": (1_000_000, 10),
}
PROFILERS = ("perf", "callgrind")
LINES_MAX = 40
# A row of callgrind_annotate: instructions, their share, file:function, and the library in brackets.
COUNTED = re.compile(r" *[\d,]+ \( *[\d.]+%\)  ")
FOLDER = re.compile(r"(?<=\)  )\S*/(?=[^/\s]+:)|(?<=\[)/.*/(?=[^/]+\]$)")


def main(arguments: list[str]) -> int:
    """Profile one workload: its name, and the profiler where it is not to be the first that works.

    Returns
    -------
    int
        2 when the workload or the profiler is unknown, or no profiler works here.
    """
    wanted, profiler = ([argument.lower() for argument in arguments] + ["", ""])[:2]
    names = {name.lower(): name for name in WORKLOADS}
    if wanted not in names:
        print(f"WORKLOAD={wanted or '?'}: must be one of {', '.join(names)}", file=sys.stderr)
        return 2
    if profiler not in {"", *PROFILERS}:
        print(f"PROFILER={profiler}: must be one of {', '.join(PROFILERS)}", file=sys.stderr)
        return 2
    perf, valgrind = shutil.which("perf"), shutil.which("valgrind")
    if profiler != "callgrind" and perf and can_sample(perf):
        profile = partial(by_perf, perf)
    elif profiler != "perf" and valgrind:
        profile = partial(by_callgrind, valgrind)
    else:
        print(f"{profiler or 'neither perf nor valgrind'} does not work here: install it", file=sys.stderr)
        return 2
    build()
    RESULTS.mkdir(exist_ok=True)
    profile(names[wanted])
    return 0


def can_sample(perf: str) -> bool:
    """Tell whether this machine lets perf look: in a container it often may not."""
    tried = subprocess.run([perf, "record", "-o", os.devnull, "--", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def build() -> None:
    """Make a copy of the package whose extension keeps its symbols."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = [
        *("cargo", "build", "--quiet", "--release", "--locked", "-p", "tradecore-pyext"),
        *("--config", "profile.release.strip=false"),
    ]
    environment = {
        **os.environ,
        "PYO3_PYTHON": sys.executable,
        "PYO3_BUILD_EXTENSION_MODULE": "1",
        "CARGO_TARGET_DIR": str(target),
    }
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    shutil.rmtree(HOME, ignore_errors=True)
    shutil.copytree(
        ROOT / "python" / "tradecore",
        HOME / "tradecore",
        ignore=shutil.ignore_patterns("_core*.so", "__pycache__"),
    )
    shutil.copyfile(target / "release" / "lib_core.so", HOME / "tradecore" / "_core.so")


def command_of(name: str, package: Path = HOME) -> tuple[list[str], dict[str, str]]:
    """Give the command that runs a workload once for each line it reads, and its environment.

    `package` is the folder with the tradecore that is run: the copy that `build` has just made.
    """
    paths = [str(package), str(ROOT / "benches"), str(ROOT / "tests")]
    command = [sys.executable, str(SCRIPT), name, str(WORKLOADS[name][0]), "--no-delays"]
    return command, {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def lines_for(repeats: int) -> str:
    """Give the input that asks for so many runs."""
    return "\n" * repeats


def by_perf(perf: str, name: str) -> None:
    """Sample stacks 299 times a second; neither CPython nor the extension keeps frame pointers."""
    data = RESULTS / f"profile-{name.lower()}.perf"
    command, environment = command_of(name)
    record = [
        perf,
        "record",
        "--quiet",
        "-F",
        "299",
        "--call-graph",
        "dwarf",
        "-o",
        str(data),
        "--",
        *command,
    ]
    asked = lines_for(WORKLOADS[name][1])
    subprocess.run(record, env=environment, input=asked, text=True, stdout=subprocess.DEVNULL, check=True)
    report = [
        perf,
        "report",
        "-i",
        str(data),
        "--stdio",
        "--no-children",
        "--no-inline",
        "-g",
        "none",
        "--percent-limit",
        "0.5",
    ]
    said = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    rows = [line for line in said.splitlines() if line.strip() and not line.startswith("#")]
    print("\n".join(rows[:LINES_MAX]))
    stacks = subprocess.run(
        [perf, "script", "--no-inline", "-i", str(data)], capture_output=True, text=True, check=True
    ).stdout
    folded = RESULTS / f"profile-{name.lower()}.folded"
    folded.write_text("".join(f"{stack} {count}\n" for stack, count in sorted(fold(stacks).items())))
    print(f"stacks for a flame graph: {folded.relative_to(ROOT)}", file=sys.stderr)


def fold(text: str) -> Counter[str]:
    """Count equal stacks of `perf script`, the outermost function first, as flame graphs read them."""
    stacks: Counter[str] = Counter()
    for block in text.split("\n\n"):
        frames = [
            line.split(maxsplit=1)[1] for line in block.splitlines()[1:] if len(line.split(maxsplit=1)) == 2
        ]
        names = [frame.rpartition(" (")[0].partition("+0x")[0].replace(";", ":") for frame in frames]
        if names:
            stacks[";".join(reversed(names))] += 1
    return stacks


def by_callgrind(valgrind: str, name: str) -> None:
    """Count the instructions of one run; those of the start and of the data's making are left out."""
    data = RESULTS / f"profile-{name.lower()}.callgrind"
    command, environment = command_of(name)
    counted = [valgrind, "--quiet", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={data}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*counted, *command], env=environment, **pipes) as process:
        wait_for("ready", process)
        switch("on", process.pid)
        process.stdin.write(lines_for(1))
        process.stdin.flush()
        wait_for("seconds", process)
        switch("off", process.pid)
        process.communicate()
    annotate = ["callgrind_annotate", "--show-percs=yes", "--auto=no", str(data)]
    said = subprocess.run(annotate, capture_output=True, text=True, check=True).stdout
    print("\n".join(counts(said)[:LINES_MAX]))
    print(f"for kcachegrind: {data.relative_to(ROOT)}", file=sys.stderr)


def wait_for(word: str, process: subprocess.Popen) -> None:
    """Read what a script says up to the line with this word."""
    for line in process.stdout:
        if f'"{word}"' in line:
            return
    raise SystemExit(f"the workload ended with {process.wait()} before it was {word}")


def switch(state: str, process_id: int) -> None:
    """Begin or end the counting of a process under callgrind."""
    command = ["callgrind_control", f"--instr={state}", str(process_id)]
    subprocess.run(command, capture_output=True, check=True)


def counts(text: str) -> list[str]:
    """Take the sum and the functions out of what callgrind_annotate says, without the folders of files."""
    rows = [line for line in text.splitlines() if COUNTED.match(line)]
    return [FOLDER.sub("", row) for row in rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
