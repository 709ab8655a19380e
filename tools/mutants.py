"""Plant small faults, drawn by a seed, one at a time, and see which of them the tests notice.

`python tools/mutants.py rust` plants faults of cargo-mutants in five crates, `python tools/mutants.py python`
faults of cosmic-ray in three rooms of Python. Both print a line for each fault and a share for each room, and
end with 1 when a room notices fewer than nine in ten.

The faults are planted in a checkout of what is committed, below `build/mutants`. The draw and each verdict
are kept there, so a run that was interrupted goes on. A fault that the tests let pass is tried anew once
something else is committed.
"""

import argparse
import hashlib
import json
import math
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import lines_reached
from order_path import ORDER_PATH

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "mutants"
# `make mutants` puts it there, in an environment of its own.
COSMIC_RAY = ROOT / "build" / "cosmic-ray" / "bin" / "cosmic-ray"
CRATES = ("risk", "ledger", "kernel", "journal", "book")
FOLDERS = {
    "runtime": ["python/tradecore/runtime"],
    "adapters": sorted(str(path.relative_to(ROOT)) for path in (ROOT / "adapters").glob("*/tradecore_*")),
    "api": ["api/tradecore_api"],
}
ROOMS = {"rust": CRATES, "python": tuple(FOLDERS)}
SHARE_MIN = 0.9
# A fault that does not compile, or whose code has changed, is replaced by the next of the draw.
SPARE = 10

