"""`tradecore simulate`."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tradecore.domain.errors import ConfigError
from tradecore.proof.event_kinds import GROUPS, shares
from tradecore.proof.plan import plan_of
from tradecore.proof.promises import NOT_BUILT, Tally
from tradecore.proof.run import Outcome
from tradecore.proof.shrinking import Shrunk
from tradecore_api import signals
from tradecore_api.commands.simulated_failure import print_shrunk, shown, shrunk
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import plain, print_json, print_table, print_values
from tradecore_api.progress import working
from tradecore_api.wiring.simulation import run_seed, run_seeds

# Of so many seeds one is run twice.
AGAIN_EACH = 10
_FAILURES_SHOWN = 10
_WORDS_MAX = 300
_BOUNDS = (("seeds", 1, 10_000_000), ("events", 100, 100_000_000), ("jobs", 1, 64))


def simulate(arguments: argparse.Namespace) -> int:
    """Run seeds and print the table of promises; with `--trace` print what happened in one of them."""
    for name, least, most in _BOUNDS:
        value = getattr(arguments, name)
        if not least <= value <= most:
            raise ConfigError(f"--{name}", name, value, f"must be from {least} to {most}")
    with _ended_as_by_ctrl_c():
        return _trace(arguments) if arguments.trace else _seeds(arguments)


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let what ends the process end it as Ctrl-C does, so that nothing it has written stays in memory."""
    numbers = [signal.SIGTERM, *([] if sys.platform == "win32" else [signal.SIGHUP])]
    before = {number: signal.getsignal(number) for number in numbers}

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    # What `nohup` lets pass stays so.
    taken = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in taken:
        signals.install(number, end)
    try:
        yield
    finally:
        for number in taken:
            signals.install(number, before[number])


def _trace(arguments: argparse.Namespace) -> int:
    if arguments.json:
        story: list[str] = []
        outcome = run_seed(arguments.seed, arguments.events, story.append)
        print_json({**plain(outcome), "story": story})
        return ExitCode.CHECK_FAILED if outcome.findings else ExitCode.OK
    outcome = run_seed(arguments.seed, arguments.events, print)
    _print_failure(outcome.seed, [(each.promise, each.words) for each in outcome.findings])
    return ExitCode.CHECK_FAILED if outcome.findings else ExitCode.OK


def _seeds(arguments: argparse.Namespace) -> int:
    tally, begun = Tally(), time.monotonic()
    with working("simulating", "seeds", arguments.seeds) as show:
        for outcome, again in _outcomes(arguments):
            tally.add(outcome)
            if again is not None:
                tally.add_again(outcome, again)
            show(tally.seeds, f"{tally.events:,} events, {len(tally.failed)} failed")
    _print(tally, time.monotonic() - begun, arguments)
    return ExitCode.CHECK_FAILED if tally.failed else ExitCode.OK


def _outcomes(arguments: argparse.Namespace) -> Iterator[tuple[Outcome, Outcome | None]]:
    """Yield what each seed came to, and of some of them what it came to a second time."""
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    wanted = [seed for seed in seeds for _ in range(2 if (seed - seeds.start) % AGAIN_EACH == 0 else 1)]
    found = run_seeds(wanted, arguments.events, arguments.jobs)
    for number, seed in enumerate(seeds):
        outcome = next(found)
        if outcome.seed != seed:
            raise AssertionError(f"seed {outcome.seed} came in place of {seed}")
        yield outcome, next(found) if number % AGAIN_EACH == 0 else None


def _print(tally: Tally, seconds: float, arguments: argparse.Namespace) -> None:
    small = _smallest(tally, arguments)
    share = tally.order_events / tally.events if tally.events else 0.0
    figures: dict[str, object] = {
        "seeds": tally.seeds,
        "events": tally.events,
        "of orders": f"{share:.1%}",
        "orders": tally.orders,
        "fills": tally.fills,
        "faults": tally.faults,
        "kills": tally.kills,
        "virtual seconds": round(tally.virtual_seconds),
        "seconds": round(seconds, 1),
        "events a second": round(tally.events / seconds),
    }
    rows = tally.rows()
    if arguments.json:
        print_json(
            {
                **{name.replace(" ", "_"): value for name, value in figures.items()},
                "order_events": tally.order_events,
                "split": {group: tally.split[group] for group in GROUPS},
                "promises": [plain(row) for row in rows],
                "not_built": NOT_BUILT,
                "failed": {
                    str(seed): [plain(each) for each in found] for seed, found in tally.failed.items()
                },
                "shortest": None if small is None else shown(small),
            }
        )
        return
    print_table(
        ("promise", "tried", "found", "worst seed", "what"),
        [
            (
                row.promise,
                f"{row.tried:,}",
                f"{row.found:,}",
                "-" if row.worst_seed is None else str(row.worst_seed),
                row.words,
            )
            for row in rows
        ]
        + [(promise, "not built", "-", "-", words) for promise, words in NOT_BUILT.items()],
    )
    print()
    print_values(figures)
    print()
    print_table(("events", "count and share"), list(shares(tally.split, tally.events)))
    for seed, found in list(tally.failed.items())[:_FAILURES_SHOWN]:
        _print_failure(seed, [(each.promise, each.words) for each in found])
    if tally.failed:
        seed, events = min(tally.failed), arguments.events
        if small is not None:
            print_shrunk(small, plan_of(seed, events))
        print(f"\nto see all that happened: tradecore simulate --seed {seed} --events {events} --trace")


def _smallest(tally: Tally, arguments: argparse.Namespace) -> Shrunk | None:
    """Make the first failure small, where there is one."""
    if not tally.failed:
        return None
    seed = min(tally.failed)
    return shrunk(seed, arguments.events, tally.failed[seed], arguments.shrink_seconds)


def _print_failure(seed: int, found: list[tuple[str, str]]) -> None:
    for promise, words in found[:_FAILURES_SHOWN]:
        print(f"BROKEN by seed {seed}: {promise}: {words[:_WORDS_MAX]}")
    if len(found) > _FAILURES_SHOWN:
        print(f"BROKEN by seed {seed}: {len(found) - _FAILURES_SHOWN} more")
