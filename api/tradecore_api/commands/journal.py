"""`tradecore journal verify | replay | tail | export`."""

import argparse
import sys
import time
from collections import deque
from collections.abc import Iterator

from tradecore.domain.journal import NOT_OF_MARKET, JournalFolder, JournalReader, record_kinds
from tradecore.domain.narrator import Noted
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import MAKERS
from tradecore.domain.times import iso_time
from tradecore_api.attribution import Attribution
from tradecore_api.exit_codes import ExitCode
from tradecore_api.journal_teller import JournalTeller
from tradecore_api.output import print_json, print_json_line, print_values
from tradecore_api.progress import counted
from tradecore_api.record_values import plain_record
from tradecore_api.summary import INTACT, print_summary
from tradecore_api.wiring import sessions

POLL_SECONDS = 0.2
# Too many to read: what a feed brings, and the time.
EVENT_KINDS = frozenset(
    kind.name for kind in record_kinds() if kind.direction == "input" and kind.name not in NOT_OF_MARKET
)


def verify(arguments: argparse.Namespace) -> int:
    """Check every byte: intact, a torn tail that the next start cuts off, or damaged."""
    finding = _named(arguments).verify()
    values = {
        "path": arguments.path,
        "status": finding.status,
        "records": finding.records,
        "bytes": finding.bytes,
        "segments": finding.segments,
        "dropped": finding.dropped,
        "head": finding.head,
        "message": finding.message,
    }
    _print(values, is_json=arguments.json)
    return ExitCode.OK if finding.status == INTACT else ExitCode.CHECK_FAILED


def replay(arguments: argparse.Namespace) -> int:
    """Run the recorded events through the same engine and strategies; every byte must come out again."""
    print_summary(sessions.replay(_named(arguments)), is_json=arguments.json)
    return ExitCode.OK


def tail(arguments: argparse.Namespace) -> int:
    """Print the last records in words, and with `--follow` those that come."""
    reader = _named(arguments).reader()
    teller = JournalTeller()
    # All are noted, because a report names its order by number alone; only the last are told.
    noted = (teller.note(record) for record in _wanted(reader, has_all=arguments.all))
    for last in deque(noted, maxlen=max(arguments.lines, 0)):
        _print_told(teller, last, is_json=arguments.json)
    while arguments.follow:
        for record in _wanted(reader, has_all=arguments.all):
            _print_told(teller, teller.note(record), is_json=arguments.json)
        time.sleep(POLL_SECONDS)
    return ExitCode.OK


def export(arguments: argparse.Namespace) -> int:
    """Print every record as a line of JSON; an order says whose it is."""
    reader, attribution = _named(arguments).reader(), Attribution()
    for record in counted(_wanted(reader, has_all=True), "exporting"):
        print_json_line(plain_record(record) | attribution.of(record))
    return ExitCode.OK


def _wanted(reader: JournalReader, *, has_all: bool) -> Iterator[JournalRecord]:
    for seq, time_ns, kind, fields in reader:
        if has_all or kind not in EVENT_KINDS:
            yield JournalRecord(seq=seq, time_ns=time_ns, body=MAKERS[kind](**fields))


def _print_told(teller: JournalTeller, noted: Noted, *, is_json: bool) -> None:
    """Print a record in words; as JSON with its raw values, and beside them what they mean."""
    record = noted.record
    if not is_json:
        print(f"{record.seq:>8}  {iso_time(record.time_ns, 6)}  {teller.words(noted)}", flush=True)
        return
    told = {"time": iso_time(record.time_ns), "words": teller.words(noted), "told": teller.values(noted)}
    print_json_line({**plain_record(record), **told})
    sys.stdout.flush()


def _print(values: dict[str, object], *, is_json: bool) -> None:
    if is_json:
        print_json(values)
    else:
        print_values(values)


def _named(arguments: argparse.Namespace) -> JournalFolder:
    """Return the journal that the command line names; raises `StorageError` when there is none."""
    journal = JournalFolder(arguments.path)
    journal.check_exists()
    return journal