UNIT = ["tests/unit", "tests/contract", "adapters", "api", "tests/architecture"]
RANDOM = ["tests/property", "tests/replay"]
PROCESSES = ["tests/e2e", "tests/faults"]
# From the nearest to the farthest: a fault that one stage notices needs no other.
STAGES = {"rust": [RANDOM, UNIT, PROCESSES], "python": [UNIT, PROCESSES, RANDOM]}
# They build the package anew and say nothing of a fault in it.
LEFT_OUT = ["tests/e2e/test_setup.py", "tests/e2e/test_wheel.py"]
EXTENSION = ["cargo", "build", "--locked", "--quiet", "--release", "--package", "tradecore-pyext"]
# A crate takes seconds; a fault may let a test run for ever.
SECONDS_OF_RUST_TESTS_MAX = 120
SECONDS_OF_PYTEST_MAX = 1_500
# Two processes take so long to start that less work is done sooner in one.
SECONDS_OF_ONE_PROCESS_MAX = 30
# A thread that a failed test left behind, such as one of a database, would hold the process for ever.
PYTEST = """
import os, sys, pytest
code = pytest.main(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""

# The code with which pytest ends when it does not find what it was told to run.
NO_SUCH_TEST = 4
CAUGHT, LET_PASS, UNVIABLE = "caught", "let pass", "does not build"


@dataclass(frozen=True)
class Fault:
    """One change of one file, as a patch."""

    room: str
    name: str
    path: str
    patch: str


@dataclass(frozen=True)
class Verdict:
    """What became of a fault: which test noticed it, or how far it came."""

    room: str
    name: str
    outcome: str
    # The test that failed; for a fault that passes, the stages it passed.
    where: str
    # A test that never ended is the one sign of this fault.
    is_endless: bool
    # How many stages of tests were allowed.
    stages: int
    seconds: int
    commit: str


class Checkout:
    """A clone of the repository in which faults are planted, with an environment that sees only the clone.

    Programs that tests start import from the clone, too: the editable installs of the developer's environment
    are `.pth` files, which Python does not read in a folder that another `.pth` file adds.
    """

    def __init__(self, language: str) -> None:
        self.place = PLACE / language
        self.tree = self.place / "tree"
        self.python = self.place / "venv" / "bin" / "python"
        self.target = self.place / "target"
        # Tests that fail without any fault: they say nothing of one.
        self.failing: list[str] = []
        # Where faults are drawn from: paths that begin so; empty for everywhere.
        self.within: tuple[str, ...] = ()
        # How many faults there are to draw from, by room.
        self.listed: dict[str, int] = {}
        # Which tests execute the line of a fault.
        self.record = lines_reached.Record({}, {})
        # More of them for the processes of the tests.
        self.variables: dict[str, str] = {}

    def bring_up_to_date(self) -> str:
        """Clone or fetch what is committed, with the native module that is installed; give the commit."""
        if not self.tree.exists():
            self.place.mkdir(parents=True, exist_ok=True)
            run(["git", "clone", "--quiet", str(ROOT), str(self.tree)], ROOT)
        head = run(["git", "rev-parse", "HEAD"], ROOT).strip()
        run(["git", "fetch", "--quiet", "origin", head], self.tree)
        run(["git", "checkout", "--quiet", "--force", "--detach", head], self.tree)
        self.take_sound_module()
        self._make_environment()
        return head

    def take_sound_module(self) -> None:
        """Put the native module of the developer's environment there, which has no fault."""
        self.take_module(next((ROOT / "python" / "tradecore").glob(f"_core*{EXTENSION_SUFFIXES[0]}")))

    def take_module(self, built: Path) -> None:
        """Put a native module where the tests of the clone load it."""
        # A new file, not new bytes in the old one: a process that still runs keeps what it has mapped.
        goal = self.tree / "python" / "tradecore" / f"_core{EXTENSION_SUFFIXES[0]}"
        shutil.copy(built, goal.with_suffix(".new"))
        goal.with_suffix(".new").replace(goal)

    def _make_environment(self) -> None:
        home = self.place / "venv"
        if not self.python.exists():
            base = getattr(sys, "_base_executable", sys.executable)
            run([base, "-m", "venv", "--without-pip", str(home)], ROOT)
        own = [self.tree / "python", self.tree / "api", *sorted((self.tree / "adapters").glob("*/"))]
        installed = [Path(name) for name in sys.path if name.endswith("site-packages")]
        (packages,) = home.glob("lib/python*/site-packages")
        (packages / "clone.pth").write_text("\n".join(map(str, [*own, *installed])) + "\n", encoding="utf-8")
        lines_reached.install(packages)
        for script in Path(sys.executable).parent.iterdir():
            content = script.read_bytes() if script.is_file() else b""
            first = f"#!{sys.executable}\n".encode()
            if content.startswith(first):
                goal = home / "bin" / script.name
                goal.write_bytes(f"#!{self.python}\n".encode() + content.removeprefix(first))
                goal.chmod(0o755)

    def plant(self, fault: Fault) -> bool:
        """Apply a fault; False when the code it changes is no longer there."""
        command = ["git", "apply", "--unidiff-zero", "-"]
        done = subprocess.run(
            command, cwd=self.tree, input=fault.patch, text=True, check=False, stderr=subprocess.DEVNULL
        )
        return done.returncode == 0

    def clean(self) -> None:
        """Take every fault out again."""
        run(["git", "checkout", "--quiet", "--force", "."], self.tree)

    def environment(self) -> dict[str, str]:
        """Return the variables with which cargo and pytest run in the clone."""
        return {
            **os.environ,
            **self.variables,
            "CARGO_TARGET_DIR": str(self.target),
            "CARGO_PROFILE_DEV_DEBUG": "0",
            "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
            # The extension is built anew for one run of the tests: quickly, with its checks of overflow.
            "CARGO_PROFILE_RELEASE_LTO": "off",
            "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
            "CARGO_PROFILE_RELEASE_INCREMENTAL": "true",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
            "CARGO_PROFILE_RELEASE_DEBUG": "0",
            "PYO3_PYTHON": str(self.python),
            "PYTHONDONTWRITEBYTECODE": "1",
            "VIRTUAL_ENV": str(self.place / "venv"),
        }


