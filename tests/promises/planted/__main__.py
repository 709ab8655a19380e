"""The mutation gate: `python -m promises.planted` plants bugs one at a time, and each has to be noticed.

It tries the bugs in files that a change touches, and as many others as `--size` says (a tenth of all, if
nothing is said): another part for each `--seed`, so that ten seeds in a row try all. `--all` tries all bugs.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from promises.part import Asked, Gathered, Row, main
from promises.planted.bug import Bug, Language, Test
from promises.planted.build import PLACE, build, environment
from promises.planted.table import BUGS
from promises.planted.trials import SOUND, Verdict
from support.shared import ROOT

PARTS = 10
KEPT = PLACE / "verdicts.jsonl"


def touched_since(revision: str) -> frozenset[str]:
    """Return the files that differ from a revision, also those that are not committed."""
    names = [["diff", "--name-only", revision], ["ls-files", "--others", "--exclude-standard"]]
    return frozenset(line for each in names for line in _git(*each).splitlines())


def revision_before() -> str:
    """Return where the change begins: where the branch left main, or on main itself the commit before."""
    head, base = _git("rev-parse", "HEAD"), _git("merge-base", "HEAD", "main", otherwise="")
    return base if base not in {"", head} else _git("rev-parse", "HEAD~1", otherwise=head)


def _git(*words: str, otherwise: str | None = None) -> str:
    done = subprocess.run(
        ["git", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if done.returncode and otherwise is None:
        sys.exit(f"`git {' '.join(words)}` fails here: name a revision with --touched, or say --all")
    return otherwise or "" if done.returncode else done.stdout.strip()


def chosen(touched: frozenset[str], size: int, seed: int) -> list[Bug]:
    """Return the bugs in files that were touched, or whose test was, and a part of the others."""
    by_name = sorted(BUGS.values(), key=lambda bug: hashlib.sha256(bug.name.encode()).digest())
    near = [bug for bug in by_name if not touched.isdisjoint(files_of(bug))]
    begun = seed * size % len(by_name)
    part = (by_name[begun:] + by_name[:begun])[:size]
    return list({bug.name: bug for bug in [*near, *part]}.values())


def files_of(bug: Bug) -> frozenset[str]:
    """Return the file that a bug is in, and that of the test that is to notice it."""
    tests = {bug.catcher.name.partition("::")[0]} if isinstance(bug.catcher, Test) else set()
    return frozenset({bug.path, *tests})


def tried(bugs: Iterable[Bug], packages: Path | None) -> Iterator[Verdict]:
    """Yield the verdicts of bugs, as they come; those of one language, in a process that loads its build."""
    process = subprocess.Popen(
        [sys.executable, "-m", "promises.planted.trials"],
        cwd=ROOT,
        env=environment(packages),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        process.stdin.write("\n".join(bug.name for bug in bugs).encode())
        process.stdin.close()
        try:
            for line in process.stdout:
                yield msgspec.json.decode(line, type=Verdict)
        finally:
            # Who has no more time does not wait for the rest.
            process.terminate()


def judged(bug: Bug, verdict: Verdict, failing: Iterable[str]) -> Verdict:
    """Return the verdict of a bug; a catcher that fails without any bug has noticed nothing."""
    name = bug.catcher.name if isinstance(bug.catcher, Test) else f"seed {bug.catcher.first}"
    if any(each == name or each.startswith((f"{name}::", f"{name}/", f"{name}[")) for each in failing):
        return msgspec.structs.replace(verdict, is_caught=False, by=f"{name} fails without the bug, too")
    return verdict


class Tally(msgspec.Struct, frozen=True):
    """What came of some bugs: their verdicts by name, and what is broken without any bug."""

    found: dict[str, Verdict]
    broken: list[str]


def tally(bugs: list[Bug], packages: Path | None, ending: float) -> Tally:
    """Try bugs of one language, and go on with no further one after `ending`."""
    found: dict[str, Verdict] = {}
    broken = ["the trials did not begin"] if bugs else []
    failing: tuple[str, ...] = ()
    for verdict in tried(bugs, packages) if bugs else ():
        if verdict.name == SOUND:
            failing = verdict.failing
            broken = [f"without any bug: {words}" for words in (*failing, verdict.by) if words]
        else:
            found[verdict.name] = judged(BUGS[verdict.name], verdict, failing)
            _tell(found[verdict.name])
        if time.monotonic() > ending:
            break
    return Tally(found, broken)


def work(asked: Asked, bugs: list[Bug]) -> Gathered:
    """Try the bugs that were asked for, some beside each other where that is asked for."""
    ending = time.monotonic() + asked.seconds_max
    of_rust = [bug for bug in bugs if bug.language is Language.RUST]
    packages = build(asked.jobs) if of_rust else None
    of_python = [bug for bug in bugs if bug.language is Language.PYTHON]
    places = [(some, place) for some, place in ((of_rust, packages), (of_python, None)) if some]
    parts = [(some[at :: asked.jobs], place) for some, place in places for at in range(asked.jobs)]
    with ThreadPoolExecutor(asked.jobs) as pool:
        tallies = list(pool.map(lambda part: tally(*part, ending), parts))
    found = {name: verdict for each in tallies for name, verdict in each.found.items()}
    keep(found.values())
    broken = [words for each in tallies for words in each.broken]
    broken += [f"NOT caught: {each.name}: {each.by}" for each in found.values() if not each.is_caught]
    missing = len(bugs) - len(found)
    return Gathered(
        rows=tuple(rows(found)),
        failures=tuple(broken),
        bounded_by=f"time: {missing} of {len(bugs)} bugs were not tried" if missing else "",
    )


def rows(found: dict[str, Verdict]) -> Iterator[Row]:
    """Yield a row for each promise."""
    for promise in sorted(
        {BUGS[name].promise for name in found}, key=lambda one: (one[0] != "P", int(one[1:]))
    ):
        of_it = [verdict for name, verdict in found.items() if BUGS[name].promise == promise]
        uncaught = [each.name for each in of_it if not each.is_caught]
        names = ", ".join(each.name for each in of_it)
        yield Row(
            promise=promise,
            what=f"planted bugs that have to be noticed: {names}",
            tried=len(of_it),
            found=len(uncaught),
            worst=uncaught[0] if uncaught else "",
        )


def keep(verdicts: Iterable[Verdict]) -> None:
    """Write the last verdict of each bug where a reader finds it."""
    known = (
        {}
        if not KEPT.exists()
        else {json.loads(line)["name"]: line for line in KEPT.read_text().splitlines()}
    )
    known |= {each.name: msgspec.json.encode(each).decode() for each in verdicts}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text("\n".join(known[name] for name in sorted(known)) + "\n", encoding="utf-8")


def _tell(verdict: Verdict) -> None:
    bug = BUGS[verdict.name]
    outcome = "caught" if verdict.is_caught else "NOT CAUGHT"
    print(
        f"{bug.promise:4} {outcome:10} {verdict.seconds:5.1f} s  {bug.name}  <- {verdict.by}",
        file=sys.stderr,
        flush=True,
    )


def begin() -> int:
    """Read what only this part is asked, then do what all parts do."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--touched", metavar="REVISION", help="try the bugs in files changed since then")
    parser.add_argument("--all", action="store_true", help="try all bugs")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=sorted(BUGS), help="try these bugs")
    own, others = parser.parse_known_args()
    if own.all:
        others += ["--size", str(len(BUGS))]

    def choose(asked: Asked) -> list[Bug]:
        if own.only:
            return [BUGS[name] for name in own.only]
        touched = frozenset() if own.all else touched_since(own.touched or revision_before())
        return chosen(touched, asked.size, asked.seed)

    return main("planted", -(-len(BUGS) // PARTS), lambda asked: work(asked, choose(asked)), others)


if __name__ == "__main__":
    sys.exit(begin())
