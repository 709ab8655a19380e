"""`python -m promises`: run the parts of the proof, and print the table of promises."""

import argparse
import os
import platform
import signal
import subprocess
import sys
import time

import msgspec

from promises.parts import PARTS
from promises.run import ROOT, run_parts
from promises.table import CATALOGUE, HEAD, known_faults, lines, silent, strangers, times
from tradecore_api.output import print_table
from tradecore_api.progress import working

WRITTEN = ROOT / "build" / "promises.json"
KEPT = ROOT / "docs" / "promises.json"
_SEEDS = 100_000
_FAILURES_SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """Run them; 1 where something was found, or a part did not say what it found."""
    parser = argparse.ArgumentParser(prog="python -m promises", description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="ten times as much")
    parser.add_argument("--seed", type=int, help="of all parts; the commit decides it otherwise")
    parser.add_argument("--share", type=float, default=1.0, help="of all sizes and times, above 0 up to 1")
    parser.add_argument("--only", default="", help="names of parts, with commas")
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.relative_to(ROOT)} too")
    options = parser.parse_args(arguments)
    wanted = [name for name in options.only.split(",") if name]
    if unknown := set(wanted) - {part.name for part in PARTS}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if not 0 < options.share <= 1:
        parser.error("--share: above 0, and 1 at most")
    if options.keep and (wanted or options.share < 1):
        parser.error("only a whole run is kept")
    parts = [part.share(options.share) for part in PARTS if part.name in wanted or not wanted]
    commit = _commit()
    seed = int(commit[:8], 16) % _SEEDS if options.seed is None else options.seed
    begun = time.monotonic()
    with working("promises", f"of {len(parts)} parts") as show:
        ended = run_parts(parts, is_nightly=options.nightly, seed=seed, show=show)
    run = CATALOGUE.Run(
        commit=commit[:12],
        kind="nightly" if options.nightly else "change",
        seed=seed,
        seconds=round(time.monotonic() - begun, 1),
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        parts=tuple(msgspec.convert(msgspec.to_builtins(each), CATALOGUE.PartEnded) for each in ended),
    )
    written = msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n"
    WRITTEN.parent.mkdir(exist_ok=True)
    for path in (WRITTEN, *([KEPT] if options.keep else [])):
        path.write_bytes(written)
    _print(run)
    return 0 if run.is_kept and not strangers(run) and not silent(run) else 1


def _commit():
    """Return the hash of the commit; zeros where there is no repository."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.strip() or "0" * 40


def _print(run):
    print_table(HEAD, lines(run))
    print()
    print_table(("part", "seconds", "how much of it"), times(run))
    where = WRITTEN.relative_to(ROOT)
    print(f"\nseed {run.seed}, {run.seconds:.0f} seconds; all of it is in {where}")
    for words in known_faults():
        print(f"KNOWN FAULT, not mended yet: {words}")
    for words in run.failures[:_FAILURES_SHOWN]:
        print(f"BROKEN by {words}")
    if len(run.failures) > _FAILURES_SHOWN:
        print(f"{len(run.failures) - _FAILURES_SHOWN} more are in {where}")
    for each in run.parts:
        if each.trouble:
            print(f"NOT TOLD by {each.name}: it {each.trouble}")
    for words in silent(run):
        print(f"NOT TOLD of {words}: tools/promises.toml says that it tries it")
    for name in strangers(run):
        print(f"NO SUCH PROMISE: {name} is not in tools/promises.toml")


def _leave(number, _frame):
    """End by a signal as by an error: the parts that run are ended with it."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(main())