def run(command: list[str], folder: Path) -> str:
    """Run a program that has to succeed and return what it wrote."""
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def run_bounded(command: list[str], checkout: Checkout, seconds_max: int | None) -> tuple[int | None, str]:
    """Run a program with all it starts; return its exit code, `None` when the time was up, and its words.

    A build gets no bound: it ends, and one that was cut short on a slow machine would look like a fault that
    does not compile.
    """
    process = subprocess.Popen(
        command,
        cwd=checkout.tree,
        env=checkout.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        words, _ = process.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        words, _ = process.communicate()
        return None, words
    return process.returncode, words


# The draw.


def drawn(checkout: Checkout, room: str, seed: int, count: int) -> list[Fault]:
    """Return the faults of a room in the order of the draw, from the file that keeps it when there is one."""
    where = "-order-path" if checkout.within else ""
    kept = checkout.place / f"draw-{room}{where}-{seed}-{count}.json"
    if kept.exists():
        known = json.loads(kept.read_text(encoding="utf-8"))
        checkout.listed[room] = known["listed"]
        return [Fault(**entry) for entry in known["faults"]]
    chance = random.Random(f"{seed} {room}")  # noqa: S311 - a draw that a seed repeats, no secret
    source = of_crate if room in CRATES else of_folders
    faults = list(source(checkout, room, count + SPARE, chance))
    said = {"listed": checkout.listed[room], "faults": [asdict(fault) for fault in faults]}
    kept.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return faults


def of_crate(checkout: Checkout, room: str, count: int, chance: random.Random) -> Iterator[Fault]:
    """Draw from what cargo-mutants lists for a crate."""
    command = ["cargo", "mutants", "--list", "--json", "--diff", "--package", f"tradecore-{room}"]
    found = [entry for entry in json.loads(run(command, checkout.tree)) if is_within(checkout, entry["file"])]
    entries = sorted(found, key=lambda entry: str(entry["name"]))
    checkout.listed[room] = len(entries)
    for entry in chance.sample(entries, min(count, len(entries))):
        path = entry["file"]
        patch = re.sub(r"\A--- .*\n\+\+\+ .*\n", f"--- a/{path}\n+++ b/{path}\n", entry["diff"])
        yield Fault(room, entry["name"], path, patch)


def of_folders(checkout: Checkout, room: str, count: int, chance: random.Random) -> Iterator[Fault]:
    """Draw from what cosmic-ray lists for the folders of a room.

    `X | Y` is left out: nearly all of them join types, which no test calls.
    """
    settings, session = checkout.place / f"{room}.toml", checkout.place / f"{room}.sqlite"
    lines = [
        "[cosmic-ray]",
        f"module-path = {json.dumps(FOLDERS[room])}",
        "timeout = 1.0",
        'excluded-modules = []\ntest-command = ""\n[cosmic-ray.distributor]\nname = "local"',
    ]
    settings.write_text("\n".join([*lines, ""]), encoding="utf-8")
    run([str(COSMIC_RAY), "init", "--force", str(settings), str(session)], checkout.tree)
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "select module_path, start_pos_row, operator_name, occurrence from mutation_specs "
            "where operator_name not like '%BitOr%' "
            "order by module_path, start_pos_row, start_pos_col, operator_name, occurrence"
        ).fetchall()
    rows = [row for row in rows if is_within(checkout, row[0])]
    checkout.listed[room] = len(rows)
    for path, line, operator, occurrence in chance.sample(rows, min(count, len(rows))):
        # It lists `except a.B` as an exception to replace, and then cannot replace a name with a dot.
        if subprocess.run(
            [str(COSMIC_RAY), "apply", path, operator, str(occurrence)],
            cwd=checkout.tree,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode:
            checkout.clean()
            continue
        patch = run(["git", "diff", "--unified=2"], checkout.tree)
        checkout.clean()
        yield Fault(room, f"{path}:{line} {operator.removeprefix('core/')} {occurrence}", path, patch)


def is_within(checkout: Checkout, path: str) -> bool:
    """Tell whether faults of a file are drawn from."""
    return not checkout.within or path.startswith(checkout.within)


# The trial.


def tried(checkout: Checkout, fault: Fault, stages: int, commit: str) -> Verdict:
    """Plant a fault, run the tests from near to far until one fails, and take the fault out."""
    start = time.monotonic()
    trial = tried_in_rust if fault.room in CRATES else tried_in_python
    while True:
        is_endless = False
        outcome, where = UNVIABLE, "the code it changes is gone"
        try:
            if checkout.plant(fault):
                outcome, where, is_endless = trial(checkout, fault, stages)
        finally:
            checkout.clean()
        if outcome != CAUGHT or not fails_anyway(checkout, where):
            break
        checkout.failing.append(where)
    seconds = round(time.monotonic() - start)
    return Verdict(fault.room, fault.name, outcome, where, is_endless, stages, seconds, commit)


def fails_anyway(checkout: Checkout, test: str) -> bool:
    """Tell whether a test of Python fails in the clone as it was committed, too."""
    if ".py::" not in test:
        return False
    checkout.take_sound_module()
    return pytest(checkout, [test])[0] != 0


def prove_sound(checkout: Checkout) -> None:
    """Build everything and run the tests of Rust without any fault; later builds are short then."""
    crates = ["--workspace", "--exclude", "tradecore-pyext"]
    for command in (["cargo", "test", "--locked", "--quiet", *crates], EXTENSION):
        code, words = run_bounded(command, checkout, None)
        if code != 0:
            sys.exit(f"{' '.join(command)} fails without any fault: mend that first\n{words[-2_000:]}")


def tried_in_rust(checkout: Checkout, fault: Fault, stages: int) -> tuple[str, str, bool]:
    """Run the tests of the crate, of those that use it, and of Python on a module with the fault in it."""
    own = ["--package", f"tradecore-{fault.room}"]
    others = [part for name in users_of(checkout, own[1]) for part in ("--package", name)]
    for number, chosen in enumerate(filter(None, [own, others][:stages])):
        test = ["cargo", "test", "--locked", "--quiet", *chosen]
        if run_bounded([*test, "--no-run"], checkout, None)[0] != 0:
            return (CAUGHT, "other crates do not build", False) if number else (UNVIABLE, "", False)
        code, words = run_bounded(test, checkout, SECONDS_OF_RUST_TESTS_MAX)
        if code != 0:
            found = re.search(r"^---- (\S+) stdout ----$", words, re.MULTILINE)
            return CAUGHT, found[1] if found else words[-300:], code is None
    if stages > 2:
        if run_bounded(EXTENSION, checkout, None)[0] != 0:
            return CAUGHT, "the extension does not build", False
        checkout.take_module(checkout.target / "release" / "lib_core.so")
    return staged(STAGES["rust"][: max(0, stages - 2)], checkout)


def users_of(checkout: Checkout, crate: str) -> list[str]:
    """Return the crates that depend on a crate, through others too; the binding is tested in Python."""
    facts = json.loads(run(["cargo", "metadata", "--no-deps", "--format-version", "1"], checkout.tree))
    needs = {entry["name"]: {need["name"] for need in entry["dependencies"]} for entry in facts["packages"]}
    found = {crate}
    while more := {name for name, of in needs.items() if of & found} - found:
        found |= more
    return sorted(found - {crate, "tradecore-pyext"})


def tried_in_python(checkout: Checkout, fault: Fault, stages: int) -> tuple[str, str, bool]:
    """Run the tests that execute the line; where others may notice the fault, too, all tests."""
    module = checkout.tree / fault.path
    if not is_python(module):
        return UNVIABLE, "", False
    chosen = checkout.record.stages(fault.name)
    if not (chosen and lines_reached.lines_to_watch(module.read_text(encoding="utf-8"), line_of(fault))[1]):
        chosen += STAGES["python"]
    return staged(chosen[:stages], checkout)


def line_of(fault: Fault) -> int:
    """Return the line that a fault of cosmic-ray changes, which its name tells."""
    return int(fault.name.removeprefix(f"{fault.path}:").split()[0])


def note_lines(checkout: Checkout, asked: argparse.Namespace, commit: str) -> None:
    """Run all tests once without any fault and note which of them execute the lines of the draw."""
    if checkout.record.seconds:
        return
    faults = [fault for room in rooms_of(asked) for fault in drawn(checkout, room, asked.seed, asked.count)]
    places = [(fault.name, fault.path, line_of(fault)) for fault in faults]
    watched = json.dumps(lines_reached.watched_by(checkout.tree, places))
    kept = checkout.place / f"reached-{commit[:12]}-{hashlib.sha256(watched.encode()).hexdigest()[:12]}"
    notes, unfinished = kept.with_suffix(".jsonl"), kept.with_suffix(".new")
    if not notes.exists():
        kept.with_suffix(".json").write_text(watched, encoding="utf-8")
        unfinished.unlink(missing_ok=True)
        checkout.variables = lines_reached.variables(kept.with_suffix(".json"), unfinished)
        left_out = [part for name in LEFT_OUT for part in ("--ignore", name)]
        tests = [name for stage in STAGES["python"] for name in stage]
        options = ["-p", lines_reached.__name__, "--maxfail=0", "-n", "2", *left_out]
        code, words = pytest(checkout, [*options, *tests], None)
        # 1: some tests failed, which the trials notice.
        if code not in {0, 1}:
            sys.exit(
                f"the tests did not run to their end without any fault: mend that first\n{words[-2_000:]}"
            )
        checkout.variables = {}
        unfinished.replace(notes)
    checkout.record = lines_reached.Record.read(notes)


def staged(stages: list[list[str]], checkout: Checkout) -> tuple[str, str, bool]:
    """Run each stage until a test fails."""
    for stage in filter(None, stages):
        failure = first_failure(checkout, stage)
        if failure is not None:
            return CAUGHT, *failure
    return LET_PASS, f"{len(stages)} stages", False


def first_failure(checkout: Checkout, tests: list[str]) -> tuple[str, bool] | None:
    """Return the first test that fails, and whether that is because it did not end.

    A machine under load lets a test of processes, or one against time, fail now and then. Such a failure
    counts when the test fails once more alone; else it is left out and the rest tried anew.
    """
    left_out = [part for name in LEFT_OUT for part in ("--ignore", name)]
    left_out += [part for name in checkout.failing for part in ("--deselect", name)]
    while True:
        # Two processes pay where there is much to do. What is not in the record is a folder.
        seconds = sum(checkout.record.seconds.get(test, math.inf) for test in tests)
        processes = "0" if seconds < SECONDS_OF_ONE_PROCESS_MAX else "2"
        code, words = pytest(checkout, ["-n", processes, *left_out, *tests])
        if code == NO_SUCH_TEST:
            # The fault has changed the name of a case: all cases of its test are tried.
            tests = sorted({name.partition("[")[0] for name in tests})
            code, words = pytest(checkout, ["-n", processes, *left_out, *tests])
        # 5: no test was collected.
        if code in {0, 5}:
            return None
        found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", words, re.MULTILINE)
        if code is None or found is None:
            return words[-300:], code is None
        is_late = "Timeout (>" in words
        if not (is_late or found[1].startswith(tuple(PROCESSES))):
            return found[1], False
        code, words = pytest(checkout, [found[1]])
        if code != 0:
            return found[1], code is None or "Timeout (>" in words
        left_out += ["--deselect", found[1]]


def pytest(
    checkout: Checkout, arguments: list[str], seconds_max: int | None = SECONDS_OF_PYTEST_MAX
) -> tuple[int | None, str]:
    """Run pytest in the clone until the first failure."""
    command = [
        str(checkout.python),
        "-c",
        PYTEST,
        "-q",
        "-x",
        "-o",
        "timeout=240",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    return run_bounded(command, checkout, seconds_max)


def is_python(module: Path) -> bool:
    """Tell whether a module compiles: cosmic-ray takes a star among parameters for a product."""
    try:
        compile(module.read_bytes(), str(module), "exec")
    except SyntaxError:
        return False
    return True


# The tally.


def verdicts(checkout: Checkout, seed: int) -> dict[str, list[Verdict]]:
    """Read the verdicts that earlier runs left behind, by fault, the oldest first."""
    kept = checkout.place / f"verdicts-{seed}.jsonl"
    known: dict[str, list[Verdict]] = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []:
        verdict = Verdict(**json.loads(line))
        known.setdefault(verdict.name, []).append(verdict)
    return known


def try_room(
    checkout: Checkout, room: str, asked: argparse.Namespace, commit: str
) -> list[tuple[Verdict, Verdict]]:
    """Try the faults of a room that have no verdict of worth yet; give the first and the last of each."""
    known = verdicts(checkout, asked.seed)
    kept = checkout.place / f"verdicts-{asked.seed}.jsonl"
    results: list[tuple[Verdict, Verdict]] = []
    for fault in drawn(checkout, room, asked.seed, asked.count):
        if len(results) == asked.count or time.monotonic() > asked.until:
            break
        past = known.get(fault.name, [])
        if not past or is_worth_another_trial(past[-1], asked.stages, commit):
            if room in FOLDERS:
                note_lines(checkout, asked, commit)
            past = [*past, tried(checkout, fault, asked.stages, commit)]
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(past[-1])) + "\n")
            show(past[-1])
        if past[-1].outcome != UNVIABLE:
            results.append((past[0], past[-1]))
    return results


