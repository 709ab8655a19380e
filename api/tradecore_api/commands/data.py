"""`tradecore data inspect`."""

import argparse
from collections import Counter
from pathlib import Path

from tradecore.domain.errors import DataError
from tradecore.domain.journal import JournalReader, journal_verify
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values
from tradecore_api.summary import INTACT
from tradecore_api.wiring import backtests, readers

DAMAGED = "damaged"


def inspect(arguments: argparse.Namespace) -> int:
    """Say what a data file holds and what is wrong with it."""
    path = Path(arguments.path)
    if not path.is_file():
        raise DataError(arguments.path, "is no file; name a file" if path.exists() else "no such file")
    report = _journal(arguments.path) if backtests.is_journal(path) else readers.inspect_data(arguments.path)
    if arguments.json:
        print_json(report)
    else:
        print_values(report)
    return ExitCode.CHECK_FAILED if report.get("problems") else ExitCode.OK


def _journal(path: str) -> dict[str, object]:
    """Count the records of a journal by kind, as far as it is whole."""
    verdict = journal_verify(path)
    times: list[int] = []
    kinds: Counter[str] = Counter()
    if verdict.status != DAMAGED:
        for _, time_ns, kind, _ in JournalReader(path):
            times = [times[0] if times else time_ns, time_ns]
            kinds[kind] += 1
    return {
        "path": path,
        "format": "journal",
        "kind": "records",
        "rows": verdict.records,
        "first_time_ns": times[0] if times else None,
        "last_time_ns": times[-1] if times else None,
        "messages": dict(sorted(kinds.items())),
        "problems": [] if verdict.status == INTACT else [f"{path}: {verdict.message}"],
    }
