"""`tradecore journal compact | backup`: what keeps a journal for months."""

import argparse
import time

from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values

_DAY_NS = 86_400_000_000_000


def compact(arguments: argparse.Namespace) -> int:
    """Compress older segments; with `--drop-market-days`, drop the market events of old ones."""
    journal = _named(arguments.path)
    packed = journal.pack()
    values: dict[str, object] = {
        "path": arguments.path,
        "packed": packed.segments,
        "packed_bytes_before": packed.bytes_before,
        "packed_bytes_after": packed.bytes_after,
    }
    if not packed.segments:
        values["message"] = "no older segment was left to compress, and the newest one never is"
    days = arguments.drop_market_days
    if days is not None:
        archived = journal.drop_market_events(max(time.time_ns() - days * _DAY_NS, 0))
        values |= {
            "archived": archived.segments,
            "dropped_records": archived.dropped,
            "archived_bytes_before": archived.bytes_before,
            "archived_bytes_after": archived.bytes_after,
        }
    if arguments.json:
        print_json(values)
    else:
        print_values(values)
    return ExitCode.OK


def backup(arguments: argparse.Namespace) -> int:
    """Copy a journal into a directory and verify the copy; a writer may be at work."""
    copy = _named(arguments.path).backup(arguments.directory)
    finding = copy.verify()
    values = {
        "path": copy.where,
        "records": finding.records,
        "head": finding.head,
        "message": finding.message,
    }
    if arguments.json:
        print_json(values)
    else:
        print_values(values)
    return ExitCode.OK


def _named(path: str) -> JournalFolder:
    """Return the journal that the command line names; raises `StorageError` when it is none."""
    journal = JournalFolder(path)
    journal.check_exists()
    # Another file has no older segments either, and must not be told that it is well kept.
    journal.reader().read_frames(1)
    return journal