def rooms_of(asked: argparse.Namespace) -> list[str]:
    """Return the rooms that were asked for."""
    return [room for room in ROOMS[asked.language] if asked.room in {None, room}]


def is_worth_another_trial(verdict: Verdict, stages: int, commit: str) -> bool:
    """Tell whether a fault passed other tests than there are now, or fewer."""
    return verdict.outcome == LET_PASS and (verdict.commit != commit or verdict.stages < stages)


def show(verdict: Verdict) -> None:
    """Print the line of a fault."""
    end = " (a test did not end)" if verdict.is_endless else ""
    where = " ".join(verdict.where.split())
    print(f"{verdict.outcome:8}  {verdict.seconds:4} s  {verdict.name}  <- {where}{end}", flush=True)


def rests(checkout: Checkout, found: dict[str, list[tuple[Verdict, Verdict]]]) -> Iterable[str]:
    """Give a line for each room: how many of the faults that there are nobody has tried."""
    for room, pairs in found.items():
        listed = checkout.listed.get(room, 0)
        yield f"{room}: {listed - len(pairs)} of {listed} faults were not tried"


def shares(found: dict[str, list[tuple[Verdict, Verdict]]]) -> Iterable[str]:
    """Give a line for each room."""
    for room, pairs in found.items():
        first = sum(pair[0].outcome == CAUGHT for pair in pairs)
        now = sum(pair[1].outcome == CAUGHT for pair in pairs)
        endless = sum(pair[1].is_endless for pair in pairs)
        yield (
            f"{room}: {now} of {len(pairs)} caught; {first} at the first trial; "
            f"{endless} by a test that did not end"
        )


