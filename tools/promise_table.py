"""The table of promises in the documents: what is promised, how it is tried, what the last run found."""

from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
PROMISES = ROOT / "tools" / "promises.toml"
CONTROLS = ROOT / "tools" / "controls.toml"
LAST = ROOT / "docs" / "promises.json"
# The part that breaks the program on purpose: what it finds are bugs that nobody noticed.
PLANTED = "planted"


class Promise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A promise: what it says, and what shows that it is kept."""

    number: str
    name: str
    says: str
    how: str
    parts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    not_built: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault that is known and not mended yet: which promises it breaks, and the test that fails by it."""

    promises: tuple[str, ...]
    says: str
    test: str


class _Promises(msgspec.Struct, frozen=True):
    promises: tuple[Promise, ...]
    known: tuple[Known, ...] = ()


class _Control(msgspec.Struct, frozen=True):
    number: str
    name: str
    does: str
    tests: tuple[str, ...]


class _Controls(msgspec.Struct, frozen=True):
    controls: tuple[_Control, ...]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one part of the proof tried of a promise, and found."""

    promise: str
    what: str
    tried: int
    found: int = 0
    worst: str = ""


class PartFound(msgspec.Struct, frozen=True, kw_only=True):
    """What one part came to."""

    part: str
    size: int
    seconds: float
    rows: tuple[Tried, ...]
    failures: tuple[str, ...] = ()
    bounded_by: str = ""


class PartEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A part that has ended, and why it did not say what it found where it did not."""

    name: str
    found: PartFound | None = None
    trouble: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of all parts came to.

    Attributes
    ----------
    commit : str
        What it ran on.
    kind : str
        `change` or `nightly`.
    seed : int
        The seed of all parts.
    seconds : float
        How long all of it took.
    machine : str
        What it ran on.
    parts : tuple of PartEnded
        What each part came to.
    """

    commit: str
    kind: str
    seed: int
    seconds: float
    machine: str
    parts: tuple[PartEnded, ...]

    @property
    def failures(self) -> list[str]:
        """What was broken, line by line."""
        return [f"{each.name}: {words}" for each in self.parts if each.found for words in each.found.failures]

    @property
    def is_kept(self) -> bool:
        """Whether nothing was found, and every part said so."""
        founds = [each.found for each in self.parts if not each.trouble]
        return len(founds) == len(self.parts) and not any(
            found is None or found.failures or any(row.found for row in found.rows) for found in founds
        )

    def rows_of(self, number: str) -> list[tuple[str, Tried]]:
        """Return what each part tried of a promise."""
        return [
            (each.name, row)
            for each in self.parts
            if each.found is not None
            for row in each.found.rows
            if row.promise == number
        ]


def promises() -> tuple[Promise, ...]:
    """Read all of them, with the controls: P1 to P54, then C1 to C26."""
    listed = msgspec.toml.decode(PROMISES.read_bytes(), type=_Promises).promises
    controls = msgspec.toml.decode(CONTROLS.read_bytes(), type=_Controls).controls
    found = [*listed]
    found += [
        Promise(
            number=each.number,
            name=each.name,
            says=each.does,
            how="See [controls](controls.md).",
            tests=each.tests,
        )
        for each in controls
    ]
    return tuple(sorted(found, key=lambda each: (each.number[0] != "P", int(each.number[1:]))))


def known_faults() -> tuple[Known, ...]:
    """Read the faults that are known."""
    return msgspec.toml.decode(PROMISES.read_bytes(), type=_Promises).known


def last_run() -> Run:
    """Read the last run that was kept."""
    return msgspec.json.decode(LAST.read_bytes(), type=Run)


def promise_table() -> str:
    """Show each promise: what it says, how it is tried, what the last run found."""
    run = last_run()
    lines = ["| promise | what is promised | how it is tried | what was found |", "|---|---|---|---|"]
    lines += [
        f"| **{each.number}** {each.name} | {each.says} | {each.how or '-'} | {_found(each, run)} |"
        for each in promises()
    ]
    return "\n".join(lines)


def _found(promise: Promise, run: Run) -> str:
    rows = run.rows_of(promise.number)
    if promise.not_built and not rows:
        return f"**not built**: {promise.not_built}"
    said = [f"**known fault**: {each.says}" for each in known_faults() if promise.number in each.promises]
    said += [_said(name, row) for name, row in rows]
    files = sorted({test.partition("::")[0] for test in promise.tests})
    tests = ", ".join(f"[{Path(file).name}](../{file})" for file in files)
    return "<br>".join([*said, *([f"held by {tests}"] if tests else [])])


def _said(part: str, row: Tried) -> str:
    if part == PLANTED:
        noticed = f"**{row.found} not noticed**" if row.found else "all noticed"
        return f"{part}: {row.tried} bugs, {noticed}"
    broken = f"**{row.found:,} broken**, as by {row.worst}" if row.found else "none broken"
    words = f"{part}: {f'{row.tried:,} tried, {broken}' if row.tried else '**not tried**'} ({row.what})"
    # It stands in a table.
    return words.replace("|", "\\|")


def promise_run() -> str:
    """Say what the last run was, part by part."""
    run = last_run()
    minutes = f"{run.seconds / 60:.0f} minutes" if run.seconds >= 120 else f"{run.seconds:.0f} seconds"
    lines = [
        f"Commit `{run.commit}`, seed {run.seed}, {minutes} on {run.machine}, sizes for each {run.kind}.",
        "",
        "| part | asked for | seconds | how much of it was done |",
        "|---|---|---|---|",
    ]
    for each in run.parts:
        size, seconds = (
            ("-", "-") if each.found is None else (f"{each.found.size:,}", f"{each.found.seconds:.0f}")
        )
        bounded = each.found.bounded_by if each.found else ""
        lines.append(f"| {each.name} | {size} | {seconds} | {each.trouble or bounded or 'all of it'} |")
    return "\n".join(lines)