def main() -> int:
    """Plant faults and print what became of them.

    Returns
    -------
    int
        0 when each room notices nine in ten; 1 when one does not; 2 when a tool is missing.
    """
    parser = argparse.ArgumentParser(description="Plant faults and see which of them the tests notice.")
    parser.add_argument("language", choices=list(ROOMS))
    parser.add_argument("--room", choices=[*CRATES, *FOLDERS], help="only this one")
    parser.add_argument("--count", type=int, default=20, help="faults for each room (20)")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other faults (1)")
    parser.add_argument("--stages", type=int, default=9, help="only the nearest stages of tests (all)")
    parser.add_argument("--order-path", action="store_true", help="only where an order goes through")
    parser.add_argument("--seconds-max", type=float, default=math.inf, help="begin no trial later (no bound)")
    asked = parser.parse_args()
    asked.until = time.monotonic() + asked.seconds_max
    missing = missing_tool(asked.language)
    if missing:
        print(missing, file=sys.stderr)
        return 2
    checkout = Checkout(asked.language)
    checkout.within = ORDER_PATH if asked.order_path else ()
    commit = checkout.bring_up_to_date()
    if asked.language == "rust":
        prove_sound(checkout)
    found = {room: try_room(checkout, room, asked, commit) for room in rooms_of(asked)}
    print("\n".join([*shares(found), *rests(checkout, found)]))
    short = [
        room
        for room, pairs in found.items()
        if sum(p[1].outcome == CAUGHT for p in pairs) < SHARE_MIN * len(pairs)
    ]
    return int(bool(short))


def missing_tool(language: str) -> str | None:
    """Say what is not installed and how to get it."""
    if language == "python" and not COSMIC_RAY.exists():
        return f"{COSMIC_RAY} not found: run `make mutants`, which installs it"
    if language == "rust" and shutil.which("cargo-mutants") is None:
        return "cargo-mutants not found: run `cargo install --locked cargo-mutants`"
    return None


if __name__ == "__main__":
    sys.exit(main())
